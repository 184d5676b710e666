//! The demo project with a small loop of its own: what the tests of schedules and reports put in force.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use tallystick::config::project::FILES;

pub const SCHEDULE: &str = r#"
timezone = "Europe/Berlin"

[[chain]]
name = "daily"
cron = "30 5 * * *"

[[chain.step]]
name = "watch"
run = "monitor"

[[chain.step]]
name = "tell"
run = "notify"
when = "all_done"

[[chain]]
name = "open"

[[chain.step]]
name = "tell"
run = "notify"

[[chain]]
name = "ended"

[[chain.step]]
name = "tell"
run = "notify"
"#;

/// A rule that always holds, and holds the model back.
pub const FREEZE: &str = r#"
[[rule]]
name = "always"
watch = "volume"
below = 1000000000
actions = ["notify", "freeze"]
"#;

/// Without a rule that holds of a home in which little was decided.
pub const QUIET: &str = "[[rule]]\nname = \"never\"\nwatch = \"volume\"\nabove = 1000000000\n";

/// The body that puts the project of a folder in force under a name.
pub fn apply_body(folder: &Path, name: &str, monitor: &str) -> String {
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let mut texts: BTreeMap<&str, String> = FILES.into_iter().map(|file| (file, read(file))).collect();
    let settings = texts["project.toml"].replace("name = \"loan-default\"", &format!("name = \"{name}\""));
    texts.insert("project.toml", settings);
    texts.insert("schedule.toml", SCHEDULE.to_string());
    texts.insert("monitor.toml", monitor.to_string());
    json!({ "project": texts }).to_string()
}

/// A channel that writes lines to a file of the home.
pub const ALERTS: &str = r#"
[[channel]]
name = "diary"
type = "file"
path = "diary.jsonl"

[[route]]
channels = ["diary"]
"#;
