//! Every named fault point of a debug build: the process dies there, and the next run puts things right.
//! The points do not exist in a release build.

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

#[test]
fn an_init_that_dies_leaves_nothing_that_opens_by_half() {
    for number in 1..=6 {
        let place = Place::empty();
        let point = format!("files.before_rename:{number}");
        let ended = Ended::of(place.command(&["init"]).env("TALLYSTICK_FAULT", &point).output().unwrap());
        if ended.code == 0 {
            assert!(number > 1, "no file was written by init");
            return;
        }
        // Either the home is finished by the next command, or it says how to begin again.
        let next = place.run(&["audit", "verify"]);
        let step = next.json["error"]["next_step"].as_str().unwrap_or_default().to_string();
        assert!(next.code == 0 || !step.is_empty(), "{point}: {} {}", next.code, next.json);
        if next.code != 0 {
            fs::remove_dir_all(place.path("home")).unwrap();
            place.ok(&["init"]);
        }
        place.ok(&["audit", "verify"]);
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
