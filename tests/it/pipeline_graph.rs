//! `pipeline` with the real binary: only what is stale runs and says why, a death anywhere is taken up again without
//! doing anything twice, what is damaged is made again, and the model is the one that `train` makes.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tallystick::base::limits;

use crate::support::{Ended, Place, fixture, replace_in, say};

/// The points of the executor; `fault_table` has those of commands on a home.
pub const POINTS: [&str; 4] =
    ["graph.after_keep", "graph.after_record", "graph.before_keep", "graph.before_record"];
const NODES: [&str; 9] =
    ["read", "validate", "guard", "split", "encode", "train", "evaluate", "draw", "pack"];

/// A project whose flow takes seconds, and rows beside it.
fn place() -> Place {
    let place = Place::empty();
    let train = place.project().join("train.toml");
    replace_in(&train, "epochs = 200", "epochs = 2\nmodels = 1");
    fs::copy(fixture("loan-default/sample.csv"), place.path("loans.csv")).unwrap();
    place
}

const RUN: [&str; 6] = ["pipeline", "run", "project", "--data", "loans.csv", "--only-stale"];
const RESUME: [&str; 6] = ["pipeline", "run", "project", "--data", "loans.csv", "--resume"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [&RUN[..], more].concat()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// The reason of one node in words.
fn why<'a>(answer: &'a Value, node: &str) -> &'a str {
    let nodes = answer["nodes"].as_array().unwrap();
    nodes.iter().find(|own| own["node"] == node).unwrap()["text"].as_str().unwrap()
}

fn state(place: &Place) -> PathBuf {
    place.path("project/.tallystick/pipeline")
}

/// Nodes that have a record, in the order in which they run.
fn done(place: &Place) -> Vec<&'static str> {
    let has = |node: &&str| state(place).join(format!("records/{node}.json")).exists();
    NODES.into_iter().filter(has).collect()
}

/// The interrupted run goes on: what had a record is not made again, the rest is, and the model is this one.
fn finish(place: &Place, model: &Value, how: &str) {
    let done = done(place);
    let ended = place.ok(&RESUME);
    assert_eq!(names(&ended["ran"]), NODES[done.len()..], "{how}: {ended}");
    for node in done {
        assert_eq!(why(&ended, node), "done by the interrupted run", "{how}");
    }
    assert_eq!(&ended["model"], model, "{how}");
    assert_eq!(place.refused(2, &RESUME)["code"], "graph.nothing_to_resume", "{how}");
    assert_eq!(fs::read_dir(state(place).join("work")).unwrap().count(), 0, "{how}");
}

#[test]
fn one_changed_value_runs_what_depends_on_it_and_the_list_says_why() {
    let place = place();
    let first = place.ok(&RUN);
    assert_eq!(names(&first["ran"]), NODES);
    assert_eq!(why(&first, "train"), "never run");
    assert_eq!(names(&place.ok(&RUN)["ran"]), [""; 0]);
    let decay = ["--params", "train.toml.logistic.weight_decay=0.5"];
    let plan = ["pipeline", "plan", "project", "--data", "loans.csv", "--only-stale"];
    let planned = place.ok(&[&plan[..], &decay].concat());
    let changed = ["encode", "train", "evaluate", "draw", "pack"];
    assert_eq!(names(&planned["run"]), changed);
    assert_eq!(why(&planned, "train").split(';').next(), Some("input encodable is made again by encode"));
    assert!(why(&planned, "train").contains("weight_decay: 1 -> 0.5"), "{planned}");
    assert_eq!(why(&planned, "split"), "nothing changed");
    let ran = place.ok(&with(&decay));
    assert_eq!(names(&ran["ran"]), changed);
    assert_ne!(ran["model"], first["model"]);
    // The policy's owner moves a cost: nothing is trained.
    replace_in(&place.path("project/policy.toml"), "missed_bad = 5.0", "missed_bad = 4.0");
    let ran = place.ok(&with(&decay));
    assert_eq!(names(&ran["ran"]), ["evaluate", "draw", "pack"]);
    assert_eq!(why(&ran, "evaluate"), "policy.toml cutoff.missed_bad: 5 -> 4");
    // Asked for without sparing anything, and only from there on.
    let all = ["pipeline", "run", "project", "--data", "loans.csv", "--from", "draw"];
    let ran = place.ok(&[&all[..], &decay].concat());
    assert_eq!(names(&ran["ran"]), ["draw", "pack"]);
    assert_eq!(why(&ran, "draw"), "asked for; nothing changed");
    assert_eq!(why(&ran, "read"), "not selected");
}

/// A person reads the reasons and the times; nothing of it lands in the project's history.
#[test]
fn people_read_each_nodes_reason_and_time_and_the_state_ignores_itself() {
    let place = place();
    let words = ["pipeline", "run", "project", "--data", "loans.csv", "--tags", "data"];
    let output = place.command_of_people(&words).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(out.lines().next().unwrap().starts_with("> read ") && out.contains("never run"), "{out}");
    assert!(out.contains("- train") && out.contains("4 of 9 nodes ran, "), "{out}");
    assert!(!out.contains("candidate"), "nothing was packed: {out}");
    assert!(err.contains("> read: never run") && err.contains("  read: done in "), "{err}");
    assert_eq!(fs::read_to_string(state(&place).join(".gitignore")).unwrap(), "*\n");
    place.ok(&["project", "check", "project"]);
    let status = place.ok(&["pipeline", "status", "project"]);
    assert_eq!(status["nodes"][0]["kept"], "whole");
    assert_eq!(names(&status["stale"]), NODES[4..]);
    assert!(status["bytes"].as_u64().unwrap() > 10_000 && status["interrupted"].is_null());
}

#[test]
fn the_model_is_the_one_that_train_makes_and_the_copy_is_the_candidate() {
    let place = Place::with_home();
    place.project();
    fs::copy(fixture("loan-default/sample.csv"), place.path("loans.csv")).unwrap();
    for family in ["family=scorecard", "family=logistic"] {
        let more = ["--set", family, "--set", "logistic.epochs=2"];
        let trained = place.ok(&[&["train", "project", "--data", "loans.csv"], &more[..]].concat());
        let more = ["--params", family, "--params", "train.toml.logistic.epochs=2", "--out", family];
        let ran = place.ok(&[&RUN[..], &more].concat());
        assert_eq!(ran["model"]["digest"], trained["model"]["digest"], "{family}");
        assert_eq!(ran["metrics"]["auc"], trained["metrics"]["auc"], "{family}");
        let model = fs::read(place.path(family).join(ran["model"]["digest"].as_str().unwrap()));
        assert!(!model.unwrap().is_empty() && place.path(family).join("contents.json").exists());
        let again = place.refused(2, &[&RUN[..], &["--out", family]].concat());
        assert_eq!(again["code"], "file.exists");
    }
}

#[test]
fn a_run_that_dies_in_its_third_node_is_finished_without_the_first_two() {
    let (clean, place) = (place(), place());
    let model = clean.ok(&RUN)["model"].clone();
    let died = place.command(&RUN).env("TALLYSTICK_FAULT", "graph.before_record:3").output().unwrap();
    assert_eq!(Ended::of(died).code, -1);
    assert_eq!(done(&place), ["read", "validate"]);
    let status = place.ok(&["pipeline", "status", "project"]);
    assert_eq!(status["interrupted"]["wanted"]["only_stale"], json!(true));
    finish(&place, &model, "in the third node");
}

/// A resumed run takes up what was asked, also where it spared nothing and changed a parameter.
#[test]
fn a_death_at_every_point_of_the_executor_is_taken_up_as_it_was_asked_for() {
    let asked = ["pipeline", "run", "project", "--data", "loans.csv", "--params", "family=scorecard"];
    let clean = place();
    let model = clean.ok(&asked)["model"].clone();
    for point in POINTS {
        for passage in [1, 4, 8] {
            let (place, fault) = (place(), format!("{point}:{passage}"));
            let died = place.command(&asked).env("TALLYSTICK_FAULT", &fault).output().unwrap();
            assert_eq!(Ended::of(died).code, -1, "{fault}");
            finish(&place, &model, &fault);
        }
    }
}

/// Kills a run so long after its beginning; answers whether that was before its end.
fn killed_after(place: &Place, wait: Duration) -> bool {
    let mut child = place.command(&RUN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// What a run says, and how long it took.
fn timed(place: &Place) -> (Value, Duration) {
    let begun = Instant::now();
    (place.ok(&RUN), begun.elapsed())
}

/// Moments all over a run's time, by a fixed sequence; which step each hits is up to the machine, and so is how long a
/// run takes: each kill that misses has it measured again.
fn kill_at_moments(count: u32) {
    let (clean, mut whole) = timed(&self::place());
    let model = clean["model"].clone();
    let (mut begins, mut ends) = (0, 0);
    for number in 0..count {
        let place = place();
        let share = f64::from((number * 617 + 211) % 1_000) / 1_000.0;
        let how = format!("killed after {share:.3} of {whole:?}");
        if !killed_after(&place, whole.mul_f64(share)) {
            ends += 1;
            whole = timed(&self::place()).1;
        } else if state(&place).join("run.json").exists() {
            finish(&place, &model, &how);
        } else {
            // Before the run was written down, or after its end: the next one is whole in any case.
            begins += 1;
            let (ended, took) = timed(&place);
            assert_eq!(ended["model"], model, "{how}");
            if names(&ended["ran"]) == NODES {
                whole = took;
            }
        }
    }
    let within = count - begins - ends;
    say(&format!(
        "{count} kills: {within} within a run, {begins} outside of its record, {ends} after its end"
    ));
    assert!(within * 2 >= count, "most of the kills must hit a run: {within} of {count}");
}

#[test]
fn a_run_killed_at_twenty_moments_ends_in_the_same_model() {
    kill_at_moments(20);
}

#[test]
#[ignore = "the long form: fifty kills"]
fn a_run_killed_at_fifty_moments_ends_in_the_same_model() {
    kill_at_moments(50);
}

/// Ctrl-C is a polite end: exit 1, how to go on, and going on. The run is held still while the signal is sent.
#[test]
fn a_cancelled_run_says_how_to_go_on() {
    let (clean, place) = (place(), place());
    let model = clean.ok(&RUN)["model"].clone();
    let child = place.command(&RUN).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (read, begun) = (state(&place).join("records/read.json"), Instant::now());
    while !read.exists() {
        assert!(begun.elapsed() < Duration::from_secs(120), "no node was done");
        std::thread::yield_now();
    }
    for signal in [Signal::STOP, Signal::INT, Signal::CONT] {
        kill_process(Pid::from_child(&child), signal).unwrap();
    }
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, &ended.json["error"]["code"]), (1, &json!("cancelled")), "{}", ended.json);
    let step = ended.json["error"]["next_step"].as_str().unwrap();
    assert!(step.contains("`tallystick pipeline run project --data loans.csv --resume`"), "{step}");
    finish(&place, &model, "cancelled");
}

/// Two runs in one folder would take each other's work away.
#[test]
fn a_state_that_another_has_is_waited_for_and_then_refused() {
    let place = place();
    place.ok(&RUN);
    let lock = fs::File::open(state(&place).join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let begun = Instant::now();
    assert_eq!(place.refused(7, &RUN)["code"], "graph.busy");
    assert!(begun.elapsed() >= Duration::from_millis(limits::GRAPH_WAIT_MS));
    drop(lock);
    place.ok(&RUN);
}

#[test]
fn a_damaged_artifact_is_found_and_its_node_runs_again() {
    let place = place();
    let first = place.ok(&RUN);
    let nodes = first["nodes"].as_array().unwrap();
    let split = nodes.iter().find(|node| node["node"] == "split").unwrap();
    let kept = state(&place).join("kept").join(split["outputs"]["parts"].as_str().unwrap());
    let mut bytes = fs::read(&kept).unwrap();
    bytes[17] ^= 1;
    fs::write(&kept, bytes).unwrap();
    let status = place.ok(&["pipeline", "status", "project"]);
    let split = status["nodes"].as_array().unwrap().iter().find(|node| node["node"] == "split").unwrap();
    assert_eq!(split["kept"], "damaged");
    let svg = place.command_of_people(&["pipeline", "viz", "project"]).output().unwrap();
    assert!(String::from_utf8(svg.stdout).unwrap().contains("! split"));
    let second = place.ok(&RUN);
    // It comes out as before, so that nothing behind it has to run.
    assert_eq!(names(&second["ran"]), ["split"]);
    assert!(why(&second, "split").contains("its output parts is damaged"));
    assert_eq!(second["model"], first["model"]);
}

#[test]
fn what_is_unknown_is_refused_with_what_was_meant_and_makes_no_folder() {
    let place = place();
    let error = place.refused(2, &with(&["--from", "trian"]));
    assert_eq!(error["code"], "graph.unknown");
    assert!(error["message"].as_str().unwrap().contains("did you mean \"train\"?"), "{error}");
    assert_eq!(place.refused(2, &with(&["--tags", "modle"]))["code"], "graph.unknown");
    assert_eq!(place.refused(2, &with(&["--resume"]))["code"], "usage");
    assert_eq!(place.refused(2, &with(&["--params", "recipe.toml.x=1"]))["code"], "usage");
    assert_eq!(
        place.refused(2, &with(&["--params", "train.toml.sead=1"]))["code"],
        "train_params.unknown_key"
    );
    assert_eq!(place.refused(2, &RESUME)["code"], "graph.nothing_to_resume");
    let error = place.refused(2, &with(&["--to", "train", "--out", "candidate"]));
    assert_eq!(error["code"], "pipeline.no_candidate");
    let error = place.refused(2, &["pipeline", "viz", "project", "-o", "flow.png"]);
    assert_eq!(error["code"], "pipeline.picture_form");
    let missing = ["pipeline", "run", "project", "--data", "none.csv"];
    assert!(place.refused(2, &missing)["message"].as_str().unwrap().contains("none.csv"));
    place.ok(&["pipeline", "status", "project"]);
    place.ok(&["pipeline", "plan", "project", "--data", "loans.csv"]);
    assert!(!place.path("project/.tallystick").exists(), "a refused run and a look make nothing");
    // A folder that is somebody's own is left alone.
    let error = place.refused(2, &with(&["--state", "."]));
    assert_eq!(error["code"], "pipeline.foreign_folder");
    let error = place.refused(2, &with(&["--from", "train"]));
    assert_eq!(error["code"], "graph.not_made");
    replace_in(&place.path("loans.csv"), "24225,60 months", "24225,banana");
    assert_eq!(place.run(&RUN).code, 3, "bad data keeps its exit code");
}

#[test]
fn the_picture_is_drawn_without_a_server_and_loads_nothing() {
    let place = place();
    place.ok(&["pipeline", "viz", "project", "-o", "before.svg"]);
    place.ok(&RUN);
    replace_in(&place.path("project/policy.toml"), "missed_bad = 5.0", "missed_bad = 4.0");
    let drawn = place.ok(&["pipeline", "viz", "project", "-o", "flow.svg"]);
    assert!(
        drawn["edges"]
            .as_array()
            .unwrap()
            .contains(&json!({"from": "train", "to": "evaluate", "artifacts": ["fitted"]}))
    );
    place.ok(&["pipeline", "viz", "project", "-o", "flow.html", "--data", "loans.csv"]);
    for name in ["before.svg", "flow.svg", "flow.html"] {
        let text = fs::read_to_string(place.path(name)).unwrap();
        for node in NODES {
            assert!(text.contains(&format!(">{node}<")), "{name} has no {node}");
        }
        let outside = text.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !outside.contains("http:")
                && !outside.contains("https:")
                && !text.contains("<script")
                && !text.contains("url(http"),
            "{name}"
        );
    }
    let before = fs::read_to_string(place.path("before.svg")).unwrap();
    let after = fs::read_to_string(place.path("flow.svg")).unwrap();
    assert!(before.contains("9 nodes are to run") && after.contains("3 nodes are to run, 6 nodes are kept"));
    let page = fs::read_to_string(place.path("flow.html")).unwrap();
    assert!(page.contains("policy.toml cutoff.missed_bad: 5 -&gt; 4"), "{page}");
}
