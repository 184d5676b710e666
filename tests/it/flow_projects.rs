//! The five demo projects with the real binary: from their folders and invented rows to decisions with reasons, and
//! what stands in the way of protected characteristics, of leaks and of rows that were encoded wrongly.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tallystick::demo::project::PROJECTS;

use super::support::test_app::{TestApp, owner};
use super::support::{Place, fixture, replace_in, say};

/// Writes a demo's folder and rows as `project` and `rows.csv`.
fn write_demo(place: &Place, name: &str, rows: &str) -> PathBuf {
    place.ok(&["demo", "project", "--project", name, "--out", "project"]);
    place.ok(&["demo", "data", "--project", name, "--rows", rows, "--out", "rows.csv"]);
    place.path("project")
}

fn trained(name: &str) -> (Place, f64) {
    let place = Place::with_home();
    write_demo(&place, name, "3000");
    place.ok(&["data", "import", "project", "rows.csv"]);
    let trained = place.ok(&["train", "project"]);
    place.ok(&["model", "promote", name, "--to", "production"]);
    (place, trained["metrics"]["auc"].as_f64().unwrap())
}

fn outcomes_of(place: &Place) -> Vec<String> {
    let policy: toml::Table =
        toml::from_str(&fs::read_to_string(place.path("project/policy.toml")).unwrap()).unwrap();
    let outcome = |band: &toml::Value| band["outcome"].as_str().unwrap().to_string();
    policy["band"].as_array().unwrap().iter().map(outcome).collect()
}

#[test]
fn each_demo_project_goes_from_its_rows_to_decisions_with_reasons() {
    for demo in &PROJECTS {
        let name = demo.name;
        let (place, auc) = trained(name);
        say(&format!("{name}: AUC {auc:.3} on 3000 rows"));
        assert!((0.70..0.90).contains(&auc), "{name}: {auc}");
        let outcomes = outcomes_of(&place);
        let rows: Vec<Value> = (1..=40)
            .map(|n| place.ok(&["data", "row", "project", "rows.csv", &n.to_string()])["row"].clone())
            .collect();
        let app = TestApp::over(place);
        let path = format!("/v1/models/{name}/decisions");
        let (mut seen, mut told) = (Vec::new(), 0);
        for row in &rows {
            let decided = app.made(&path, &row.to_string());
            let outcome = decided["outcome"].as_str().unwrap().to_string();
            assert!(outcomes.contains(&outcome), "{name}: {decided}");
            let reasons = decided["reasons"]["list"].as_array().unwrap();
            assert!(reasons.iter().all(|r| r["text"].as_str().is_some_and(|text| text.ends_with('.'))));
            told += usize::from(!reasons.is_empty());
            seen.push(outcome);
        }
        assert!(told > 0, "{name}: no decision of {seen:?} gave a reason");
        seen.sort();
        seen.dedup();
        assert!(seen.len() > 1, "{name}: every row got {seen:?}");
    }
}

#[test]
fn a_protected_field_is_kept_with_the_data_and_asked_for_by_nobody() {
    let (place, _) = trained("loan-approval");
    let mut row = place.ok(&["data", "row", "project", "rows.csv", "1"])["row"].clone();
    for field in ["Gender", "Married"] {
        assert!(row.get(field).is_none(), "{row}");
    }
    place.ok(&["model", "export", "loan-approval", "release"]);
    let release = read_all(place.path("release"));
    assert!(release.contains("Property_Area") && !release.contains("Gender"), "the model never heard of it");
    let sets = place.ok(&["data", "list"]);
    assert_eq!(sets["datasets"][0]["columns"], json!(13), "the data set has it: {sets}");
    let app = TestApp::over(place);
    row["Gender"] = json!("Female");
    let refused = app.post(&owner(), "/v1/models/loan-approval/decisions", &row.to_string());
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.json);
    let errors = refused.json["errors"].to_string();
    assert!(errors.contains("unknown_field") && errors.contains("/Gender"), "{}", refused.json);
}

fn read_all(folder: PathBuf) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &read_all(path);
        } else {
            text += &String::from_utf8_lossy(&fs::read(path).unwrap());
        }
    }
    text
}

#[test]
fn under_credit_a_protected_feature_is_refused_by_role_and_by_name() {
    let place = Place::empty();
    let project = write_demo(&place, "loan-approval", "400");
    place.ok(&["project", "check", "project"]);
    let recipe = fs::read_to_string(project.join("recipe.toml")).unwrap();
    let with_gender = format!("{recipe}\n[[features]]\nfield = \"Gender\"\nencode = \"one_hot\"\n");
    fs::write(project.join("recipe.toml"), with_gender).unwrap();
    let error = place.refused(2, &["project", "check", "project"]);
    assert_eq!(error["code"], "recipe.protected");
    says(&error, &["Gender", "recipe.toml", "protected"]);

    let contract = project.join("contract.toml");
    replace_in(&contract, "role = \"protected\"", "role = \"feature\"\nreason = \"the desk wants it\"");
    let error = place.refused(2, &["project", "check", "project"]);
    assert_eq!(error["code"], "contract.protected_feature");
    says(&error, &["Gender", "contract.toml", "credit"]);
    // Another name in our own files does not help: incoming files still call it so.
    replace_in(&contract, "name = \"Gender\"", "name = \"x1\"\naliases = [\"Gender\"]");
    assert_eq!(place.refused(2, &["project", "check", "project"])["code"], "contract.protected_feature");
}

#[test]
fn outside_credit_a_protected_feature_needs_a_reason_that_is_signed_into_the_model() {
    let (place, _) = trained("bank-churn");
    place.ok(&["model", "export", "bank-churn", "release"]);
    assert!(read_all(place.path("release")).contains("nobody is refused anything by it"));
    let contract = place.path("project/contract.toml");
    let text = fs::read_to_string(&contract).unwrap();
    let reason = text.lines().find(|line| line.starts_with("reason = ")).unwrap();
    fs::write(&contract, text.replace(&format!("{reason}\n"), "")).unwrap();
    let error = place.refused(2, &["train", "project"]);
    assert_eq!(error["code"], "contract.protected_reason");
    says(&error, &["Age", "contract.toml", "reason"]);
}

fn says(error: &Value, words: &[&str]) {
    let message = error["message"].as_str().unwrap();
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn a_complaint_is_refused_as_a_feature_by_its_role_and_by_what_it_knows() {
    let place = Place::with_home();
    let project = write_demo(&place, "bank-churn", "3000");
    let recipe = fs::read_to_string(project.join("recipe.toml")).unwrap();
    let with_leak = format!("{recipe}\n[[features]]\nfield = \"Complain\"\nencode = \"scale\"\n");
    fs::write(project.join("recipe.toml"), with_leak).unwrap();
    let train = ["train", "project", "--data", "rows.csv"];
    let error = place.refused(2, &train);
    assert_eq!(error["code"], "recipe.leak");
    says(&error, &["Complain"]);

    replace_in(&project.join("contract.toml"), "role = \"leak\"", "role = \"feature\"");
    let texts = fs::read_to_string(project.join("text/en.toml")).unwrap();
    let told =
        "\n[Complain]\nhigh = \"There was a complaint.\"\nlow = \"No complaint.\"\nmissing = \"Unknown.\"\n";
    fs::write(project.join("text/en.toml"), texts + told).unwrap();
    let error = place.refused(3, &train);
    assert_eq!(error["code"], "data.leak", "{error}");
    says(&error, &["Complain", "AUC"]);
    assert_eq!(place.ok(&["run", "list"])["runs"], json!([]));
}

#[test]
fn rows_that_are_encoded_wrongly_stop_the_run_before_anything_is_learned() {
    let place = Place::with_home();
    let project = write_demo(&place, "bank-churn", "1000");
    // Nobody told the recipe of the new card.
    replace_in(&project.join("recipe.toml"), ", \"DIAMOND\"]", "]");
    let error = place.refused(3, &["train", "project", "--data", "rows.csv"]);
    assert_eq!(error["code"], "data.expectations_processed", "{error}");
    let row = fs::read_to_string(place.path("rows.csv")).unwrap();
    // Of three cards the middle one is a half, and so is one that has no place: neither is a third or two.
    let is_off = |line: &str| line.contains(",GOLD,") || line.contains(",DIAMOND,");
    let first = row.lines().position(is_off).unwrap();
    says(&error, &["Card Type", "values_on_grid", &format!("row {first},")]);
    let runs = place.ok(&["run", "list"]);
    assert_eq!(runs["runs"][0]["info"]["status"], "FAILED", "{runs}");
    assert_eq!(place.ok(&["model", "list"])["models"], json!([]));
}

#[test]
fn a_run_keeps_what_was_expected_of_its_rows_and_what_was_found() {
    let (place, _) = trained("bank-churn");
    let runs = place.ok(&["run", "list"]);
    let id = runs["runs"][0]["info"]["run_id"].as_str().unwrap();
    for (name, count) in [("expectations.json", 18), ("expectations_processed.json", 15)] {
        place.ok(&["run", "artifact", id, name, "--out", name]);
        let report: Value = serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap();
        assert_eq!(report["results"].as_array().unwrap().len(), count);
        assert_eq!((&report["success"], &report["rows"]), (&json!(true), &json!(3000)));
    }
}

#[test]
fn an_expectation_of_encoded_rows_that_names_no_field_is_refused() {
    let place = Place::empty();
    let project = write_demo(&place, "bank-churn", "400");
    let suite = project.join("expectations.toml");
    let cases = [
        ("column = \"Age[0]\"", "column = \"Aeg[0]\"", "expect.unknown_field"),
        ("field = \"Geography\"", "field = \"Surname\"", "expect.unknown_field"),
        ("type = \"row_count_same\"", "type = \"row_count_same\"\nmin = 3", "expect.unknown_key"),
        (
            "[[expect_processed]]\ntype = \"row_count_same\"",
            "[[expect]]\ntype = \"row_count_same\"",
            "expect.unknown_type",
        ),
        (
            "field = \"Geography\"\nmin = 1",
            "field = \"Geography\"\ncolumn = \"Age\"\nmin = 1",
            "expect.argument",
        ),
    ];
    let sound = fs::read_to_string(&suite).unwrap();
    for (from, to, code) in cases {
        replace_in(&suite, from, to);
        let error = place.refused(2, &["project", "check", "project"]);
        assert_eq!(error["code"], code, "{error}");
        says(&error, &["expectations.toml"]);
        fs::write(&suite, &sound).unwrap();
    }
    replace_in(&project.join("text/en.toml"), "account = \"Account\"\n", "");
    assert_eq!(place.refused(2, &["project", "check", "project"])["code"], "project.section_title");
}

#[test]
fn a_folder_drafted_from_each_demos_rows_trains_as_it_is() {
    for demo in &PROJECTS {
        let place = Place::with_home();
        place.ok(&["demo", "data", "--project", demo.name, "--rows", "2000", "--out", "rows.csv"]);
        let folder = fs::read_to_string(fixture(&format!("projects/{}/project.toml", demo.name))).unwrap();
        let purpose = ["credit", "marketing", "education"]
            .into_iter()
            .find(|purpose| folder.contains(&format!("purpose = \"{purpose}\"")))
            .unwrap();
        let made = place.ok(&[
            "project",
            "new",
            "--from",
            "rows.csv",
            "--dir",
            "drafted",
            "--purpose",
            purpose,
            "--name",
            "mine",
        ]);
        let kept_apart = made["columns"].to_string();
        assert!(demo.name == "loan-default" || kept_apart.contains("\"protected\""), "{kept_apart}");
        let trained = place.ok(&["train", "drafted", "--data", "rows.csv"]);
        assert_eq!(trained["model"]["name"], "mine", "{}: {trained}", demo.name);
        place.ok(&["model", "promote", "mine", "--to", "production"]);
    }
}
