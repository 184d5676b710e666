//! The black-box acceptance of `serve`, in its short form: the scripts of tests/acceptance, which know the server by
//! its ports and its log only. Their long form is `tests/run --acceptance`.

use std::path::Path;
use std::process::Command;

use crate::support::{binary, has_program, python, say};

/// Runs a script, which must find nothing wrong; says its figures only where it does.
fn accept(script: &str, words: &[&str]) {
    if !has_program(&python()) {
        say(&format!("SKIPPED: {script} needs python3"));
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance").join(script);
    let ended = Command::new(python()).arg(path).args(words).arg("--binary").arg(binary()).output().unwrap();
    let (told, noted) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{script} {words:?} ended with {}:\n{told}\n{noted}", ended.status);
    for line in noted.lines().filter(|line| line.contains("SKIPPED")) {
        say(line);
    }
}

#[test]
fn in_python_no_acknowledged_decision_is_lost_or_doubled_when_the_server_is_killed() {
    accept("kill_loop.py", &["--rounds", "5", "--acks", "60", "--receipts", "8"]);
}

#[test]
fn in_python_the_demo_keeps_what_its_answer_says() {
    accept("demo.py", &["--projects", "loan-approval", "--rows", "3000", "--plug"]);
}

#[test]
fn in_python_the_alias_moves_under_load_without_a_failed_answer() {
    accept("hot_swap.py", &["--seconds", "3", "--rate", "40", "--every-ms", "200", "--p99-ms-max", "20000"]);
}

#[test]
fn in_python_a_key_makes_one_record_however_often_and_at_once_it_is_sent() {
    accept("idempotency.py", &["--senders", "12", "--bursts", "4"]);
}

#[test]
fn in_python_every_malformed_request_is_refused_in_its_own_words() {
    accept("malformed.py", &["--passes", "3", "--growth-mb-max", "40"]);
}

#[test]
fn in_python_a_good_client_is_served_beside_bad_ones() {
    let words = ["--seconds", "3", "--idle", "200", "--heads", "30", "--bodies", "30", "--unread", "10"];
    // Beside other tests a latency says nothing; that no good request fails is looked at all the same.
    accept("slow_clients.py", &[&words[..], &["--floor-ms", "20000"]].concat());
}

#[test]
fn in_python_a_real_prometheus_gets_data_for_what_dashboard_and_rules_ask() {
    accept("metrics.py", &["--decisions", "160", "--seconds", "12"]);
}

/// A script that cannot fail proves nothing.
#[test]
fn in_python_the_scripts_fail_where_something_is_wrong() {
    if !has_program(&python()) {
        return;
    }
    let only: (_, &[&str]) = ("malformed.py", &["--passes", "1", "--only", "NaN"]);
    let demo: (_, &[&str]) = ("demo.py", &["--projects", "loan-approval", "--rows", "3000"]);
    for (script, words) in [only, ("idempotency.py", &["--bursts", "1"]), demo] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance").join(script);
        let mut command = Command::new(python());
        let ended =
            command.arg(path).args(words).arg("--prove").arg("--binary").arg(binary()).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{script}: {}", String::from_utf8_lossy(&ended.stderr));
    }
}
