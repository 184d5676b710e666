//! The writer lane: groups, order, neighbours, refusals.

mod journal;
mod restart;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::lane::{Pending, Urgency};
use crate::store::open::Store;
use crate::store::tests::{entry, list_checkpoints, list_versions, new_home, open, stamp, version};

/// Holds the ledger's writer inside a write, so that what follows is queued behind it.
fn hold(store: &Store) -> (Sender<()>, Pending<(), StoreError>) {
    let (entered, inside) = channel();
    let (release, held): (Sender<()>, Receiver<()>) = channel();
    let pending = store.submit_ledger(Urgency::Decision, move |_| {
        let _ = entered.send(());
        let _ = held.recv();
        Ok::<(), StoreError>(())
    });
    inside.recv().unwrap();
    (release, pending.unwrap())
}

#[test]
fn a_hundred_queued_writes_need_one_commit() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let (release, held) = hold(&store);
    let queued: Vec<Pending<u64, StoreError>> = (0..100)
        .map(|i| {
            let write = move |ledger: &crate::store::views::LedgerWrite| {
                ledger.append_record(entry(&format!("run/{i}")), stamp(i))
            };
            store.submit_ledger(Urgency::Bulk, write).unwrap()
        })
        .collect();
    release.send(()).unwrap();
    held.wait().unwrap();
    let seqs: Vec<u64> = queued.into_iter().map(|pending| pending.wait().unwrap()).collect();
    assert_eq!(seqs, (0..100).collect::<Vec<u64>>());
    let checkpoints = list_checkpoints(&store);
    assert_eq!(checkpoints.len(), 1, "each commit that logs has its checkpoint");
    assert_eq!(checkpoints[0].0, 100);
}

#[test]
fn decisions_overtake_bulk_writes() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (release, held) = hold(&store);
    let write = |urgency, name: &'static str| {
        let order = Arc::clone(&order);
        store.submit_ledger(urgency, move |_| {
            order.lock().unwrap().push(name);
            Ok::<(), StoreError>(())
        })
    };
    let queued = [
        write(Urgency::Bulk, "bulk 1").unwrap(),
        write(Urgency::Decision, "decision 1").unwrap(),
        write(Urgency::Bulk, "bulk 2").unwrap(),
        write(Urgency::Decision, "decision 2").unwrap(),
    ];
    release.send(()).unwrap();
    held.wait().unwrap();
    for pending in queued {
        pending.wait().unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["decision 1", "decision 2", "bulk 1", "bulk 2"]);
}

#[test]
fn a_failing_write_takes_no_neighbour_with_it() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let (release, held) = hold(&store);
    let numbers = [1, 7, 2, 2, 3];
    let queued: Vec<Pending<(), StoreError>> = numbers
        .map(|number| {
            store
                .submit_ledger(Urgency::Bulk, move |ledger| ledger.put_version(&version("loans", number)))
                .unwrap()
        })
        .into_iter()
        .collect();
    release.send(()).unwrap();
    held.wait().unwrap();
    let answers: Vec<bool> = queued.into_iter().map(|pending| pending.wait().is_ok()).collect();
    assert_eq!(answers, [true, false, true, false, true]);
    let kept = list_versions(&store);
    assert_eq!(kept.iter().map(|row| row.version).collect::<Vec<u64>>(), [1, 2, 3]);
}

#[test]
fn a_full_queue_refuses_and_says_so() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let (release, held) = hold(&store);
    let idle = |_: &crate::store::views::LedgerWrite| Ok::<(), StoreError>(());
    let queued: Vec<_> =
        (0..limits::WRITER_QUEUE_MAX).map(|_| store.submit_ledger(Urgency::Bulk, idle).unwrap()).collect();
    let refused = store.submit_ledger(Urgency::Decision, idle).err().unwrap();
    assert!(matches!(refused, StoreError::Busy { waiting: limits::WRITER_QUEUE_MAX, .. }));
    assert_eq!(refused.class(), Class::Unavailable);
    release.send(()).unwrap();
    held.wait().unwrap();
    for pending in queued {
        pending.wait().unwrap();
    }
    store.write_ledger(idle).unwrap();
}

#[test]
fn a_panic_in_a_write_stops_the_lane_and_nothing_of_its_group_is_kept() {
    let (_folder, path) = new_home();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 1))).unwrap();
    let (release, held) = hold(&store);
    let neighbour =
        store.submit_ledger(Urgency::Bulk, |ledger| ledger.put_version(&version("loans", 2))).unwrap();
    let broken = store.submit_ledger(Urgency::Bulk, |ledger| {
        ledger.put_version(&version("loans", 3))?;
        if true {
            panic!("a damaged page");
        }
        Ok::<(), StoreError>(())
    });
    release.send(()).unwrap();
    assert!(held.wait().is_ok(), "what was committed before is kept");
    for answer in [neighbour.wait(), broken.unwrap().wait()] {
        let error = answer.unwrap_err();
        assert!(error.is_corrupt() && error.to_string().contains("a damaged page"), "{error}");
    }
    let later = store.write_ledger(|ledger| ledger.put_version(&version("loans", 2))).unwrap_err();
    assert_eq!(later.code(), "store.writer_stopped");
    assert!(store.read_ledger(|ledger| ledger.find_version("loans", 1)).unwrap().is_some());
    drop(store);
    let again = open(&path);
    assert_eq!(again.read_ledger(|ledger| ledger.next_version("loans")).unwrap(), 2);
    again.write_ledger(|ledger| ledger.put_version(&version("loans", 2))).unwrap();
}

#[test]
fn closing_finishes_what_is_queued() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let (release, _held) = hold(&store);
    let queued =
        store.submit_ledger(Urgency::Bulk, |ledger| ledger.put_version(&version("loans", 1))).unwrap();
    release.send(()).unwrap();
    drop(store);
    queued.wait().unwrap();
    assert!(open(&path).read_ledger(|ledger| ledger.find_version("loans", 1)).unwrap().is_some());
}
