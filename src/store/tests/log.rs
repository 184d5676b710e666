//! The tally log in the store: numbers, nodes, one checkpoint a commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::ledger::tree::{TreeHead, inclusion_proof, verify_inclusion};
use crate::store::error::StoreError;
use crate::store::home::Home;
use crate::store::lane::Urgency;
use crate::store::open::Store;
use crate::store::tests::{entry, list_checkpoints, new_home, open, stamp, version};

#[test]
fn records_are_numbered_from_zero_across_commits_and_proved_by_their_checkpoint() {
    let (_folder, path) = new_home();
    for round in 0..3i64 {
        let store = open(&path);
        for i in 0..5 {
            let write = move |ledger: &crate::store::views::LedgerWrite| {
                ledger.append_record(entry(&format!("run/{round}.{i}")), stamp(round))
            };
            assert_eq!(store.write_ledger(write).unwrap(), (round * 5 + i) as u64);
        }
    }
    let store = open(&path);
    let checkpoints = list_checkpoints(&store);
    store
        .read_ledger(|ledger| {
            assert_eq!(ledger.log_size()?, 15);
            let records = ledger.list_records(13, 99)?;
            assert_eq!(records.iter().map(|record| record.header().seq).collect::<Vec<u64>>(), [13, 14]);
            let (size, text) = checkpoints[6].clone();
            let head = TreeHead { size, root: ledger.log_root(size)? };
            assert_eq!((size, text), (7, format!("7 {}", head.root)));
            let record = ledger.find_record(6)?.unwrap();
            let proof = inclusion_proof(ledger, 6, 7).unwrap();
            verify_inclusion(&record.leaf_hash(), 6, &head, &proof).unwrap();
            assert_eq!(ledger.find_checkpoint_last()?.unwrap().0, 15);
            assert!(ledger.find_record(15)?.is_none() && checkpoints.len() == 15);
            Ok::<(), StoreError>(())
        })
        .unwrap();
}

#[test]
fn without_a_checkpoint_no_record_is_kept_and_other_writes_are_not_held_up() {
    let (_folder, path) = new_home();
    let refuse = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&refuse);
    let signer = move |size, root| match asked.load(Ordering::SeqCst) {
        true => Err("the key is gone".into()),
        false => Ok(format!("{size} {root}")),
    };
    let store = Store::open(Home::open(&path).unwrap(), Box::new(signer)).unwrap();
    let logged = store.submit_ledger(Urgency::Bulk, |ledger| ledger.append_record(entry("run/1"), stamp(1)));
    let other = store.submit_ledger(Urgency::Bulk, |ledger| ledger.put_version(&version("loans", 1)));
    assert!(matches!(logged.unwrap().wait(), Err(StoreError::Checkpoint { size: 1, .. })));
    other.unwrap().wait().unwrap();
    assert_eq!(store.read_ledger(|ledger| ledger.log_size()).unwrap(), 0);
    refuse.store(false, Ordering::SeqCst);
    assert_eq!(store.write_ledger(|ledger| ledger.append_record(entry("run/1"), stamp(1))).unwrap(), 0);
}
