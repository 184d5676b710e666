//! Batches with the real binary: whole or absent, resumable, equal whatever happened on the way.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Place, fixture, say};

fn sample() -> String {
    fixture("loan-default/sample.csv")
}

/// How often a batch or a training is killed; the full count is for a person's walk.
pub fn kill_rounds() -> usize {
    std::env::var("TALLYSTICK_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(4)
}

fn read_scores(batch: &Value) -> Vec<u8> {
    fs::read(Path::new(batch["folder"].as_str().unwrap()).join("scores.csv")).unwrap()
}

#[test]
fn a_batch_scores_every_row_and_points_to_the_latest() {
    let place = Place::with_model();
    let batch = place.ok(&["batch", "loan-default", &sample(), "out"]);
    let rows = fs::read_to_string(sample()).unwrap().lines().count() as u64 - 1;
    assert_eq!(batch["scored"].as_u64().unwrap() + batch["quarantined"].as_u64().unwrap(), rows);
    let text = String::from_utf8(read_scores(&batch)).unwrap();
    assert_eq!(text.lines().count() as u64 - 1, batch["scored"].as_u64().unwrap());
    let latest = fs::read_link(place.path("out/latest")).unwrap();
    assert_eq!(latest, PathBuf::from(batch["id"].as_str().unwrap()));
    let again = place.ok(&["batch", "loan-default", &sample(), "out"]);
    assert_eq!(again["reused"], true, "{again}");
}

#[test]
fn scores_are_bit_equal_at_batch_sizes_1_7_and_1000() {
    let place = Place::with_model();
    let lines: Vec<String> =
        fs::read_to_string(sample()).unwrap().lines().take(1201).map(str::to_string).collect();
    fs::write(place.path("in.csv"), lines.join("\n")).unwrap();
    let scores: Vec<Vec<u8>> = ["1", "7", "1000"]
        .into_iter()
        .map(|n| {
            read_scores(&place.ok(&[
                "batch",
                "loan-default",
                "in.csv",
                &format!("out{n}"),
                "--chunk-rows",
                n,
            ]))
        })
        .collect();
    assert!(scores[0].len() > 1000);
    assert!(scores.iter().all(|s| *s == scores[0]));
}

#[test]
fn a_row_scored_alone_has_the_margin_it_has_in_a_batch() {
    let place = Place::with_model();
    let batch = place.ok(&["batch", "loan-default", &sample(), "out"]);
    let text = String::from_utf8(read_scores(&batch)).unwrap();
    let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let at = head.iter().position(|c| *c == "margin").unwrap();
    for number in [1usize, 250, 2000] {
        let in_batch: f64 = text.lines().nth(number).unwrap().split(',').nth(at).unwrap().parse().unwrap();
        let shown = place.ok(&["data", "row", "project", &sample(), &number.to_string()]);
        fs::write(place.path("row.json"), shown["row"].to_string()).unwrap();
        let alone = place.ok(&["predict", "loan-default", "--row", "row.json"]);
        assert_eq!(alone["margin"].as_f64().unwrap().to_bits(), in_batch.to_bits(), "row {number}");
    }
}

#[test]
fn rows_that_break_the_contract_are_set_aside_with_their_reason() {
    let place = Place::with_model();
    let text = fs::read_to_string(sample()).unwrap();
    let mut lines: Vec<String> = text.lines().take(1001).map(str::to_string).collect();
    let at = lines[0].split(',').position(|c| c == "annual_inc").unwrap();
    for number in [3, 99, 500, 501, 700, 998, 1000] {
        let mut cells: Vec<&str> = lines[number].split(',').collect();
        cells[at] = "plenty";
        lines[number] = cells.join(",");
    }
    fs::write(place.path("in.csv"), lines.join("\n")).unwrap();
    let batch = place.ok(&["batch", "loan-default", "in.csv", "out"]);
    assert_eq!((batch["scored"].as_u64(), batch["quarantined"].as_u64()), (Some(993), Some(7)));
    let aside =
        fs::read_to_string(Path::new(batch["folder"].as_str().unwrap()).join("quarantine.csv")).unwrap();
    assert!(aside.matches("plenty").count() >= 7, "{aside}");
    assert!(aside.contains("annual_inc") && aside.contains("type"), "{aside}");
}

/// A long enough input that a kill lands in the middle.
fn large_input(place: &Place) -> PathBuf {
    let path = place.path("large.csv");
    place.ok(&["demo", "data", "--rows", "6000", "--seed", "5", "--out", path.to_str().unwrap()]);
    path
}

/// Everything below a folder that a reader could take for a result.
fn visible(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|n| !n.starts_with('.'));
    names.sort();
    names
}

#[test]
fn a_batch_killed_anywhere_resumes_to_the_same_bytes() {
    let place = Place::with_model();
    let input = large_input(&place);
    let input = input.to_str().unwrap();
    let started = Instant::now();
    let whole = place.ok(&["batch", "loan-default", input, "whole", "--chunk-rows", "50"]);
    let length = started.elapsed();
    let expected = read_scores(&whole);
    let mut resumed = 0;
    for round in 0..kill_rounds() {
        let out = format!("out{round}");
        let share = (round as f64 + 0.5) / kill_rounds() as f64;
        let mut child = place
            .command(&["batch", "loan-default", input, &out, "--chunk-rows", "50"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs_f64(length.as_secs_f64() * share);
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
        let seen = visible(&place.path(&out));
        let finished = place.path(&out).join(whole["id"].as_str().unwrap());
        assert!(seen.len() <= 2 && seen.iter().all(|n| n == "latest" || finished.ends_with(n)), "{seen:?}");
        let ended = place.ok(&["batch", "loan-default", input, &out, "--chunk-rows", "50"]);
        resumed += usize::from(ended["resumed_at"].as_u64().unwrap_or(0) > 0);
        assert_eq!(read_scores(&ended), expected, "round {round}");
        assert_eq!(ended["scores_digest"], whole["scores_digest"]);
    }
    assert!(resumed > 0, "no kill landed in the middle of a batch");
}

#[test]
fn a_training_killed_anywhere_is_a_failed_run_and_the_next_one_gives_the_same_model() {
    let place = Place::with_home();
    place.project();
    place.ok(&["data", "import", "project", &sample()]);
    let started = Instant::now();
    let expected = place.ok(&["train", "project"])["model"]["digest"].clone();
    let length = started.elapsed();
    let (mut ended_early, rounds) = (0, kill_rounds());
    for round in 0..rounds {
        let fresh = Place::with_home();
        fresh.project();
        fresh.ok(&["data", "import", "project", &sample()]);
        let share = (round as f64 + 0.5) / rounds as f64;
        ended_early += usize::from(kill_a_training(&fresh, length.mul_f64(share), round % 2 == 1));
        let runs = fresh.ok(&["run", "list"]);
        let runs = runs["runs"].as_array().unwrap();
        assert!(runs.iter().all(|r| ["FAILED", "FINISHED"].contains(&r["info"]["status"].as_str().unwrap())));
        let models = fresh.ok(&["model", "list"])["models"].as_array().unwrap().len();
        let finished = runs.iter().filter(|r| r["info"]["status"] == "FINISHED").count();
        assert_eq!(models, finished, "a version is there exactly if its run is finished");
        assert_eq!(fresh.ok(&["train", "project"])["model"]["digest"], expected);
        assert_eq!(fresh.ok(&["store", "check"])["problems"], Value::Array(vec![]));
        fresh.ok(&["audit", "verify"]);
        let staged = fs::read_dir(fresh.path("home/staging")).unwrap().count();
        assert_eq!(staged, 0, "nothing half-written stays");
    }
    say(&format!("{ended_early} of {rounds} trainings died before they were finished"));
    assert!(ended_early > 0, "no kill landed in the middle of a training");
}

/// Kills the child alone, or the parent as a power cut would; true if a run was left unfinished.
fn kill_a_training(place: &Place, after: Duration, only_the_child: bool) -> bool {
    let mut parent = place.command(&["train", "project"]).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + after;
    while Instant::now() < until && parent.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    match child_of(parent.id()) {
        Some(child) if only_the_child => kill_by_id(child),
        _ => drop(parent.kill()),
    }
    !parent.wait().unwrap().success()
}

/// The child that a training has started, once it is there.
pub fn child_of(parent: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

fn kill_by_id(id: u32) {
    let _ = std::process::Command::new("kill").args(["-9", &id.to_string()]).status();
}

#[test]
fn ctrl_c_cancels_a_training_and_the_run_says_so() {
    let place = Place::with_home();
    place.project();
    place.ok(&["data", "import", "project", &sample()]);
    let long = ["train", "project", "--set", "logistic.epochs=5000", "--set", "logistic.patience=5000"];
    let mut parent = place.command(&long).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while child_of(parent.id()).is_none() {
        assert!(Instant::now() < until, "no child was started");
        std::thread::yield_now();
    }
    let interrupted = std::process::Command::new("kill").args(["-INT", &parent.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert_eq!(parent.wait().unwrap().code(), Some(1));
    let runs = place.ok(&["run", "list"]);
    assert_eq!(runs["runs"][0]["info"]["status"], "KILLED", "{runs}");
    assert_eq!(place.ok(&["model", "list"])["models"], Value::Array(vec![]));
}
