//! Four eyes over the API and on the command line: who may put a version into production with whom, and what is left
//! of every attempt.

use std::fs;
use std::sync::OnceLock;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tallystick::app::home;
use tallystick::app::registry::approvals::expire_due;
use tallystick::http::auth::Origin;
use tallystick::security::actor::{Person, Role};

use super::flow_train::first_row_as_json;
use super::support::Place;
use super::support::test_app::{Answered, TestApp, in_role, owner};

const HOUR_MS: i64 = 3_600_000;
const LOOSE: &str = "[[gate]]\nmetric = \"auc\"\nmin = 0.01\n";

/// The versions 1 to 3, of which the first is in production and none asks for a second person; 4, which does; and 5,
/// which its own gates refuse.
pub fn with_four_eyes() -> Place {
    static TRAINED: OnceLock<Place> = OnceLock::new();
    let original = TRAINED.get_or_init(|| {
        let place = Place::with_three_versions();
        let approval = "[approval]\ntier = \"high\"\nexpires = \"36h\"\n";
        for (seed, gates) in [
            ("seed=23", format!("{LOOSE}{approval}")),
            ("seed=24", "[[gate]]\nmetric = \"auc\"\nmin = 0.9999\n".to_string()),
        ] {
            fs::write(place.path("project/gates.toml"), gates).unwrap();
            place.ok(&["train", "project", "--set", "logistic.epochs=2", "--set", seed]);
        }
        place
    });
    original.copy()
}

fn person(name: &str, roles: &[Role]) -> Origin {
    Origin::Process(Person::of(name, roles).unwrap())
}

fn anna() -> Origin {
    person("anna", &[Role::Analyst])
}

fn ben() -> Origin {
    person("ben", &[Role::Approver])
}

fn propose(app: &TestApp, by: &Origin, version: u64, to: &str) -> Answered {
    let body = json!({"version": version, "to": to, "why": "better on the last quarter"}).to_string();
    app.post(by, "/v1/models/loan-default/proposals", &body)
}

/// Proposes and must be heard; answers the number.
fn proposed(app: &TestApp, by: &Origin, version: u64, to: &str) -> u64 {
    let answered = propose(app, by, version, to);
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.json);
    answered.json["id"].as_u64().unwrap()
}

fn decide(app: &TestApp, by: &Origin, id: u64, what: &str) -> Answered {
    app.post(by, &format!("/v1/proposals/{id}/{what}"), r#"{"comment": "the figures hold"}"#)
}

fn promote(app: &TestApp, version: u64, to: &str) -> Answered {
    let body = json!({"version": version, "to": to, "why": "a test"}).to_string();
    app.post(&owner(), "/v1/models/loan-default/promote", &body)
}

fn production(app: &TestApp) -> Value {
    app.ok("/v1/models/loan-default/aliases/production")["version"].clone()
}

fn state(app: &TestApp, id: u64) -> String {
    app.ok(&format!("/v1/proposals/{id}"))["state"].as_str().unwrap().to_string()
}

fn told(answered: &Answered) -> (u16, &str) {
    (answered.status.as_u16(), answered.code())
}

/// The bodies of the records of these kinds, in order, with who made them.
fn records(place: &Place, kinds: &[&str]) -> Vec<(String, String)> {
    let log = place.ok(&["audit", "log", "--limit", "500"]);
    let records = log["records"].as_array().unwrap().iter();
    let of_kind = records.filter(|record| kinds.contains(&record["kind"].as_str().unwrap()));
    of_kind
        .map(|record| {
            let text = |value: &Value| value.as_str().unwrap().to_string();
            (
                text(&record["kind"]),
                format!("{} by {}", text(&record["subject"]), text(&record["actor"]["name"])),
            )
        })
        .collect()
}

const KINDS: [&str; 4] = ["alias_moved", "promotion_proposed", "proposal_closed", "approval_refused"];

#[test]
fn a_version_that_asks_for_a_second_person_goes_into_production_by_two() {
    let place = with_four_eyes();
    let row = fs::read_to_string(place.path(&first_row_as_json(&place))).unwrap();
    let app = TestApp::over(place);
    let alone = promote(&app, 4, "production");
    assert_eq!(told(&alone), (409, "gate.needs_second_person"));
    assert_eq!(alone.json["exit_code"], 4);
    assert!(
        alone.json["next_step"].as_str().unwrap().contains("model propose loan-default@4"),
        "{}",
        alone.json
    );
    let dry = json!({"version": 4, "to": "production", "dry_run": true}).to_string();
    assert_eq!(
        told(&app.post(&owner(), "/v1/models/loan-default/promote", &dry)).1,
        "gate.needs_second_person"
    );
    let id = proposed(&app, &anna(), 4, "production");
    assert_eq!((production(&app), state(&app, id)), (json!(1), "open".into()));
    let shown = app.ok(&format!("/v1/proposals/{id}"));
    assert_eq!((&shown["from"], &shown["gate"]["passed"]), (&json!(1), &json!(true)));
    assert_eq!(shown["gate"]["rules"][0]["metric"], "auc");
    let approved = decide(&app, &ben(), id, "approve");
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.json);
    assert_eq!(
        [&approved.json["state"], &approved.json["decided_by"], &approved.json["comment"]],
        [&json!("approved"), &json!("ben"), &json!("the figures hold")]
    );
    assert_eq!(production(&app), 4);
    let history = app.ok("/v1/models/loan-default/aliases/production/history");
    let last = history["moves"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["by"], &last["why"]), (&json!("ben"), &json!("better on the last quarter")));
    // What two put there decides, and says by whom it stands there.
    let case = app.made("/v1/models/loan-default/decisions", &row)["case"].as_str().unwrap().to_string();
    assert_eq!(app.ok(&format!("/v1/decisions/{case}/why"))["verified"], true);
    let place = app.closed();
    let made = records(&place, &KINDS);
    let of_act: Vec<(&str, &str)> =
        made[1..].iter().map(|(kind, who)| (kind.as_str(), who.as_str())).collect();
    assert_eq!(
        of_act,
        [
            ("promotion_proposed", "proposal/1 by anna"),
            ("proposal_closed", "proposal/1 by ben"),
            ("alias_moved", "model/loan-default by ben"),
        ]
    );
    place.ok(&["audit", "verify"]);
    place.ok(&["store", "check"]);
}

#[test]
fn nobody_decides_about_what_they_proposed_or_trained_and_each_attempt_is_on_record() {
    let place = with_four_eyes();
    let trainer = place.ok(&["whoami"])["name"].as_str().unwrap().to_string();
    let app = TestApp::over(place);
    let both = person("carl", &[Role::Analyst, Role::Approver]);
    let id = proposed(&app, &both, 4, "production");
    let louder = person("Carl", &[Role::Approver]);
    for (by, what, code) in [
        (&both, "approve", "approval.own_proposal"),
        (&louder, "approve", "approval.own_proposal"),
        (&both, "reject", "approval.own_proposal"),
        (&person(&trainer, &[Role::Approver]), "approve", "approval.own_model"),
        (&anna(), "withdraw", "approval.not_proposer"),
    ] {
        let answered = decide(&app, by, id, what);
        assert_eq!(told(&answered), (403, code), "{what}: {}", answered.json);
        assert_eq!(answered.json["exit_code"], 6);
        assert!(answered.json["next_step"].is_string(), "{}", answered.json);
    }
    // Without the role it does not come so far.
    assert_eq!(told(&decide(&app, &anna(), id, "approve")), (403, "security.forbidden"));
    assert_eq!((production(&app), state(&app, id)), (json!(1), "open".into()));
    assert_eq!(decide(&app, &both, id, "withdraw").json["state"], "withdrawn");
    assert_eq!(told(&decide(&app, &ben(), id, "approve")), (409, "approval.closed"));
    let place = app.closed();
    let refused = records(&place, &["approval_refused"]);
    assert_eq!(refused.len(), 5);
    assert_eq!(refused[0].1, "proposal/1 by carl");
    place.ok(&["audit", "verify"]);
}

#[test]
fn what_waits_too_long_expires_whether_somebody_looks_or_not() {
    let app = TestApp::over(with_four_eyes());
    let first = proposed(&app, &anna(), 4, "production");
    let second = proposed(&app, &anna(), 4, "staging");
    let by_gates = proposed(&app, &anna(), 2, "staging");
    app.clock.advance_ms(36 * HOUR_MS - 1);
    assert_eq!(state(&app, first), "open");
    app.clock.advance_ms(1);
    assert_eq!((state(&app, first), state(&app, by_gates)), ("expired".into(), "open".into()));
    let listed = app.ok("/v1/proposals?state=expired");
    assert_eq!(listed["proposals"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(listed["proposals"][0]["decided"], Value::Null);
    assert_eq!(told(&decide(&app, &ben(), first, "approve")), (409, "approval.expired"));
    assert!(app.ok(&format!("/v1/proposals/{first}"))["decided"].is_string());
    // The same may be proposed again at once, though the old one has not been closed yet.
    let again = proposed(&app, &anna(), 4, "staging");
    let worker = app.server.app().as_person(Person::of("worker", &[Role::Worker]).unwrap());
    let due = expire_due(&worker, worker.now()).unwrap();
    assert_eq!(due.iter().map(|row| row.id).collect::<Vec<_>>(), [second]);
    assert_eq!(expire_due(&worker, worker.now()).unwrap(), []);
    drop(worker);
    assert_eq!((state(&app, by_gates), state(&app, again)), ("open".into(), "open".into()));
    let place = app.closed();
    assert_eq!(records(&place, &["proposal_closed"]).len(), 2);
    place.ok(&["store", "check"]);
}

#[test]
fn a_proposal_is_approved_only_against_the_state_it_was_made_in() {
    let app = TestApp::over(with_four_eyes());
    let (two, three) = (proposed(&app, &anna(), 2, "production"), proposed(&app, &anna(), 3, "production"));
    let staged = proposed(&app, &anna(), 3, "staging");
    assert_eq!(decide(&app, &ben(), two, "approve").status, StatusCode::OK);
    assert_eq!((state(&app, three), state(&app, staged)), ("superseded".into(), "open".into()));
    assert_eq!(told(&decide(&app, &ben(), three, "approve")), (409, "approval.alias_moved"));
    // So does every other way to move the alias.
    app.clock.advance_ms(1);
    let three = proposed(&app, &anna(), 3, "production");
    app.made("/v1/models/loan-default/rollback", r#"{"alias": "production", "why": "complaints"}"#);
    assert_eq!(state(&app, three), "superseded");
    app.clock.advance_ms(1);
    let three = proposed(&app, &anna(), 3, "production");
    assert_eq!(promote(&app, 2, "production").status, StatusCode::OK);
    assert_eq!(state(&app, three), "superseded");
    assert_eq!(decide(&app, &ben(), staged, "reject").json["state"], "rejected");
    let place = app.closed();
    place.ok(&["store", "check"]);
    place.ok(&["audit", "verify"]);
}

#[test]
fn weaker_gates_do_not_loosen_what_is_in_production_and_back_is_free() {
    let app = TestApp::over(with_four_eyes());
    let id = proposed(&app, &anna(), 4, "production");
    assert_eq!(decide(&app, &ben(), id, "approve").status, StatusCode::OK);
    app.clock.advance_ms(1);
    // Its own gates ask for nobody; those of what is there do.
    assert_eq!(told(&promote(&app, 2, "production")), (409, "gate.needs_second_person"));
    let back =
        app.made("/v1/models/loan-default/rollback", r#"{"alias": "production", "why": "complaints"}"#);
    assert_eq!(back["version"], 1);
    app.clock.advance_ms(1);
    assert_eq!(promote(&app, 2, "production").status, StatusCode::OK);
    // A file of gates beside a version's own makes them stricter, too.
    let gates = format!("{LOOSE}[approval]\nby = \"second_person\"\n");
    let body = json!({"version": 3, "to": "production", "gates": gates}).to_string();
    let answered = app.post(&owner(), "/v1/models/loan-default/promote", &body);
    assert_eq!(told(&answered), (409, "gate.needs_second_person"));
}

#[test]
fn what_one_person_stages_decides_nothing_in_earnest_where_two_are_needed() {
    let place = with_four_eyes();
    let row = fs::read_to_string(place.path(&first_row_as_json(&place))).unwrap();
    let app = TestApp::over(place);
    assert_eq!(promote(&app, 4, "staging").status, StatusCode::OK);
    let ask = |query: &str| app.post(&owner(), &format!("/v1/models/loan-default/decisions?{query}"), &row);
    for query in ["alias=staging", "version=4"] {
        assert_eq!(told(&ask(query)), (409, "gate.never_in_force"), "{query}");
        assert_eq!(ask(&format!("{query}&simulated=true")).status, StatusCode::OK, "{query}");
    }
    let id = proposed(&app, &anna(), 4, "production");
    assert_eq!(decide(&app, &ben(), id, "approve").status, StatusCode::OK);
    assert_eq!(ask("version=4").status, StatusCode::OK);
    // Where the gates alone decide, staging stays what it was.
    app.made("/v1/models/loan-default/rollback", r#"{"alias": "production", "why": "back"}"#);
    assert_eq!(promote(&app, 2, "staging").status, StatusCode::OK);
    assert_eq!(ask("alias=staging").status, StatusCode::OK);
}

#[test]
fn a_proposal_is_refused_by_name_where_it_makes_no_sense() {
    let app = TestApp::over(with_four_eyes());
    let refused = propose(&app, &anna(), 5, "production");
    assert_eq!(told(&refused), (409, "gate.refused"));
    assert!(refused.json["detail"].as_str().unwrap().contains("0.9999"), "{}", refused.json);
    assert_eq!(told(&propose(&app, &anna(), 1, "production")), (409, "approval.no_change"));
    let id = proposed(&app, &anna(), 4, "production");
    assert_eq!(told(&propose(&app, &ben(), 4, "production")), (409, "approval.exists"));
    let post = |path: &str, body: Value| {
        let answered = app.post(&ben(), path, &body.to_string());
        (answered.status.as_u16(), answered.code().to_string())
    };
    let propose_path = "/v1/models/loan-default/proposals";
    let approve_path = format!("/v1/proposals/{id}/approve");
    for (path, body, status, code) in [
        (propose_path, json!({"version": 2, "to": "staging", "why": "  "}), 422, "approval.no_reason"),
        (propose_path, json!({"version": 2, "to": "staging"}), 422, "json.fields"),
        (
            propose_path,
            json!({"version": 2, "to": "staging", "why": "x".repeat(501)}),
            422,
            "model.long_reason",
        ),
        (
            propose_path,
            json!({"version": 2, "from": "staging", "to": "staging", "why": "x"}),
            422,
            "json.fields",
        ),
        (propose_path, json!({"version": 9, "to": "staging", "why": "x"}), 404, "model.unknown_version"),
        (propose_path, json!({"to": "staging", "why": "x", "policy": "0000"}), 404, "policy.unknown"),
        (approve_path.as_str(), json!({"comment": " "}), 422, "approval.no_comment"),
        (approve_path.as_str(), json!({}), 422, "json.fields"),
        ("/v1/proposals/77/approve", json!({"comment": "x"}), 404, "approval.unknown"),
        ("/v1/proposals/x/approve", json!({"comment": "x"}), 400, "http.path"),
    ] {
        assert_eq!(post(path, body.clone()), (status, code.to_string()), "{path} {body}");
    }
    for query in ["state=closed", "cursor=YWJj", "limit=0"] {
        let answered = app.get(&owner(), &format!("/v1/proposals?{query}"));
        assert_eq!(told(&answered), (400, "http.query"), "{query}");
    }
    assert_eq!(app.ok("/v1/proposals")["proposals"].as_array().unwrap().len(), 1);
}

#[test]
fn the_list_has_open_ones_first_in_pages_that_name_each_once() {
    let app = TestApp::over(with_four_eyes());
    let worker = in_role(Role::Worker);
    let policy = app.ok("/v1/models/loan-default/versions/3")["policy"].as_str().unwrap().to_string();
    let body = json!({"version": 3, "to": "staging", "why": "chain", "policy": &policy[..12]}).to_string();
    let by_worker = app.post(&worker, "/v1/models/loan-default/proposals", &body);
    assert_eq!(by_worker.status, StatusCode::CREATED, "{}", by_worker.json);
    let ids = [2, 3, 4].map(|version| proposed(&app, &anna(), version, "production"));
    assert_eq!(decide(&app, &ben(), ids[1], "reject").status, StatusCode::OK);
    let whole = |query: &str| -> Vec<u64> {
        let list = app.ok(&format!("/v1/proposals?{query}"));
        list["proposals"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(whole(""), [4, 2, 1, 3]);
    assert_eq!((whole("state=open"), whole("state=rejected")), (vec![4, 2, 1], vec![3]));
    assert_eq!((whole("model=loan-default").len(), whole("model=other").len()), (4, 0));
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = app.ok(&format!("/v1/proposals?limit=2{next}"));
        seen.extend(page["proposals"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, whole(""));
}

#[test]
fn whoever_owns_the_home_is_one_person_on_the_command_line_too() {
    let place = with_four_eyes();
    let error = place.refused(4, &["model", "promote", "loan-default@4", "--to", "production"]);
    assert_eq!(error["code"], "gate.needs_second_person");
    let words = ["model", "propose", "loan-default@4", "--to", "production", "--why", "better"];
    let proposal = place.ok(&words);
    assert_eq!((&proposal["id"], &proposal["state"]), (&json!(1), &json!("open")));
    assert_eq!(place.refused(2, &words)["code"], "approval.exists");
    let approve = ["approval", "approve", "1", "--comment", "mine"];
    assert_eq!(place.refused(6, &approve)["code"], "approval.own_proposal");
    assert_eq!(
        place.refused(6, &["approval", "reject", "1", "--comment", "x"])["code"],
        "approval.own_proposal"
    );
    assert_eq!(place.ok(&["approval", "list", "--state", "open"])["proposals"][0], proposal);
    assert_eq!(place.ok(&["approval", "show", "1"]), proposal);
    let text = |words: &[&str]| {
        let output = place.command_of_people(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = text(&["approval", "show", "1"]);
    assert!(shown.contains("1 (open)") && shown.contains("auc"), "{shown}");
    assert!(text(&["approval", "list"]).contains("loan-default@4"));
    assert_eq!(place.ok(&["approval", "withdraw", "1"])["state"], "withdrawn");
    assert_eq!(place.refused(2, &approve)["code"], "approval.closed");
    assert_eq!(place.refused(2, &["approval", "show", "9"])["code"], "approval.unknown");
    let kinds = place.log("kind");
    let tail = ["promotion_proposed", "approval_refused", "approval_refused", "proposal_closed"];
    assert_eq!(kinds[kinds.len() - 4..], tail);
    assert_eq!(home::local_person().unwrap().name(), place.ok(&["whoami"])["name"]);
}

#[test]
fn gates_that_contradict_themselves_are_refused_with_the_project() {
    let place = Place::with_home();
    place.project();
    for (approval, said) in [
        ("tier = \"high\"\nby = \"gate\"", "asks for a second person"),
        ("expires = \"soon\"", "no whole number of hours or days"),
        ("by = \"nobody\"", "nobody"),
        ("who = \"x\"", "who"),
    ] {
        fs::write(place.path("project/gates.toml"), format!("{LOOSE}[approval]\n{approval}\n")).unwrap();
        let error = place.refused(2, &["project", "check", "project"]);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(said) && message.contains("gates.toml"), "{message}");
    }
}
