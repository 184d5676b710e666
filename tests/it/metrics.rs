//! What operators watch: the figures of what runs by itself and is watched, and that dashboard, rules and page name no
//! other. That real queries have data is shown by tests/acceptance/metrics.py with a real Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tallystick::app::chains::{beat, projects, runs};
use tallystick::app::home::App;
use tallystick::base::figures::{FAMILIES, find_family};
use tallystick::config::project::FILES;
use tallystick::http::metrics::Figures;
use tallystick::http::router::router;
use tallystick::http::routes::ROUTES;
use tallystick::http::server::Server;
use tallystick::security::actor::{Person, Role};

use super::support::Place;
use super::support::test_app::{TestApp, in_role, owner, request};

const DAY_MS: i64 = 86_400_000;

fn text_of(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Every word of a text that is a metric's name.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with("tallystick_"));
    words.map(str::to_string).collect()
}

/// The queries of a dashboard, wherever they stand in it.
fn queries_in(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if name == "expr" || name == "query" => found.push(text.clone()),
                    _ => queries_in(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| queries_in(value, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_and_the_rules_ask_for_nothing_that_is_not_told() {
    let dashboard: Value = serde_json::from_str(&text_of("packaging/grafana/tallystick.json")).unwrap();
    let mut queries = Vec::new();
    queries_in(&dashboard, &mut queries);
    assert!(queries.len() > 50, "the queries were not found: {queries:?}");
    let rules = text_of("packaging/prometheus/tallystick-rules.yml");
    let asked: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("expr:")).map(str::trim).collect();
    assert!(asked.len() > 15, "the rules were not found");
    let files = [
        ("tallystick.json", queries.join("\n"), 30),
        ("tallystick-rules.yml", rules, 15),
        ("tests.yml", text_of("packaging/prometheus/tests.yml"), 15),
    ];
    for (file, text, least) in files {
        let names = names_in(&text);
        assert!(names.len() >= least, "{file} names {} metrics only", names.len());
        for name in names {
            assert!(find_family(&name).is_some(), "{file} asks for {name}, which no server tells");
        }
    }
}

#[test]
fn the_page_about_monitoring_names_every_metric_and_no_other() {
    let named = names_in(&text_of("docs/MONITORING.md"));
    for family in FAMILIES {
        assert!(named.contains(family.name), "docs/MONITORING.md says nothing of {}", family.name);
    }
    for name in named {
        assert!(FAMILIES.iter().any(|family| family.name == name), "{name} is no metric");
    }
}

/// What a server of its own over the same home tells, counters and all.
struct Asked<'a> {
    app: &'a TestApp,
    server: Arc<Server>,
}

impl Asked<'_> {
    fn text(&self) -> String {
        let ask = request(Method::GET, &in_role(Role::Metrics), "/metrics", None);
        let answered = self.app.send_to(router(Arc::clone(&self.server)), ask);
        assert_eq!(answered.status, StatusCode::OK);
        String::from_utf8(answered.bytes).unwrap()
    }

    /// The value of a series by how its line begins.
    fn value(&self, series: &str) -> Option<f64> {
        let text = self.text();
        let begin = format!("{series} ");
        text.lines().find_map(|line| line.strip_prefix(&begin)?.parse().ok())
    }
}

const SCHEDULE: &str = r#"
[[chain]]
name = "daily"
cron = "30 5 * * *"
deadline = "1h"

[[chain.step]]
name = "watch"
run = "monitor"
with = { window_days = 7 }

[[chain]]
name = "weekly"
cron = "0 2 * * 1"

[[chain.step]]
name = "score"
run = "batch"
with = { file = "never-*.csv" }

[[chain.step]]
name = "tell"
run = "notify"
"#;

const ALERTS: &str = "[[channel]]\nname = \"desk\"\ntype = \"file\"\npath = \"alerts.log\"\n\n[[route]]\nchannels = [\"desk\"]\n";

fn files_of(place: &Place, schedule: &str) -> BTreeMap<String, String> {
    let read = |name: &str| std::fs::read_to_string(place.path("project").join(name)).unwrap();
    let mut files: BTreeMap<String, String> =
        FILES.into_iter().map(|name| (name.to_string(), read(name))).collect();
    files.insert("schedule.toml".into(), schedule.into());
    files
}

/// Starts a chain by hand and goes on until it has ended.
fn run(app: &App, project: &str, chain: &str) {
    let id = runs::start(app, project, chain).unwrap().run.id;
    for _ in 0..20 {
        beat::beat(app).unwrap();
        app.hands.wait();
        if runs::show(app, &id).unwrap().run.ended.is_some() {
            return;
        }
    }
    panic!("the run {id} does not end: {:?}", runs::show(app, &id));
}

#[test]
fn chains_reports_and_alerts_are_told_as_they_stand_and_a_project_taken_out_is_told_no_more() {
    let place = Place::with_model();
    std::fs::write(place.path("home/alerts.toml"), ALERTS).unwrap();
    let test = TestApp::over(place);
    let app = test.server.app().as_person(Person::owner("olga").unwrap());
    let asked = Asked { app: &test, server: Server::new(&app, Figures::global(ROUTES)).unwrap() };
    let decision = "/v1/models/loan-default/decisions";
    let example = ROUTES.iter().find(|route| route.pattern.ends_with("/decisions") && route.body.is_some());
    let example = example.unwrap().body.as_ref().unwrap().example;
    let case = test.made(decision, example)["case"].clone();
    // Of which no figure and no report below knows.
    for what in ["decisions", "predict"] {
        test.made(&format!("/v1/models/loan-default/{what}?simulated=true"), example);
    }
    test.clock.advance_ms(DAY_MS);
    let outcomes = json!({"outcomes": [{"decision": case, "value": "Fully Paid"}]});
    test.made("/v1/models/loan-default/outcomes", &outcomes.to_string());

    projects::apply(&app, files_of(&test.place, SCHEDULE)).unwrap();
    let daily = r#"{project="loan-default",chain="daily"}"#;
    let weekly = r#"{project="loan-default",chain="weekly"}"#;
    let of = |name: &str, labels: &str| asked.value(&format!("tallystick_{name}{labels}"));
    assert_eq!(of("chain_last_success_timestamp_seconds", daily), None, "it has not run yet");
    assert_eq!(of("report_verdict", r#"{model="loan-default"}"#), None, "nobody made one yet");
    let ended = |chain: &str, status: &str| {
        of("chain_runs_total", &format!(r#"{{project="loan-default",chain="{chain}",status="{status}"}}"#))
    };
    assert_eq!(ended("daily", "succeeded"), Some(0.0), "a count begins at nought");

    run(&app, "loan-default", "daily");
    run(&app, "loan-default", "weekly");
    let now_s = app.now().millis() as f64 / 1_000.0;
    assert_eq!((ended("daily", "succeeded"), ended("daily", "failed")), (Some(1.0), Some(0.0)));
    assert_eq!((ended("weekly", "succeeded"), ended("weekly", "failed")), (Some(0.0), Some(1.0)));
    assert_eq!((of("chain_failing", daily), of("chain_failing", weekly)), (Some(0.0), Some(1.0)));
    assert_eq!(of("chain_last_success_timestamp_seconds", daily), Some(now_s));
    assert_eq!(of("chain_last_success_timestamp_seconds", weekly), None);
    assert_eq!(of("chain_longest_wait_seconds", daily), Some(86_400.0));
    assert_eq!(of("chain_longest_wait_seconds", weekly), Some(604_800.0));
    let next = of("chain_next_start_timestamp_seconds", daily).unwrap();
    assert!(next > now_s && next <= now_s + 86_400.0 && next % 60.0 == 0.0, "{next}");
    let steps = |labels: &str| of("chain_steps_total", labels);
    assert_eq!(steps(r#"{kind="monitor",ending="succeeded"}"#), Some(1.0));
    assert_eq!(steps(r#"{kind="batch",ending="failed"}"#), Some(1.0));
    assert_eq!(steps(r#"{kind="notify",ending="not_begun"}"#), Some(1.0));
    assert_eq!(of("chain_duration_seconds_count", r#"{status="failed"}"#), Some(1.0));

    let model = r#"{model="loan-default"}"#;
    assert_eq!(of("report_made_timestamp_seconds", model), Some(now_s));
    assert_eq!(of("report_verdict", model), Some(0.0), "one row is too few");
    assert_eq!((of("report_rows", model), of("outcomes_known", model)), (Some(1.0), Some(1.0)));
    assert_eq!((of("model_held", model), of("model_degraded", model)), (Some(0.0), Some(0.0)));
    assert_eq!(of("alerts_open", r#"{severity="critical"}"#), Some(1.0), "of the chain that failed");
    assert_eq!(of("alert_deliveries", r#"{channel="desk",state="waiting"}"#), Some(1.0));
    assert_eq!(of("alert_undelivered_age_seconds", r#"{channel="desk"}"#), Some(0.0));
    test.clock.advance_ms(90_000);
    assert_eq!(of("alert_undelivered_age_seconds", r#"{channel="desk"}"#), Some(90.0));
    assert_eq!((of("ready", ""), of("ledger_working", "")), (Some(1.0), Some(1.0)));
    let text = asked.text();
    assert!(!text.contains("tallystick_figures_unread{what=\"chains\"} 1"), "{text}");

    runs::pause(&app, "loan-default", "daily", true).unwrap();
    assert_eq!(
        (of("chain_paused", daily), of("chain_next_start_timestamp_seconds", daily)),
        (Some(1.0), None)
    );
    projects::withdraw(&app, "loan-default").unwrap();
    assert_eq!(of("chain_paused", daily), None, "it is in force no more");
    assert_eq!(ended("daily", "succeeded"), Some(1.0), "what was counted stays");
    drop(asked);
}

/// What was read once is read from the rows again by the next process, and says the same.
#[test]
fn a_restart_changes_nothing_of_what_is_looked_at() {
    let test = TestApp::over(Place::with_model());
    let app = test.server.app().as_person(Person::owner("olga").unwrap());
    projects::apply(&app, files_of(&test.place, SCHEDULE)).unwrap();
    run(&app, "loan-default", "daily");
    run(&app, "loan-default", "weekly");
    let looked = |test: &TestApp| {
        let text = String::from_utf8(test.get(&owner(), "/metrics").bytes).unwrap();
        let kept =
            ["tallystick_chain_", "tallystick_report_", "tallystick_alerts_open", "tallystick_outcomes"];
        let lines = text.lines().filter(|line| kept.iter().any(|begin| line.starts_with(begin)));
        lines.map(str::to_string).collect::<Vec<_>>()
    };
    let before = looked(&test);
    assert!(before.iter().any(|line| line.starts_with("tallystick_chain_last_success")), "{before:#?}");
    assert!(before.iter().any(|line| line.starts_with("tallystick_report_verdict")), "{before:#?}");
    drop(app);
    let again = TestApp::over(test.closed());
    assert_eq!(looked(&again), before);
}
