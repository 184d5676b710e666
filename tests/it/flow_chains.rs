//! A chain in a real server that is killed at any moment: it goes on where it was, does nothing twice, loses nothing,
//! and leaves what an undisturbed run leaves.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tallystick::app::chains::{inbox, projects, runs};
use tallystick::app::home::App;
use tallystick::base::clock::SystemClock;
use tallystick::base::digest::Digest;
use tallystick::base::rng::Random;
use tallystick::client::call::Client;
use tallystick::client::target::Target;
use tallystick::demo::project::find;
use tallystick::demo::sheet;
use tallystick::security::actor::Person;

use super::support::served::Served;
use super::support::{Place, say};

const SCHEDULE: &str = r#"
[[chain]]
name = "all"

[[chain.step]]
name = "train"
run = "train"
with = { file = "loans-*.csv", set = ["family=scorecard"] }

[[chain.step]]
name = "gate"
run = "gate"

[[chain.step]]
name = "stage"
run = "stage"

[[chain.step]]
name = "promote"
run = "promote"

[[chain.step]]
name = "score"
run = "batch"
with = { file = "applications-*.csv" }

[[chain.step]]
name = "watch"
run = "monitor"
"#;

/// A home whose chain has begun and has done nothing yet, and the id of its run.
fn begun() -> (Place, String) {
    let place = Place::with_home();
    let demo = find("loan-default").unwrap();
    let mut files: BTreeMap<String, String> =
        demo.files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    files.insert("schedule.toml".into(), SCHEDULE.into());
    files.insert("gates.toml".into(), "[[gate]]\nmetric = \"auc\"\nmin = 0.55\n".into());
    let person = Person::owner("olga").unwrap();
    let app = App::open(&place.path("home"), person, Box::new(SystemClock)).unwrap();
    projects::apply(&app, files).unwrap();
    let folder = inbox::inbox(&app, demo.name);
    sheet::write_csv(&folder.join("loans-1.csv"), &demo.table(2_000, 3).unwrap()).unwrap();
    sheet::write_csv(&folder.join("applications-1.csv"), &demo.table(3_000, 4).unwrap()).unwrap();
    let run = runs::start(&app, demo.name, "all").unwrap();
    drop(app);
    (place, run.run.id)
}

fn ask(place: &Place, id: &str) -> Option<Value> {
    let client = Client::at_socket(&place.path("home/run/admin.sock")).ok()?;
    client.get(&Target::of(["v1", "chain-runs", id])).ok()
}

/// Lets a server run until the chain has ended.
fn finished(place: Place, id: &str) -> (Value, Place) {
    let served = Served::start_quietly(place);
    let end = Instant::now() + Duration::from_secs(180);
    loop {
        if let Some(run) = ask(&served.place, id).filter(|run| run["status"] != "running") {
            served.signal(rustix::process::Signal::TERM);
            let (_, place) = served.ended();
            return (run, place);
        }
        assert!(Instant::now() < end, "the chain did not end");
        std::thread::yield_now();
    }
}

/// What a run of the chain leaves: the model, the file of scores; and how many versions and trainings there are.
fn left(place: &Place) -> (String, Digest, usize, usize) {
    let model = place.ok(&["model", "show", "loan-default"]);
    let folder = place.path("home/outbox/loan-default/latest");
    let scores = std::fs::read(folder.join("scores.csv")).unwrap();
    let versions = place.ok(&["model", "list"])["models"].as_array().unwrap().len();
    let runs = place.ok(&["run", "list"]);
    let finished =
        runs["runs"].as_array().unwrap().iter().filter(|run| run["info"]["status"] == "FINISHED").count();
    (model["digest"].as_str().unwrap().to_string(), Digest::of(&scores), versions, finished)
}

fn states(run: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    run["steps"].as_array().unwrap().iter().map(|step| (text(&step["name"]), text(&step["state"]))).collect()
}

#[test]
fn a_chain_that_is_killed_at_any_moment_ends_as_one_that_is_not() {
    let rounds = std::env::var("TALLYSTICK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6);
    let (place, id) = begun();
    let original = place.copy();
    let began = Instant::now();
    let (undisturbed, place) = finished(place, &id);
    let whole_ms = usize::try_from(began.elapsed().as_millis()).unwrap();
    assert_eq!(undisturbed["status"], "succeeded", "{undisturbed}");
    let expected = left(&place);
    assert_eq!((expected.2, expected.3), (1, 1));
    let mut random = Random::new(17, "kills");
    let mut kills = 0;
    for round in 0..rounds {
        let mut place = original.copy();
        // The same moment is never hit twice in a row: each round is killed once to three times.
        for _ in 0..=round % 3 {
            let served = Served::start_quietly(place);
            std::thread::park_timeout(Duration::from_millis(random.below(whole_ms.max(2)) as u64));
            place = served.kill();
            kills += 1;
        }
        let (run, place) = finished(place, &id);
        assert_eq!(run["status"], "succeeded", "{run}");
        assert_eq!(states(&run), states(&undisturbed));
        assert_eq!(left(&place), expected, "round {round}");
        place.ok(&["store", "check"]);
        place.ok(&["audit", "verify"]);
    }
    say(&format!("{kills} kills within {whole_ms} ms of a chain of six steps"));
}
