//! Users, keys and sessions over the API: what opens, what no longer opens, and what nobody is told.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tallystick::http::auth::Origin;

use super::support::Place;
use super::support::test_app::{Answered, TestApp, owner, request};

const PASSWORD: &str = "seven green lamps at noon";

fn login(app: &TestApp, name: &str, password: &str, last: u8) -> Answered {
    let body = json!({"name": name, "password": password}).to_string();
    app.send(request(Method::POST, &Origin::Network([10, 0, 0, last].into()), "/v1/sessions", Some(&body)))
}

fn with_erika() -> TestApp {
    let app = TestApp::over(Place::with_home());
    let user = json!({"name": "erika", "roles": ["auditor"], "password": PASSWORD});
    let made = app.post(&owner(), "/v1/users", &user.to_string());
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json);
    assert!(!made.json.to_string().contains("argon2"), "{}", made.json);
    app
}

#[test]
fn a_session_opens_lives_while_it_is_used_and_ends() {
    let app = with_erika();
    let opened = login(&app, "erika", PASSWORD, 1);
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.json);
    let token = opened.json["token"].as_str().unwrap();
    assert_eq!(app.with_token(token, "/v1/whoami").json["roles"], json!(["auditor"]));
    app.clock.advance_ms(14 * 60_000);
    assert_eq!(app.with_token(token, "/v1/models").status, StatusCode::OK);
    app.clock.advance_ms(14 * 60_000);
    assert_eq!(app.with_token(token, "/v1/models").status, StatusCode::OK);
    app.clock.advance_ms(16 * 60_000);
    assert_eq!(app.with_token(token, "/v1/models").status, StatusCode::UNAUTHORIZED);
}

#[test]
fn logging_out_and_a_locked_account_end_what_was_open() {
    let app = with_erika();
    let open = || login(&app, "erika", PASSWORD, 1).json["token"].as_str().unwrap().to_string();
    let (first, second) = (open(), open());
    let mut out = request(Method::DELETE, &owner(), "/v1/sessions/current", None);
    out.headers_mut().insert("authorization", format!("Bearer {first}").parse().unwrap());
    assert_eq!(app.send(out).json, json!({"closed": true}));
    assert_eq!(app.with_token(&first, "/v1/whoami").status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.with_token(&second, "/v1/whoami").status, StatusCode::OK);
    assert_eq!(app.made("/v1/users/erika/lock", "")["locked"], true);
    assert_eq!(app.with_token(&second, "/v1/whoami").status, StatusCode::UNAUTHORIZED);
    assert_eq!(login(&app, "erika", PASSWORD, 1).code(), "security.wrong_login");
    app.made("/v1/users/erika/unlock", "");
    assert_eq!(login(&app, "erika", PASSWORD, 1).status, StatusCode::CREATED);
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_told_alike_and_slowed_down() {
    let app = with_erika();
    let told = |answered: &Answered| {
        let mut json = answered.json.clone();
        json.as_object_mut().unwrap().remove("correlation_id");
        (answered.status, json)
    };
    let (wrong, unknown) = (login(&app, "erika", "not the password", 1), login(&app, "erikb", PASSWORD, 2));
    assert_eq!(told(&wrong), told(&unknown));
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let mut last = wrong;
    for _ in 0..6 {
        last = login(&app, "erika", "not the password", 1);
    }
    assert_eq!((last.status.as_u16(), last.code()), (429, "login.throttled"));
    assert!(last.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[test]
fn a_key_is_shown_once_opens_its_role_and_can_be_ended() {
    let app = TestApp::over(Place::with_home());
    let made = app.post(&owner(), "/v1/keys", r#"{"name": "scraper", "role": "metrics", "days": 2}"#);
    assert_eq!(made.status, StatusCode::CREATED);
    let (secret, id) = (made.json["secret"].as_str().unwrap(), made.json["id"].as_str().unwrap());
    assert_eq!(app.with_token(secret, "/metrics").status, StatusCode::OK);
    assert_eq!(app.with_token(secret, "/v1/models").status, StatusCode::FORBIDDEN);
    let listed = app.ok("/v1/keys");
    assert!(!listed.to_string().contains(secret));
    assert_eq!(listed["keys"][0]["id"], id);
    let changed = format!("{}x", &secret[..secret.len() - 1]);
    assert_eq!(app.with_token(&changed, "/metrics").status, StatusCode::UNAUTHORIZED);
    app.send(request(Method::DELETE, &owner(), &format!("/v1/keys/{id}"), None));
    assert_eq!(app.with_token(secret, "/metrics").status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_key_runs_out() {
    let app = TestApp::over(Place::with_home());
    let made = app.made("/v1/keys", r#"{"name": "scraper", "role": "metrics", "days": 1}"#);
    let secret = made["secret"].as_str().unwrap();
    app.clock.advance_ms(23 * 3_600_000);
    assert_eq!(app.with_token(secret, "/metrics").status, StatusCode::OK);
    app.clock.advance_ms(2 * 3_600_000);
    assert_eq!(app.with_token(secret, "/metrics").status, StatusCode::UNAUTHORIZED);
}

#[test]
fn what_is_asked_of_people_is_checked_by_name() {
    let app = with_erika();
    let user = |name: &str, role: &str, password: &str| {
        let body = json!({"name": name, "roles": [role], "password": password}).to_string();
        let answered = app.post(&owner(), "/v1/users", &body);
        (answered.status.as_u16(), answered.code().to_string())
    };
    assert_eq!(user("erika", "auditor", PASSWORD), (409, "user.exists".into()));
    assert_eq!(user("anna", "metrics", PASSWORD), (422, "user.service_role".into()));
    assert_eq!(user("anna", "root", PASSWORD), (422, "json.fields".into()));
    assert_eq!(user("anna", "auditor", "short"), (422, "password.length".into()));
    assert_eq!(user("An na", "auditor", PASSWORD), (422, "name.shape".into()));
    let keys = |body: Value| app.post(&owner(), "/v1/keys", &body.to_string()).status.as_u16();
    assert_eq!(keys(json!({"name": "x", "role": "admin"})), 422);
    assert_eq!(keys(json!({"name": "x", "role": "sync", "days": 100_000})), 422);
    assert_eq!(app.get(&owner(), "/v1/users/nobody").status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(&owner(), "/v1/keys/abcdefgh").status, StatusCode::NOT_FOUND);
}
