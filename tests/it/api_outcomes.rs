//! What became of decisions, reported over the API and by the command line: taken down, corrected, refused by its place.

use serde_json::{Value, json};
use tallystick::security::actor::Role;

use super::support::Place;
use super::support::test_app::{TestApp, in_role, owner};

const REPORT: &str = "/v1/models/loan-default/outcomes";

fn example() -> String {
    use tallystick::http::routes::ROUTES;
    let route = ROUTES.iter().find(|route| route.pattern.ends_with("/decisions") && route.body.is_some());
    route.unwrap().body.as_ref().unwrap().example.to_string()
}

fn decided(app: &TestApp) -> Value {
    app.made("/v1/models/loan-default/decisions", &example())
}

fn report(app: &TestApp, outcomes: Value) -> Value {
    app.made(REPORT, &json!({"outcomes": outcomes}).to_string())
}

fn counts(said: &Value) -> [u64; 3] {
    ["recorded", "corrected", "unchanged"].map(|name| said[name].as_u64().unwrap())
}

#[test]
fn an_outcome_is_taken_down_once_and_a_later_word_takes_its_place() {
    let app = TestApp::over(Place::with_model());
    let (case, id) = (decided(&app)["case"].clone(), decided(&app)["decision_id"].clone());
    app.clock.advance_ms(86_400_000);
    let known = "2096-10-03T00:00:00Z";
    let both = json!([
        {"decision": case, "value": "Fully Paid", "known": known, "groups": {"sex": "f"}},
        {"decision": id, "value": "Charged Off", "known": known}
    ]);
    assert_eq!(counts(&report(&app, both.clone())), [2, 0, 0]);
    assert_eq!(counts(&report(&app, both)), [0, 0, 2]);
    let other = json!([{"decision": case, "value": "Charged Off", "known": known, "groups": {"sex": "f"}}]);
    assert_eq!(counts(&report(&app, other)), [0, 1, 0]);
    drop(app.ok("/v1/decisions"));
}

#[test]
fn what_cannot_be_taken_down_is_named_by_its_place_and_the_rest_is_kept() {
    let app = TestApp::over(Place::with_model());
    let first = decided(&app);
    let case = &first["case"];
    let second = decided(&app)["case"].clone();
    let long = "x".repeat(65);
    let said = report(
        &app,
        json!([
            {"decision": "0000-26-99999-A", "value": "Fully Paid"},
            {"decision": case, "value": "Fully Payed"},
            {"decision": case, "value": "Fully Paid", "known": "2001-01-01T00:00:00Z"},
            {"decision": case, "value": "Fully Paid", "known": "2199-01-01T00:00:00Z"},
            {"decision": case, "value": "Fully Paid", "groups": {"sex": long}},
            {"decision": second, "value": "Fully Paid"},
            {"decision": second, "value": "Charged Off"}
        ]),
    );
    let refused = said["refused"].as_array().unwrap();
    let codes: Vec<(&str, &str)> =
        refused.iter().map(|one| (one["pointer"].as_str().unwrap(), one["code"].as_str().unwrap())).collect();
    assert_eq!(codes.len(), 6, "{said}");
    assert_eq!(
        codes[1..],
        [
            ("/outcomes/1", "outcome.value"),
            ("/outcomes/2", "outcome.too_early"),
            ("/outcomes/3", "outcome.future"),
            ("/outcomes/4", "outcome.groups"),
            ("/outcomes/6", "outcome.twice"),
        ]
    );
    assert!(refused[1]["message"].as_str().unwrap().contains("Fully Paid, Charged Off"), "{said}");
    assert_eq!(counts(&said), [1, 0, 0]);
    let none = app.post(&owner(), REPORT, r#"{"outcomes": []}"#);
    assert_eq!((none.status.as_u16(), none.code()), (422, "outcome.count"));
    let nobody = app.post(
        &owner(),
        "/v1/models/nothing/outcomes",
        r#"{"outcomes": [{"decision": "a", "value": "b"}]}"#,
    );
    assert_eq!((nobody.status.as_u16(), nobody.code()), (404, "model.unknown"));
}

#[test]
fn a_core_banking_system_reports_on_its_own_decisions_alone() {
    let app = TestApp::over(Place::with_model());
    let case = decided(&app)["case"].clone();
    let body = json!({"outcomes": [{"decision": case, "value": "Fully Paid"}]}).to_string();
    let said = app.post(&in_role(Role::CoreBanking), REPORT, &body).json;
    assert_eq!((&said["recorded"], &said["refused"][0]["code"]), (&json!(0), &json!("decision.unknown")));
    assert_eq!(app.post(&in_role(Role::Officer), REPORT, &body).status.as_u16(), 403);
}

#[test]
fn a_file_of_outcomes_is_reported_row_by_row() {
    let place = Place::with_model();
    std::fs::write(place.path("row.json"), example()).unwrap();
    let cases: Vec<String> = (0..3)
        .map(|_| place.ok(&["decide", "loan-default", "--row", "row.json"])["case"].as_str().unwrap().into())
        .collect();
    let file = format!(
        "case;loan_status;sex\n{};Fully Paid;f\n{};Charged Off;m\n;Fully Paid;m\n{};Lost;f\n",
        cases[0], cases[1], cases[2]
    );
    std::fs::write(place.path("back.csv"), file).unwrap();
    let words =
        ["outcome", "report", "loan-default", "back.csv", "--decision", "case", "--value", "loan_status"];
    let ended = place.run(&[&words[..], &["--group", "sex"]].concat());
    assert_eq!(ended.code, 3, "{} {}", ended.json, ended.stderr);
    assert_eq!(
        (&ended.json["recorded"], &ended.json["unreadable"]),
        (&json!(2), &json!(1)),
        "{}",
        ended.json
    );
    assert_eq!(ended.json["refused"][0]["row"], 4, "{}", ended.json);
    let absent = place.run(&["outcome", "report", "loan-default", "back.csv"]);
    assert_eq!(absent.code, 3, "{} {}", absent.json, absent.stderr);
    assert!(absent.json["error"]["message"].as_str().unwrap().contains("decision"), "{}", absent.json);
    place.ok(&["audit", "verify"]);
    place.ok(&["store", "check"]);
}
