//! The network beside the line with the real binary: trained, compared on the same rows, kept from deciding about
//! credit, and explained and scored a second time where it may decide.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::Value;

use crate::flow_train::first_row_as_json;
use crate::reader::run_script;
use crate::support::{Ended, Place, fixture, has_program, python, replace_in};

const SMALL: [&str; 6] =
    ["--set", "mlp.epochs=4", "--set", "mlp.hidden=[12,6]", "--set", "mlp.batch_rows=512"];

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "project", "--family", "mlp"][..], &SMALL[..], more].concat()
}

/// The line as version 1 in production, a network as version 2, all for credit.
fn for_credit() -> Place {
    static TRAINED: OnceLock<Place> = OnceLock::new();
    let original = TRAINED.get_or_init(|| {
        let place = Place::with_model();
        let trained = place.ok(&train(&[]));
        assert_eq!(trained["model"]["version"], 2, "{trained}");
        place
    });
    original.copy()
}

/// A network in production of a project that sells and lends nothing.
fn for_marketing() -> Place {
    static TRAINED: OnceLock<Place> = OnceLock::new();
    let original = TRAINED.get_or_init(|| {
        let place = Place::with_home();
        let project = place.project();
        replace_in(&project.join("project.toml"), "purpose = \"credit\"", "purpose = \"marketing\"");
        std::fs::write(project.join("gates.toml"), "[[gate]]\nmetric = \"auc\"\nmin = 0.55\n").unwrap();
        place.ok(&train(&["--data", &fixture("loan-default/sample.csv")]));
        place.ok(&["model", "promote", "loan-default", "--to", "production"]);
        place
    });
    original.copy()
}

/// The runs of a home by their family.
fn runs_by_family(place: &Place) -> BTreeMap<String, String> {
    let runs = place.ok(&["run", "list", "--project", "loan-default"]);
    let family = |run: &Value| {
        let params = run["data"]["params"].as_array().unwrap();
        let found = params.iter().find(|p| p["key"] == "family.kind").unwrap();
        found["value"].as_str().unwrap().to_string()
    };
    let id = |run: &Value| run["info"]["run_id"].as_str().unwrap().to_string();
    runs["runs"].as_array().unwrap().iter().map(|run| (family(run), id(run))).collect()
}

#[test]
fn a_line_and_a_network_are_compared_on_the_rows_that_tested_both() {
    let place = for_credit();
    let runs = runs_by_family(&place);
    let compared = place.ok(&["run", "compare", &runs["logistic"][..8], &runs["mlp"]]);
    let params: Vec<&str> =
        compared["params"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert!(params.contains(&"family.kind") && params.contains(&"family.hidden"), "{params:?}");
    assert!(!params.contains(&"seed") && !params.contains(&"split.by"), "{params:?}");
    let values = |key: &str| {
        let metrics = compared["metrics"].as_array().unwrap();
        let row = metrics.iter().find(|row| row["key"] == key).unwrap();
        [0, 1].map(|run| row["values"][run].as_f64().unwrap())
    };
    assert!(compared["test"]["rows"].as_u64().unwrap() > 400, "{}", compared["test"]);
    let against = &compared["against"][0];
    assert_eq!(against["run_id"].as_str().unwrap(), runs["mlp"]);
    let differences = against["differences"].as_array().unwrap();
    let metrics: Vec<&str> = differences.iter().map(|d| d["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["auc", "log_loss", "brier"]);
    for difference in differences {
        let [line, network] = values(difference["metric"].as_str().unwrap());
        let number = |key: &str| difference[key].as_f64().unwrap();
        assert_eq!(
            (number("first"), number("other")),
            (line, network),
            "the run's own figures: {difference}"
        );
        assert!((number("difference") - (network - line)).abs() < 1e-12, "{difference}");
        assert!(number("low") < number("high") && number("rounds") == 1_000.0, "{difference}");
        let zero_inside = number("low") <= 0.0 && number("high") >= 0.0;
        let none = difference["words"] == "no difference beyond chance";
        assert_eq!(zero_inside, none && difference["verdict"] == "no_difference", "{difference}");
    }
    assert_eq!(place.ok(&["run", "compare", &runs["logistic"], &runs["mlp"]]), compared, "no lottery");

    let text = String::from_utf8(place.command_of_people(&["run", "list"]).output().unwrap().stdout).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["run", "name", "project", "family", "started", "took", "status", "auc", "log", "loss"]);
    assert!(text.contains("mlp") && text.contains("logistic") && text.contains(" s "), "{text}");
    let words = ["run", "compare", &runs["logistic"], &runs["mlp"]];
    let text = String::from_utf8(place.command_of_people(&words).output().unwrap().stdout).unwrap();
    assert!(text.contains("params that differ") && text.contains("beyond chance"), "{text}");
}

#[test]
fn runs_tested_on_other_rows_are_refused_with_the_reason() {
    let place = for_credit();
    let runs = runs_by_family(&place);
    place.ok(&["train", "project", "--set", "seed=8", "--set", "logistic.epochs=2"]);
    let listed = place.ok(&["run", "list", "--limit", "1"]);
    let other = listed["runs"][0]["info"]["run_id"].as_str().unwrap();
    let refused = place.refused(2, &["run", "compare", &runs["mlp"], other]);
    assert_eq!(refused["code"], "run.other_test_rows", "{refused}");
    let digests = refused["details"]["test_rows"].as_array().unwrap();
    assert!(digests.len() == 2 && digests[0] != digests[1], "{refused}");
    assert!(refused["next_step"].as_str().unwrap().contains("same seed"), "{refused}");
    let eleven: Vec<&str> = std::iter::repeat_n(other, 11).collect();
    let refused = place.refused(2, &[&["run", "compare"], &eleven[..]].concat());
    assert_eq!(refused["code"], "run.compare_count", "{refused}");
    place.refused(2, &["run", "compare", other]);
}

#[test]
fn a_run_that_kept_no_scores_is_refused_by_its_status() {
    let place = for_credit();
    let runs = runs_by_family(&place);
    // The run has begun when its first file is written, and the parent dies there.
    let mut dying = place.command(&["train", "project"]);
    let ended = Ended::of(dying.env("TALLYSTICK_FAULT", "files.before_rename:1").output().unwrap());
    assert_eq!(ended.code, -1, "{}", ended.json);
    let listed = place.ok(&["run", "list", "--limit", "1"]);
    let failed = &listed["runs"][0]["info"];
    assert_eq!(failed["status"], "FAILED", "{failed}");
    let refused = place.refused(2, &["run", "compare", &runs["mlp"], failed["run_id"].as_str().unwrap()]);
    assert_eq!(refused["code"], "run.no_test_scores", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("FAILED"), "{refused}");
}

#[test]
fn kept_scores_hold_a_place_an_outcome_and_a_probability_and_nothing_else() {
    let place = for_credit();
    let runs = runs_by_family(&place);
    place.ok(&["run", "artifact", &runs["mlp"], "test_scores.bin", "--out", "scores.bin"]);
    let bytes = std::fs::read(place.path("scores.bin")).unwrap();
    let rows = place.ok(&["run", "compare", &runs["mlp"], &runs["mlp"]])["test"]["rows"].as_u64().unwrap();
    assert_eq!(bytes.len() as u64, 21 + 32 + 13 * rows);
    assert!(bytes.starts_with(b"tallystick.scores.v1\n"));
}

#[test]
fn a_network_decides_nothing_about_credit() {
    let place = for_credit();
    let refused = place.refused(4, &["model", "promote", "loan-default@2", "--to", "production"]);
    assert_eq!(refused["code"], "gate.unexplained_family", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("\"mlp\""), "{refused}");
    assert!(refused["next_step"].as_str().unwrap().contains("--family logistic"), "{refused}");
    place.refused(4, &["model", "promote", "loan-default@2", "--to", "staging", "--dry-run"]);
    assert_eq!(place.ok(&["model", "show", "loan-default:production"])["version"], 1);

    let row = first_row_as_json(&place);
    let refused = place.refused(4, &["decide", "loan-default@2", "--row", &row]);
    assert_eq!(refused["code"], "gate.unexplained_family", "not by its number either: {refused}");
    let predicted = place.ok(&["predict", "loan-default@2", "--row", &row]);
    assert!(predicted["seq"].is_u64(), "a score is no decision, and recorded as a score: {predicted}");
    let scored = place.refused(4, &["batch", "loan-default@2", &fixture("loan-default/sample.csv"), "out"]);
    assert_eq!(scored["code"], "gate.unexplained_family", "{scored}");

    let project = place.path("project");
    replace_in(&project.join("train.toml"), "family = \"logistic\"", "family = \"mlp\"");
    let by_cost = "by = \"cost\"\nmissed_bad = 5.0\nrefused_good = 1.0\n";
    replace_in(&project.join("policy.toml"), by_cost, "by = \"value\"\nvalue = 0.2\n");
    let refused = place.refused(4, &["policy", "sign", "project"]);
    assert_eq!(refused["code"], "gate.unexplained_family", "{refused}");
    replace_in(&project.join("train.toml"), "family = \"mlp\"", "family = \"logistic\"");
    place.ok(&["policy", "sign", "project"]);
}

#[test]
fn where_it_may_decide_its_contributions_add_up_and_say_how_they_were_found() {
    let place = for_marketing();
    let row = first_row_as_json(&place);
    let decided = place.ok(&["decide", "loan-default", "--row", &row]);
    for id in [
        decided["decision_id"].as_str().unwrap(),
        place.ok(&["predict", "loan-default", "--row", &row])["decision_id"].as_str().unwrap(),
    ] {
        let explained = place.ok(&["decision", "explain", id]);
        let number = |key: &str| explained[key].as_f64().unwrap();
        let shares = explained["contributions"].as_array().unwrap();
        let sum: f64 = shares.iter().map(|share| share["value"].as_f64().unwrap()).sum();
        assert!((number("base") + sum - number("margin")).abs() < 1e-9, "{explained}");
        assert!(shares.iter().filter(|share| share["value"] != 0.0).count() > 10, "{explained}");
        assert_eq!((&explained["method"], number("gap_max")), (&Value::from("path"), 1e-9));
    }
    let id = decided["decision_id"].as_str().unwrap();
    assert_eq!(place.ok(&["decision", "replay", id])["same"], true, "the same bits again");
    assert_eq!(place.ok(&["store", "check"])["problems"], Value::Array(vec![]));
}

#[test]
fn the_python_scorer_gives_every_golden_margin_of_a_network_to_the_bit() {
    if !has_program(&python()) {
        return;
    }
    let place = for_marketing();
    // Several networks have their embeddings multiplied into the first layer.
    place.ok(&train(&["--data", &fixture("loan-default/sample.csv"), "--set", "mlp.models=1"]));
    place.ok(&["model", "export", "loan-default@2", "exported"]);
    let seen = run_script("tallystick_scorer.py", &["exported"], &place.path(""));
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(seen.status.success(), "{text}{}", String::from_utf8_lossy(&seen.stderr));
    assert!(text.contains("ok: 64 of 64"), "{text}");
    let model = std::fs::read(place.path("exported/model.json")).unwrap();
    let model: Value = serde_json::from_slice(&model).unwrap();
    assert_eq!(model["family"], "mlp");
    let weights = place.path("exported/blobs").join(model["weights"]["digest"].as_str().unwrap());
    let mut bytes = std::fs::read(&weights).unwrap();
    let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let names: Vec<&String> = header.as_object().unwrap().keys().collect();
    assert!(names.iter().any(|name| name.starts_with("embedding.")), "a text is embedded: {names:?}");
    // The lowest byte of the last bias, which every margin ends with.
    let at = 8 + length + header["bias.02"]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[at] ^= 1;
    std::fs::write(&weights, &bytes).unwrap();
    let seen = run_script("tallystick_scorer.py", &["exported"], &place.path(""));
    assert!(!seen.status.success(), "{}", String::from_utf8_lossy(&seen.stdout));
    assert_eq!(place.refused(5, &["release", "verify", "exported"])["code"], "content.altered");
}

#[test]
fn the_same_seed_gives_the_same_network_side_by_side_and_on_any_number_of_threads() {
    let places: Vec<Place> = (0..2).map(|_| Place::with_home()).collect();
    let data = fixture("loan-default/sample.csv");
    let start = |(place, threads): (&Place, &str)| {
        place.project();
        place
            .command(&train(&["--data", &data]))
            .env("RAYON_NUM_THREADS", threads)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = places.iter().zip(["1", "2"]).map(start).collect();
    let digests: Vec<Value> = children
        .into_iter()
        .map(|child| {
            let ended = Ended::of(child.wait_with_output().unwrap());
            assert_eq!(ended.code, 0, "{} {}", ended.json, ended.stderr);
            ended.json["model"]["digest"].clone()
        })
        .collect();
    assert_eq!(digests[0], digests[1]);
    let other = places[0].ok(&train(&["--data", &data, "--set", "seed=8"]));
    assert_ne!(other["model"]["digest"], digests[0]);
}

#[test]
fn a_mistyped_family_or_key_of_it_names_the_nearest_word() {
    let place = Place::with_home();
    let project = place.project();
    place.refused(2, &["train", "project", "--family", "mpl"]);
    replace_in(&project.join("train.toml"), "family = \"logistic\"", "family = \"mpl\"");
    let refused = place.refused(2, &["project", "check", "project"]);
    assert!(refused["message"].as_str().unwrap().contains("did you mean `mlp`"), "{refused}");
    replace_in(&project.join("train.toml"), "family = \"mpl\"", "family = \"mlp\"");
    let path = project.join("train.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.clone() + "\n[mlp]\nhiden = [8]\n").unwrap();
    let refused = place.refused(2, &["project", "check", "project"]);
    assert!(refused["message"].as_str().unwrap().contains("did you mean `hidden`"), "{refused}");
    std::fs::write(&path, text + "\n[mlp]\nhidden = [8, 0]\n").unwrap();
    let refused = place.refused(2, &["project", "check", "project"]);
    assert_eq!(refused["code"], "train_params.range", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("mlp.hidden = 0"), "{refused}");
}
