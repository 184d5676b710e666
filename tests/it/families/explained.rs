//! The second implementation, in Python: margins of every family to the bit, and contributions but for rounding.

use std::fs;

use serde_json::{Value, json};
use tallystick::pipeline::candidate::Candidate;

use crate::families::{families, loaded, some_loans, train, trained};
use crate::reader::run_script;
use crate::support::{Place, has_program, python};

/// As `model export` lays a release out, as far as the scorer reads it.
fn written(candidate: &Candidate) -> Place {
    let place = Place::empty();
    fs::create_dir(place.path("blobs")).unwrap();
    fs::write(place.path("model.json"), &candidate.pack.model_json).unwrap();
    for (digest, bytes) in &candidate.pack.blobs {
        fs::write(place.path("blobs").join(digest.to_hex()), bytes).unwrap();
    }
    place
}

/// What the product says of the first golden rows.
fn told(candidate: &Candidate, rows: usize) -> Value {
    let loaded = loaded(candidate);
    let model = &loaded.model;
    let matrix = model.recipe.transform(&loaded.golden.to_table()).unwrap();
    let reasoner = model.reasoner(&model.background).unwrap();
    let of_row = |row: usize| {
        let explained = model.explain(matrix.row(row), &reasoner);
        let fields: serde_json::Map<String, Value> =
            explained.fields.iter().map(|field| (field.field.to_string(), field.value.into())).collect();
        json!({"probability": model.probability(explained.margin), "base": explained.base, "fields": fields})
    };
    json!({"rows": (0..rows).map(of_row).collect::<Vec<_>>()})
}

fn seen(place: &Place) -> (bool, String) {
    let seen = run_script("tallystick_scorer.py", &[".", "told.json"], &place.path(""));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    (seen.status.success(), text + &String::from_utf8_lossy(&seen.stderr))
}

fn check(candidate: &Candidate, name: &str) {
    let place = written(candidate);
    let told = told(candidate, 8);
    fs::write(place.path("told.json"), told.to_string()).unwrap();
    let (fine, text) = seen(&place);
    assert!(fine && text.contains("ok: 64 of 64"), "{name}: {text}");
    assert!(
        text.contains("ok: 8 golden rows have their probability, base and contributions"),
        "{name}: {text}"
    );

    let mut other = told;
    let share = other["rows"][5]["fields"]["dti"].as_f64().unwrap();
    other["rows"][5]["fields"]["dti"] = (share + 1e-7).into();
    fs::write(place.path("told.json"), other.to_string()).unwrap();
    let (fine, text) = seen(&place);
    assert!(!fine && text.contains("refused: golden row 5 has the dti"), "{name}: {text}");
}

#[test]
fn the_python_scorer_finds_margins_to_the_bit_and_contributions_of_every_family_again() {
    if !has_program(&python()) {
        return;
    }
    for family in families() {
        // A network's contributions are an integral along a way, which no second implementation walks yet.
        if family != "mlp" {
            check(trained(family), family);
        }
    }
    let beta = ["calibration.method=beta", "ensemble.members=[\"scorecard\",\"logistic\"]"];
    let together = train("ensemble", &beta, &some_loans());
    let recipe = &loaded(&together).model.recipe;
    assert!(recipe.fields.iter().any(|field| field.width > 0 && field.code.is_some()), "both are read");
    check(&together, "line and scorecard");
}
