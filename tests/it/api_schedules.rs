//! Schedules put in force over the API and by the command line, their chains started, held, ended and done again.

use serde_json::{Value, json};
use tallystick::app::chains::beat;
use tallystick::security::actor::Role;

use super::support::Place;
use super::support::loop_project::{QUIET, SCHEDULE, apply_body};
use super::support::served::Served;
use super::support::test_app::{TestApp, in_role, owner};
use rustix::process::Signal;

const CHAINS: &str = "/v1/schedules/loan-default/chains";

fn applied() -> TestApp {
    let app = TestApp::over(Place::with_model());
    app.made("/v1/schedules", &apply_body(&app.place.path("project"), "loan-default", QUIET));
    app
}

fn refused(app: &TestApp, path: &str, body: &str) -> (u16, String) {
    let answered = app.post(&owner(), path, body);
    (answered.status.as_u16(), answered.code().to_string())
}

#[test]
fn a_project_is_put_in_force_shown_and_taken_out_again() {
    let app = applied();
    let list = app.ok("/v1/schedules");
    let names: Vec<&str> =
        list["chains"].as_array().unwrap().iter().map(|chain| chain["chain"].as_str().unwrap()).collect();
    assert_eq!(names, ["daily", "ended", "open"]);
    let daily = app.ok(&format!("{CHAINS}/daily"));
    assert_eq!((&daily["cron"], &daily["timezone"]), (&json!("30 5 * * *"), &json!("Europe/Berlin")));
    assert_eq!((daily["next"].as_array().unwrap().len(), &daily["last_run"]), (3, &Value::Null));
    assert_eq!(daily["picture"], "watch (monitor)\n└─ tell (notify), when all_done");
    let page = app.ok("/v1/schedules?limit=2");
    let rest = app.ok(&format!("/v1/schedules?cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((&rest["chains"][0]["chain"], &rest["next"]), (&json!("open"), &Value::Null));
    let delete = |path: &str| {
        let request = super::support::test_app::request(axum::http::Method::DELETE, &owner(), path, None);
        app.send(request)
    };
    assert_eq!(delete("/v1/schedules/loan-default").json["project"], "loan-default");
    let gone = delete("/v1/schedules/loan-default");
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "schedule.unknown_project"));
    assert_eq!(app.ok("/v1/schedules")["chains"], json!([]));
}

#[test]
fn a_chain_is_started_once_ended_and_done_again() {
    let app = applied();
    let first = app.made(&format!("{CHAINS}/open/start"), "");
    assert_eq!((&first["status"], &first["trigger"]["kind"]), (&json!("running"), &json!("hand")));
    assert_eq!(first["trigger"]["by"], "olga");
    assert_eq!(refused(&app, &format!("{CHAINS}/open/start"), ""), (409, "chain_run.still_runs".into()));
    let id = first["id"].as_str().unwrap();
    let run = format!("/v1/chain-runs/{id}");
    assert_eq!(refused(&app, &format!("{run}/rerun"), "{}"), (409, "chain_run.still_runs".into()));
    app.made(&format!("{run}/cancel"), "");
    beat::beat(app.server.app()).unwrap();
    let ended = app.ok(&run);
    assert_eq!((&ended["status"], &ended["cancelled_by"]), (&json!("cancelled"), &json!("olga")));
    assert_eq!(
        (&ended["steps"][0]["state"], &ended["picture"]),
        (&json!("cancelled"), &json!("tell (notify): cancelled"))
    );
    assert_eq!(refused(&app, &format!("{run}/cancel"), ""), (409, "chain_run.ended".into()));
    let wrong = refused(&app, &format!("{run}/rerun"), r#"{"from": "tel"}"#);
    assert_eq!(wrong, (404, "chain_run.unknown_step".into()));
    app.clock.advance_ms(1_000);
    let again = app.made(&format!("{run}/rerun"), "{}");
    assert_eq!((&again["trigger"]["kind"], &again["trigger"]["from"]), (&json!("rerun"), &json!(id)));
    let of = "/v1/chain-runs?project=loan-default&chain=open";
    let page = app.ok(&format!("{of}&limit=1"));
    assert_eq!(page["runs"][0]["id"], again["id"], "the latest first");
    let rest = app.ok(&format!("{of}&cursor={}", page["next"].as_str().unwrap()));
    assert_eq!((&rest["runs"][0]["id"], rest["runs"].as_array().unwrap().len()), (&json!(id), 1));
    assert_eq!(app.ok("/v1/chain-runs")["runs"].as_array().unwrap().len(), 2);
    let half = app.get(&owner(), "/v1/chain-runs?chain=open");
    assert_eq!((half.status.as_u16(), half.code()), (400, "http.query"));
}

#[test]
fn a_held_chain_says_by_whom_and_starts_by_hand_alone() {
    let app = applied();
    let held = app.made(&format!("{CHAINS}/daily/pause"), "");
    assert_eq!(
        (&held["paused"], &held["paused_by"], &held["next"]),
        (&json!(true), &json!("olga"), &json!([]))
    );
    assert_eq!(refused(&app, &format!("{CHAINS}/daily/pause"), ""), (409, "schedule.already".into()));
    app.clock.advance_ms(3 * 86_400_000);
    beat::beat(app.server.app()).unwrap();
    assert_eq!(app.ok("/v1/chain-runs")["runs"], json!([]));
    let on = app.made(&format!("{CHAINS}/daily/resume"), "");
    assert_eq!((&on["paused"], on["next"].as_array().unwrap().len()), (&json!(false), 3));
    let days = json!({"from": "2026-03-01", "to": "2026-03-03"}).to_string();
    let line = app.made(&format!("{CHAINS}/daily/backfill"), &days);
    assert_eq!(line["starts"].as_array().unwrap().len(), 3, "{line}");
    assert!(line["starts"][0].as_str().unwrap().starts_with("2026-03-01T04:30"), "{line}");
    assert_eq!(app.ok(&format!("{CHAINS}/daily"))["waiting"], 3);
    let twice = app.made(&format!("{CHAINS}/daily/backfill"), &days);
    assert_eq!(twice["starts"], json!([]), "each planned start has one run");
}

#[test]
fn what_cannot_be_done_with_a_schedule_is_refused_by_its_name() {
    let app = applied();
    let folder = app.place.path("project");
    let body = apply_body(&folder, "loan-default", QUIET);
    let broken = body.replace("30 5 * * *", "61 5 * * *");
    let mut without: Value = serde_json::from_str(&body).unwrap();
    without["project"].as_object_mut().unwrap().remove("schedule.toml");
    let of_daily = |verb: &str| format!("{CHAINS}/daily/{verb}");
    let cases = [
        ("/v1/schedules".to_string(), broken, (400, "schedule.cron")),
        ("/v1/schedules".into(), without.to_string(), (422, "schedule.none")),
        (format!("{CHAINS}/dayly/start"), String::new(), (404, "schedule.unknown_chain")),
        ("/v1/schedules/nothing/chains/daily/start".into(), String::new(), (404, "schedule.unknown_project")),
        ("/v1/chain-runs/nothing/cancel".into(), String::new(), (404, "chain_run.unknown")),
        ("/v1/chain-runs/nothing/rerun".into(), "{}".into(), (404, "chain_run.unknown")),
        (of_daily("backfill"), r#"{"from": "soon", "to": "2026-03-03"}"#.into(), (422, "json.fields")),
        (
            of_daily("backfill"),
            r#"{"from": "2026-03-04", "to": "2026-03-03"}"#.into(),
            (422, "backfill.backwards"),
        ),
        (
            format!("{CHAINS}/open/backfill"),
            r#"{"from": "2026-03-01", "to": "2026-03-03"}"#.into(),
            (409, "backfill.no_cron"),
        ),
    ];
    for (path, body, (status, code)) in cases {
        assert_eq!(refused(&app, &path, &body), (status, code.to_string()), "{path} {body}");
    }
    assert_eq!(app.post(&in_role(Role::Analyst), "/v1/schedules", &body).status.as_u16(), 403);
    let near = app.get(&owner(), "/v1/schedules/loan-defalt");
    assert!(
        near.json["detail"].as_str().unwrap().contains("did you mean \"loan-default\"?"),
        "{}",
        near.json
    );
}

/// The project of a home with the small loop in it.
fn with_loop() -> Place {
    let place = Place::with_model();
    std::fs::write(place.path("project/schedule.toml"), SCHEDULE).unwrap();
    std::fs::write(place.path("project/monitor.toml"), QUIET).unwrap();
    place
}

fn spoken(place: &Place, words: &[&str]) -> String {
    let output = place.command_of_people(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_command_line_says_that_chains_run_in_a_server() {
    let place = with_loop();
    assert!(spoken(&place, &["schedule", "list"]).contains("tallystick schedule apply DIR"));
    assert!(spoken(&place, &["schedule", "history"]).contains("No chain has run yet"));
    assert!(spoken(&place, &["schedule", "apply", "project"]).contains("tallystick serve"));
    let shown = spoken(&place, &["schedule", "show", "loan-default", "daily"]);
    assert!(
        shown.contains("  └─ tell (notify), when all_done") && shown.contains("30 5 * * * (Europe/Berlin)"),
        "{shown}"
    );
    let error = place.refused(7, &["schedule", "start", "loan-default", "open"]);
    assert_eq!(error["code"], "schedule.no_server");
    assert!(error["next_step"].as_str().unwrap().contains("tallystick serve"), "{error}");
    assert_eq!(place.refused(2, &["schedule", "start", "loan-default"])["code"], "usage");
    assert_eq!(place.ok(&["schedule", "pause", "loan-default", "daily"])["paused"], true);
    assert_eq!(place.ok(&["schedule", "resume", "loan-default", "daily"])["paused"], false);
    assert_eq!(place.ok(&["schedule", "withdraw", "loan-default"])["project"], "loan-default");
    let error = place.refused(2, &["schedule", "show", "loan-default"]);
    assert_eq!(error["code"], "schedule.unknown_project");
}

#[test]
fn a_run_that_is_started_by_hand_is_followed_to_its_end() {
    let place = with_loop();
    place.ok(&["schedule", "apply", "project"]);
    let served = Served::start_quietly(place);
    let place = &served.place;
    let ended = place.ok(&["schedule", "start", "loan-default", "open", "--wait"]);
    assert_eq!((&ended["status"], &ended["steps"][0]["state"]), (&json!("succeeded"), &json!("succeeded")));
    let id = ended["id"].as_str().unwrap();
    let shown = spoken(place, &["schedule", "run", id]);
    assert!(shown.contains("tell (notify): succeeded, told:") && shown.contains("by hand"), "{shown}");
    let error = place.refused(2, &["schedule", "rerun", id]);
    assert_eq!(error["code"], "chain_run.nothing_failed");
    let again = place.ok(&["schedule", "rerun", id, "--from", "tell", "--wait"]);
    assert_eq!((&again["status"], &again["trigger"]["from"]), (&json!("succeeded"), &json!(id)));
    let history = place.ok(&["schedule", "history", "loan-default", "open"]);
    assert_eq!(history["runs"].as_array().unwrap().len(), 2, "{history}");
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    place.ok(&["store", "check"]);
}
