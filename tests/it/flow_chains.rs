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

/// Two chains that commits start: one on a branch that is there, one on a branch that is not.
const ON_COMMITS: &str = r#"
[[chain]]
name = "on-commit"
trigger = [{ on = "git", path = "REPOSITORY", ref = "main" }]
step = [{ name = "tell", run = "notify", retries = 3, backoff = "1s" }]

[[chain]]
name = "on-nothing"
trigger = [{ on = "git", path = "REPOSITORY", ref = "release" }]
step = [{ name = "tell", run = "notify", retries = 3, backoff = "1s" }]
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
        std::thread::park_timeout(Duration::from_millis(20));
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
    let wanted = std::env::var("TALLYSTICK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let (place, id) = begun();
    let original = place.copy();
    let began = Instant::now();
    let (undisturbed, place) = finished(place, &id);
    let whole_ms = usize::try_from(began.elapsed().as_millis()).unwrap();
    assert_eq!(undisturbed["status"], "succeeded", "{undisturbed}");
    let expected = left(&place);
    assert_eq!((expected.2, expected.3), (1, 1));
    let mut random = Random::new(17, "kills");
    let (mut round, mut kills) = (0, 0);
    while kills < wanted {
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
        round += 1;
    }
    say(&format!("{kills} kills in {round} rounds within {whole_ms} ms of a chain of six steps"));
}

/// Puts a commit under the name of a branch as git does: beside it, then in its place.
fn commit(place: &Place, id: &str) {
    let folder = place.path("repository/.git/refs/heads");
    std::fs::write(folder.join("main.lock"), format!("{id}\n")).unwrap();
    std::fs::rename(folder.join("main.lock"), folder.join("main")).unwrap();
}

/// A home with both chains in force, and a repository whose branch has its first commit.
fn watching(first: &str) -> Place {
    let place = Place::with_home();
    for folder in ["objects", "refs/heads"] {
        std::fs::create_dir_all(place.path("repository/.git").join(folder)).unwrap();
    }
    std::fs::write(place.path("repository/.git/HEAD"), "ref: refs/heads/main\n").unwrap();
    commit(&place, first);
    let project = place.project();
    let path = place.path("repository").display().to_string();
    std::fs::write(project.join("schedule.toml"), ON_COMMITS.replace("REPOSITORY", &path)).unwrap();
    place.ok(&["schedule", "apply", "project"]);
    place
}

/// Asks a running server until its answer is as it should be.
fn until(served: &Served, target: &[&str], is_so: impl Fn(&Value) -> bool) -> Value {
    let client = Client::at_socket(&served.place.path("home/run/admin.sock")).unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let answer: Value = client.get(&Target::of(target.iter().copied())).unwrap();
        if is_so(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "within a minute: {answer}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// The commits that runs came of, the newest first, once there are so many runs that ended well.
fn began_by(served: &Served, count: usize) -> Vec<(String, String)> {
    let ended = |answer: &Value| {
        let runs = answer["runs"].as_array().unwrap();
        runs.len() >= count && runs.iter().all(|run| run["status"] == "succeeded")
    };
    let answer = until(served, &["v1", "chain-runs"], ended);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let of = |run: &Value| (text(&run["trigger"]["kind"]), text(&run["trigger"]["from"]));
    answer["runs"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_commit_starts_its_chain_once_whatever_happens_to_the_server() {
    let [one, two, three] = ["1", "2", "3"].map(|digit| digit.repeat(40));
    let served = Served::start_quietly(watching(&one));
    let chain = ["v1", "schedules", "loan-default", "chains", "on-commit"];
    let says = |holding: String| {
        move |answer: &Value| answer["triggers"][0].as_str().is_some_and(|text| text.contains(&holding))
    };
    until(&served, &chain, says(format!("than {one}")));
    let missing = ["v1", "schedules", "loan-default", "chains", "on-nothing"];
    until(&served, &missing, says("it cannot be read: git.no_ref".into()));

    let from = |id: &str, place: &Place| {
        let watched = place.path("repository").display().to_string();
        ("git".to_string(), format!("{id} of refs/heads/main in {watched}"))
    };
    commit(&served.place, &two);
    assert_eq!(began_by(&served, 1), [from(&two, &served.place)], "the first commit started nothing");
    let history = served.place.command_of_people(&["schedule", "history"]).output().unwrap();
    let said = String::from_utf8(history.stdout).unwrap();
    assert!(said.contains(&format!("commit {two} of refs/heads/main in ")), "{said}");

    // A commit while nobody is there, and a server that dies about the moment it finds it.
    let mut place = served.kill();
    commit(&place, &three);
    let mut random = Random::new(5, "commits");
    for _ in 0..6 {
        let served = Served::start_quietly(place);
        std::thread::park_timeout(Duration::from_millis(random.below(150) as u64));
        place = served.kill();
    }
    let served = Served::start_quietly(place);
    let both = [from(&three, &served.place), from(&two, &served.place)];
    assert_eq!(began_by(&served, 2), both);
    until(&served, &chain, says(format!("than {three}")));
    // More looks than one at what is there by now, and no more runs.
    commit(&served.place, &one);
    assert_eq!(began_by(&served, 3).len(), 3, "going back is a change of its own");

    let alerts = until(&served, &["v1", "alerts"], |_| true);
    let told: Vec<&Value> = alerts["alerts"].as_array().unwrap().iter().collect();
    let faults: Vec<_> = told.iter().filter(|alert| alert.to_string().contains("git.no_ref")).collect();
    assert_eq!(faults.len(), 1, "{alerts}");
    assert_eq!(faults[0]["count"], 1, "told once, not at every look: {alerts}");
    served.signal(rustix::process::Signal::TERM);
    served.ended().1.ok(&["store", "check"]);
}
