//! Rows decided over the API: recorded, repeated, shown again, listed, proven; and refused with every wrong field.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tallystick::http::auth::Origin;
use tallystick::http::routes::ROUTES;
use tallystick::security::actor::{Person, Role};

use super::support::Place;
use super::support::test_app::{Answered, TestApp, owner, request};

const DECIDE: &str = "/v1/models/loan-default/decisions";

fn row() -> Value {
    let route = ROUTES.iter().find(|route| route.pattern.ends_with("/decisions") && route.body.is_some());
    serde_json::from_str(route.unwrap().body.as_ref().unwrap().example).unwrap()
}

fn decide_as(app: &TestApp, origin: &Origin, key: Option<&str>, row: &Value) -> Answered {
    let mut request = request(Method::POST, origin, DECIDE, Some(&row.to_string()));
    if let Some(key) = key {
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    }
    app.send(request)
}

#[test]
fn a_decision_is_answered_recorded_and_shown_again_by_id_and_case() {
    let app = TestApp::over(Place::with_model());
    let decided = app.made(DECIDE, &row().to_string());
    for member in
        ["decision_id", "case", "name", "version", "probability", "outcome", "policy", "reasons", "seq"]
    {
        assert!(!decided[member].is_null(), "{member}: {decided}");
    }
    assert_eq!((&decided["recorded"], &decided["degraded"]), (&json!(true), &json!(false)));
    for name in ["decision_id", "case"] {
        let path = format!("/v1/decisions/{}", decided[name].as_str().unwrap());
        assert_eq!(app.ok(&path), decided);
        let why = app.ok(&format!("{path}/explanation"));
        let shares = why["contributions"].as_array().unwrap().iter().map(|c| c["value"].as_f64().unwrap());
        let sum = why["base"].as_f64().unwrap() + shares.sum::<f64>();
        assert!((sum - why["margin"].as_f64().unwrap()).abs() < 1e-6, "{why}");
        assert_eq!(app.ok(&format!("{path}/receipt"))["case"], decided["case"]);
        assert_eq!(app.ok(&format!("{path}/replay"))["same"], true);
    }
}

#[test]
fn a_prediction_is_recorded_and_has_no_case() {
    let app = TestApp::over(Place::with_model());
    let predicted = app.made("/v1/models/loan-default/predict?version=1", &row().to_string());
    assert_eq!(predicted["case"], Value::Null);
    let path = format!("/v1/decisions/{}", predicted["decision_id"].as_str().unwrap());
    assert_eq!(app.ok(&path), predicted);
}

#[test]
fn a_version_that_nobody_approved_decides_rehearsals_alone() {
    let app = TestApp::over(Place::with_three_versions());
    let decide = "/v1/models/loan-default/decisions?version=2";
    let refused = app.post(&owner(), decide, &row().to_string());
    let code = refused.json["code"].clone();
    assert_eq!((refused.status, code), (StatusCode::CONFLICT, json!("gate.never_in_force")));
    let rehearsed = app.made(&format!("{decide}&simulated=true"), &row().to_string());
    assert_eq!(
        (&rehearsed["version"], &rehearsed["flags"]),
        (&json!(2), &json!(["simulated"])),
        "{rehearsed}"
    );
    let approved = app.made("/v1/models/loan-default/decisions?version=1", &row().to_string());
    assert_eq!(approved["version"], 1);
    assert_eq!(
        app.ok("/v1/decisions?limit=9")["decisions"].as_array().map(Vec::len),
        Some(2),
        "no refused one"
    );
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_another_body_is_refused() {
    let app = TestApp::over(Place::with_model());
    let first = decide_as(&app, &owner(), Some("k-1"), &row());
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::OK, ""));
    let again = decide_as(&app, &owner(), Some("k-1"), &row());
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::OK, "true"));
    assert_eq!(again.bytes, first.bytes);
    let mut other = row();
    other["loan_amnt"] = json!(1_000);
    let refused = decide_as(&app, &owner(), Some("k-1"), &other);
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "idempotency.key_reused"));
    assert_eq!(app.ok("/v1/decisions")["decisions"].as_array().unwrap().len(), 1);
}

#[test]
fn whoever_asks_is_told_how_long_each_stage_took_and_nobody_else() {
    let app = TestApp::over(Place::with_model());
    let plain = decide_as(&app, &owner(), None, &row());
    assert_eq!((plain.status, plain.header("server-timing")), (StatusCode::OK, ""));
    for path in [DECIDE, "/v1/models/loan-default/predict"] {
        let timed = app.post(&owner(), &format!("{path}?timing=true"), &row().to_string());
        let entries: Vec<(&str, f64)> = timed
            .header("server-timing")
            .split(", ")
            .map(|entry| entry.split_once(";dur=").unwrap())
            .map(|(stage, millis)| (stage, millis.parse().unwrap()))
            .collect();
        let stages: Vec<&str> = entries.iter().map(|(stage, _)| *stage).collect();
        assert_eq!(stages, ["read", "parse", "score", "decide", "seal", "durable", "answer", "total"]);
        let sum: f64 = entries.iter().take(7).map(|(_, millis)| millis).sum();
        let (total, durable) = (entries[7].1, entries[5].1);
        assert!((sum - total).abs() < 0.01 && durable > 0.0 && total < 60_000.0, "{entries:?}");
    }
    let wrong = app.post(&owner(), &format!("{DECIDE}?timing=soon"), &row().to_string());
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        app.ok("/v1/decisions")["decisions"].as_array().unwrap().len(),
        3,
        "a wrong one decides nothing"
    );
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let app = TestApp::over(Place::with_model());
    let mut wrong = row();
    wrong["annual_inc"] = json!("Erika");
    wrong.as_object_mut().unwrap().remove("loan_amnt");
    wrong["nonsense"] = json!(1);
    let refused = decide_as(&app, &owner(), None, &wrong);
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "row.fields"));
    let errors = refused.json["errors"].as_array().unwrap();
    let pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/annual_inc") && pointers.contains(&"/nonsense"), "{pointers:?}");
    for (body, status) in [("{\"a\": 1, \"a\": 2}", 400), ("{", 400), ("{\"a\": NaN}", 400)] {
        assert_eq!(app.post(&owner(), DECIDE, body).status.as_u16(), status, "{body}");
    }
}

#[test]
fn pages_of_decisions_neither_repeat_nor_miss_one_while_others_are_made() {
    let app = TestApp::over(Place::with_model());
    for _ in 0..7 {
        app.made(DECIDE, &row().to_string());
    }
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = app.ok(&format!("/v1/decisions?limit=2{next}"));
        seen.extend(page["decisions"].as_array().unwrap().iter().map(|d| d["seq"].as_u64().unwrap()));
        app.made(DECIDE, &row().to_string());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1] + 1), "{seen:?}");
}

#[test]
fn a_core_banking_system_sees_its_own_decisions_only() {
    let app = TestApp::over(Place::with_model());
    let of = |name: &str| Origin::Process(Person::of(name, &[Role::CoreBanking]).unwrap());
    let decided = decide_as(&app, &of("core-a"), None, &row()).json;
    let path = format!("/v1/decisions/{}", decided["case"].as_str().unwrap());
    assert_eq!(app.get(&of("core-a"), &path).status, StatusCode::OK);
    assert_eq!(app.get(&of("core-b"), &path).status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(&of("core-b"), "/v1/decisions").json["decisions"], json!([]));
}

#[test]
fn a_mistyped_case_is_refused_with_a_hint() {
    let app = TestApp::over(Place::with_model());
    let case = app.made(DECIDE, &row().to_string())["case"].as_str().unwrap().to_string();
    let wrong = case.replacen('0', "1", 1);
    let refused = app.get(&owner(), &format!("/v1/decisions/{wrong}"));
    assert_eq!((refused.status.as_u16(), refused.code()), (400, "case.check_letter"));
    assert!(refused.json["next_step"].is_string());
}
