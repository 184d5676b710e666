//! What a death at single fault points leaves behind, looked at closely: a batch, an init, a training.
//! `fault_table` walks every point of every command; the points do not exist in a release build.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, Place, fixture};

fn dies_at(place: &Place, point: &str, words: &[&str]) {
    let ended = Ended::of(place.command(words).env("TALLYSTICK_FAULT", point).output().unwrap());
    assert_eq!(ended.code, -1, "{point} did not kill {words:?}: {}", ended.json);
}

fn scores(batch: &Value) -> Vec<u8> {
    fs::read(Path::new(batch["folder"].as_str().unwrap()).join("scores.csv")).unwrap()
}

/// What a reader of the output folder could take for a result.
fn visible(place: &Place, out: &str) -> usize {
    let names = fs::read_dir(place.path(out)).unwrap().flatten();
    names.filter(|e| !e.file_name().to_string_lossy().starts_with('.')).count()
}

#[test]
fn a_batch_that_dies_at_a_fault_point_is_taken_up_again() {
    let place = Place::with_model();
    let input = fixture("loan-default/sample.csv");
    let whole = place.ok(&["batch", "loan-default", &input, "whole", "--chunk-rows", "100"]);
    let points = [
        ("batch.after_chunk:1", Some(100)),
        ("batch.after_chunk:6", Some(600)),
        // The journal's first write is the header's: the fourth is that of the third chunk.
        ("files.before_rename:4", Some(200)),
        ("batch.before_rename", Some(2900)),
        ("batch.before_latest", None),
    ];
    for (number, (point, resumed_at)) in points.into_iter().enumerate() {
        let out = format!("out{number}");
        let words = ["batch", "loan-default", &input, &out, "--chunk-rows", "100"];
        dies_at(&place, point, &words);
        assert_eq!(visible(&place, &out), usize::from(resumed_at.is_none()), "{point}");
        let again = place.ok(&words);
        match resumed_at {
            Some(rows) => assert_eq!(again["resumed_at"], rows, "{point}"),
            None => assert_eq!(again["reused"], true, "{point}"),
        }
        assert_eq!(scores(&again), scores(&whole), "{point}");
        assert_eq!(visible(&place, &out), 2, "{point}");
    }
}

/// Where `init` dies, and how the next command then ends: the code of its refusal, or nothing where it puts the
/// home right by itself.
const INIT: [(&str, Option<&str>); 8] = [
    // home.json is written after both stores.
    ("files.before_rename:1", Some("store.incomplete")),
    // The box's key.
    ("files.before_rename:2", None),
    ("store.before_commit:1", None),
    ("store.after_commit:1", None),
    // The trust root and the first record.
    ("store.before_commit:2", None),
    ("store.after_commit:2", None),
    // The master key, and the keys of the buckets that it opens.
    ("files.before_rename:3", None),
    ("files.before_rename:4", None),
];

#[test]
fn an_init_that_dies_leaves_nothing_that_opens_by_half() {
    for (point, refused) in INIT {
        let place = Place::empty();
        dies_at(&place, point, &["init"]);
        let next = place.run(&["audit", "verify"]);
        let code = next.json["error"]["code"].as_str();
        assert_eq!(code, refused, "{point}: {}", next.json);
        if refused.is_some() {
            assert_eq!(next.code, 5, "{point}: {}", next.json);
            let step = next.json["error"]["next_step"].as_str().unwrap();
            assert!(step.contains("tallystick init"), "{point}: {step}");
            fs::remove_dir_all(place.path("home")).unwrap();
            place.ok(&["init"]);
        }
        assert_eq!(place.ok(&["audit", "verify"])["records"], 1, "{point}");
        assert_eq!(place.ok(&["store", "check"])["problems"], Value::Array(vec![]), "{point}");
    }
    for point in ["files.before_rename:5", "store.before_commit:3", "store.after_commit:3"] {
        let place = Place::empty();
        let ended = Ended::of(place.command(&["init"]).env("TALLYSTICK_FAULT", point).output().unwrap());
        assert_eq!(ended.code, 0, "init passes {point}, which this test does not know: {}", ended.json);
    }
}

#[test]
fn a_training_whose_parent_dies_between_blobs_registers_nothing_by_half() {
    let place = Place::with_home();
    place.project();
    place.ok(&["data", "import", "project", &fixture("loan-default/sample.csv")]);
    // The spec is the parent's first whole-or-absent file after the import.
    dies_at(&place, "files.before_rename:1", &["train", "project"]);
    assert_eq!(place.ok(&["model", "list"])["models"], Value::Array(vec![]));
    let run = &place.ok(&["run", "list"])["runs"][0];
    assert_eq!(run["info"]["status"], "FAILED", "{run}");
    place.ok(&["train", "project"]);
    assert_eq!(place.ok(&["store", "check"])["problems"], Value::Array(vec![]));
}
