//! Reports, figures over days, what a rule holds back, alerts and their trial: over the API and by the command line.

use std::path::Path;

use axum::http::Method;
use serde_json::{Value, json};
use tallystick::app::datasets;
use tallystick::config::project::Project;
use tallystick::security::actor::Role;

use super::support::loop_project::{ALERTS, FREEZE, QUIET, SCHEDULE, apply_body};
use super::support::test_app::{TestApp, in_role, owner, request};
use super::support::{Place, fixture};

const DAY_MS: i64 = 86_400_000;
const REPORTS: &str = "/v1/models/loan-default/reports";

/// A home with a model, its project in force with these rules.
fn applied(monitor: &str) -> TestApp {
    let place = Place::with_model();
    std::fs::write(place.path("home/alerts.toml"), ALERTS).unwrap();
    let app = TestApp::over(place);
    app.made("/v1/schedules", &apply_body(&app.place.path("project"), "loan-default", monitor));
    app
}

fn refused(app: &TestApp, path: &str, body: &str) -> (u16, String) {
    let answered = app.post(&owner(), path, body);
    (answered.status.as_u16(), answered.code().to_string())
}

fn missing(app: &TestApp, path: &str) -> (u16, String) {
    let answered = app.get(&owner(), path);
    (answered.status.as_u16(), answered.code().to_string())
}

#[test]
fn a_report_is_made_listed_and_read_as_json_and_as_a_closed_page() {
    let app = applied(QUIET);
    let first = app.made(REPORTS, "{}");
    assert_eq!((&first["schema"], &first["report"]["day"]), (&json!(2), &json!("2096-10-01")));
    let own = &first["report"]["release_performance"];
    assert_eq!(
        (&own["matured"], &own["needed"], &own["verdict"]),
        (&json!(0), &json!(50), &json!("insufficient"))
    );
    assert_eq!(own["reference"][0]["name"], "auc", "{own}");
    let second = app.made(REPORTS, r#"{"day": "2096-10-02", "window_days": 1}"#);
    assert_eq!(second["report"]["window_days"], 1);
    assert_eq!(app.ok(&format!("{REPORTS}/latest")), second);
    assert_eq!(app.ok(&format!("{REPORTS}/2096-10-01")), first);
    let page = app.ok(&format!("{REPORTS}?limit=1"));
    assert_eq!(
        (&page["reports"][0]["day"], &page["reports"][0]["verdict"]),
        (&json!("2096-10-02"), &json!("insufficient"))
    );
    let rest = app.ok(&format!("{REPORTS}?cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((&rest["reports"][0]["day"], &rest["next"]), (&json!("2096-10-01"), &Value::Null));
    let shown = app.get(&owner(), &format!("{REPORTS}/latest/page"));
    assert_eq!(shown.header("content-type"), "text/html; charset=utf-8");
    assert!(shown.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(String::from_utf8(shown.bytes).unwrap().contains("2096-10-02"));
}

#[test]
fn a_figure_is_followed_over_days_and_a_slip_is_named() {
    let app = applied(QUIET);
    let trends = "/v1/models/loan-default/trends";
    assert_eq!(app.ok(trends)["series"], json!([]));
    app.made(REPORTS, "{}");
    let names = app.ok(trends);
    let psi = names["series"].as_array().unwrap().iter().find(|one| one["name"] == "psi").unwrap();
    let rows = app.ok(&format!("{trends}/rows"));
    assert_eq!((&rows["points"][0]["day"], &rows["points"][0]["value"]), (&json!("2096-10-01"), &json!(0.0)));
    let of_field = format!("{trends}/psi?about={}", psi["about"].as_str().unwrap());
    assert_eq!(app.ok(&of_field)["points"].as_array().unwrap().len(), 1);
    let csv = app.get(&owner(), &format!("{trends}/rows?format=csv&since_days=30"));
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(String::from_utf8(csv.bytes).unwrap().ends_with("rows,,2096-10-01,0,,,0,stable\r\n"));
    assert_eq!(missing(&app, &format!("{trends}/psj")), (404, "trend.unknown".into()));
    assert_eq!(missing(&app, &format!("{trends}/psi")), (404, "trend.unknown".into()));
    assert_eq!(missing(&app, &format!("{trends}/rows?format=xls")), (400, "http.query".into()));
    assert_eq!(missing(&app, &format!("{trends}/rows?since_days=0")), (400, "trend.since".into()));
}

#[test]
fn what_has_no_report_is_said_and_what_cannot_have_one_is_refused() {
    let app = applied(QUIET);
    assert_eq!(missing(&app, &format!("{REPORTS}/latest")), (404, "report.unknown".into()));
    assert_eq!(missing(&app, &format!("{REPORTS}/2026-03-14")), (404, "report.unknown".into()));
    assert_eq!(missing(&app, &format!("{REPORTS}/soon")), (400, "http.path".into()));
    assert_eq!(missing(&app, "/v1/models/nothing/reports"), (404, "model.unknown".into()));
    assert_eq!(missing(&app, "/v1/models/nothing/trends/rows"), (404, "model.unknown".into()));
    for (body, code) in [
        (r#"{"day": "2199-01-01"}"#, "report.future_day"),
        (r#"{"day": "14.03.2026"}"#, "report.day"),
        (r#"{"window_days": 0}"#, "report.window"),
        (r#"{"days": 3}"#, "json.fields"),
    ] {
        assert_eq!(refused(&app, REPORTS, body), (422, code.to_string()), "{body}");
    }
    let unapplied = refused(&app, "/v1/models/nothing/reports", "{}");
    assert_eq!(unapplied, (404, "schedule.unknown_project".into()));
    assert_eq!(app.post(&in_role(Role::Officer), REPORTS, "{}").status.as_u16(), 403);
}

#[test]
fn a_rule_holds_a_model_back_until_somebody_lets_it_go() {
    let app = applied(FREEZE);
    let model = "/v1/models/loan-default";
    assert!(app.ok(model).get("hold").is_none_or(Value::is_null));
    let alarms = app.made(REPORTS, "{}")["report"]["alarms"].clone();
    assert_eq!((&alarms[0]["rule"], alarms.as_array().unwrap().len()), (&json!("always"), 1));
    assert_eq!(app.ok(model)["hold"]["rule"], "always");
    let promote = r#"{"version": 1, "to": "production", "why": "again"}"#;
    assert_eq!(refused(&app, &format!("{model}/promote"), promote), (409, "gate.held".into()));
    let release = || app.send(request(Method::DELETE, &owner(), &format!("{model}/hold"), None));
    assert_eq!(release().json["rule"], "always");
    assert!(app.ok(model).get("hold").is_none_or(Value::is_null));
    let twice = release();
    assert_eq!((twice.status.as_u16(), twice.code()), (404, "model.not_held"));
    app.made(&format!("{model}/promote"), promote);
}

/// Decides applicants of the sample by what is in production, and answers what became of them: the opposite of what it
/// said.
fn betrayed(app: &TestApp) -> Vec<Value> {
    let project = Project::load(&app.place.path("project"), &[]).unwrap();
    let sample = fixture("loan-default/sample.csv");
    let rows = (1..=150).map(|number| datasets::row_as_json(&project, Path::new(&sample), number).unwrap());
    let decided: Vec<Value> =
        rows.map(|row| app.made("/v1/models/loan-default/decisions", &row.to_string())).collect();
    let risk = |one: &Value| one["probability"].as_f64().unwrap();
    let mut risks: Vec<f64> = decided.iter().map(risk).collect();
    risks.sort_by(f64::total_cmp);
    let outcome = |one: &Value| {
        assert_eq!(one["positive"], "Charged Off");
        let value = if risk(one) > risks[75] { "Fully Paid" } else { "Charged Off" };
        json!({"decision": one["case"], "value": value})
    };
    decided.iter().map(outcome).collect()
}

#[test]
fn a_version_stays_that_is_worse_where_the_one_before_was_no_better() {
    let rules = "[performance]\nmaturity_days = 2\nmin_known = 100\n\n[[rule]]\nname = \"release-worse\"\n\
                 watch = \"release_auc_drop\"\nabove = 0.05\nactions = [\"notify\", \"roll_back\"]\n";
    let app = TestApp::over(Place::with_three_versions());
    app.made("/v1/schedules", &apply_body(&app.place.path("project"), "loan-default", rules));
    let mut outcomes = betrayed(&app);
    app.clock.advance_ms(DAY_MS);
    let promote = r#"{"version": 2, "to": "production", "why": "the second"}"#;
    app.made("/v1/models/loan-default/promote", promote);
    outcomes.extend(betrayed(&app));
    app.clock.advance_ms(DAY_MS);
    let said = app.made("/v1/models/loan-default/outcomes", &json!({ "outcomes": outcomes }).to_string());
    assert_eq!(said["recorded"], 300, "{said}");
    app.clock.advance_ms(3 * DAY_MS);
    let report = app.made(REPORTS, "{}")["report"].clone();
    let own = &report["release_performance"];
    assert_eq!((&own["verdict"], &own["before"]["verdict"]), (&json!("shifted"), &json!("shifted")), "{own}");
    let alarm = &report["alarms"][0];
    assert_eq!(alarm["rule"], "release-worse");
    let sentence = alarm["sentence"].as_str().unwrap();
    assert!(
        sentence.ends_with("version 1 before it was no better by its own outcomes and does not come back."),
        "{sentence}"
    );
    let history = app.ok("/v1/models/loan-default/aliases/production/history");
    let moves: Vec<u64> =
        history["moves"].as_array().unwrap().iter().map(|step| step["to"].as_u64().unwrap()).collect();
    assert_eq!(moves, [1, 2], "it was promoted and it stays: {history}");
}

#[test]
fn an_alert_is_answered_and_says_how_it_stands_with_each_channel() {
    let app = applied(FREEZE);
    app.made(REPORTS, "{}");
    let list = app.ok("/v1/alerts?open=true");
    let alert = &list["alerts"][0];
    assert_eq!((&alert["state"], &alert["kind"]), (&json!("open"), &json!("drift")), "{list}");
    assert_eq!(
        (&alert["deliveries"][0]["channel"], &alert["deliveries"][0]["state"]),
        (&json!("diary"), &json!("waiting"))
    );
    let path = format!("/v1/alerts/{}", alert["id"].as_str().unwrap());
    let body = r#"{"comment": "we know"}"#;
    let known = app.post(&in_role(Role::Admin), &format!("{path}/acknowledge"), body);
    assert_eq!(
        (known.status.as_u16(), &known.json["acknowledged_by"]),
        (200, &json!("admin")),
        "{}",
        known.json
    );
    assert_eq!(app.ok(&path)["comment"], "we know");
    assert_eq!(refused(&app, &format!("{path}/acknowledge"), body), (409, "alert.state".into()));
    assert_eq!(app.post(&in_role(Role::Admin), &format!("{path}/resolve"), body).json["state"], "closed");
    assert_eq!(app.ok("/v1/alerts?open=true")["alerts"], json!([]));
    assert_eq!(app.ok("/v1/alerts?limit=1")["alerts"][0]["state"], "closed");
    assert_eq!(refused(&app, "/v1/alerts/nothing/resolve", body), (404, "alert.missing".into()));
    assert_eq!(missing(&app, "/v1/alerts/nothing"), (404, "alert.missing".into()));
    assert_eq!(missing(&app, "/v1/alerts?open=perhaps"), (400, "http.query".into()));
}

#[test]
fn a_trial_goes_over_the_channels_and_needs_no_answer() {
    let app = applied(QUIET);
    let trial = app.post(&in_role(Role::Admin), "/v1/alerts/trial", "{}");
    assert_eq!(trial.status.as_u16(), 201, "{}", trial.json);
    assert_eq!((&trial.json["state"], &trial.json["kind"]), (&json!("closed"), &json!("trial")));
    assert_eq!(trial.json["deliveries"][0]["channel"], "diary");
    let one = app.made("/v1/alerts/trial", r#"{"channel": "diary"}"#);
    assert_ne!(one["id"], trial.json["id"], "each trial is told");
    let wrong = app.post(&owner(), "/v1/alerts/trial", r#"{"channel": "dairy"}"#);
    assert_eq!((wrong.status.as_u16(), wrong.code()), (404, "alert.unknown_channel"));
    assert_eq!(wrong.json["next_step"], "Did you mean \"diary\"?");
    assert_eq!(app.post(&in_role(Role::Analyst), "/v1/alerts/trial", "{}").status.as_u16(), 201);
    assert_eq!(app.post(&in_role(Role::Officer), "/v1/alerts/trial", "{}").status.as_u16(), 403);
    let bare = TestApp::over(Place::with_home());
    assert_eq!(refused(&bare, "/v1/alerts/trial", "{}"), (409, "alert.no_channels".into()));
}

fn spoken(place: &Place, words: &[&str]) -> String {
    let output = place.command_of_people(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_command_line_makes_shows_and_follows_reports() {
    let place = Place::with_model();
    std::fs::write(place.path("project/schedule.toml"), SCHEDULE).unwrap();
    std::fs::write(place.path("project/monitor.toml"), FREEZE).unwrap();
    assert_eq!(place.refused(2, &["monitor", "report", "loan-default"])["code"], "report.unknown");
    assert!(spoken(&place, &["monitor", "list", "loan-default"]).contains("--make"));
    assert!(spoken(&place, &["monitor", "trend", "loan-default"]).contains("--make"));
    assert_eq!(spoken(&place, &["alert", "list", "--open"]), "No alert is open.\n");
    let error = place.refused(2, &["monitor", "report", "loan-default", "--make"]);
    assert_eq!(error["code"], "schedule.unknown_project");
    place.ok(&["schedule", "apply", "project"]);
    let made = spoken(&place, &["monitor", "report", "loan-default", "--make", "--html", "report.html"]);
    assert!(made.contains("0 of its 0 outcomes known, 0 matured, 50 needed"), "{made}");
    assert!(made.contains("loan-default@1") && made.contains("always (warning): "), "{made}");
    assert!(std::fs::read_to_string(place.path("report.html")).unwrap().contains("loan-default"));
    let again = place.refused(2, &["monitor", "report", "loan-default", "--html", "report.html"]);
    assert_eq!(again["code"], "file.exists");
    let shown = place.ok(&["monitor", "report", "loan-default"]);
    let day = shown["report"]["day"].as_str().unwrap().to_string();
    assert_eq!(place.ok(&["monitor", "report", "loan-default", "--day", &day]), shown);
    assert_eq!(place.ok(&["monitor", "list", "loan-default"])["reports"][0]["day"], json!(day));
    let csv = spoken(&place, &["monitor", "trend", "loan-default", "rows", "--since", "30d", "--csv"]);
    assert_eq!(csv, format!("series,about,day,value,low,high,n,verdict\r\nrows,,{day},0,,,0,stable\r\n"));
    assert!(spoken(&place, &["monitor", "trend", "loan-default", "rows"]).contains(&day));
    let alert = place.ok(&["alert", "list", "--open"])["alerts"][0]["id"].as_str().unwrap().to_string();
    assert!(spoken(&place, &["alert", "show", &alert]).contains("No route of alerts.toml"));
    assert_eq!(place.ok(&["alert", "acknowledge", &alert, "--comment", "seen"])["comment"], "seen");
    assert_eq!(place.ok(&["alert", "resolve", &alert])["state"], "closed");
    assert_eq!(place.refused(2, &["alert", "trial"])["code"], "alert.no_channels");
    assert!(spoken(&place, &["model", "show", "loan-default"]).contains("by the rule always"));
    assert_eq!(place.ok(&["model", "release-hold", "loan-default"])["rule"], "always");
    assert_eq!(place.refused(2, &["model", "release-hold", "loan-default"])["code"], "model.not_held");
    place.ok(&["audit", "verify"]);
    place.ok(&["store", "check"]);
}

#[test]
fn two_files_are_held_against_each_other_without_a_home() {
    let place = Place::empty();
    let text = std::fs::read_to_string(fixture("loan-default/sample.csv")).unwrap();
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    let rows: Vec<&str> = lines.collect();
    let half = rows.len() / 2;
    std::fs::write(place.path("then.csv"), format!("{head}\n{}\n", rows[..half].join("\n"))).unwrap();
    std::fs::write(place.path("now.csv"), format!("{head}\n{}\n", rows[half..].join("\n"))).unwrap();
    let words = ["data", "drift", "--reference", "then.csv", "--current", "now.csv"];
    let columns = ["--columns", "annual_inc,grade"];
    let same = place.ok(&[&words[..], &columns[..]].concat());
    assert_eq!(same["rules"], "evidently");
    let names: Vec<&str> =
        same["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let told = spoken(&place, &[&words[..], &columns[..]].concat());
    assert!(told.starts_with("column") && told.contains("annual_inc"), "{told}");
    let error = place.refused(2, &[&words[..], &["--columns", "anual_inc"]].concat());
    assert_eq!(
        (&error["code"], &error["next_step"]),
        (&json!("drift.no_column"), &json!("Did you mean \"annual_inc\"?"))
    );
}
