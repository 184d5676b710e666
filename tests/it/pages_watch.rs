//! Chains, monitoring and alerts as pages: from nothing to a run, a report and an alert; what each role may do by form;
//! and names that would be markup.

use std::path::Path;

use axum::http::Method;
use serde_json::json;
use tallystick::alert::raised::{Detail, Kind, RawAlert, Severity, Subject};
use tallystick::app::alerts::{self, telling};
use tallystick::app::chains::beat;
use tallystick::security::actor::Role;

use super::pages::{PASSWORD, Page, Visitor};
use super::support::Place;
use super::support::loop_project::{ALERTS, FREEZE, QUIET, apply_body};
use super::support::test_app::{TestApp, in_role, owner};

const CHAIN: &str = "/chains/loan-default/open";
const REPORTS: &str = "/v1/models/loan-default/reports";
const MODEL: &str = "/monitoring/loan-default";

/// The users anna (analyst), ben (approver), aud (auditor) and erika (officer).
fn people(app: &TestApp) {
    let users =
        [("anna", Role::Analyst), ("ben", Role::Approver), ("aud", Role::Auditor), ("erika", Role::Officer)];
    for (name, role) in users {
        let body = json!({"name": name, "roles": [role.as_str()], "password": PASSWORD});
        app.made("/v1/users", &body.to_string());
    }
}

fn app_of(place: Place) -> TestApp {
    std::fs::write(place.path("home/alerts.toml"), ALERTS).unwrap();
    let app = TestApp::over(place);
    people(&app);
    app
}

fn applied(monitor: &str) -> TestApp {
    let app = app_of(Place::with_model());
    apply(&app, &app.place.path("project"), monitor);
    app
}

fn apply(app: &TestApp, project: &Path, monitor: &str) {
    app.made("/v1/schedules", &apply_body(project, "loan-default", monitor));
}

/// Lets the chains go on until no step is at work.
fn go_on(app: &TestApp) {
    for _ in 0..6 {
        beat::beat(app.server.app()).unwrap();
        app.server.app().hands.wait();
    }
}

/// Where the first link behind this text leads.
fn link_behind(page: &Page, text: &str) -> String {
    let rest = page.html.split(text).nth(1).unwrap_or_default().split("href=\"").nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().replace("&#x2f;", "/")
}

fn press(visitor: &Visitor, page: &Page, path: &str) -> Page {
    visitor.post(path, &[("csrf", &page.value("csrf"))])
}

#[test]
fn where_nothing_runs_and_nothing_is_watched_the_pages_say_how_to_begin() {
    let app = app_of(Place::with_home());
    let anna = Visitor::login(&app, "anna");
    let home = anna.get("/");
    for entry in ["href=\"/chains\"", "href=\"/monitoring\"", "href=\"/alerts\""] {
        assert!(home.has(entry), "{entry}");
    }
    assert!(anna.get("/chains").has("tallystick schedule apply DIR"));
    assert!(anna.get("/monitoring").has("No model is in production yet"));
    assert!(anna.get("/alerts").has("Nothing has been raised yet"));
    assert!(anna.get("/alerts?open=true").has("Nothing is open"));
    assert_eq!(anna.get("/alerts?open=perhaps").status(), 400);
}

#[test]
fn a_chain_is_started_cancelled_and_repeated_by_form() {
    let app = applied(QUIET);
    let anna = Visitor::login(&app, "anna");
    let list = anna.get("/chains");
    for said in ["Put in force by olga", "Not run yet", "+02:00", "Europe/Berlin", "UTC", "Not by the clock"]
    {
        assert!(list.has(said), "{said}: {}", list.html);
    }
    let chain = anna.get(CHAIN);
    assert!(chain.has("By hand alone") && chain.has("It has not run yet") && chain.has("chain-tall"));
    let run = press(&anna, &chain, &format!("{CHAIN}/start")).leads_to().to_string();
    assert!(run.starts_with("/chain-runs/"), "{run}");
    let shown = anna.get(&run);
    assert!(shown.has("anna, by hand") && shown.has("Running") && shown.has("Not begun"), "{}", shown.html);
    assert!(anna.get(CHAIN).has("disabled"));
    let twice = press(&anna, &shown, &format!("{CHAIN}/start"));
    assert!(twice.status() == 409 && twice.has("It is not as it was"), "{}", twice.html);
    assert_eq!(press(&anna, &shown, &format!("{run}/cancel")).leads_to(), run);
    go_on(&app);
    let ended = anna.get(&run);
    assert!(ended.has("Cancelled by") && ended.has("/rerun") && !ended.has("/cancel"), "{}", ended.html);
    assert_eq!(press(&anna, &ended, &format!("{run}/cancel")).status(), 409);
    let again = press(&anna, &ended, &format!("{run}/rerun")).leads_to().to_string();
    go_on(&app);
    let shown = anna.get(&again);
    assert!(shown.has("again from where a run failed") && shown.has(&format!("href=\"{run}\"")));
    assert!(shown.has("Succeeded") && shown.has("told: running") && !shown.has("/rerun"), "{}", shown.html);
    let history = anna.get(CHAIN);
    assert!(history.has(&run) && history.has(&again) && history.has("Cancelled"), "{}", history.html);
}

#[test]
fn past_runs_are_listed_in_pages_the_newest_first() {
    let app = applied(QUIET);
    let anna = Visitor::login(&app, "anna");
    let csrf = anna.get("/").value("csrf");
    let mut runs = Vec::new();
    for _ in 0..27 {
        runs.push(anna.post(&format!("{CHAIN}/start"), &[("csrf", &csrf)]).leads_to().to_string());
        app.clock.advance_ms(1_000);
        go_on(&app);
    }
    let first = anna.get(CHAIN);
    assert!(first.has(&runs[26]) && first.has(&runs[2]) && !first.has(&runs[1]), "{}", first.html);
    let rest = anna.get(&link_behind(&first, "class=\"more\""));
    assert!(rest.has(&runs[0]) && rest.has(&runs[1]) && !rest.has("class=\"more\""), "{}", rest.html);
    assert_eq!(anna.get(&format!("{CHAIN}?cursor=nonsense")).status(), 400);
}

#[test]
fn a_chain_is_paused_and_let_go_and_the_page_says_by_whom() {
    let app = applied(QUIET);
    let ben = Visitor::login(&app, "ben");
    let chain = "/chains/loan-default/daily";
    let page = ben.get(chain);
    assert!(page.has("By the clock: 30 5 * * * (Europe/Berlin)") && page.has("/pause"), "{}", page.html);
    assert_eq!(press(&ben, &page, &format!("{chain}/pause")).leads_to(), chain);
    let paused = ben.get(chain);
    assert!(paused.has("Paused by ben") && paused.has("/resume"), "{}", paused.html);
    assert!(ben.get("/chains").has("Paused by ben"));
    assert_eq!(press(&ben, &paused, &format!("{chain}/pause")).status(), 409);
    assert_eq!(press(&ben, &paused, &format!("{chain}/resume")).leads_to(), chain);
    assert!(!ben.get(chain).has("Paused by"));
    let foreign = ben.post(&format!("{chain}/pause"), &[("csrf", "AAAA")]);
    assert!(foreign.status() == 403 && foreign.has("The form is too old"), "{}", foreign.html);
    assert!(!ben.get(chain).has("Paused by"));
}

#[test]
fn a_failed_run_says_why_and_its_alert_leads_back_to_it() {
    let app = app_of(Place::with_home());
    let project = app.place.project();
    apply(&app, &project, QUIET);
    let anna = Visitor::login(&app, "anna");
    let chain = anna.get("/chains/loan-default/daily");
    let run = press(&anna, &chain, "/chains/loan-default/daily/start").leads_to().to_string();
    go_on(&app);
    let failed = anna.get(&run);
    // Nothing is in production, so there is nothing to report on; the step after it tells somebody all the same.
    for said in ["Attempt 1", "Failed", "chain-step-bad", "Run again from where it failed"] {
        assert!(failed.has(said), "{said}: {}", failed.html);
    }
    let alerts = anna.get("/alerts");
    assert!(alerts.has("daily of loan-default has failed") && alerts.has("Critical"), "{}", alerts.html);
    let alert = link_behind(&alerts, "class=\"alert alert-bad\"");
    assert!(anna.get(&alert).has(&format!("href=\"{run}\"")));
}

#[test]
fn a_page_offers_what_its_visitor_may_do_and_the_rest_is_refused() {
    let app = applied(FREEZE);
    app.made(REPORTS, "{}");
    let aud = Visitor::login(&app, "aud");
    for path in ["/chains", CHAIN, "/monitoring", MODEL, "/alerts"] {
        let page = aud.get(path);
        assert_eq!(page.status(), 200, "{path}");
        // Those of the frame: lock and log out.
        assert_eq!(page.html.matches("method=\"post\"").count(), 2, "{path}: {}", page.html);
    }
    let csrf = aud.get("/").value("csrf");
    for path in [format!("{CHAIN}/start"), format!("{MODEL}/release"), "/alerts/x/resolve".to_string()] {
        let refused = aud.post(&path, &[("csrf", &csrf)]);
        assert!(refused.status() == 403 && refused.has("That is not yours to do"), "{path}");
    }
    // Whoever makes a model does not let it go.
    let anna = Visitor::login(&app, "anna");
    assert!(anna.get("/monitoring").has("Held back by the rule always"));
    assert!(!anna.get("/monitoring").has("/release"));
    let erika = Visitor::login(&app, "erika");
    assert!(!erika.get("/").has("href=\"/chains\""));
    assert_eq!(erika.get("/monitoring").status(), 403);
    let put = anna.send(Method::PUT, &format!("{CHAIN}/start"), String::new(), &[]);
    assert_eq!((put.status(), put.answered.header("allow")), (405, "POST"));
}

#[test]
fn a_report_is_read_as_a_page_as_a_file_and_as_json() {
    let app = applied(QUIET);
    let anna = Visitor::login(&app, "anna");
    let before = anna.get("/monitoring");
    assert!(before.has("No report") && before.has("tallystick monitor report"), "{}", before.html);
    assert!(anna.get(MODEL).has("Nobody has reported on it yet"));
    app.made(REPORTS, r#"{"day": "2096-10-01"}"#);
    let made = app.made(REPORTS, r#"{"day": "2096-10-02"}"#);
    let list = anna.get("/monitoring");
    assert!(list.has("Newest report: 2096-10-02, today") && list.has("Too few rows"), "{}", list.html);
    let newest = anna.get(MODEL);
    for said in [
        "Loan default, 2096-10-02",
        "Compared with the report of 2096-10-01",
        "The release in force",
        "50 are needed to judge it",
        "Nothing has changed",
        "2096-10-01\"",
    ] {
        assert!(newest.has(said), "{said}: {}", newest.html);
    }
    assert!(newest.has("class=\"scroll chart\"") && !newest.has("<style"), "{}", newest.html);
    assert!(anna.get(&format!("{MODEL}/2096-10-01")).has("There is no report before this one"));
    assert!(anna.get(&format!("{MODEL}/2096-10-01")).has("2096-10-02?days=90"));
    assert!(newest.has("3 years") && anna.get(&format!("{MODEL}?days=1095")).has("2096-10-01?days=1095"));
    let chosen = anna.get(&format!("{MODEL}?day=2096-10-01&days=30"));
    assert_eq!(chosen.leads_to(), format!("{MODEL}/2096-10-01?days=30"));
    let json = anna.get(&format!("{MODEL}/2096-10-02/report.json"));
    assert_eq!(json.answered.json, made);
    let file = anna.get(&format!("{MODEL}/2096-10-02/report"));
    let policy = file.answered.header("content-security-policy");
    assert!(file.html.starts_with("<!doctype html>") && file.has("<style>"));
    assert!(policy.starts_with("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert_eq!(file.answered.header("cache-control"), "no-store");
    for (path, status) in [
        (format!("{MODEL}/2096-09-01"), 404),
        (format!("{MODEL}?days=31"), 400),
        (format!("{MODEL}?days=1095"), 200),
        (format!("{MODEL}?day=soon"), 422),
        ("/monitoring/nothing".to_string(), 404),
        ("/chains/nothing/open".to_string(), 404),
        ("/chains/loan-default/nothing".to_string(), 404),
        ("/chain-runs/7f".to_string(), 404),
        ("/alerts/7f".to_string(), 404),
    ] {
        assert_eq!(anna.get(&path).status(), status, "{path}");
    }
}

#[test]
fn whoever_promotes_lets_a_model_go_that_a_rule_holds_back() {
    let app = applied(FREEZE);
    app.made(REPORTS, "{}");
    let ben = Visitor::login(&app, "ben");
    let page = ben.get(MODEL);
    assert!(page.has("Held back by the rule always") && page.has("Let it go"), "{}", page.html);
    assert_eq!(press(&ben, &page, &format!("{MODEL}/release")).leads_to(), MODEL);
    assert!(!ben.get(MODEL).has("Held back"));
    assert_eq!(press(&ben, &page, &format!("{MODEL}/release")).status(), 404);
}

#[test]
fn an_alert_is_read_noticed_and_closed_and_says_everything_as_text() {
    let app = applied(QUIET);
    let raw = RawAlert {
        id: "a-1".into(),
        key: "odd/one".into(),
        kind: Kind::Quality,
        severity: Severity::Critical,
        subject: Subject { project: None, model: Some("loan<b>@1".into()), chain: None },
        title: "<script>alert(1)</script> is empty".into(),
        sentences: vec!["\"'><b>half</b> of it".into()],
        details: vec![Detail { name: "<i>".into(), value: "&amp;".into() }],
        link: Some("/monitoring".into()),
    };
    alerts::raise(app.server.app(), vec![raw.clone()]).unwrap();
    app.clock.advance_ms(60_000);
    alerts::raise(app.server.app(), vec![RawAlert { id: "a-2".into(), ..raw }]).unwrap();
    let anna = Visitor::login(&app, "anna");
    let list = anna.get("/alerts?open=true");
    for said in ["&lt;script&gt;alert(1)", "Critical", "2 times", "diary", "Waits"] {
        assert!(list.has(said), "{said}: {}", list.html);
    }
    let page = anna.get("/alerts/a-1");
    for said in ["&lt;i&gt;", "&amp;amp;", "loan&lt;b&gt;@1", "href=\"/monitoring\"", "Quality of the data"] {
        assert!(page.has(said), "{said}: {}", page.html);
    }
    assert!(!page.has("<script>alert") && !page.has("<b>half"));
    let csrf = page.value("csrf");
    let say = |path: &str, comment: &str| anna.post(path, &[("csrf", &csrf), ("comment", comment)]);
    assert_eq!(say("/alerts/a-1/acknowledge", "</dd><b>seen").leads_to(), "/alerts/a-1");
    let noticed = anna.get("/alerts/a-1");
    assert!(noticed.has("Noticed by") && noticed.has("&lt;b&gt;seen") && !noticed.has("/acknowledge\""));
    assert_eq!(say("/alerts/a-1/acknowledge", "again").status(), 409);
    assert_eq!(say("/alerts/a-1/resolve", "").leads_to(), "/alerts/a-1");
    let closed = anna.get("/alerts/a-1");
    assert!(closed.has("Closed") && !closed.has("<textarea"), "{}", closed.html);
    assert!(anna.get("/alerts?open=true").has("Nothing is open"));
    assert!(anna.get("/alerts").has("is empty"));
}

#[test]
fn alerts_go_on_page_by_page_and_those_closed_long_ago_are_let_go_of() {
    // The page ended after the first hundred, and nothing but the limit of ten thousand ever let one go.
    let app = TestApp::over(Place::with_model());
    people(&app);
    let home = app.server.app();
    for at in 0..60 {
        let raw = RawAlert {
            id: format!("a-{at:02}"),
            key: format!("odd/{at}"),
            kind: Kind::Quality,
            severity: Severity::Info,
            subject: Subject::default(),
            title: format!("The feed number {at:02}"),
            sentences: Vec::new(),
            details: Vec::new(),
            link: None,
        };
        alerts::raise(home, vec![raw]).unwrap();
        app.clock.advance_ms(1_000);
    }
    let anna = Visitor::login(&app, "anna");
    let first = anna.get("/alerts?open=true");
    assert!(first.has("number 59") && first.has("number 10") && !first.has("number 09"), "{}", first.html);
    let (_, rest) = first.html.split_once("cursor=").unwrap();
    let cursor = rest.split_once('"').unwrap().0;
    let second = anna.get(&format!("/alerts?open=true&cursor={cursor}"));
    assert!(second.has("number 09") && second.has("number 00") && !second.has("number 10"));
    assert!(!second.has("Older alerts"));
    assert_eq!(anna.get("/alerts?cursor=YzEuYS05OQ").status(), 400);
    let page = app.ok("/v1/alerts?limit=40");
    let rest = app.ok(&format!("/v1/alerts?cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((rest["alerts"].as_array().unwrap().len(), &rest["next"]), (20, &serde_json::Value::Null));
    // The server itself is nobody: a person closes it.
    let closed = app.post(&in_role(Role::Admin), "/v1/alerts/a-00/resolve", r#"{"comment": ""}"#);
    assert_eq!(closed.status.as_u16(), 200, "{}", closed.json);
    telling::prune(home).unwrap();
    assert_eq!(app.ok("/v1/alerts/a-00")["state"], "closed");
    app.clock.advance_ms(91 * 24 * 3_600_000);
    telling::prune(home).unwrap();
    assert_eq!(app.get(&owner(), "/v1/alerts/a-00").status.as_u16(), 404);
    assert_eq!(app.ok("/v1/alerts/a-01")["state"], "open");
}
