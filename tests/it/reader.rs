//! The second implementation of docs/FORMATS.md, in Python, against what the real binary exports.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Place, has_program, python};

fn read(words: &[&str], folder: &Path) -> Output {
    run_script("tallystick_reader.py", words, folder)
}

pub fn run_script(name: &str, words: &[&str], folder: &Path) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader").join(name);
    Command::new(python()).arg(script).args(words).current_dir(folder).output().unwrap()
}

#[test]
fn the_python_reader_rederives_the_model_digest_and_verifies_release_and_checkpoint() {
    if !has_program(&python()) {
        return;
    }
    let place = Place::with_model();
    let shown = place.ok(&["model", "show", "loan-default"]);
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let seen = read(&["model", "exported"], &place.path(""));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(seen.status.success(), "{text}{}", String::from_utf8_lossy(&seen.stderr));
    assert!(text.contains(shown["digest"].as_str().unwrap()), "{text}");
    place.ok(&["release", "verify", "exported"]);

    place.ok(&["audit", "export", "log"]);
    let words =
        ["checkpoint", "log/checkpoint.txt", "--trust", "log/trust.json", "--leaves", "log/leaves.txt"];
    let seen = read(&words, &place.path(""));
    assert!(seen.status.success(), "{}", String::from_utf8_lossy(&seen.stdout));
}

#[test]
fn one_changed_byte_is_refused_by_the_python_reader_and_by_the_binary() {
    let place = Place::with_model();
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let python = has_program(&python());
    for name in ["model.json", "release.json", "release.dsse.json", "policy.json", "policy.dsse.json"] {
        let path = place.path("exported").join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        let at = bad.len() / 2;
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        place.refused(5, &["release", "verify", "exported"]);
        assert!(!python || !read(&["model", "exported"], &place.path("")).status.success(), "{name}");
        fs::write(&path, &good).unwrap();
    }
    place.ok(&["release", "verify", "exported"]);
}

#[test]
fn the_python_scorer_gives_every_golden_margin_to_the_bit_and_notices_another() {
    if !has_program(&python()) {
        return;
    }
    let place = Place::with_model();
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let seen = run_script("tallystick_scorer.py", &["exported"], &place.path(""));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(seen.status.success(), "{text}{}", String::from_utf8_lossy(&seen.stderr));
    assert!(text.contains("ok: 64 of 64"), "{text}");

    let model = fs::read(place.path("exported/model.json")).unwrap();
    let model: serde_json::Value = serde_json::from_slice(&model).unwrap();
    let fields = model["recipe"]["fields"].as_array().unwrap();
    let encodings: BTreeSet<&str> =
        fields.iter().map(|field| field["encoding"]["encode"].as_str().unwrap()).collect();
    let every = ["hash", "one_hot", "ordinal", "piecewise", "quantile", "scale"];
    assert!(encodings.iter().eq(every.iter()), "{encodings:?}");
    let path = place.path("exported/blobs").join(model["golden"]["digest"].as_str().unwrap());
    let golden = fs::read(&path).unwrap();
    let mut golden: serde_json::Value = serde_json::from_slice(&golden).unwrap();
    let margin = golden["rows"][0]["margin"].as_f64().unwrap();
    golden["rows"][0]["margin"] = margin.next_up().into();
    fs::write(&path, golden.to_string()).unwrap();
    let seen = run_script("tallystick_scorer.py", &["exported"], &place.path(""));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(!seen.status.success() && text.contains("refused: golden row 0"), "{text}");
    assert!(text.contains("63 of 64"), "{text}");
}
