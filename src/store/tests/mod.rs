//! Tests of the store as a whole, and the small home they share.

mod answers;
mod approvals;
mod bank;
mod crash;
mod damage;
mod disk;
mod group;
mod lane;
mod log;
mod rows;
mod schema;

use std::path::{Path, PathBuf};

use crate::base::clock::{Stamp, TimeQuality};
use crate::base::digest::Digest;
use crate::ledger::leaf::{Entry, Kind};
use crate::security::actor::{Actor, Role};
use crate::store::home::Home;
use crate::store::open::Store;
use crate::store::rows::registry::VersionRow;
use crate::store::views::log::CheckpointSigner;

fn signer() -> CheckpointSigner {
    Box::new(|size, root| Ok(format!("{size} {root}")))
}

fn new_home() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("home");
    drop(Home::create(&path, 1_000).unwrap());
    (folder, path)
}

fn open(path: &Path) -> Store {
    Store::open(Home::open(path).unwrap(), signer()).unwrap()
}

fn stamp(millis: i64) -> Stamp {
    Stamp { wall: jiff::Timestamp::from_millisecond(millis).unwrap(), quality: TimeQuality::Simulated }
}

fn entry(subject: &str) -> Entry {
    let actor = Actor::new("anna", Role::Analyst).unwrap();
    Entry { kind: Kind::DataImported, actor, subject: subject.to_string(), body: subject.as_bytes().to_vec() }
}

fn version(name: &str, version: u64) -> VersionRow {
    VersionRow {
        name: name.to_string(),
        version,
        model: Digest::of(format!("model {name} {version}").as_bytes()),
        release: Digest::of(format!("release {name} {version}").as_bytes()),
        policy: Digest::of(b"policy"),
        evaluation: Digest::of(b"evaluation"),
        run_id: "0123456789abcdef0123456789abcdef".to_string(),
        created_ms: 1_000,
        label: "1.0.0".to_string(),
    }
}

/// A copy of a home as it is now, as a crash at this moment would leave it.
fn copy_home(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_home(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

fn list_versions(store: &Store) -> Vec<VersionRow> {
    let mut versions = Vec::new();
    let read = store.read_ledger(|ledger| {
        ledger.each_version(&mut |row| {
            versions.push(row);
            Ok(())
        })
    });
    read.unwrap();
    versions
}

fn list_checkpoints(store: &Store) -> Vec<(u64, String)> {
    let mut checkpoints = Vec::new();
    let read = store.read_ledger(|ledger| {
        ledger.each_checkpoint(&mut |size, text| {
            checkpoints.push((size, text));
            Ok(())
        })
    });
    read.unwrap();
    checkpoints
}
