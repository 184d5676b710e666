//! The home with the real binary: who may hold it, what is refused when a part of it is lost, foreign or old, and
//! the commands on aliases, policies and batches that the straight line does not pass.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::flow_batch::child_of;
use crate::support::{Place, fixture};

fn message(error: &Value) -> &str {
    error["message"].as_str().unwrap()
}

#[test]
fn a_home_in_use_is_refused_and_names_its_holder() {
    let place = Place::with_model();
    let long = ["train", "project", "--set", "logistic.epochs=5000", "--set", "logistic.patience=5000"];
    let mut holder = place.command(&long).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while child_of(holder.id()).is_none() {
        assert!(Instant::now() < until, "no child was started");
        std::thread::yield_now();
    }
    let second = place.run(&["run", "list"]);
    let interrupted = Command::new("kill").args(["-INT", &holder.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert_eq!(holder.wait().unwrap().code(), Some(1));
    assert_eq!(second.code, 7, "{}", second.json);
    let error = &second.json["error"];
    assert_eq!(error["code"], "store.in_use");
    assert!(message(error).ends_with(&format!("process {}", holder.id())), "{error}");
    assert!(!error["next_step"].as_str().unwrap().is_empty());
    place.ok(&["run", "list"]);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_command_that_helps() {
    let place = Place::with_home();
    let key = place.path("home/keys/box.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = place.refused(6, &["model", "list"]);
    assert!(message(&error).contains("box.key") && message(&error).contains("0644"), "{error}");
    assert_eq!(error["next_step"], format!("Run: chmod 600 '{}'", key.display()));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    place.ok(&["model", "list"]);
}

#[test]
fn a_lost_key_is_named_and_never_made_anew() {
    let place = Place::with_model();
    let (key, aside) = (place.path("home/keys/box.key"), place.path("box.key"));
    fs::rename(&key, &aside).unwrap();
    for words in [["model", "list"], ["audit", "verify"]] {
        let error = place.refused(5, &words);
        assert!(message(&error).contains("box.key"), "{error}");
        assert!(error["next_step"].as_str().unwrap().contains("backup"), "{error}");
        assert!(!key.exists());
    }
    fs::rename(&aside, &key).unwrap();
    place.ok(&["audit", "verify"]);
}

#[test]
fn another_homes_store_is_refused() {
    let (place, other) = (Place::with_model(), Place::with_home());
    for name in ["lab.redb", "ledger.redb"] {
        let path = place.path("home").join(name);
        let own = fs::read(&path).unwrap();
        fs::copy(other.path("home").join(name), &path).unwrap();
        let error = place.refused(5, &["run", "list"]);
        assert!(message(&error).contains(name) && message(&error).contains("belongs to the home"), "{error}");
        place.refused(5, &["store", "check"]);
        fs::write(&path, own).unwrap();
    }
    place.ok(&["run", "list"]);
}

#[test]
fn another_homes_key_is_refused() {
    let (place, other) = (Place::with_model(), Place::with_home());
    fs::copy(other.path("home/keys/box.key"), place.path("home/keys/box.key")).unwrap();
    assert_eq!(place.refused(5, &["model", "list"])["code"], "home.other_key");
}

#[test]
fn a_home_without_its_home_json_is_named_and_not_made_anew() {
    let place = Place::with_model();
    let (file, aside) = (place.path("home/home.json"), place.path("home.json"));
    fs::rename(&file, &aside).unwrap();
    for words in [["model", "list"], ["store", "check"]] {
        let error = place.refused(5, &words);
        assert_eq!(error["code"], "store.incomplete");
        assert!(message(&error).contains("home.json"), "{error}");
    }
    assert_ne!(place.run(&["init"]).code, 0, "an init over the stores of a home");
    assert!(!file.exists());
    fs::rename(&aside, &file).unwrap();
    place.ok(&["audit", "verify"]);
}

#[test]
fn an_older_ledger_put_back_is_refused_as_rolled_back() {
    let place = Place::with_model();
    let path = place.path("home/ledger.redb");
    let older = fs::read(&path).unwrap();
    place.ok(&["model", "promote", "loan-default", "--to", "staging"]);
    let newer = fs::read(&path).unwrap();
    fs::write(&path, older).unwrap();
    let error = place.refused(5, &["model", "list"]);
    assert_eq!(error["code"], "store.rolled_back");
    assert!(message(&error).contains("ledger.redb"), "{error}");
    assert!(error["next_step"].as_str().unwrap().contains("ledger.head"), "{error}");
    let check = place.refused(5, &["store", "check"]);
    assert!(check["details"]["problems"].to_string().contains("store.rolled_back"), "{check}");
    fs::write(&path, newer).unwrap();
    place.ok(&["store", "check"]);
}

#[test]
fn a_signed_policy_is_listed_and_shown_by_the_beginning_of_its_digest() {
    let place = Place::with_model();
    let version = place.ok(&["model", "show", "loan-default@1"]);
    let digest = version["policy"].as_str().unwrap();
    let listed = place.ok(&["policy", "list"]);
    let policies = listed["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 1, "{listed}");
    assert_eq!((&policies[0]["digest"], &policies[0]["name"]), (&json!(digest), &json!("loan-default")));
    for wanted in [digest, &digest[..8]] {
        let shown = place.ok(&["policy", "show", wanted]);
        assert_eq!(shown["digest"], digest);
        assert_eq!(shown["policy"]["name"], "loan-default");
        let cutoff = shown["policy"]["cutoff"]["value"].as_f64().unwrap();
        assert!((0.0..1.0).contains(&cutoff), "{shown}");
        let bands = shown["policy"]["bands"].as_array().unwrap();
        let outcomes: Vec<&str> = bands.iter().map(|b| b["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["approve", "refer", "decline"]);
    }
    for unknown in ["0000000000", ""] {
        assert_eq!(place.refused(2, &["policy", "show", unknown])["code"], "policy.unknown");
    }
}

#[test]
fn a_batch_in_parquet_holds_the_rows_it_has_in_csv() {
    let place = Place::with_model();
    let input = fixture("loan-default/sample.csv");
    let csv = place.ok(&["batch", "loan-default", &input, "out"]);
    let parquet = place.ok(&["batch", "loan-default", &input, "out", "--format", "parquet"]);
    assert_ne!(csv["id"], parquet["id"], "another format is another batch");
    assert_eq!((&csv["scored"], &csv["quarantined"]), (&parquet["scored"], &parquet["quarantined"]));
    let folder = Path::new(parquet["folder"].as_str().unwrap());
    assert!(!folder.join("scores.csv").exists());
    let file = folder.join("scores.parquet");
    assert_eq!(&fs::read(&file).unwrap()[..4], b"PAR1");
    let profile = |path: &Path| place.ok(&["data", "profile", path.to_str().unwrap()]);
    let (left, right) =
        (profile(&Path::new(csv["folder"].as_str().unwrap()).join("scores.csv")), profile(&file));
    assert_eq!(right["rows"], parquet["scored"]);
    let margin = |profile: &Value| {
        let columns = profile["columns"].as_array().unwrap();
        let margin = columns.iter().find(|c| c["name"] == "margin").unwrap();
        margin["numbers"].clone()
    };
    assert_eq!(margin(&left), margin(&right));
    let again = place.ok(&["batch", "loan-default", &input, "out", "--format", "parquet"]);
    assert_eq!(again["reused"], true);
}

/// Promotes a version, or rolls back where none is named; answers what is in production then.
fn step(place: &Place, version: Option<u64>) -> u64 {
    let moved = match version {
        Some(n) => place.ok(&["model", "promote", &format!("loan-default@{n}"), "--to", "production"]),
        None => place.ok(&["model", "rollback", "loan-default"]),
    };
    let serving = place.ok(&["model", "show", "loan-default:production"])["version"].as_u64().unwrap();
    assert_eq!(moved["version"], serving, "what was said is what was done");
    serving
}

#[test]
fn each_rollback_undoes_the_promotion_before_and_promotions_may_follow() {
    let place = Place::with_three_versions();
    let steps = [(Some(2), 2), (Some(3), 3), (None, 2), (None, 1), (Some(3), 3), (None, 1)];
    for (at, (version, serving)) in steps.into_iter().enumerate() {
        assert_eq!(step(&place, version), serving, "step {at}");
    }
    assert_eq!(place.refused(2, &["model", "rollback", "loan-default"])["code"], "model.nothing_before");
    let history = place.ok(&["model", "history", "loan-default"]);
    let moves = history["moves"].as_array().unwrap();
    let pairs: Vec<(Option<u64>, u64)> =
        moves.iter().map(|m| (m["from"].as_u64(), m["to"].as_u64().unwrap())).collect();
    let told =
        [(None, 1), (Some(1), 2), (Some(2), 3), (Some(3), 2), (Some(2), 1), (Some(1), 3), (Some(3), 1)];
    assert_eq!(pairs, told);
    assert_eq!(place.log("kind").iter().filter(|k| *k == "alias_moved").count(), told.len());
}

#[test]
fn a_version_promoted_again_is_rolled_back_to_the_one_it_replaced() {
    let place = Place::with_three_versions();
    for version in [2, 1] {
        assert_eq!(step(&place, Some(version)), version);
    }
    assert_eq!(step(&place, None), 2, "1 was promoted over 2");
    assert_eq!(step(&place, None), 1, "2 was promoted over 1");
}

#[test]
fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let place = Place::with_three_versions();
    step(&place, Some(2));
    let state = || {
        let heads =
            ["ledger.head", "lab.head"].map(|name| fs::read(place.path("home/run").join(name)).unwrap());
        let history = place.ok(&["model", "history", "loan-default"]);
        (heads, place.log("kind"), history, place.ok(&["model", "list"]), place.ok(&["store", "check"]))
    };
    let before = state();
    let promote = ["model", "promote", "loan-default@3", "--to", "production", "--dry-run"];
    let promoted = place.ok(&promote);
    assert_eq!((&promoted["version"], &promoted["dry_run"]), (&json!(3), &json!(true)));
    assert_eq!(promoted["gate"]["rules"][0]["metric"], "auc", "{promoted}");
    let back = place.ok(&["model", "rollback", "loan-default", "--dry-run"]);
    assert_eq!((&back["version"], &back["dry_run"]), (&json!(1), &json!(true)));
    fs::write(place.path("strict.toml"), "[[gate]]\nmetric = \"auc\"\nmin = 0.99\n").unwrap();
    place.refused(4, &[&promote[..], &["--gates", "strict.toml"]].concat());
    assert_eq!(state(), before);
}
