//! Damage that is aimed: rolled-back and foreign files, torn writes, bad values, lost blobs.
//! The untargeted sweep over single bytes is an integration test.

use std::collections::BTreeSet;

use redb::TableDefinition;

use crate::base::digest::Digest;
use crate::base::rng::Random;
use crate::store::check::check_home;
use crate::store::error::StoreError;
use crate::store::home::Home;
use crate::store::open::Store;
use crate::store::rows::meta::COMMITS;
use crate::store::rows::registry::VersionRow;
use crate::store::tests::{copy_home, entry, list_versions, new_home, open, signer, stamp, version};
use crate::store::views::Rows;

fn open_error(path: &std::path::Path) -> StoreError {
    Store::open(Home::open(path).unwrap(), signer()).err().unwrap()
}

/// Models that name no blobs.
fn no_inner(_: &[u8]) -> Result<Vec<Digest>, String> {
    Ok(Vec::new())
}

#[test]
fn an_older_copy_of_a_store_put_back_is_noticed() {
    let (_folder, path) = new_home();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 1))).unwrap();
    drop(store);
    let old = std::fs::read(path.join("ledger.redb")).unwrap();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 2))).unwrap();
    drop(store);
    std::fs::write(path.join("ledger.redb"), old).unwrap();
    for _ in 0..2 {
        let error = open_error(&path);
        assert!(
            matches!(error, StoreError::RolledBack { found, witnessed, .. } if found + 1 == witnessed),
            "{error}"
        );
    }
    assert!(check_home(&path, &no_inner).unwrap().found > 0);
    std::fs::remove_file(path.join("run/ledger.head")).unwrap();
    assert_eq!(open(&path).read_ledger(|ledger| ledger.next_version("loans")).unwrap(), 2);
}

#[test]
fn a_flipped_slot_bit_after_a_crash_cannot_hide_the_last_commit() {
    let (folder, path) = new_home();
    let store = open(&path);
    for number in 1..=3 {
        store.write_ledger(move |ledger| ledger.put_version(&version("loans", number))).unwrap();
    }
    // The witness is written a moment after the last of several.
    let commits = store.read_ledger(|ledger| ledger.0.read_meta_number(COMMITS)).unwrap();
    let witnessed = || std::fs::read_to_string(path.join("run/ledger.head")).unwrap();
    while !witnessed().contains(&format!("\"commits\":{commits}")) {
        std::thread::yield_now();
    }
    let crashed = folder.path().join("crashed");
    copy_home(&path, &crashed);
    let file = crashed.join("ledger.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[9] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = open_error(&crashed);
    assert!(error.is_corrupt(), "{error}");
}

#[test]
fn a_store_file_of_another_home_is_refused() {
    let (_a, first) = new_home();
    let (_b, second) = new_home();
    std::fs::copy(first.join("lab.redb"), second.join("lab.redb")).unwrap();
    let error = open_error(&second);
    assert!(error.is_corrupt() && error.to_string().contains("belongs to the home"), "{error}");
}

#[test]
fn a_crash_keeps_what_was_answered_whatever_half_of_the_next_commit_reached_the_disk() {
    let (folder, path) = new_home();
    let store = open(&path);
    for number in 1..=20 {
        store.write_ledger(move |ledger| ledger.put_version(&version("loans", number))).unwrap();
    }
    let before = std::fs::read(path.join("ledger.redb")).unwrap();
    let crashed = folder.path().join("crashed");
    copy_home(&path, &crashed);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 21))).unwrap();
    let after = std::fs::read(path.join("ledger.redb")).unwrap();
    assert_eq!(before.len(), after.len());
    let mut random = Random::new(5, "torn writes");
    for _ in 0..30 {
        // Any of the commit's pages may have reached the disk, its header not yet.
        let mut torn = before.clone();
        for page in 1..before.len() / 4096 {
            if random.below(2) == 1 {
                let range = page * 4096..(page + 1) * 4096;
                torn[range.clone()].copy_from_slice(&after[range]);
            }
        }
        std::fs::write(crashed.join("ledger.redb"), &torn).unwrap();
        let found = list_versions(&open(&crashed));
        assert_eq!(found, (1..=20).map(|number| version("loans", number)).collect::<Vec<VersionRow>>());
    }
}

#[test]
fn a_value_changed_in_a_whole_file_is_corrupt_and_not_absent() {
    let (_folder, path) = new_home();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 1))).unwrap();
    drop(store);
    let database = redb::Database::open(path.join("ledger.redb")).unwrap();
    let table: TableDefinition<&[u8], &[u8]> = TableDefinition::new("versions");
    let write = database.begin_write().unwrap();
    write
        .open_table(table)
        .unwrap()
        .insert(&VersionRow::key_of("loans", 1)[..], &b"\x01{}0123456789abcdef"[..])
        .unwrap();
    let stranger: TableDefinition<&[u8], &[u8]> = TableDefinition::new("stranger");
    write.open_table(stranger).unwrap();
    write.commit().unwrap();
    drop(database);
    let store = open(&path);
    let error = store.read_ledger(|ledger| ledger.find_version("loans", 1)).unwrap_err();
    assert!(
        matches!(&error, StoreError::Corrupt { table, key, .. } if table == "versions" && key.starts_with("loans"))
    );
    assert!(store.write_ledger(|ledger| ledger.put_version(&version("loans", 2))).unwrap_err().is_corrupt());
    drop(store);
    let report = check_home(&path, &no_inner).unwrap();
    let texts: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(
        texts.iter().any(|text| text.contains("stranger")) && texts.iter().any(|text| text.contains("tag")),
        "{texts:?}"
    );
}

#[test]
fn a_check_finds_lost_and_damaged_blobs_and_a_sound_home_has_no_finding() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let (model, release) = (store.blobs().put(b"model").unwrap(), store.blobs().put(b"release").unwrap());
    let (policy, evaluation) =
        (store.blobs().put(b"policy").unwrap(), store.blobs().put(b"evaluation").unwrap());
    let row = VersionRow { model, release, policy, evaluation, ..version("loans", 1) };
    store
        .write_ledger(move |ledger| {
            ledger.append_record(entry("model/loans@1"), stamp(1))?;
            ledger.put_version(&row)
        })
        .unwrap();
    drop(store);
    let report = check_home(&path, &no_inner).unwrap();
    assert!(report.found == 0 && report.blobs == 4 && report.rows >= 9, "{report:?}");
    let place = |hex: String| path.join("blobs/sha256").join(&hex[..2]).join(hex);
    std::fs::write(place(model.to_hex()), b"m0del").unwrap();
    std::fs::remove_file(place(release.to_hex())).unwrap();
    let report = check_home(&path, &no_inner).unwrap();
    let named: BTreeSet<String> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(report.found, 2, "{named:?}");
    assert!(named.iter().any(|text| text.contains(&model.to_hex()) && text.contains("damaged")));
    assert!(named.iter().any(|text| text.contains(&release.to_hex()) && text.contains("not exist")));
}

#[test]
fn a_check_misses_what_a_manifest_names_and_names_a_manifest_that_cannot_be_read() {
    // The weights of a registered model were gone, and the check called the home sound.
    let (_folder, path) = new_home();
    let store = open(&path);
    let [model, other, release, policy, evaluation, weights] =
        ["model", "other", "release", "policy", "evaluation", "weights"]
            .map(|text| store.blobs().put(text.as_bytes()).unwrap());
    let row =
        move |model, number| VersionRow { model, release, policy, evaluation, ..version("loans", number) };
    store.write_ledger(move |ledger| ledger.put_version(&row(model, 1))).unwrap();
    store.write_ledger(move |ledger| ledger.put_version(&row(other, 2))).unwrap();
    drop(store);
    let expand = |bytes: &[u8]| match bytes {
        b"model" => Ok(vec![weights]),
        _ => Err("it is no manifest".to_string()),
    };
    let texts = || {
        let report = check_home(&path, &expand).unwrap();
        report.findings.iter().map(ToString::to_string).collect::<Vec<String>>()
    };
    let found = texts();
    assert!(found.len() == 1 && found[0].contains(&other.to_hex()) && found[0].contains("no manifest"));
    let hex = weights.to_hex();
    std::fs::remove_file(path.join("blobs/sha256").join(&hex[..2]).join(&hex)).unwrap();
    let found = texts();
    assert!(found.len() == 2 && found[1].contains(&hex) && found[1].contains("not exist"), "{found:?}");
}

#[test]
fn a_stray_file_among_the_blobs_is_one_finding_and_the_check_goes_on() {
    let (_folder, path) = new_home();
    drop(open(&path));
    std::fs::write(path.join("blobs/notes.txt"), b"x").unwrap();
    let report = check_home(&path, &no_inner).unwrap();
    assert!(report.found == 1 && report.findings[0].to_string().contains("blobs/notes.txt"), "{report:?}");
}
