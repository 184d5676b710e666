//! Approvals as pages: listed, shown with their figures, decided by form, and refused to whoever may not.

use axum::http::Method;
use serde_json::json;
use tallystick::http::auth::Origin;
use tallystick::security::actor::{Person, Role};

use super::approvals::with_four_eyes;
use super::pages::{PASSWORD, Page, Visitor};
use super::support::test_app::TestApp;

/// The users anna (analyst), ben (approver), carl (both) and erika (officer).
fn app() -> TestApp {
    let app = TestApp::over(with_four_eyes());
    let users = [
        ("anna", json!(["analyst"])),
        ("ben", json!(["approver"])),
        ("carl", json!(["analyst", "approver"])),
        ("erika", json!(["officer"])),
    ];
    for (name, roles) in users {
        app.made("/v1/users", &json!({"name": name, "roles": roles, "password": PASSWORD}).to_string());
    }
    app
}

fn propose(app: &TestApp, by: &str, version: u64) {
    let by = Origin::Process(Person::of(by, &[Role::Analyst]).unwrap());
    let body = json!({"version": version, "to": "production", "why": "better <b>figures</b>"}).to_string();
    let answered = app.post(&by, "/v1/models/loan-default/proposals", &body);
    assert_eq!(answered.status.as_u16(), 201, "{}", answered.json);
}

fn send(visitor: &Visitor, page: &Page, path: &str, comment: &str) -> Page {
    let csrf = page.value("csrf");
    visitor.post(path, &[("csrf", &csrf), ("comment", comment)])
}

#[test]
fn a_proposal_is_found_read_and_approved_by_form() {
    let app = app();
    let ben = Visitor::login(&app, "ben");
    let home = ben.get("/");
    assert!(home.has("href=\"/approvals\""), "{}", home.html);
    assert!(ben.get("/approvals").has("Nothing has been proposed yet"));
    propose(&app, "anna", 4);
    let list = ben.get("/approvals");
    assert!(list.has("Loan default, version 4") && list.has("Waits") && list.has("anna"), "{}", list.html);
    let page = ben.get("/approvals/1");
    for said in [
        "better &lt;b&gt;figures",
        "Version 1, before",
        "auc",
        "0.01 or more",
        "Passed",
        "high",
        "Waits until",
    ] {
        assert!(page.has(said), "{said}: {}", page.html);
    }
    let empty = send(&ben, &page, "/approvals/1/approve", "  ");
    assert!(empty.status() == 422 && empty.has("nothing was decided yet"), "{}", empty.html);
    let long = "x".repeat(501);
    let page = send(&ben, &page, "/approvals/1/reject", &long);
    assert!(page.status() == 422 && page.has(&long), "what was typed is kept");
    assert_eq!(app.ok("/v1/proposals/1")["state"], "open");
    let foreign = ben.post("/approvals/1/approve", &[("csrf", "AAAA"), ("comment", "fine")]);
    assert_eq!(foreign.status(), 403);
    assert_eq!(send(&ben, &page, "/approvals/1/approve", "fine").leads_to(), "/approvals/1");
    let closed = ben.get("/approvals/1");
    assert!(closed.has("Approved") && closed.has("fine") && !closed.has("<textarea"), "{}", closed.html);
    assert_eq!(app.ok("/v1/models/loan-default/aliases/production")["version"], 4);
    let again = send(&ben, &page, "/approvals/1/approve", "fine");
    assert!(again.status() == 409 && again.has("It is not as it was"), "{}", again.html);
    assert_eq!(ben.get("/approvals/9").status(), 404);
    assert_eq!(ben.get("/approvals?cursor=nonsense").status(), 400);
}

#[test]
fn a_page_offers_what_its_visitor_may_do_and_the_rest_is_refused() {
    let app = app();
    propose(&app, "carl", 4);
    let carl = Visitor::login(&app, "carl");
    let own = carl.get("/approvals/1");
    assert!(own.has("Withdraw it") && !own.has("<textarea"), "{}", own.html);
    let refused = send(&carl, &own, "/approvals/1/approve", "fine");
    assert!(refused.status() == 403 && refused.has("This takes two people"), "{}", refused.html);
    let anna = Visitor::login(&app, "anna");
    let looked = anna.get("/approvals/1");
    assert!(looked.has("waits for an approver") && !looked.has("<textarea"), "{}", looked.html);
    assert!(send(&anna, &looked, "/approvals/1/approve", "fine").has("That is not yours to do"));
    let erika = Visitor::login(&app, "erika");
    assert!(!erika.get("/").has("/approvals"));
    assert_eq!(erika.get("/approvals").status(), 403);
    assert_eq!(send(&carl, &own, "/approvals/1/withdraw", "").leads_to(), "/approvals/1");
    assert!(carl.get("/approvals/1").has("Withdrawn"));
    let put = carl.send(Method::PUT, "/approvals/1/approve", String::new(), &[]);
    assert_eq!((put.status(), put.answered.header("allow")), (405, "POST"));
}

#[test]
fn whoever_trained_a_version_is_told_that_somebody_else_decides() {
    let app = app();
    let trainer = tallystick::app::home::local_person().unwrap().name().to_string();
    propose(&app, "anna", 4);
    let name = trainer.to_lowercase();
    app.made("/v1/users", &json!({"name": name, "roles": ["approver"], "password": PASSWORD}).to_string());
    let visitor = Visitor::login(&app, &name);
    let page = visitor.get("/approvals/1");
    assert!(page.has("You trained this version") && !page.has("<textarea"), "{}", page.html);
    let csrf = visitor.get("/").value("csrf");
    let refused = visitor.post("/approvals/1/approve", &[("csrf", &csrf), ("comment", "fine")]);
    assert!(refused.status() == 403 && refused.has("This takes two people"), "{}", refused.html);
}
