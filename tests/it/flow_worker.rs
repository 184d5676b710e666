//! Runs over a running server: it goes on deciding, a worker trains; and what is left when any of them dies, is told to
//! stop, or is sent what it does not take.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::StatusCode;
use rustix::process::Signal;
use serde_json::{Value, json};
use tallystick::http::auth::Origin;
use tallystick::security::actor::Role;

use crate::support::served::Served;
use crate::support::test_app::{TestApp, file_request, in_role, order_of, owner};
use crate::support::{Ended, Place, fixture};

/// A training that only ends when it is made to.
const ENDLESS: [&str; 6] =
    ["train", "project", "--set", "logistic.epochs=5000", "--set", "logistic.patience=5000"];

fn until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not come about");
        std::thread::yield_now();
    }
}

/// The child that any thread of a process has started.
fn child_of(parent: u32) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).ok()?;
    let children = tasks.flatten().map(|task| fs::read_to_string(task.path().join("children")));
    children.flatten().find_map(|text| text.split_whitespace().next()?.parse().ok())
}

fn is_gone(id: u32) -> Option<()> {
    let status = fs::read_to_string(format!("/proc/{id}/stat"));
    status.map_or(true, |text| text.contains(") Z ")).then_some(())
}

fn kill(id: u32, signal: &str) {
    assert!(std::process::Command::new("kill").args([signal, &id.to_string()]).status().unwrap().success());
}

fn started(place: &Place, words: &[&str]) -> Child {
    place.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> Ended {
    Ended::of(child.wait_with_output().unwrap())
}

fn with_data() -> Place {
    let place = Place::with_home();
    place.project();
    place.ok(&["data", "import", "project", &fixture("loan-default/sample.csv")]);
    place
}

/// The status and the end of the newest run.
fn newest(place: &Place) -> (String, Value) {
    let run = place.ok(&["run", "list"])["runs"][0].clone();
    let tags = run["data"]["tags"].as_array().unwrap();
    let end = tags
        .iter()
        .find(|tag| tag["key"] == "tallystick.end")
        .map_or(Value::Null, |tag| tag["value"].clone());
    (run["info"]["status"].as_str().unwrap().to_string(), end)
}

fn nothing_is_registered(place: &Place) {
    assert_eq!(place.ok(&["model", "list"])["models"], json!([]));
}

fn stopped(served: Served) -> Place {
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    assert_eq!(place.ok(&["store", "check"])["problems"], json!([]));
    assert_eq!(files_below(&place.path("home/staging")), 0, "something of a run is left");
    place
}

fn files_below(folder: &std::path::Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// What a training undisturbed gives.
fn wanted() -> String {
    static DIGEST: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let train = || with_data().ok(&["train", "project"])["model"]["digest"].as_str().unwrap().to_string();
    DIGEST.get_or_init(train).clone()
}

fn trains_as_ever(place: &Place) {
    assert_eq!(place.ok(&["train", "project"])["model"]["digest"], wanted());
}

#[test]
fn a_server_trains_and_goes_on_deciding() {
    let place = Place::with_model();
    place.ok(&["data", "row", "project", &fixture("loan-default/sample.csv"), "1", "--out", "row.json"]);
    let served = Served::start_quietly(place);
    let place = &served.place;
    let training = started(place, &ENDLESS);
    let child = until("a child", || child_of(served.id()));
    for _ in 0..5 {
        assert_eq!(place.ok(&["decide", "loan-default", "--row", "row.json"])["recorded"], true);
    }
    assert_eq!(is_gone(child), None, "the training was under way all the time");
    let run = place.ok(&["run", "list"])["runs"][0]["info"]["run_id"].as_str().unwrap().to_string();
    assert_eq!(place.ok(&["run", "cancel", &run])["status"], "RUNNING");
    let cancelled = ended(training);
    assert_eq!((cancelled.code, &cancelled.json["error"]["code"]), (1, &json!("run.cancelled")));
    assert_eq!(newest(place).0, "KILLED");
    assert_eq!(place.refused(2, &["run", "cancel", &run])["code"], "run.ended");

    let sample = fixture("loan-default/sample.csv");
    let trained = place.ok(&["train", "project", "--data", &sample, "--set", "seed=31"]);
    assert_eq!((&trained["model"]["version"], &trained["status"]), (&json!(2), &json!("FINISHED")));
    assert!(trained["intervals"]["auc"]["low"].as_f64().unwrap() > 0.5, "{trained}");
    place.ok(&["model", "promote", "loan-default@2", "--to", "production"]);
    place.ok(&["decide", "loan-default", "--row", "row.json"]);
    let place = stopped(served);
    let again = place.ok(&["train", "project", "--set", "seed=31"]);
    assert_eq!(again["model"]["digest"], trained["model"]["digest"], "with and without a server");
    assert_eq!(again["intervals"], trained["intervals"]);
    let log = place.ok(&["audit", "log", "--limit", "500"]);
    let records = log["records"].as_array().unwrap();
    let made = records.iter().filter(|record| record["kind"] == "model_registered");
    let who = place.ok(&["whoami"])["name"].clone();
    assert!(made.clone().count() == 2 && made.clone().all(|record| record["actor"]["name"] == who), "{log}");
}

#[test]
fn an_analyst_trains_over_tls_in_their_own_name_and_puts_nothing_in_force() {
    let place = Place::with_home();
    place.project();
    let password = "seven green lamps at noon";
    fs::write(place.path("password"), password).unwrap();
    place.ok(&["user", "add", "anna", "--role", "analyst", "--password-file", "password"]);
    let served = Served::start_quietly(place);
    let place = &served.place;
    let body = json!({"name": "anna", "password": password}).to_string();
    let head = "POST /v1/sessions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json";
    let (mut tls, mut answer) = (served.tls(), String::new());
    write!(tls, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    // The end of the stream may come without a farewell.
    let _ = tls.read_to_string(&mut answer);
    let token = answer.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next());
    fs::write(place.path("anna.key"), token.unwrap_or_else(|| panic!("{answer}"))).unwrap();
    fs::set_permissions(place.path("anna.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let url = format!("https://127.0.0.1:{}", served.port);
    let far = ["--url", &url, "--fingerprint", &served.fingerprint, "--key-file", "anna.key"];
    let sample = fixture("loan-default/sample.csv");
    let trained = place.ok(&[&["train", "project", "--data", &sample][..], &far].concat());
    assert_eq!(trained["model"]["digest"], wanted());
    let promote = ["model", "promote", "loan-default", "--to", "production"];
    assert_eq!(place.refused(6, &[&promote[..], &far].concat())["code"], "security.forbidden");
    let place = stopped(served);
    let log = place.ok(&["audit", "log", "--limit", "500"]);
    for kind in ["data_imported", "policy_signed", "model_registered"] {
        let record = log["records"].as_array().unwrap().iter().find(|record| record["kind"] == kind).unwrap();
        assert_eq!((&record["actor"]["name"], &record["actor"]["role"]), (&json!("anna"), &json!("analyst")));
    }
}

#[test]
fn a_run_waits_for_the_one_before_it_and_a_waiting_one_is_cancelled_at_once() {
    let served = Served::start_quietly(with_data());
    let place = &served.place;
    let order = |more: &[&str]| {
        let run = place.ok(&[&["train", "project", "--detach"], more].concat());
        run["run_id"].as_str().unwrap().to_string()
    };
    let endless = order(&ENDLESS[2..]);
    until("a child", || child_of(served.id()));
    let (second, third) = (order(&["--set", "seed=3"]), order(&["--set", "seed=4"]));
    let status = |run: &str| place.ok(&["run", "show", run])["info"]["status"].as_str().unwrap().to_string();
    assert_eq!((status(&endless), status(&second)), ("RUNNING".into(), "SCHEDULED".into()));
    assert_eq!(place.ok(&["run", "cancel", &third])["failure"]["code"], "run.cancelled");
    assert_eq!(status(&third), "KILLED");
    place.ok(&["run", "cancel", &endless]);
    until("the end of the second", || (status(&second) == "FINISHED").then_some(()));
    assert_eq!(status(&endless), "KILLED");
    let place = stopped(served);
    assert_eq!(place.ok(&["model", "list"])["models"].as_array().unwrap().len(), 1);
}

#[test]
fn ctrl_c_of_the_command_stops_the_run_of_the_server() {
    let served = Served::start_quietly(with_data());
    let training = started(&served.place, &ENDLESS);
    until("a child", || child_of(served.id()));
    kill(training.id(), "-INT");
    let cancelled = ended(training);
    assert_eq!((cancelled.code, &cancelled.json["error"]["code"]), (1, &json!("run.cancelled")));
    assert_eq!(newest(&served.place), ("KILLED".into(), json!("run.cancelled")));
    let place = stopped(served);
    nothing_is_registered(&place);
}

#[test]
fn the_death_of_a_child_is_a_failed_run_and_nothing_more() {
    let served = Served::start_quietly(with_data());
    let training = started(&served.place, &ENDLESS);
    kill(until("a child", || child_of(served.id())), "-9");
    let failed = ended(training);
    assert_eq!((failed.code, &failed.json["error"]["code"]), (1, &json!("run.killed")));
    assert!(failed.json["error"]["next_step"].as_str().unwrap().contains("again"), "{}", failed.json);
    nothing_is_registered(&served.place);
    trains_as_ever(&served.place);
    stopped(served);
}

#[test]
fn the_death_of_a_server_ends_its_child_and_interrupts_the_run() {
    let served = Served::start_quietly(with_data());
    let training = started(&served.place, &ENDLESS);
    let child = until("a child", || child_of(served.id()));
    let waiting = served.place.ok(&["train", "project", "--detach", "--set", "seed=5"]);
    let place = served.kill();
    until("the child's end", || is_gone(child));
    assert_eq!(ended(training).code, 7);
    let runs = place.ok(&["run", "list"]);
    let ids = runs["runs"].as_array().unwrap();
    let of = |run: &Value| (run["info"]["status"].clone(), run["info"]["run_id"] == waiting["run_id"]);
    let mut seen: Vec<(Value, bool)> = ids.iter().map(of).collect();
    seen.sort_by_key(|(_, is_waiting)| *is_waiting);
    assert_eq!(seen, [(json!("FAILED"), false), (json!("SCHEDULED"), true)], "what waits still waits");
    nothing_is_registered(&place);
    trains_as_ever(&place);
    // The next server takes up what waited.
    let served = Served::start_quietly(place);
    let run = waiting["run_id"].as_str().unwrap();
    let status = || served.place.ok(&["run", "show", run])["info"]["status"].clone();
    until("the end of what waited", || (status() == "FINISHED").then_some(()));
    stopped(served);
}

#[test]
fn a_server_that_is_told_to_stop_ends_its_run_and_registers_nothing() {
    let served = Served::start_quietly(with_data());
    let run = served.place.ok(&[&ENDLESS[..], &["--detach"]].concat());
    let child = until("a child", || child_of(served.id()));
    let place = stopped(served);
    assert_eq!(is_gone(child), Some(()));
    assert_eq!(newest(&place), ("KILLED".into(), json!("run.stopped")), "{run}");
    nothing_is_registered(&place);
    trains_as_ever(&place);
}

#[test]
fn a_worker_beside_the_server_works_and_its_death_ends_its_child() {
    let served = Served::start_without_worker(with_data());
    let place = &served.place;
    let mut worker = started(place, &["worker", "--log-level", "error"]);
    trains_as_ever(place);
    let training = started(place, &ENDLESS);
    let child = until("a child", || child_of(worker.id()));
    assert_eq!(child_of(served.id()), None, "the server itself trains nothing");
    worker.kill().unwrap();
    worker.wait().unwrap();
    until("the child's end", || is_gone(child));
    let run = place.ok(&["run", "list"])["runs"][0]["info"]["run_id"].as_str().unwrap().to_string();
    place.ok(&["run", "cancel", &run]);
    // Its server does not wait for who is gone, and closes the run.
    let place = stopped(served);
    assert_eq!(ended(training).code, 7);
    assert_eq!(newest(&place), ("FAILED".into(), json!("interrupted")));
    assert_eq!(place.ok(&["model", "list"])["models"].as_array().unwrap().len(), 1);
}

#[test]
fn bad_data_is_refused_by_a_server_in_the_words_of_the_command() {
    let place = Place::with_home();
    place.project();
    let text = fs::read_to_string(fixture("loan-default/sample.csv")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let at = lines[0].split(',').position(|c| c == "loan_amnt").unwrap();
    let mut cells: Vec<&str> = lines[17].split(',').collect();
    cells[at] = "lots";
    lines[17] = cells.join(",");
    fs::write(place.path("bad.csv"), lines.join("\n")).unwrap();
    let words = ["train", "project", "--data", "bad.csv"];
    let alone = place.refused(3, &words);
    let served = Served::start_quietly(place);
    let asked = served.place.refused(3, &words);
    assert_eq!(asked, alone);
    assert_eq!(asked["details"]["findings"][0]["row"], 17, "{asked}");
    assert!(asked["message"].as_str().unwrap().starts_with("bad.csv: "), "{asked}");
    assert_eq!(served.place.ok(&["run", "list"])["runs"], json!([]));
    assert_eq!(fs::read_dir(served.place.path("home/staging/uploads")).unwrap().count(), 0);
    stopped(served);
}

#[test]
fn a_file_is_imported_by_a_server_as_without_one_and_bad_rows_stay_where_they_came_from() {
    let place = Place::with_home();
    place.project();
    let text = fs::read_to_string(fixture("loan-default/sample.csv")).unwrap();
    let spoil = |(i, line): (usize, &str)| {
        if i % 400 == 399 { line.replacen(',', ",,", 1) } else { line.to_string() }
    };
    fs::write(place.path("in.csv"), text.lines().enumerate().map(spoil).collect::<Vec<_>>().join("\n"))
        .unwrap();
    let other = place.copy();
    let words = ["data", "import", "project", "in.csv", "--quarantine", "aside.csv"];
    let alone = other.ok(&words);
    let served = Served::start_quietly(place);
    let place = &served.place;
    assert_eq!(place.refused(3, &words[..4]), other.refused(3, &words[..4]));
    let asked = place.ok(&words);
    for of in ["rows", "rejected", "expectations"] {
        assert_eq!(asked[of], alone[of], "{of}");
    }
    for of in ["content", "parquet", "rows", "source_name", "contract"] {
        assert_eq!(asked["dataset"][of], alone["dataset"][of], "{of}");
    }
    assert_eq!(fs::read(place.path("aside.csv")).unwrap(), fs::read(other.path("aside.csv")).unwrap());
    let left = fs::read_dir(place.path("")).unwrap().flatten();
    assert!(left.map(|entry| entry.file_name()).all(|name| !name.to_string_lossy().ends_with(".partial")));
    assert_eq!(place.ok(&["data", "list"])["datasets"].as_array().unwrap().len(), 1);
    stopped(served);
}

#[test]
fn a_file_that_breaks_off_on_its_way_is_none() {
    let served = Served::start_quietly(Place::with_home());
    let mut admin = served.socket("admin.sock");
    let head = "POST /v1/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000\r\n\r\n";
    write!(admin, "{head}a,b\n1,2\n").unwrap();
    let folder = served.place.path("home/staging/uploads");
    let held = || fs::read_dir(&folder).map_or(0, |entries| entries.count());
    until("the beginning of the file", || (held() == 1).then_some(()));
    drop(admin);
    until("its end", || (held() == 0).then_some(()));
    served.place.ok(&["whoami"]);
    stopped(served);
}

/// A home with data, and a run that is with a worker.
fn at_work() -> (TestApp, String) {
    let app = TestApp::over(with_data());
    let run = app.made("/v1/runs", &order_of(&app.place.path("project"), &[]));
    let id = run["info"]["run_id"].as_str().unwrap().to_string();
    assert_eq!(run["info"]["status"], "SCHEDULED");
    let claimed = app.post(&in_role(Role::Worker), "/v1/work/claim", r#"{"worker": "w"}"#);
    assert_eq!(claimed.json["due"]["run_id"], id, "{}", claimed.json);
    (app, id)
}

#[test]
fn a_worker_that_is_not_heard_of_has_lost_its_run_and_hears_so() {
    let (app, run) = at_work();
    let report = |events: &str| {
        app.post(
            &in_role(Role::Worker),
            &format!("/v1/work/{run}/events"),
            &format!(r#"{{"events": [{events}]}}"#),
        )
    };
    let progress = || app.ok(&format!("/v1/runs/{run}/progress"));
    let loss = r#"{"event": "metric", "key": "valid_loss", "step": 2, "value": 0.25}"#;
    let heard = report(&format!(
        r#"{{"event": "stage", "name": "training", "total": 9}}, {loss}, {{"event": "step", "done": 3}}"#
    ));
    assert_eq!(heard.json, json!({"cancel": false}));
    let now = progress();
    assert_eq!((&now["stage"], &now["done"], &now["total"]), (&json!("training"), &json!(3), &json!(9)));
    assert_eq!(now["valid_loss"], 0.25);
    app.clock.advance_ms(29_000);
    assert_eq!(report("").status, StatusCode::OK);
    app.clock.advance_ms(29_000);
    assert_eq!(progress()["status"], "RUNNING");
    app.clock.advance_ms(2_000);
    let lost = progress();
    assert_eq!((&lost["status"], &lost["failure"]["code"]), (&json!("FAILED"), &json!("run.worker_lost")));
    let tags = app.ok(&format!("/v1/runs/{run}"))["data"]["tags"].clone();
    assert!(tags.as_array().unwrap().contains(&json!({"key": "tallystick.end", "value": "worker_lost"})));
    let late = report("");
    assert_eq!((late.status, late.code()), (StatusCode::CONFLICT, "run.not_at_work"));
    let history = app.ok(&format!("/v1/runs/{run}/metrics/valid_loss"));
    assert_eq!(history["metrics"].as_array().unwrap().len(), 1);
}

#[test]
fn a_candidate_is_believed_in_nothing_but_its_digests() {
    let (app, run) = at_work();
    let worker = in_role(Role::Worker);
    let send = |named: &str, bytes: &'static str| {
        app.send(file_request(&worker, &format!("/v1/work/{run}/candidate/{named}"), Body::from(bytes)))
    };
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    assert_eq!(send(digest, "test").json, json!({"bytes": 4}));
    let altered = send(digest, "tess");
    assert_eq!((altered.status.as_u16(), altered.code()), (422, "run.candidate_altered"));
    assert_eq!(send("contents.json", "{}").status, StatusCode::BAD_REQUEST);
    assert_eq!(send("..%2F..%2Fkeys", "x").status, StatusCode::BAD_REQUEST);
    let finish = json!({"contents": "{}", "model": digest, "train_seconds": 1.0}).to_string();
    let refused = app.post(&worker, &format!("/v1/work/{run}/finish"), &finish);
    assert!(!refused.status.is_success(), "{}", refused.json);
    assert_eq!(app.ok(&format!("/v1/runs/{run}/progress"))["status"], "FAILED");
    assert_eq!(app.ok("/v1/models")["models"], json!([]));
    let again = app.post(&worker, &format!("/v1/work/{run}/finish"), &finish);
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "run.not_at_work"));
}

#[test]
fn a_sent_file_is_its_senders_once_and_not_for_ever() {
    let app = TestApp::over(with_data());
    let send = || app.send(file_request(&owner(), "/v1/uploads", "a,b\n")).json;
    let order = |upload: &Value| {
        let mut order: Value = serde_json::from_str(&order_of(&app.place.path("project"), &[])).unwrap();
        order["data"] = json!({"upload": upload, "file_name": "a.csv"});
        order.to_string()
    };
    let sent = send();
    assert_eq!(sent["bytes"], 4);
    let body = order(&sent["upload"]);
    let other = app.post(&in_role(Role::Analyst), "/v1/runs", &body);
    assert_eq!((other.status, other.code()), (StatusCode::NOT_FOUND, "upload.unknown"));
    let own = app.post(&owner(), "/v1/runs", &body);
    assert_eq!(own.status.as_u16(), 422, "the file is no data of the project: {}", own.json);
    assert!(!own.json.to_string().contains("staging"), "{}", own.json);
    assert_eq!(app.post(&owner(), "/v1/runs", &body).code(), "upload.unknown");
    let late = order(&send()["upload"]);
    app.clock.advance_ms(3_600_001);
    send();
    assert_eq!(app.post(&owner(), "/v1/runs", &late).code(), "upload.unknown");
    for name in ["../a", "a/b", "", "a\nb"] {
        let mut body: Value = serde_json::from_str(&order(&send()["upload"])).unwrap();
        body["data"]["file_name"] = json!(name);
        assert_eq!(app.post(&owner(), "/v1/runs", &body.to_string()).code(), "upload.file_name", "{name:?}");
    }
}

#[test]
fn one_senders_files_leave_room_for_those_of_others() {
    let app = TestApp::over(with_data());
    let send = |origin: &Origin| app.send(file_request(origin, "/v1/uploads", "a,b\n"));
    let [own, analyst, worker] = [owner(), in_role(Role::Analyst), in_role(Role::Worker)];
    for sent in 0..8 {
        assert_eq!(send(&own).status, StatusCode::CREATED, "{sent}");
    }
    app.clock.advance_ms(600_000);
    let refused = send(&own);
    assert_eq!((refused.status, refused.code()), (StatusCode::TOO_MANY_REQUESTS, "upload.too_many_own"));
    assert_eq!(refused.header("retry-after"), "3001");
    for sent in 0..8 {
        assert_eq!(send(&analyst).status, StatusCode::CREATED, "{sent}");
    }
    let full = send(&worker);
    assert_eq!((full.status, full.code()), (StatusCode::SERVICE_UNAVAILABLE, "upload.too_many"));
    app.clock.advance_ms(3_001_000);
    assert_eq!(send(&own).status, StatusCode::CREATED, "its first ones are forgotten");
    assert_eq!(send(&worker).status, StatusCode::CREATED);
}
