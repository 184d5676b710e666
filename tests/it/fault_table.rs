//! Every fault point x every passage x every command that writes: the process dies there, the home is sound, and
//! the same command brings about what it would have brought about undisturbed. Debug builds only, as the points.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::{Ended, Place, fixture};

/// All points of commands on a home, those of the pipeline are in `pipeline_graph`; `the_table_names_every_fault_point_of_the_program` holds it to that.
const POINTS: [&str; 8] = [
    "batch.after_chunk",
    "batch.before_latest",
    "batch.before_rename",
    "blobs.before_rename",
    "files.before_rename",
    "store.after_commit",
    "store.after_journal",
    "store.before_commit",
];
/// Which passages are tried. Each commit is a state of its own; files and blobs before a commit are much alike.
const PASSAGES: [u32; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const PASSAGES_WIDE: [u32; 9] = [1, 2, 3, 5, 8, 13, 21, 34, 55];
const TRAIN: [&str; 4] = ["train", "project", "--set", "logistic.epochs=1"];

/// A command, the state it begins in, and what is to be seen when it has been done.
struct Case {
    words: &'static [&'static str],
    begin: fn() -> Place,
    seen: fn(&Place) -> Value,
    /// Whether a command that was done may be repeated; otherwise it is repeated only where it was not done.
    repeatable: bool,
}

/// Walks a command through every point and passage; answers the points it passed.
fn walk(case: &Case) -> Vec<&'static str> {
    let begin = (case.begin)();
    let undisturbed = begin.copy();
    undisturbed.ok(case.words);
    let wanted = (case.seen)(&undisturbed);
    let (begin, wanted) = (&begin, &wanted);
    std::thread::scope(|scope| {
        let walks = POINTS.map(|point| (point, scope.spawn(move || walk_point(case, begin, wanted, point))));
        let passed = walks.into_iter().filter_map(|(point, walk)| match walk.join() {
            Ok(deaths) => (deaths > 0).then_some(point),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        passed.collect()
    })
}

/// Dies at one passage after the other until the command ends by itself; answers how often it died.
fn walk_point(case: &Case, begin: &Place, wanted: &Value, point: &str) -> usize {
    let passages = if point.starts_with("store.") { &PASSAGES[..] } else { &PASSAGES_WIDE[..] };
    for (deaths, passage) in passages.iter().enumerate() {
        let place = begin.copy();
        let fault = format!("{point}:{passage}");
        let ended = Ended::of(place.command(case.words).env("TALLYSTICK_FAULT", &fault).output().unwrap());
        match ended.code {
            0 => return deaths,
            // The child of a training died, which the parent lives to tell.
            1 => assert_eq!(ended.json["error"]["code"], "run.killed", "{fault}: {}", ended.json),
            _ => assert_eq!(ended.code, -1, "{fault}: {} {}", ended.json, ended.stderr),
        }
        check_sound(&place, &fault);
        repeat(case, &place, wanted, &fault);
    }
    panic!("{point} is passed more often than is tried");
}

fn repeat(case: &Case, place: &Place, wanted: &Value, fault: &str) {
    if case.repeatable || (case.seen)(place) != *wanted {
        let again = place.run(case.words);
        assert_eq!(again.code, 0, "{fault}, again: {} {}", again.json, again.stderr);
    }
    assert_eq!((case.seen)(place), *wanted, "{fault}");
    check_stores(place, fault);
}

fn check_stores(place: &Place, fault: &str) {
    let checked = place.run(&["store", "check"]);
    assert_eq!(checked.code, 0, "{fault}: {}", checked.json);
    assert_eq!(checked.json["problems"], json!([]), "{fault}");
    let verified = place.run(&["audit", "verify"]);
    assert_eq!(verified.code, 0, "{fault}: {}", verified.json);
}

/// What holds after any death. Each version here was made by a run of its own: it is there exactly if that run is
/// finished and has its figures.
fn check_sound(place: &Place, fault: &str) {
    check_stores(place, fault);
    let runs = place.ok(&["run", "list", "--limit", "100"]);
    let mut finished = BTreeSet::new();
    for run in runs["runs"].as_array().unwrap() {
        assert_ne!(run["info"]["status"], "RUNNING", "{fault}: {run}");
        if run["info"]["status"] == "FINISHED" {
            let metrics = run["data"]["metrics"].as_array().unwrap();
            assert!(metrics.iter().any(|m| m["key"] == "auc"), "{fault}: finished without figures: {run}");
            finished.insert(run["info"]["run_id"].as_str().unwrap().to_string());
        }
    }
    let run_of = |version: &Value| version["run_id"].as_str().unwrap().to_string();
    let registered: BTreeSet<String> = versions(place).iter().map(run_of).collect();
    assert_eq!(registered, finished, "{fault}: {runs}");
}

/// Every version of every model.
fn versions(place: &Place) -> Vec<Value> {
    let models = place.ok(&["model", "list"]);
    let mut all = Vec::new();
    for model in models["models"].as_array().unwrap() {
        let name = model["name"].as_str().unwrap();
        for number in 1..=model["version"].as_u64().unwrap() {
            all.push(place.ok(&["model", "show", &format!("{name}@{number}")]));
        }
    }
    all
}

/// The named fields of every item of a list.
fn pick(list: &Value, fields: &[&str]) -> Value {
    let row = |item: &Value| fields.iter().map(|field| item[field].clone()).collect::<Value>();
    list.as_array().unwrap().iter().map(row).collect()
}

fn with_project() -> Place {
    let place = Place::with_home();
    place.project();
    fs::copy(fixture("loan-default/sample.csv"), place.path("in.csv")).unwrap();
    place
}

fn with_data() -> Place {
    static IMPORTED: OnceLock<Place> = OnceLock::new();
    let make = || {
        let place = with_project();
        place.ok(&["data", "import", "project", "in.csv"]);
        place
    };
    IMPORTED.get_or_init(make).copy()
}

fn with_input() -> Place {
    let place = Place::with_model();
    fs::copy(fixture("loan-default/sample.csv"), place.path("in.csv")).unwrap();
    place
}

fn with_written_cutoff() -> Place {
    let place = Place::with_model();
    let path = place.path("project/policy.toml");
    let text = fs::read_to_string(&path).unwrap();
    let by_cost = "by = \"cost\"\nmissed_bad = 5.0\nrefused_good = 1.0\n";
    assert!(text.contains(by_cost));
    fs::write(&path, text.replace(by_cost, "by = \"value\"\nvalue = 0.3\n")).unwrap();
    place
}

fn with_two_promoted() -> Place {
    let place = Place::with_three_versions();
    place.ok(&["model", "promote", "loan-default@2", "--to", "production"]);
    place
}

fn aliases(place: &Place) -> Value {
    let history = place.ok(&["model", "history", "loan-default"]);
    let last = history["moves"].as_array().unwrap().last().unwrap().clone();
    json!([place.ok(&["model", "list"])["models"][0]["aliases"], last["to"], last["policy"]])
}

fn batch_seen(place: &Place) -> Value {
    let Ok(id) = fs::read_link(place.path("out/latest")) else { return Value::Null };
    let folder = place.path("out").join(&id);
    let mut files: Vec<(String, String)> = Vec::new();
    for name in ["scores.csv", "quarantine.csv"] {
        files.push((name.to_string(), fs::read_to_string(folder.join(name)).unwrap()));
    }
    let subject = format!("batch/{}", id.display());
    assert!(place.log("subject").contains(&subject), "the finished batch is not on record");
    json!([id, files])
}

#[test]
fn the_table_names_every_fault_point_of_the_program() {
    fn collect(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                collect(&entry.path(), found);
            } else {
                let text = fs::read_to_string(entry.path()).unwrap();
                let names = text.split("fault::point(\"").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(names.map(str::to_string));
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let all: BTreeSet<String> =
        POINTS.iter().chain(&crate::pipeline_graph::POINTS).map(|point| point.to_string()).collect();
    assert_eq!(found, all);
}

#[test]
fn an_import_that_dies_anywhere_is_whole_after_the_next() {
    let passed = walk(&Case {
        words: &["data", "import", "project", "in.csv"],
        begin: with_project,
        seen: |place| {
            let sets = place.ok(&["data", "list"]);
            pick(&sets["datasets"], &["name", "content", "parquet", "rows", "source_name", "contract"])
        },
        repeatable: true,
    });
    let all = ["blobs.before_rename", "files.before_rename", "store.after_commit", "store.before_commit"];
    assert_eq!(passed, all);
}

#[test]
fn a_training_that_dies_anywhere_gives_its_model_the_next_time() {
    let passed = walk(&Case {
        words: &TRAIN,
        begin: with_data,
        seen: |place| pick(&Value::Array(versions(place)), &["name", "version", "digest", "label", "policy"]),
        repeatable: true,
    });
    let all = ["blobs.before_rename", "files.before_rename", "store.after_commit", "store.before_commit"];
    assert_eq!(passed, all);
}

#[test]
fn a_promotion_that_dies_anywhere_is_done_or_not_done() {
    let passed = walk(&Case {
        words: &["model", "promote", "loan-default@2", "--to", "production"],
        begin: Place::with_three_versions,
        seen: aliases,
        repeatable: true,
    });
    assert_eq!(passed, ["store.after_commit", "store.before_commit"]);
}

#[test]
fn a_rollback_that_dies_anywhere_is_done_or_not_done() {
    let passed = walk(&Case {
        words: &["model", "rollback", "loan-default"],
        begin: with_two_promoted,
        seen: aliases,
        // A second rollback goes one version further back.
        repeatable: false,
    });
    assert_eq!(passed, ["store.after_commit", "store.before_commit"]);
}

fn with_a_proposal() -> Place {
    let place = Place::with_three_versions();
    place.ok(&["model", "propose", "loan-default@3", "--to", "production", "--why", "better"]);
    place
}

fn proposals(place: &Place) -> Value {
    let fields = ["id", "version", "to", "from", "state", "decided_by"];
    pick(&place.ok(&["approval", "list"])["proposals"], &fields)
}

#[test]
fn a_proposal_that_dies_anywhere_is_made_or_not_made() {
    let passed = walk(&Case {
        words: &["model", "propose", "loan-default@2", "--to", "production", "--why", "better"],
        begin: Place::with_three_versions,
        seen: proposals,
        // The same a second time is refused.
        repeatable: false,
    });
    assert_eq!(passed, ["store.after_commit", "store.before_commit"]);
}

#[test]
fn a_withdrawal_that_dies_anywhere_is_done_or_not_done() {
    let passed = walk(&Case {
        words: &["approval", "withdraw", "1"],
        begin: with_a_proposal,
        seen: proposals,
        repeatable: false,
    });
    assert_eq!(passed, ["store.after_commit", "store.before_commit"]);
}

/// The alias and the proposal it overtakes: neither without the other.
#[test]
fn a_promotion_that_dies_over_a_proposal_does_both_or_nothing() {
    fn moved_and_overtaken(place: &Place) -> Value {
        let (aliases, proposals) = (aliases(place), proposals(place));
        let state = if aliases[0]["production"] == 2 { "superseded" } else { "open" };
        assert_eq!(proposals[0][4], state, "{aliases} {proposals}");
        json!([aliases, proposals])
    }
    let passed = walk(&Case {
        words: &["model", "promote", "loan-default@2", "--to", "production"],
        begin: with_a_proposal,
        seen: moved_and_overtaken,
        repeatable: true,
    });
    assert_eq!(passed, ["store.after_commit", "store.before_commit"]);
}

#[test]
fn a_policy_whose_signing_dies_anywhere_is_signed_by_the_next() {
    let passed = walk(&Case {
        words: &["policy", "sign", "project"],
        begin: with_written_cutoff,
        seen: |place| pick(&place.ok(&["policy", "list"])["policies"], &["name", "digest"]),
        repeatable: true,
    });
    assert_eq!(passed, ["blobs.before_rename", "store.after_commit", "store.before_commit"]);
}

#[test]
fn a_batch_that_dies_anywhere_is_finished_and_on_record_after_the_next() {
    let passed = walk(&Case {
        words: &["batch", "loan-default", "in.csv", "out", "--chunk-rows", "1000"],
        begin: with_input,
        seen: batch_seen,
        repeatable: true,
    });
    let others = ["blobs.before_rename", "store.after_journal"];
    let all = POINTS.into_iter().filter(|point| !others.contains(point));
    assert_eq!(passed, Vec::from_iter(all));
}

#[test]
fn a_decision_that_dies_anywhere_is_on_record_once_or_not_at_all() {
    fn with_a_row() -> Place {
        let place = Place::with_model();
        place.ok(&["data", "row", "project", &fixture("loan-default/sample.csv"), "1", "--out", "row.json"]);
        place
    }
    let passed = walk(&Case {
        words: &["decide", "loan-default", "--row", "row.json"],
        begin: with_a_row,
        seen: |place| place.ok(&["audit", "verify"])["records"].clone(),
        // It would be another decision.
        repeatable: false,
    });
    assert_eq!(passed, ["store.after_commit", "store.after_journal", "store.before_commit"]);
}

#[test]
fn a_batch_is_on_record_before_it_can_be_seen() {
    let begin = with_input();
    for fault in ["batch.before_latest", "store.before_commit", "store.after_commit"] {
        let place = begin.copy();
        let mut command = place.command(&["batch", "loan-default", "in.csv", "out"]);
        assert_eq!(Ended::of(command.env("TALLYSTICK_FAULT", fault).output().unwrap()).code, -1, "{fault}");
        let recorded = place.log("subject");
        for entry in fs::read_dir(place.path("out")).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_hidden = name.starts_with('.') || name == "latest";
            assert!(
                is_hidden || recorded.contains(&format!("batch/{name}")),
                "{fault}: {name} is not recorded"
            );
        }
    }
}
