//! The commands that go over the API: the same with and without a server, over a socket and over TLS; who is let in,
//! what is never shown, and what `why` finds.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};
use tallystick::client::call::Client;
use tallystick::client::target::Target;

use crate::support::served::Served;
use crate::support::{Ended, Place, fixture, say};

const PASSWORD: &str = "seven green lamps at noon";

/// A home with something of everything: versions, moves, decisions, users and keys.
fn lived_in() -> (Place, String) {
    let place = Place::with_three_versions();
    place.ok(&["model", "promote", "loan-default@2", "--to", "production", "--why", "the second"]);
    let case = decided(&place);
    place.ok(&["predict", "loan-default@1", "--row", "row.json"]);
    fs::write(place.path("password"), PASSWORD).unwrap();
    place.ok(&["user", "add", "erika", "--role", "officer", "--password-file", "password"]);
    place.ok(&["key", "create", "--name", "core", "--role", "core-banking", "--out", "core.key"]);
    (place, case)
}

/// Decides rows until one is told reasons; that one is in `row.json`. Answers its case.
fn decided(place: &Place) -> String {
    let sample = fixture("loan-default/sample.csv");
    for number in 1..100 {
        let name = format!("row-{number}.json");
        place.ok(&["data", "row", "project", &sample, &number.to_string(), "--out", &name]);
        let decided = place.ok(&["decide", "loan-default", "--row", &name]);
        if !decided["reasons"]["list"].as_array().unwrap().is_empty() {
            fs::rename(place.path(&name), place.path("row.json")).unwrap();
            return decided["case"].as_str().unwrap().to_string();
        }
    }
    panic!("every one of a hundred rows was simply approved");
}

/// As a person calls it: no JSON, and something on standard input.
fn plainly(place: &Place, words: &[&str], input: &str) -> Output {
    let mut command = std::process::Command::new(place.command(&[]).get_program());
    command.current_dir(place.path("")).env("TALLYSTICK_HOME", place.path("home")).args(words);
    fs::write(place.path("stdin"), input).unwrap();
    command.stdin(Stdio::from(fs::File::open(place.path("stdin")).unwrap())).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Each is asked with and without a server; some are refused, with every kind of exit code.
const QUESTIONS: &str = "\
model list
model show loan-default
model show loan-default@1
model show loan-default:production
model show nothing
model show loan-default@9
model show loan-default:staging
model history loan-default
model history nothing
model promote loan-default@3 --to production --dry-run
model promote loan-default@3 --to production --gates strict.toml
model rollback loan-default --dry-run
policy list
policy show POLICY
policy show 0000
run list
run list --limit 1
run list --project loan-default
run list --experiment Default --limit 1
run list --experiment Nowhere
data list
run show RUN
run compare RUN RUN
run compare RUN zz
run show zz
run metrics RUN valid_loss
run metrics RUN x
run artifact RUN nothing.svg --out nothing.svg
decision list
decision list --limit 1
decision list --outcome nothing
decision show CASE
decision explain CASE
decision replay CASE
decision show 0000-26-00009-X
why CASE
why nothing
decide loan-default --row bad.json
decide loan-default:staging --row row.json
predict nothing --row row.json
user list
user show erika
user show nobody
user lock nobody
key list
key show none
key revoke none
whoami
status";

/// What an answer to `status` has that depends on the way.
fn without_way(mut json: Value) -> Value {
    if let Some(object) = json.as_object_mut() {
        object.remove("server");
    }
    json
}

#[test]
fn every_question_has_the_same_answer_with_and_without_a_server() {
    let (place, case) = lived_in();
    let run = place.ok(&["run", "list"])["runs"][0]["info"]["run_id"].as_str().unwrap().to_string();
    let policy = place.ok(&["policy", "list"])["policies"][0]["digest"].as_str().unwrap().to_string();
    fs::write(place.path("strict.toml"), "[[gate]]\nmetric = \"auc\"\nmin = 0.99\n").unwrap();
    fs::write(place.path("bad.json"), "{\"loan_amnt\": \"much\"}").unwrap();
    let text = QUESTIONS.replace("RUN", &run).replace("POLICY", &policy[..8]).replace("CASE", &case);
    let questions: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    let answers = |place: &Place| -> Vec<(i32, Value)> {
        let ended = questions.iter().map(|words| place.run(words));
        ended.map(|ended| (ended.code, without_way(ended.json))).collect()
    };
    // The server first: it makes itself a certificate, which is a record.
    let served = Served::start_quietly(place);
    let asked = answers(&served.place);
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    let alone = answers(&place);
    for ((words, alone), asked) in questions.iter().zip(&alone).zip(&asked) {
        assert_eq!(alone, asked, "{words:?}");
        assert!(alone.1.is_object(), "{words:?}: {}", alone.1);
    }
    let codes: std::collections::BTreeSet<i32> = alone.iter().map(|(code, _)| *code).collect();
    assert!([0, 2, 3, 4].iter().all(|code| codes.contains(code)), "{codes:?}");
}

#[test]
fn a_bench_times_every_stage_by_rehearsals_that_count_as_no_decision() {
    let place = Place::with_model();
    let made_up = ["bench", "loan-default", "--count", "40", "--clients", "2"];
    let check = |told: &Value| {
        let stages: Vec<&str> =
            told["stages"].as_array().unwrap().iter().map(|one| one["stage"].as_str().unwrap()).collect();
        let wanted = ["read", "parse", "score", "decide", "seal", "durable", "answer", "total", "round trip"];
        assert_eq!(stages, wanted);
        for one in told["stages"].as_array().unwrap() {
            let of = |name: &str| one[name].as_f64().unwrap();
            assert!(of("p50_ms") <= of("p90_ms") && of("p90_ms") <= of("p99_ms"), "{one}");
            assert!(of("p99_ms") <= of("max_ms") && of("max_ms") > 0.0, "{one}");
        }
        let counted = (&told["count"], &told["rehearsals"], &told["recorded_as"]);
        assert_eq!(counted, (&json!(40), &json!(43), &json!("simulated")));
        assert!(told["per_second"].as_f64().unwrap() > 0.0 && told["model"] == "loan-default@1", "{told}");
    };
    let alone = place.ok(&made_up);
    check(&alone);
    assert_eq!(alone["asked_through"], "this process");

    let served = Served::start_quietly(place);
    let sample = fixture("loan-default/sample.csv");
    let told = served.place.ok(&[&made_up[..], &["--rows", &sample, "--project", "project"]].concat());
    check(&told);
    assert!(told["asked_through"].as_str().unwrap().ends_with("admin.sock"), "{told}");
    let client = Client::at_socket(&served.place.path("home/run/admin.sock")).unwrap();
    let figures = text(&client.bytes(&Target::of(["metrics"]), 1 << 20).unwrap());
    let timed = |stage: &str| {
        let begin = format!("tallystick_decision_stage_duration_seconds_count{{stage=\"{stage}\"}} ");
        figures.lines().find_map(|line| line.strip_prefix(&begin)?.parse::<u64>().ok())
    };
    assert_eq!((timed("score"), timed("durable"), timed("answer")), (Some(3), Some(3), Some(3)), "{figures}");
    assert!(!figures.contains("tallystick_decisions_total{"), "no decision was made: {figures}");
    drop(client);
    served.signal(Signal::TERM);
    let (_, place) = served.ended();

    fs::write(place.path("rows.jsonl"), "{\"loan_amnt\": 1}\nnot JSON\n").unwrap();
    let refused = place.refused(2, &["bench", "loan-default", "--rows", "rows.jsonl"]);
    assert_eq!(refused["code"], "bench.row");
    fs::write(place.path("rows.jsonl"), "\n").unwrap();
    assert_eq!(place.refused(2, &["bench", "loan-default", "--rows", "rows.jsonl"])["code"], "bench.no_rows");
    let listed = place.ok(&["decision", "list", "--limit", "500"]);
    let decisions = listed["decisions"].as_array().unwrap();
    assert_eq!(decisions.len(), 86);
    assert!(decisions.iter().all(|one| one["flags"].as_array().unwrap().contains(&json!("simulated"))));
    place.ok(&["store", "check"]);
}

/// The parts of an answer that no other answer has.
fn lasting(mut answer: Value) -> Value {
    let object = answer.as_object_mut().unwrap();
    for own in ["decision_id", "case", "seq", "time"] {
        assert!(object.remove(own).is_some(), "{own} in {object:?}");
    }
    answer
}

#[test]
fn a_row_has_the_same_answer_every_way_and_each_is_a_record() {
    let (place, _) = lived_in();
    let ask = |place: &Place, what: &str, more: &[&str]| {
        lasting(place.ok(&[&[what, "loan-default", "--row", "row.json"], more].concat()))
    };
    let alone = (ask(&place, "decide", &[]), ask(&place, "predict", &[]));
    let before = place.log("kind").len();
    let served = Served::start_quietly(place);
    let by_socket = (ask(&served.place, "decide", &[]), ask(&served.place, "predict", &[]));
    let url = format!("https://127.0.0.1:{}", served.port);
    let far = ["--url", &url, "--fingerprint", &served.fingerprint, "--key-file", "core.key"];
    let by_tls = (ask(&served.place, "decide", &far), ask(&served.place, "predict", &far));
    assert_eq!(alone, by_socket);
    assert_eq!(alone, by_tls);
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    let kinds = place.log("kind")[before..].to_vec();
    let made = ["decision_made", "prediction_made", "decision_made", "prediction_made"];
    assert_eq!(kinds.iter().filter(|kind| *kind != "certificate_installed").collect::<Vec<_>>(), made);
}

#[test]
fn only_the_named_server_and_a_good_key_are_taken() {
    let (place, _) = lived_in();
    let served = Served::start_quietly(place);
    let place = &served.place;
    let url = format!("https://127.0.0.1:{}", served.port);
    let good = served.fingerprint.clone();
    let other = format!("{}{}", if good.starts_with("00") { "11" } else { "00" }, &good[2..]);
    let decide = ["decide", "loan-default", "--row", "row.json"];
    let far = |words: &[&str], more: &[&str]| {
        let command = [words, &["--url", &url], more].concat();
        place.run(&command)
    };
    let refused = |code: i32, words: &[&str], more: &[&str]| {
        let ended = far(words, more);
        assert_eq!(ended.code, code, "{words:?} {more:?}: {} {}", ended.json, ended.stderr);
        ended.json["error"]["code"].as_str().unwrap().to_string()
    };
    let named: [&str; 4] = ["--fingerprint", &good, "--key-file", "core.key"];
    assert_eq!(far(&decide, &named).code, 0);
    let whoami = far(&["whoami"], &named).json;
    assert_eq!((&whoami["name"], &whoami["roles"]), (&json!("core"), &json!(["core-banking"])));
    assert_eq!(
        refused(5, &decide, &["--fingerprint", &other, "--key-file", "core.key"]),
        "client.other_server"
    );
    assert_eq!(refused(2, &decide, &["--fingerprint", "AB", "--key-file", "core.key"]), "client.fingerprint");
    assert_eq!(refused(2, &decide, &["--key-file", "core.key"]), "client.no_anchor");
    assert_eq!(refused(2, &decide, &["--fingerprint", &good]), "client.no_key");
    assert_eq!(refused(6, &["model", "list"], &named), "security.forbidden");
    assert_eq!(refused(2, &["model", "export", "loan-default", "out"], &named), "home.elsewhere");
    let authority = place.path("home/keys/tls.crt");
    let by_authority = ["--ca-file", authority.to_str().unwrap(), "--key-file", "core.key"];
    assert_eq!(far(&decide, &by_authority).code, 0);
    fs::set_permissions(place.path("core.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(refused(6, &decide, &named), "client.open_key");
    fs::set_permissions(place.path("core.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let id = place.ok(&["key", "list"])["keys"][0]["id"].as_str().unwrap().to_string();
    assert!(place.ok(&["key", "revoke", &id])["revoked"].is_string());
    assert_eq!(refused(6, &decide, &named), "security.unauthenticated");
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    let gone = place.run(&[&decide[..], &["--url", &url], &named[..]].concat());
    assert_eq!((gone.code, &gone.json["error"]["code"]), (7, &json!("client.connect")));
}

#[test]
fn a_command_that_needs_the_home_says_that_a_server_has_it() {
    let served = Served::start_quietly(Place::with_model());
    let export = ["model", "export", "loan-default", "out"];
    for words in [&["audit", "verify"][..], &["policy", "sign", "project"], &export] {
        let error = served.place.refused(7, words);
        assert_eq!(error["code"], "store.in_use");
        assert!(error["message"].as_str().unwrap().ends_with(", which serves it"), "{error}");
        assert!(error["next_step"].as_str().unwrap().contains("stop the server"), "{error}");
    }
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    place.ok(&["audit", "verify"]);
}

#[test]
fn a_socket_that_nobody_listens_at_is_passed_over() {
    let place = Place::with_home();
    drop(std::os::unix::net::UnixListener::bind(place.path("home/run/admin.sock")).unwrap());
    assert_eq!(place.ok(&["whoami"])["roles"].as_array().unwrap().len(), 5);
}

#[test]
fn a_key_is_shown_once_and_a_password_never() {
    let place = Place::with_home();
    let made =
        plainly(&place, &["key", "create", "--name", "core", "--role", "core-banking", "--days", "90"], "");
    let shown = text(&made.stdout);
    let secret = shown.lines().next().unwrap().to_string();
    assert!(secret.starts_with("tsk_") && shown.matches(&secret).count() == 1, "{shown}");
    assert_eq!(text(&made.stderr), "");
    let written = place.ok(&["key", "create", "--name", "m", "--role", "metrics", "--out", "m.key"]);
    assert_eq!(fs::metadata(place.path("m.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let second = fs::read_to_string(place.path("m.key")).unwrap().trim().to_string();
    assert!(second.starts_with("tsk_") && written.get("secret").is_none());
    let again = place.refused(2, &["key", "create", "--name", "m", "--role", "metrics", "--out", "m.key"]);
    assert_eq!(again["code"], "file.exists");
    let added =
        plainly(&place, &["user", "add", "erika", "--role", "officer", "--password-file", "-"], PASSWORD);
    assert!(added.status.success(), "{}", text(&added.stderr));
    let mut said = text(&added.stdout) + &text(&added.stderr) + &written.to_string();
    for words in [&["key", "list"][..], &["user", "list"], &["user", "show", "erika"], &["audit", "log"]] {
        for json in [true, false] {
            let output =
                if json { place.command(words).output().unwrap() } else { plainly(&place, words, "") };
            assert!(output.status.success(), "{words:?}");
            said += &(text(&output.stdout) + &text(&output.stderr));
        }
    }
    for hidden in [secret.as_str(), &second, PASSWORD] {
        assert!(!said.contains(hidden), "{said}");
    }
    let log = place.log("kind");
    assert_eq!(log[1..], ["key_made", "key_made", "user_added"]);
}

#[test]
fn a_password_is_asked_for_refused_and_changed_by_the_rules() {
    let place = Place::with_home();
    let add = |name: &str, role: &str, password: &str| {
        fs::write(place.path("password"), password).unwrap();
        place.run(&["user", "add", name, "--role", role, "--password-file", "password"])
    };
    for (name, password, code) in [
        ("erika", "short", "password.length"),
        ("erika-mustermann", "erika-mustermann", "password.name"),
        ("erika", "", "password.given_up"),
    ] {
        let ended = add(name, "officer", password);
        assert_eq!(ended.json["error"]["code"], code, "{}", ended.json);
        assert_eq!(ended.code, 2, "{}", ended.json);
    }
    assert_eq!(add("erika", "core-banking", PASSWORD).json["error"]["code"], "user.service_role");
    assert_eq!(add("erika", "chief", PASSWORD).code, 2);
    assert_eq!(add("erika", "officer", PASSWORD).json["roles"], json!(["officer"]));
    assert_eq!(add("erika", "officer", PASSWORD).json["error"]["code"], "user.exists");
    let error = place.refused(2, &["user", "password", "erika"]);
    assert_eq!(error["code"], "password.no_terminal");
    place.ok(&["user", "password", "erika", "--password-file", "password"]);
    assert_eq!(place.ok(&["user", "roles", "erika", "--role", "analyst"])["roles"], json!(["analyst"]));
    assert_eq!(place.ok(&["user", "lock", "erika"])["locked"], true);
    assert_eq!(place.ok(&["user", "unlock", "erika"])["locked"], false);
    let own = place.ok(&["whoami"])["name"].as_str().unwrap().to_string();
    assert_eq!(place.refused(2, &["user", "lock", &own])["code"], "user.own_account");
}

#[test]
fn a_receipt_is_written_that_verifies_without_the_home() {
    let (place, case) = lived_in();
    let written = place.ok(&["decision", "receipt", &case, "--out", "receipt.json"]);
    assert_eq!(written["case"], case);
    place.ok(&["audit", "export", "log"]);
    let alone = Place::empty();
    for name in ["receipt.json", "log/trust.json"] {
        fs::copy(place.path(name), alone.path(Path::new(name).file_name().unwrap().to_str().unwrap()))
            .unwrap();
    }
    let verified = alone.ok(&["verify", "receipt.json", "--trust", "trust.json"]);
    assert_eq!((&verified["verified"], &verified["case"]), (&json!(true), &json!(case)));
    let again = place.refused(2, &["decision", "receipt", &case, "--out", "receipt.json"]);
    assert_eq!(again["code"], "file.exists");
}

/// What `why` found of one part.
fn part<'a>(why: &'a Value, what: &str) -> &'a Value {
    let checks = why["checks"].as_array().unwrap();
    checks.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("no {what} in {why}"))
}

/// The blob of a digest.
fn blob(place: &Place, digest: &str) -> PathBuf {
    place.path("home/blobs/sha256").join(&digest[..2]).join(digest)
}

fn flip_last_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn why_names_everything_that_a_decision_stands_on() {
    let (place, case) = lived_in();
    let why = place.ok(&["why", &case]);
    assert_eq!((&why["verified"], &why["case"]), (&json!(true), &json!(case)));
    let names: Vec<&str> =
        why["checks"].as_array().unwrap().iter().map(|check| check["what"].as_str().unwrap()).collect();
    let all = ["record", "outcome", "replay", "model", "release", "policy", "promotion", "run", "data"];
    assert_eq!(names, all);
    let reasons = why["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty() && reasons.iter().all(|reason| reason["verified"] == true), "{why}");
    assert!(reasons.iter().any(|reason| reason["reference"].is_string()), "{why}");
    assert!(part(&why, "promotion")["found"].as_str().unwrap().contains("the second"), "{why}");
    let shown = text(&plainly(&place, &["why", &case], "").stdout);
    say(&shown);
    assert!(shown.contains("parts verify.") && shown.lines().count() <= 24, "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 200), "{shown}");
}

#[test]
fn why_ends_with_five_and_names_the_part_that_does_not_verify() {
    let (place, case) = lived_in();
    let parquet = place.ok(&["data", "list"])["datasets"][0]["parquet"].as_str().unwrap().to_string();
    let data = place.copy();
    flip_last_byte(&blob(&data, &parquet));
    let release = place.ok(&["model", "show", "loan-default@2"])["release"].as_str().unwrap().to_string();
    let released = place.copy();
    flip_last_byte(&blob(&released, &release));
    for (place, wrong) in [(&data, "data"), (&released, "release")] {
        let ended = place.run(&["why", &case]);
        assert_eq!(ended.code, 5, "{}", ended.json);
        assert_eq!(ended.json["verified"], false);
        assert_eq!(part(&ended.json, wrong)["verified"], false, "{}", ended.json);
        assert_eq!(part(&ended.json, "record")["verified"], true, "{}", ended.json);
        let shown = plainly(place, &["why", &case], "");
        assert_eq!(shown.status.code(), Some(5));
        assert!(text(&shown.stdout).contains("NOT OK"), "{}", text(&shown.stdout));
    }
}

#[test]
fn status_says_what_is_missing_and_ends_with_seven() {
    let place = Place::with_home();
    let ended: Ended = place.run(&["status"]);
    assert_eq!(ended.code, 7);
    assert_eq!((&ended.json["live"], &ended.json["ready"]), (&json!(true), &json!(false)));
    assert_eq!(ended.json["problem"]["code"], "health.no_model");
    assert_eq!(Place::with_model().ok(&["status"])["ready"], true);
}
