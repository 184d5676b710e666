//! The registry, policies and runs over the API: the same facts as on the command line, in pages, and alias moves
//! that hold only while nothing else moved.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::support::Place;
use super::support::test_app::{TestApp, owner, request};

fn without_next(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("next");
    value
}

#[test]
fn the_api_says_what_the_command_line_says() {
    let place = Place::with_three_versions();
    let by_command = |words: &[&str]| place.ok(words);
    let models = by_command(&["model", "list"]);
    let version = by_command(&["model", "show", "loan-default@1"]);
    let history = by_command(&["model", "history", "loan-default"]);
    let policies = by_command(&["policy", "list"]);
    let digest = version["policy"].as_str().unwrap().to_string();
    let policy = by_command(&["policy", "show", &digest]);
    let runs = by_command(&["run", "list"]);
    let run_id = version["run_id"].as_str().unwrap().to_string();
    let run = by_command(&["run", "show", &run_id]);
    let metric = by_command(&["run", "metrics", &run_id, "auc"]);
    let promoted = by_command(&["model", "promote", "loan-default@2", "--to", "staging", "--dry-run"]);
    let app = TestApp::over(place);
    assert_eq!(without_next(app.ok("/v1/models")), models);
    assert_eq!(app.ok("/v1/models/loan-default/versions/1"), version);
    assert_eq!(app.ok("/v1/models/loan-default/aliases/production/history"), history);
    assert_eq!(without_next(app.ok("/v1/policies")), policies);
    assert_eq!(app.ok(&format!("/v1/policies/{digest}")), policy);
    assert_eq!(without_next(app.ok("/v1/runs")), runs);
    assert_eq!(app.ok(&format!("/v1/runs/{run_id}")), run);
    assert_eq!(app.ok(&format!("/v1/runs/{run_id}/metrics/auc")), metric);
    let body = r#"{"version": 2, "to": "staging", "dry_run": true}"#;
    assert_eq!(app.post(&owner(), "/v1/models/loan-default/promote", body).json, promoted);
}

#[test]
fn pages_name_everything_once() {
    let app = TestApp::over(Place::with_three_versions());
    for (path, list, key) in [
        ("/v1/models/loan-default/versions", "versions", "/version"),
        ("/v1/policies", "policies", "/digest"),
        ("/v1/runs", "runs", "/info/run_id"),
    ] {
        let keys = |page: &Value| -> Vec<Value> {
            page[list].as_array().unwrap().iter().map(|item| item.pointer(key).unwrap().clone()).collect()
        };
        let whole = keys(&app.ok(path));
        assert!(whole.len() >= 3, "{path}");
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let page = app.ok(&format!("{path}?limit=2{next}"));
            assert!(keys(&page).len() <= 2);
            seen.extend(keys(&page));
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, whole, "{path}");
    }
}

#[test]
fn a_query_that_is_not_understood_is_refused() {
    let app = TestApp::over(Place::with_home());
    for query in ["limit=0", "limit=501", "limit=x", "cursor=zzz", "limit=1&limit=2", "lmit=3", "cursor=YWJj"]
    {
        let answered = app.get(&owner(), &format!("/v1/models?{query}"));
        assert_eq!((answered.status, answered.code()), (StatusCode::BAD_REQUEST, "http.query"), "{query}");
    }
}

fn promote_if(app: &TestApp, tag: &str, version: u64) -> (StatusCode, Value) {
    let body = json!({"version": version, "to": "production", "why": "a test"}).to_string();
    let mut request = request(Method::POST, &owner(), "/v1/models/loan-default/promote", Some(&body));
    request.headers_mut().insert("if-match", tag.parse().unwrap());
    let answered = app.send(request);
    (answered.status, answered.json)
}

#[test]
fn an_alias_moves_only_from_the_state_that_was_seen() {
    let app = TestApp::over(Place::with_three_versions());
    let seen = app.get(&owner(), "/v1/models/loan-default/aliases/production");
    let tag = seen.header("etag").to_string();
    assert_eq!(tag, format!("\"{}\"", seen.json["etag"].as_str().unwrap()));
    assert_eq!(promote_if(&app, &tag, 2).0, StatusCode::OK);
    let at_two = app.ok("/v1/models/loan-default/aliases/production")["etag"].as_str().unwrap().to_string();
    app.clock.advance_ms(1);
    let (status, problem) = promote_if(&app, &tag, 3);
    assert_eq!((status.as_u16(), &problem["code"]), (412, &json!("model.alias_moved")));
    assert_eq!(promote_if(&app, &format!("W/{tag}"), 3).0, StatusCode::PRECONDITION_FAILED);
    assert_eq!(promote_if(&app, "nonsense", 3).0, StatusCode::BAD_REQUEST);
    assert_eq!(promote_if(&app, "*", 3).0, StatusCode::OK);
    assert_eq!(app.ok("/v1/models/loan-default/aliases/production")["version"], 3);
    let body = r#"{"alias": "production", "why": "back"}"#;
    let mut back = request(Method::POST, &owner(), "/v1/models/loan-default/rollback", Some(body));
    back.headers_mut().insert("if-match", tag.parse().unwrap());
    assert_eq!(app.send(back).status, StatusCode::PRECONDITION_FAILED);
    let back = app.post(&owner(), "/v1/models/loan-default/rollback", body);
    assert_eq!((back.status, &back.json["version"]), (StatusCode::OK, &json!(2)));
    // Where it was after the first move, but not as it was: it has moved since.
    assert_eq!(promote_if(&app, &format!("\"{at_two}\""), 3).0, StatusCode::PRECONDITION_FAILED);
}

#[test]
fn gates_come_as_text_and_refuse_with_both_numbers() {
    let app = TestApp::over(Place::with_three_versions());
    let promote = |body: Value| app.post(&owner(), "/v1/models/loan-default/promote", &body.to_string());
    let refused = promote(json!({"to": "production", "gates": "[[gate]]\nmetric = \"auc\"\nmin = 0.9999\n"}));
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.json);
    assert!(refused.json["detail"].as_str().unwrap().contains("0.9999"), "{}", refused.json);
    let wrong = promote(json!({"to": "production", "gates": "[[gate]]\nmetric = \"acu\"\nmin = 0.5\n"}));
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.json);
    let both = promote(json!({"to": "production", "version": 1, "from": "staging"}));
    assert_eq!((both.status.as_u16(), &both.json["errors"][0]["pointer"]), (422, &json!("/from")));
}

#[test]
fn what_is_not_there_is_404_with_its_code() {
    let app = TestApp::over(Place::with_three_versions());
    for (path, code) in [
        ("/v1/nothing", "http.no_route"),
        ("/v1/models/", "http.no_route"),
        ("/v1/models/other", "model.unknown"),
        ("/v1/models/other/versions", "model.unknown"),
        ("/v1/models/loan-default/versions/9", "model.unknown_version"),
        ("/v1/models/loan-default/aliases/staging", "model.unknown_alias"),
        ("/v1/runs/00000000000000000000000000000000", "run.unknown"),
        ("/v1/policies/ffffffffffff", "policy.unknown"),
    ] {
        let answered = app.get(&owner(), path);
        assert_eq!((answered.status, answered.code()), (StatusCode::NOT_FOUND, code), "{path}");
        assert_eq!(answered.header("content-type"), "application/problem+json", "{path}");
    }
    let wrong = app.get(&owner(), "/v1/models/loan-default/versions/x");
    assert_eq!((wrong.status, wrong.code()), (StatusCode::BAD_REQUEST, "http.path"));
}

#[test]
fn an_artifact_comes_as_its_own_type_and_can_run_nothing() {
    let app = TestApp::over(Place::with_model());
    let run = app.ok("/v1/runs")["runs"][0]["info"]["run_id"].as_str().unwrap().to_string();
    let artifacts = app.ok(&format!("/v1/runs/{run}"))["artifacts"].clone();
    let svg = artifacts.as_array().unwrap().iter().find(|a| a["path"].as_str().unwrap().ends_with(".svg"));
    let path = svg.unwrap()["path"].as_str().unwrap();
    let answered = app.get(&owner(), &format!("/v1/runs/{run}/artifacts/{path}"));
    assert_eq!(answered.header("content-type"), "image/svg+xml");
    assert!(answered.header("content-security-policy").contains("sandbox"));
    assert!(answered.bytes.starts_with(b"<svg"));
}

#[test]
fn every_way_to_get_a_request_wrong_is_a_problem_with_its_status() {
    let app = TestApp::over(Place::with_home());
    let path = "/v1/models/x/promote";
    let large = format!("{{\"to\": \"{}\"}}", "x".repeat(1 << 20));
    for (body, status, code) in [
        ("{", 400, "json.syntax"),
        (r#"{"to": "production", "to": "staging"}"#, 400, "json.duplicate_key"),
        (r#"{"to": NaN}"#, 400, "json.syntax"),
        (r#"{"too": "production"}"#, 422, "json.fields"),
        (&large, 413, "http.body_too_large"),
    ] {
        let answered = app.post(&owner(), path, body);
        assert_eq!((answered.status.as_u16(), answered.code()), (status, code));
        assert_eq!(answered.json["correlation_id"], answered.header("x-correlation-id"));
    }
    let mut typed = request(Method::POST, &owner(), path, Some("{}"));
    typed.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(app.send(typed).status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let put = app.send(request(Method::PUT, &owner(), path, Some("{}")));
    assert_eq!((put.status.as_u16(), put.header("allow")), (405, "POST"));
    let mut wide = request(Method::GET, &owner(), "/livez", None);
    for number in 0..70 {
        let name: axum::http::HeaderName = format!("x-{number}").parse().unwrap();
        wide.headers_mut().insert(name, "y".parse().unwrap());
    }
    assert_eq!(app.send(wide).status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
}

#[test]
fn a_head_request_has_the_headers_and_no_body() {
    let app = TestApp::over(Place::with_home());
    let mut asked = request(Method::HEAD, &owner(), "/livez", None);
    asked.headers_mut().insert("x-correlation-id", "core-1".parse().unwrap());
    let answered = app.send(asked.map(|_| Body::empty()));
    assert_eq!((answered.status, answered.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(answered.header("x-correlation-id"), "core-1");
}

#[test]
fn counters_count_what_was_asked_by_pattern_alone() {
    let app = TestApp::over(Place::with_home());
    app.get(&owner(), "/v1/models/erika-mustermann");
    app.get(&owner(), "/v1/erika-mustermann");
    let text = String::from_utf8(app.get(&owner(), "/metrics").bytes).unwrap();
    assert!(!text.contains("erika"), "{text}");
    let line = r#"tallystick_http_requests_total{method="GET",route="/v1/models/{name}",status="4xx"} 1"#;
    assert!(text.contains(line), "{text}");
}
