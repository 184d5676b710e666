//! Policies with the real binary: a cut-off moves without a training, and every move is on the record.

use std::fs;

use serde_json::{Value, json};

use crate::flow_train::first_row_as_json;
use crate::support::{Place, fixture, replace_in};

const BY_COST: &str = "[cutoff]\nby = \"cost\"\nmissed_bad = 5.0\nrefused_good = 1.0\n";

/// The project with its cut-off written down.
fn with_cutoff(place: &Place, value: &str) {
    let path = place.path("project/policy.toml");
    fs::write(&path, fs::read_to_string(fixture("projects/loan-default/policy.toml")).unwrap()).unwrap();
    replace_in(&path, BY_COST, &format!("[cutoff]\nby = \"value\"\nvalue = {value}\n"));
}

fn kinds(place: &Place) -> Vec<String> {
    let log = place.ok(&["audit", "log"]);
    log["records"].as_array().unwrap().iter().map(|r| r["kind"].as_str().unwrap().to_string()).collect()
}

#[test]
fn moving_a_cut_off_is_no_training() {
    let place = Place::with_model();
    let row = first_row_as_json(&place);
    let before = place.ok(&["decide", "loan-default", "--row", &row]);
    let probability = before["probability"].as_f64().unwrap();
    let runs = place.ok(&["run", "list"])["runs"].as_array().unwrap().len();
    let mut outcomes = Vec::new();
    for factor in [0.5, 1.0, 2.0] {
        with_cutoff(&place, &format!("{}", probability * factor));
        let signed = place.ok(&["policy", "sign", "project"]);
        let digest = signed["digest"].as_str().unwrap();
        let words =
            ["model", "promote", "loan-default@1", "--to", "production", "--policy", digest, "--why", "risk"];
        place.ok(&words);
        let decided = place.ok(&["decide", "loan-default", "--row", &row]);
        assert_eq!(decided["policy"], digest);
        assert_eq!(decided["probability"].as_f64().unwrap().to_bits(), probability.to_bits());
        outcomes.push(decided["outcome"].clone());
    }
    assert_eq!(outcomes, [json!("decline"), json!("refer"), json!("approve")]);
    assert_eq!(place.ok(&["run", "list"])["runs"].as_array().unwrap().len(), runs);
    assert_eq!(kinds(&place).iter().filter(|k| *k == "policy_signed").count(), 4, "one came with the model");
    place.ok(&["audit", "verify"]);
}

#[test]
fn reasons_are_at_most_four_differ_and_push_to_the_bad_side() {
    let place = Place::with_model();
    let row = first_row_as_json(&place);
    let probability = place.ok(&["predict", "loan-default", "--row", &row])["probability"].as_f64().unwrap();
    with_cutoff(&place, &format!("{}", probability / 2.0));
    let signed = place.ok(&["policy", "sign", "project"]);
    let digest = signed["digest"].as_str().unwrap();
    place.ok(&["model", "promote", "loan-default@1", "--to", "production", "--policy", digest]);
    let decided = place.ok(&["decide", "loan-default", "--row", &row]);
    assert_eq!(decided["outcome"], "decline");
    let reasons = decided["reasons"]["list"].as_array().unwrap();
    assert!((1..=4).contains(&reasons.len()));
    let sizes: Vec<f64> = reasons.iter().map(|r| r["contribution"].as_f64().unwrap()).collect();
    assert!(sizes.iter().all(|c| *c > 0.0) && sizes.windows(2).all(|w| w[0] >= w[1]), "{decided}");
    assert!(reasons.iter().all(|r| !r["text"].as_str().unwrap().is_empty()), "{decided}");
}

#[test]
fn a_rule_before_the_score_decides_and_names_itself() {
    let place = Place::with_model();
    let row = first_row_as_json(&place);
    let mut value: Value = serde_json::from_slice(&fs::read(&row).unwrap()).unwrap();
    value["loan_amnt"] = json!(36_000);
    fs::write(&row, value.to_string()).unwrap();
    let decided = place.ok(&["decide", "loan-default", "--row", &row]);
    assert_eq!(decided["outcome"], "refer");
    assert_eq!(decided["by"]["rule"], "above-the-limit");
    assert_eq!(decided["reasons"]["list"][0]["field"], "loan_amnt");
}

#[test]
fn a_policy_whose_cut_off_needs_scores_is_not_signed_without_a_training() {
    let place = Place::with_home();
    place.project();
    assert_eq!(place.refused(2, &["policy", "sign", "project"])["code"], "policy.cutoff_open");
}

#[test]
fn every_wrong_field_of_a_row_is_named_by_its_pointer() {
    let place = Place::with_model();
    let row = first_row_as_json(&place);
    let mut value: Value = serde_json::from_slice(&fs::read(&row).unwrap()).unwrap();
    value["annual_inc"] = json!("plenty");
    value["dtii"] = json!(3);
    value.as_object_mut().unwrap().remove("loan_amnt");
    fs::write(&row, value.to_string()).unwrap();
    let error = place.refused(3, &["decide", "loan-default", "--row", &row]);
    let message = error["message"].as_str().unwrap();
    for part in ["/annual_inc", "/dtii", "dti", "/loan_amnt"] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let pointers: Vec<&str> = error["details"]["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers.len(), 3, "{error}");
}

#[test]
fn a_cut_off_found_on_another_model_decides_nothing_for_this_one() {
    let place = Place::with_model();
    let other = place.ok(&["train", "project", "--set", "seed=21"]);
    let policy = other["policy"].as_str().unwrap();
    let error =
        place.refused(2, &["model", "promote", "loan-default@1", "--to", "staging", "--policy", policy]);
    assert_eq!(error["code"], "policy.other_model");
}

#[test]
fn changed_bands_come_with_the_next_training_of_a_known_model() {
    let place = Place::with_model();
    let before = place.ok(&["model", "show", "loan-default@1"])["policy"].clone();
    replace_in(&place.path("project/policy.toml"), "upto_cutoff = 1.2", "upto_cutoff = 1.5");
    let again = place.ok(&["train", "project"]);
    assert_eq!(
        (&again["model"]["reused"], &again["policy_changed"]),
        (&json!(true), &json!(true)),
        "{again}"
    );
    let policy = again["policy"].as_str().unwrap();
    assert_ne!(before, policy);
    place.ok(&["model", "promote", "loan-default@1", "--to", "production", "--policy", policy]);
    assert_eq!(place.ok(&["model", "show", "loan-default:production"])["policy"], policy);
}

#[test]
fn a_gate_on_a_figure_nobody_measures_is_refused_by_the_check() {
    let place = Place::with_home();
    let project = place.project();
    replace_in(&project.join("gates.toml"), "metric = \"auc\"", "metric = \"aucc\"");
    let error = place.refused(2, &["project", "check", "project"]);
    assert_eq!(error["code"], "gate.unknown_metric");
    assert!(error["message"].as_str().unwrap().contains("\"auc\""), "{error}");
}

#[test]
fn bands_out_of_order_are_refused_before_any_training() {
    let place = Place::with_home();
    let project = place.project();
    replace_in(&project.join("policy.toml"), "upto_cutoff = 0.8", "upto_cutoff = 1.3");
    assert_eq!(place.refused(2, &["project", "check", "project"])["code"], "policy.band_order");
}

#[test]
fn a_command_never_writes_over_a_file_that_is_there() {
    let place = Place::with_home();
    place.project();
    let input = place.path("loans.csv");
    fs::copy(fixture("loan-default/sample.csv"), &input).unwrap();
    let input = input.to_str().unwrap();
    place.refused(2, &["data", "validate", "project", input, "--quarantine", input]);
    place.refused(2, &["data", "row", "project", input, "1", "--out", input]);
    place.refused(2, &["demo", "project", "--out", "project"]);
    assert_eq!(fs::read(input).unwrap(), fs::read(fixture("loan-default/sample.csv")).unwrap());
}

#[test]
fn a_pipe_is_refused_instead_of_waited_for() {
    let place = Place::with_home();
    place.project();
    let pipe = place.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(place.refused(2, &["train", "project", "--data", "pipe"])["code"], "data.file");
}
