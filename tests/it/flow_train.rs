//! From a CSV to a registered model with the real binary: what goes through, and what is refused with which words.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Ended, Place, fixture, replace_in};

fn sample() -> String {
    fixture("loan-default/sample.csv")
}

fn digest_of(trained: &Value) -> String {
    trained["model"]["digest"].as_str().unwrap().to_string()
}

#[test]
fn the_straight_line_from_a_csv_to_a_decision() {
    let place = Place::with_model();
    let row = first_row_as_json(&place);
    let decided = place.ok(&["decide", "loan-default", "--row", &row]);
    assert!(["approve", "refer", "decline"].contains(&decided["outcome"].as_str().unwrap()), "{decided}");
    assert_eq!((&decided["recorded"], &decided["seq"]), (&Value::Bool(true), &Value::from(5)));
    let kinds = place.log("kind");
    let made = ["home_created", "data_imported", "policy_signed", "model_registered", "alias_moved"];
    assert_eq!(kinds, [&made[..], &["decision_made"]].concat());
    assert_eq!(place.ok(&["audit", "verify"])["records"], 6);
    assert_eq!(place.ok(&["store", "check"])["problems"], Value::Array(vec![]));
}

#[test]
fn base_and_contributions_add_up_to_the_margin() {
    let place = Place::with_model();
    let row = first_row_as_json(&place);
    let answer = place.ok(&["predict", "loan-default", "--row", &row]);
    let parts = answer["contributions"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|c| c["value"].as_f64().unwrap()).sum();
    let margin = answer["margin"].as_f64().unwrap();
    assert!((answer["base"].as_f64().unwrap() + sum - margin).abs() < 1e-9, "{answer}");
    assert!(parts.iter().any(|c| c["field"] == "home_ownership"), "levels are grouped to their field");
}

#[test]
fn one_bad_cell_is_named_and_leaves_no_run_and_no_version() {
    let place = Place::with_home();
    place.project();
    let text = fs::read_to_string(sample()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let at = lines[0].split(',').position(|c| c == "loan_amnt").unwrap();
    let mut cells: Vec<&str> = lines[17].split(',').collect();
    cells[at] = "lots";
    lines[17] = cells.join(",");
    fs::write(place.path("bad.csv"), lines.join("\n")).unwrap();

    let error = place.refused(3, &["train", "project", "--data", "bad.csv"]);
    let finding = &error["details"]["findings"][0];
    assert_eq!(finding["row"], 17, "{error}");
    assert_eq!(finding["column"], "loan_amnt");
    assert_eq!(finding["rule"], "type");
    assert_eq!(finding["value"], "lots");
    for word in ["17", "loan_amnt", "type", "lots"] {
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    assert_eq!(place.ok(&["run", "list"])["runs"], Value::Array(vec![]));
    assert_eq!(place.ok(&["model", "list"])["models"], Value::Array(vec![]));
}

#[test]
fn bad_rows_can_be_set_aside_and_the_counts_agree() {
    let place = Place::with_home();
    place.project();
    let text = fs::read_to_string(sample()).unwrap();
    let bad: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| if i > 0 && i % 400 == 0 { line.replacen(',', ",,", 1) } else { line.to_string() })
        .collect();
    fs::write(place.path("bad.csv"), bad.join("\n")).unwrap();
    let imported = place.ok(&["data", "import", "project", "bad.csv", "--quarantine", "aside.csv"]);
    let (good, rejected) = (imported["rows"].as_u64().unwrap(), imported["rejected"].as_u64().unwrap());
    assert!(rejected > 0);
    assert_eq!(good + rejected, text.lines().count() as u64 - 1);
    let aside = fs::read_to_string(place.path("aside.csv")).unwrap();
    // A head, and one line a row: no cell of the sample has a line break in it.
    assert_eq!(aside.lines().count() as u64, rejected + 1, "{aside}");
    for (line, number) in aside.lines().skip(1).zip((400..).step_by(400)) {
        assert!(line.starts_with(&format!("{number},")), "{line}");
    }
}

#[test]
fn a_leak_column_as_a_feature_is_refused_by_name() {
    let place = Place::with_home();
    let project = place.project();
    let recipe = fs::read_to_string(project.join("recipe.toml")).unwrap();
    let with_leak = format!("{recipe}\n[[features]]\nfield = \"recoveries\"\nencode = \"scale\"\n");
    fs::write(project.join("recipe.toml"), with_leak).unwrap();
    let error = place.refused(2, &["train", "project", "--data", &sample()]);
    assert_eq!(error["code"], "recipe.leak");
    assert!(error["message"].as_str().unwrap().contains("recoveries"), "{error}");
    assert_eq!(place.ok(&["run", "list"])["runs"], Value::Array(vec![]));
}

#[test]
fn a_leak_that_hides_as_a_feature_is_found_by_what_it_knows() {
    let place = Place::with_home();
    let project = place.project();
    let contract = fs::read_to_string(project.join("contract.toml")).unwrap();
    let start = contract.find("name = \"recoveries\"").unwrap();
    let hidden = contract[start..].replacen("role = \"leak\"", "role = \"feature\"", 1);
    fs::write(project.join("contract.toml"), format!("{}{hidden}", &contract[..start])).unwrap();
    let recipe = fs::read_to_string(project.join("recipe.toml")).unwrap();
    let with_leak = format!("{recipe}\n[[features]]\nfield = \"recoveries\"\nencode = \"scale\"\n");
    fs::write(project.join("recipe.toml"), with_leak).unwrap();
    let texts = fs::read_to_string(project.join("text/en.toml")).unwrap();
    let told = "\n[recoveries]\nhigh = \"High.\"\nlow = \"Low.\"\nmissing = \"Unknown.\"\n";
    fs::write(project.join("text/en.toml"), texts + told).unwrap();
    let error = place.refused(3, &["train", "project", "--data", &sample()]);
    assert_eq!(error["code"], "data.leak", "{error}");
    assert!(error["message"].as_str().unwrap().contains("recoveries"), "{error}");

    let settings = fs::read_to_string(project.join("project.toml")).unwrap();
    let waiver = "\n[[leak_waiver]]\ncolumn = \"recoveries\"\nreason = \"a rehearsal of the waiver\"\n";
    fs::write(project.join("project.toml"), settings + waiver).unwrap();
    place.ok(&["train", "project", "--data", &sample()]);
    let log = place.ok(&["audit", "log"]);
    let waived = log["records"].as_array().unwrap().iter().any(|r| r["kind"] == "leak_waived");
    assert!(waived, "a waiver is on the record: {log}");
}

#[test]
fn a_gate_that_is_not_met_refuses_with_both_numbers() {
    let place = Place::with_model();
    fs::write(place.path("strict.toml"), "[[gate]]\nmetric = \"auc\"\nmin = 0.99\n").unwrap();
    let error = place
        .refused(4, &["model", "promote", "loan-default@1", "--to", "production", "--gates", "strict.toml"]);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("0.99") && message.contains("auc"), "{message}");
    let rules = error["details"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 3, "the version's own two gates stand beside the file's: {error}");
    let rule = &rules[2];
    assert_eq!(rule["limit"], 0.99);
    assert!(rule["value"].as_f64().unwrap() < 0.99);
}

#[test]
fn gates_of_the_project_hold_at_promotion() {
    let place = Place::with_home();
    let project = place.project();
    fs::write(project.join("gates.toml"), "[[gate]]\nmetric = \"auc\"\nmin = 0.99\n").unwrap();
    place.ok(&["train", "project", "--data", &sample()]);
    place.refused(4, &["model", "promote", "loan-default", "--to", "production"]);
    assert_eq!(place.refused(2, &["decide", "loan-default", "--row", "-"])["code"], "model.unknown_alias");
}

#[test]
fn the_same_seed_gives_the_same_model_side_by_side_and_on_any_number_of_threads() {
    let places: Vec<Place> = (0..2).map(|_| Place::with_home()).collect();
    let start = |(place, threads): (&Place, &str)| {
        place.project();
        place
            .command(&["train", "project", "--data", &sample()])
            .env("RAYON_NUM_THREADS", threads)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = places.iter().zip(["1", "2"]).map(start).collect();
    let mut digests: Vec<String> = children
        .into_iter()
        .map(|child| {
            let ended = Ended::of(child.wait_with_output().unwrap());
            assert_eq!(ended.code, 0, "{} {}", ended.json, ended.stderr);
            digest_of(&ended.json)
        })
        .collect();
    let again = places[0].ok(&["train", "project", "--data", &sample()]);
    assert_eq!(again["model"]["reused"], true, "a known model keeps its version: {again}");
    digests.push(digest_of(&again));
    assert!(digests.iter().all(|d| *d == digests[0]), "{digests:?}");

    let changed = places[0].ok(&["train", "project", "--data", &sample(), "--set", "seed=8"]);
    assert_ne!(digest_of(&changed), digests[0]);
    let patience = places[0].ok(&["train", "project", "--data", &sample(), "--set", "logistic.patience=9"]);
    assert_ne!(digest_of(&patience), digests[0]);
}

#[test]
fn project_new_writes_a_folder_that_trains_as_it_is() {
    let place = Place::with_home();
    let made = place.ok(&["project", "new", "--from", &sample(), "--name", "mine", "--dir", "mine"]);
    let leaks: Vec<&str> =
        made["leaks"].as_array().unwrap().iter().map(|l| l["column"].as_str().unwrap()).collect();
    for leak in ["recoveries", "total_pymnt", "settlement_status"] {
        assert!(leaks.contains(&leak), "{leak} is not among {leaks:?}");
    }
    place.ok(&["project", "check", "mine"]);
    let trained = place.ok(&["train", "mine", "--data", &sample()]);
    let auc = trained["metrics"]["auc"].as_f64().unwrap();
    assert!((0.65..0.85).contains(&auc), "{auc}");
    place.refused(2, &["project", "new", "--from", &sample(), "--name", "mine", "--dir", "mine"]);
}

#[test]
fn a_run_keeps_params_metrics_by_step_artifacts_and_lineage() {
    let place = Place::with_model();
    let runs = place.ok(&["run", "list"]);
    let id = runs["runs"][0]["info"]["run_id"].as_str().unwrap().to_string();
    assert_eq!(id.len(), 32);
    let run = place.ok(&["run", "show", &id]);
    assert_eq!(run["info"]["status"], "FINISHED");
    let names: Vec<&str> =
        run["artifacts"].as_array().unwrap().iter().map(|a| a["path"].as_str().unwrap()).collect();
    for name in ["roc.json", "roc.svg", "pr.json", "pr.svg", "calibration.svg", "importance.svg"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let history = place.ok(&["run", "metrics", &id, "valid_loss"]);
    assert!(history["metrics"].as_array().unwrap().len() > 1, "{history}");
    let metrics = run["data"]["metrics"].as_array().unwrap();
    let find = |key: &str| metrics.iter().find(|m| m["key"] == key).map(|m| m["value"].as_f64().unwrap());
    assert!(find("train_seconds").is_some(), "{run}");

    place.ok(&["run", "artifact", &id, "roc.json", "--out", "roc.json"]);
    let roc: Value = serde_json::from_slice(&fs::read(place.path("roc.json")).unwrap()).unwrap();
    let area: f64 = roc["points"]
        .as_array()
        .unwrap()
        .windows(2)
        .map(|w| {
            let x = |i: usize| w[i]["false_positive_rate"].as_f64().unwrap();
            let y = |i: usize| w[i]["true_positive_rate"].as_f64().unwrap();
            (x(1) - x(0)) * (y(1) + y(0)) / 2.0
        })
        .sum();
    assert!((area - find("auc").unwrap()).abs() < 1e-9, "the ROC integrates to the logged AUC");
}

#[test]
fn a_mistyped_key_names_file_line_and_the_nearest_word() {
    let place = Place::with_home();
    let project = place.project();
    replace_in(&project.join("train.toml"), "patience", "patiense");
    let error = place.refused(2, &["project", "check", "project"]);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("train.toml:") && message.contains("`patience`"), "{message}");
}

#[test]
fn rollback_goes_to_the_version_before_and_the_history_keeps_both() {
    let place = Place::with_model();
    place.ok(&["train", "project", "--set", "seed=11"]);
    place.ok(&["model", "promote", "loan-default@2", "--to", "production", "--why", "fresher data"]);
    assert_eq!(place.ok(&["model", "show", "loan-default:production"])["version"], 2);
    let back = place.ok(&["model", "rollback", "loan-default", "--why", "a rehearsal"]);
    assert_eq!(back["version"], 1);
    let history = place.ok(&["model", "history", "loan-default"]);
    let versions: Vec<u64> =
        history["moves"].as_array().unwrap().iter().map(|m| m["to"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 1], "{history}");
}

#[test]
fn commands_without_a_home_say_how_to_make_one() {
    let place = Place::empty();
    let error = place.refused(2, &["model", "list"]);
    assert!(error["next_step"].as_str().unwrap().contains("tallystick init"), "{error}");
    place.ok(&["init"]);
    place.refused(2, &["init"]);
}

/// The first row of the sample as the JSON a caller would send.
pub fn first_row_as_json(place: &Place) -> String {
    let shown = place.ok(&["data", "row", "project", &sample(), "1"]);
    let path = place.path("row.json");
    fs::write(&path, shown["row"].to_string()).unwrap();
    assert!(Path::new(&path).exists());
    path.to_string_lossy().into_owned()
}
