//! Models as other programs run them, a version held against what is in production, and what a run leaves to look at.

use std::fs;
use std::sync::OnceLock;

use serde_json::Value;

use crate::reader::run_script;
use crate::support::{Place, has_program, python};

/// Version 1 in production, a scorecard as version 2 and a boosting as version 3, all of one split.
fn with_families() -> Place {
    static TRAINED: OnceLock<Place> = OnceLock::new();
    let original = TRAINED.get_or_init(|| {
        let place = Place::with_model();
        place.ok(&["train", "project", "--family", "scorecard"]);
        place.ok(&["train", "project", "--family", "boosting", "--set", "boosting.rounds=30"]);
        place
    });
    original.copy()
}

fn export(place: &Place, model: &str, form: &str, more: &[&str]) -> String {
    let out = format!("model.{form}");
    place.ok(&[&["model", "export", model, "--format", form, "--out", &out], more].concat());
    fs::read_to_string(place.path(&out)).unwrap()
}

fn artifact(place: &Place, run: &str, path: &str) -> String {
    let _ = fs::remove_file(place.path("artifact"));
    place.ok(&["run", "artifact", run, path, "--out", "artifact"]);
    fs::read_to_string(place.path("artifact")).unwrap()
}

/// The run of a version, and the paths of its artifacts.
fn run_of(place: &Place, model: &str) -> (String, Vec<String>) {
    let id = place.ok(&["model", "show", model])["run"].as_str().map(str::to_string);
    let id =
        id.unwrap_or_else(|| place.ok(&["model", "show", model])["run_id"].as_str().unwrap().to_string());
    let run = place.ok(&["run", "show", &id]);
    let path = |artifact: &Value| artifact["path"].as_str().unwrap().to_string();
    (id, run["artifacts"].as_array().unwrap().iter().map(path).collect())
}

#[test]
fn a_database_gives_the_golden_margins_of_a_scorecard_and_of_trees_in_python() {
    if !has_program(&python()) {
        return;
    }
    let place = with_families();
    for (model, family) in [("loan-default@2", "scorecard"), ("loan-default@3", "boosting")] {
        let sql = export(&place, model, "sql", &["--key", "row"]);
        assert!(sql.starts_with(&format!("-- {model}, {family}, model ")), "{}", &sql[..200]);
        assert!(sql.contains("-- earliest_cr_line: days since 1970-01-01"), "{}", &sql[..1_200]);
        place.ok(&["model", "export", model, &format!("release-{family}")]);
        let checked = || {
            run_script("tallystick_exports.py", &[&format!("release-{family}"), "model.sql"], &place.path(""))
        };
        let seen = checked();
        let told = String::from_utf8_lossy(&seen.stdout).into_owned();
        assert!(seen.status.success(), "{told}{}", String::from_utf8_lossy(&seen.stderr));
        assert!(told.contains("64 golden rows"), "{told}");
        // One number more and the script must notice.
        fs::write(place.path("model.sql"), sql.replacen("THEN ", "THEN 0.001 + ", 400)).unwrap();
        assert!(!checked().status.success(), "{family}");
        fs::remove_file(place.path("model.sql")).unwrap();
    }
}

#[test]
fn a_family_is_written_only_as_what_can_say_it_and_never_over_a_file() {
    let place = with_families();
    let refused = |model: &str, form: &str| {
        let error = place.refused(2, &["model", "export", model, "--format", form, "--out", "refused"]);
        assert!(error["next_step"].is_string(), "{error}");
        error["code"].as_str().unwrap().to_string()
    };
    assert_eq!(refused("loan-default@1", "sql"), "export.family");
    assert_eq!(refused("loan-default@1", "pmml"), "export.family");
    assert_eq!(refused("loan-default@3", "csv"), "export.family");
    assert!(!place.path("refused").exists());
    let pmml = export(&place, "loan-default@3", "pmml", &[]);
    assert!(
        pmml.contains("<TreeModel") && pmml.contains("<!--\n  loan-default@3, boosting"),
        "{}",
        &pmml[..400]
    );
    let again =
        place.refused(2, &["model", "export", "loan-default@3", "--format", "pmml", "--out", "model.pmml"]);
    assert_eq!(again["code"], "file.exists");
    let bad = ["model", "export", "loan-default@2", "--format", "csv", "--pdo", "0", "--out", "refused"];
    assert_eq!(place.refused(2, &bad)["code"], "export.scaling");
}

#[test]
fn points_that_are_asked_for_are_whole_and_count_what_the_run_counted() {
    let place = with_families();
    let csv =
        export(&place, "loan-default@2", "csv", &["--pdo", "50", "--base-score", "500", "--whole-points"]);
    let (id, _) = run_of(&place, "loan-default@2");
    let kept = artifact(&place, &id, "scorecard.csv");
    let cells = |text: &str| -> Vec<Vec<String>> {
        // What is quoted is in the middle; both ends are numbers or names.
        text.lines().skip(1).map(|line| line.split(',').rev().map(String::from).collect()).collect()
    };
    let (asked, kept) = (cells(&csv), cells(&kept));
    assert_eq!(asked.len(), kept.len());
    for (asked, kept) in asked.iter().zip(&kept) {
        assert_eq!(asked[0].parse::<f64>().unwrap().fract(), 0.0, "{asked:?}");
        assert_eq!(asked[1..], kept[1..], "only the points differ");
    }
    let bins: Value = serde_json::from_str(&artifact(&place, &id, "bins.json")).unwrap();
    let bins = bins.as_array().unwrap();
    let rate = bins.iter().find(|field| field["field"] == "int_rate").unwrap();
    assert_eq!(rate["fate"], "scored", "{rate}");
    let rows: f64 = rate["bins"].as_array().unwrap().iter().map(|bin| bin["rows"].as_f64().unwrap()).sum();
    assert!(rows > 1_000.0 && rate["bins"][1]["values"].as_str().unwrap().starts_with("up to "), "{rate}");
}

#[test]
fn a_version_is_held_against_production_on_the_same_rows() {
    let place = with_families();
    let held = place.ok(&["check", "loan-default@3", "--against", "production", "--tolerance", "0.5"]);
    assert_eq!((held["version"].as_u64(), held["against_version"].as_u64()), (Some(3), Some(1)));
    assert!(
        held["holds"] == true && held["standing"] == "holds" && held["judged"][0]["metric"] == "auc",
        "{held}"
    );
    let itself = place.ok(&["check", "loan-default@1", "--tolerance", "0"]);
    assert_eq!(itself["judged"][0]["worse_by"].as_f64().unwrap().abs(), 0.0, "{itself}");
    let barely =
        ["train", "project", "--set", "logistic.epochs=1", "--set", "logistic.learning_rate=0.00001"];
    place.ok(&barely);
    let fallen = place.run(&["check", "loan-default", "--brier", "0.0001"]);
    assert_eq!(fallen.code, 4, "{}", fallen.json);
    assert_eq!(fallen.json["holds"], false, "{}", fallen.json);
    assert_eq!(place.ok(&["model", "show", "loan-default:production"])["version"], 1, "nothing moved");
    assert_eq!(
        place.refused(2, &["check", "loan-default@3", "--tolerance=-0.1"])["code"],
        "evaluate.tolerance"
    );
    assert_eq!(
        place.refused(2, &["check", "loan-default@3", "--against", "staging"])["code"],
        "model.unknown_alias"
    );
    place.ok(&["train", "project", "--set", "seed=9", "--set", "logistic.epochs=2"]);
    assert_eq!(place.refused(2, &["check", "loan-default"])["code"], "run.other_test_rows");
}

#[test]
fn a_run_leaves_what_a_person_asks_about_a_model_and_no_persons_value() {
    let place = with_families();
    let (id, paths) = run_of(&place, "loan-default@3");
    let wanted = [
        "calibration.svg",
        "confusion.json",
        "confusion.svg",
        "cost_benefit.csv",
        "dependence_1.csv",
        "dependence_1.svg",
        "gain.svg",
        "importance.csv",
        "isotonic.json",
        "out_of_time.csv",
        "profit.json",
        "profit.svg",
        "segments.csv",
        "segments.json",
        "swarm.csv",
        "swarm.svg",
    ];
    for name in wanted {
        assert!(paths.iter().any(|path| path == name), "{name} is not among {paths:?}");
    }
    let total: usize = paths.iter().map(|path| artifact_size(&place, &id, path)).sum();
    assert!(total < 3 << 20, "{total}");
    let confusion: Value = serde_json::from_str(&artifact(&place, &id, "confusion.json")).unwrap();
    let table: Value = serde_json::from_str(&artifact(&place, &id, "evaluation.json")).unwrap();
    assert_eq!(confusion["threshold"], table["cutoff"]);
    let recall = table["metrics"]["policy.recall"].as_f64().unwrap();
    assert!((confusion["rows"][1]["right"].as_f64().unwrap() - recall).abs() < 1e-12);

    // Each value that is shown stands for twenty rows or more.
    let swarm = artifact(&place, &id, "swarm.csv");
    let mut counts = std::collections::BTreeMap::<(String, String), usize>::new();
    for line in swarm.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        *counts.entry((cells[0].into(), cells[1].into())).or_default() += 1;
    }
    let numbers = counts.iter().filter(|((_, value), _)| value.parse::<f64>().is_ok());
    let rows: usize = swarm.lines().filter(|line| line.starts_with("annual_inc,")).count();
    assert!(rows > 200 && numbers.clone().count() > 20, "{rows}");
    // A draw of rows holds about its share of each twenty.
    assert!(numbers.clone().all(|(_, count)| *count >= 2), "{counts:?}");
    assert!(numbers.map(|(_, count)| count).sum::<usize>() > 1_000);
}

fn artifact_size(place: &Place, run: &str, path: &str) -> usize {
    let _ = fs::remove_file(place.path("artifact"));
    place.ok(&["run", "artifact", run, path, "--out", "artifact"]);
    fs::read(place.path("artifact")).unwrap().len()
}

#[test]
fn a_decision_is_drawn_step_by_step() {
    let place = Place::with_model();
    let row = crate::flow_train::first_row_as_json(&place);
    let case = place.ok(&["decide", "loan-default", "--row", &row])["case"].as_str().unwrap().to_string();
    place.ok(&["why", &case, "--waterfall", "steps.svg"]);
    let svg = fs::read_to_string(place.path("steps.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("int_rate"), "{}", &svg[..300]);
    assert_eq!(place.refused(2, &["why", &case, "--waterfall", "steps.svg"])["code"], "file.exists");
}
