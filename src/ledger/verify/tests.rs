//! A sound log, and every way to tamper with it: each is refused with the place it was done at.

use std::convert::Infallible;

use jiff::Timestamp;

use super::*;
use crate::base::clock::{Stamp, TimeQuality};
use crate::ledger::leaf::{Entry, Kind};
use crate::ledger::memory::MemoryNodes;
use crate::ledger::tree::TreeHead;
use crate::security::actor::{Actor, Role};
use crate::security::key::SigningKey;

#[derive(Clone)]
struct Log {
    records: Vec<StoredRecord>,
    nodes: MemoryNodes,
    checkpoints: Vec<Vec<u8>>,
    trust: TrustRoot,
}

fn record(seq: u64) -> Record {
    let entry = Entry {
        kind: Kind::AliasMoved,
        actor: Actor::new("anna", Role::Approver).unwrap(),
        subject: format!("model/loan-default@{seq}"),
        body: format!("{{\"n\":{seq}}}").into_bytes(),
    };
    let wall = Timestamp::from_millisecond(1_700_000_000_000 + seq as i64).unwrap();
    Record::new(entry, seq, Stamp { wall, quality: TimeQuality::Simulated }).unwrap()
}

fn stored(record: &Record) -> StoredRecord {
    StoredRecord {
        seq: record.header().seq,
        header: record.leaf_data().to_vec(),
        body: record.body().to_vec(),
    }
}

/// Forty-one records in commits of one, two, three ... records, a checkpoint after each.
fn log_of_41(key: &SigningKey) -> Log {
    let trust = TrustRoot::of_box("store-1", key.public()).unwrap();
    let mut log = Log { records: vec![], nodes: MemoryNodes::default(), checkpoints: vec![], trust };
    let mut frontier = Frontier::default();
    let ends = [1, 3, 6, 9, 14, 20, 27, 35, 41];
    for seq in 0..41 {
        let record = record(seq);
        log.nodes.put(&frontier.append(record.leaf_hash()));
        log.records.push(stored(&record));
        if ends.contains(&frontier.size()) {
            let head = TreeHead { size: frontier.size(), root: frontier.root() };
            log.checkpoints.push(Checkpoint::new("store-1", head).sign(key).into_bytes());
        }
    }
    log
}

fn read(log: &Log) -> Result<AuditReport, AuditError<Infallible>> {
    let records = log.records.iter().cloned().map(Ok);
    audit(records, &log.nodes, log.checkpoints.iter().cloned().map(Ok), &log.trust)
}

#[track_caller]
fn refused(log: &Log, message: &str) {
    let found = read(log).unwrap_err().to_string();
    assert!(found.starts_with(message), "{found}");
}

fn tampered(change: impl FnOnce(&mut Log)) -> Log {
    let mut log = log_of_41(&SigningKey::generate().unwrap());
    change(&mut log);
    log
}

#[test]
fn a_sound_log_is_read_whole() {
    let log = tampered(|_| {});
    let report = read(&log).unwrap();
    // 41 leaves, 20 pairs, 10 fours, 5 eights, 2 sixteens, 1 of thirty-two.
    assert_eq!((report.records, report.nodes, report.checkpoints), (41, 79, 9));
    assert_eq!(log.nodes.0.len(), 79);
    assert_eq!(report.root, crate::ledger::tree::root(&log.nodes, 41).unwrap());
}

#[test]
fn an_altered_record_is_named() {
    refused(&tampered(|log| log.records[17].body[5] ^= 1), "record 17: body digest is");
    refused(&tampered(|log| log.records[17].header.push(b' ')), "record 17: header: the JSON is valid but");
    refused(&tampered(|log| log.records[17].header[3] = b'\''), "record 17: header: not the JSON");
    let renamed = tampered(|log| {
        let text = String::from_utf8(log.records[17].header.clone()).unwrap();
        log.records[17].header = text.replace("anna", "otto").into_bytes();
    });
    refused(&renamed, "record 17: its leaf is not the stored one");
}

#[test]
fn an_altered_record_is_found_even_with_its_nodes_rewritten() {
    let log = tampered(|log| {
        let text = String::from_utf8(log.records[17].header.clone()).unwrap();
        log.records[17].header = text.replace("anna", "otto").into_bytes();
        let hashes: Vec<Digest> =
            (log.records.iter()).map(|r| crate::ledger::leaf::leaf_hash(&r.header)).collect();
        log.nodes = MemoryNodes::grow(&hashes);
    });
    refused(&log, "checkpoint at size 20: its root");
}

#[test]
fn a_deleted_record_is_named() {
    refused(&tampered(|log| drop(log.records.remove(17))), "record 17 is missing: the next one is record 18");
    let closed_up = tampered(|log| {
        log.records.remove(17);
        log.records.iter_mut().enumerate().for_each(|(n, record)| record.seq = n as u64);
    });
    refused(&closed_up, "record 17: its header says that it is record 18");
}

#[test]
fn two_exchanged_records_are_named() {
    let log = tampered(|log| {
        log.records.swap(17, 23);
        (log.records[17].seq, log.records[23].seq) = (17, 23);
    });
    refused(&log, "record 17: its header says that it is record 23");
}

#[test]
fn a_log_cut_at_its_end_is_named() {
    let cut = tampered(|log| log.records.truncate(40));
    refused(&cut, "log ends at 40 where checkpoint says 41");
    let last_checkpoint_too = tampered(|log| {
        log.records.truncate(40);
        log.checkpoints.pop();
    });
    refused(&last_checkpoint_too, "log ends at 40, but the last checkpoint covers only 35");
    let back_to_a_checkpoint = tampered(|log| {
        log.records.truncate(35);
        log.checkpoints.pop();
    });
    refused(&back_to_a_checkpoint, "node level 0 index 35: it is stored, but the log ends at 35");
}

#[test]
fn an_added_record_is_named() {
    let log = tampered(|log| {
        let extra = record(41);
        let mut frontier = Frontier::load(&log.nodes, 41).unwrap();
        log.nodes.put(&frontier.append(extra.leaf_hash()));
        log.records.push(stored(&extra));
    });
    refused(&log, "log ends at 42, but the last checkpoint covers only 41");
}

#[test]
fn an_altered_or_missing_node_is_named() {
    let alter = |level, index| {
        tampered(move |log| {
            log.nodes.0.insert((level, index), Digest::of(b"x"));
        })
    };
    refused(&alter(2, 5), "node level 2 index 5: it is not the hash");
    refused(&alter(0, 17), "record 17: its leaf is not the stored one (node level 0 index 17)");
    refused(&alter(3, 5), "node level 3 index 5: it is stored, but the log ends at 41");
    let missing = tampered(|log| {
        log.nodes.0.remove(&(4, 1));
    });
    refused(&missing, "node level 4 index 1: it is missing");
}

#[test]
fn an_altered_checkpoint_is_named() {
    let edit = |number: usize, from: &'static str, to: &'static str| {
        tampered(move |log| {
            let text = String::from_utf8(log.checkpoints[number].clone()).unwrap();
            log.checkpoints[number] = text.replacen(from, to, 1).into_bytes();
        })
    };
    refused(&edit(3, "store-1\n9\n", "store-1\n10\n"), "checkpoint at size 10: it is not what key");
    refused(&edit(3, "\n9\n", "\n09\n"), "checkpoint number 3: not a checkpoint in the form");
    refused(&edit(0, "store-1", "store-2"), "checkpoint at size 1: it is of the log \"tallystick/store-2\"");
    refused(&tampered(|log| log.checkpoints.swap(3, 4)), "checkpoint at size 9: it follows one at size 14");
    refused(&tampered(|log| log.checkpoints.clear()), "the log has no checkpoint");
}

#[test]
fn a_checkpoint_by_another_key_or_over_another_log_is_named() {
    let log = tampered(|log| {
        let other = log_of_41(&SigningKey::generate().unwrap());
        log.checkpoints[3] = other.checkpoints[3].clone();
    });
    refused(&log, "checkpoint at size 9: none of its signatures is by a key of the trust root");
    let key = SigningKey::generate().unwrap();
    let mut lied = log_of_41(&key);
    let head = TreeHead { size: 9, root: Digest::of(b"x") };
    lied.checkpoints[3] = Checkpoint::new("store-1", head).sign(&key).into_bytes();
    refused(&lied, "checkpoint at size 9: its root");
}

#[test]
fn an_empty_log_is_no_sound_log() {
    let log = tampered(|log| {
        log.records.clear();
        log.nodes.0.clear();
        log.checkpoints.clear();
    });
    refused(&log, "the log has no checkpoint");
}

/// What a store says of its own trouble goes through unchanged.
#[test]
fn a_failing_store_is_told_as_it_is() {
    #[derive(Debug, thiserror::Error)]
    #[error("table records: page 7 is corrupt")]
    struct Broken;
    struct BrokenNodes;
    impl Nodes for BrokenNodes {
        type Error = Broken;
        fn find_node(&self, _level: u8, _index: u64) -> Result<Option<Digest>, Broken> {
            Err(Broken)
        }
    }
    let log = tampered(|_| {});
    let records = log.records.iter().cloned().map(Ok);
    let error =
        audit(records, &BrokenNodes, log.checkpoints.iter().cloned().map(Ok), &log.trust).unwrap_err();
    assert_eq!(error.to_string(), "table records: page 7 is corrupt");
}
