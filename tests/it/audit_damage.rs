//! The tally log altered on the disk by somebody who knows the format, tags and all: only the audit can notice, and it
//! names the place. Never through the crate's own store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tallystick::base::digest::Digest;
use tallystick::ledger::leaf::leaf_hash;
use tallystick::ledger::tree::{Frontier, Node};

use crate::support::{Place, fixture};

const RECORDS: &str = "log_records";
const NODES: &str = "log_nodes";
const CHECKPOINTS: &str = "log_checkpoints";

/// A home whose log has administrative records, then three decisions.
fn decided() -> Place {
    static DECIDED: OnceLock<Place> = OnceLock::new();
    let original = DECIDED.get_or_init(|| {
        let place = Place::with_model();
        place.ok(&["data", "row", "project", &fixture("loan-default/sample.csv"), "1", "--out", "row.json"]);
        for _ in 0..3 {
            place.ok(&["decide", "loan-default", "--row", "row.json"]);
        }
        place
    });
    original.copy()
}

/// The log as the file has it.
struct Log {
    records: BTreeMap<u64, Record>,
    nodes: BTreeMap<(u8, u64), [u8; 32]>,
    checkpoints: BTreeMap<u64, String>,
}

#[derive(Clone)]
struct Record {
    header: String,
    body: Vec<u8>,
}

type Bytes = &'static [u8];
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// docs/FORMATS.md, "Frame": version, payload, tag.
fn framed(table: &str, key: &[u8], payload: &[u8]) -> Vec<u8> {
    let version = if table == NODES { 2 } else { 1 };
    let body = [&[version][..], payload].concat();
    let length = |part: &[u8]| (part.len() as u64).to_be_bytes();
    let table = table.as_bytes();
    let tag = Digest::of(&[&length(table)[..], table, &length(key), key, &body].concat());
    [&body[..], &tag.as_bytes()[..16]].concat()
}

fn read_table(database: &Database, name: &str) -> Rows {
    let definition: TableDefinition<Bytes, Bytes> = TableDefinition::new(name);
    let table = database.begin_read().unwrap().open_table(definition).unwrap();
    let rows = table.iter().unwrap().map(|row| {
        let (key, value) = row.unwrap();
        let (key, value) = (key.value().to_vec(), value.value().to_vec());
        assert_eq!(value, framed(name, &key, &value[1..value.len() - 16]), "the frame is not the page's");
        (key, value[1..value.len() - 16].to_vec())
    });
    rows.collect()
}

fn write_table(write: &redb::WriteTransaction, name: &str, rows: Rows) {
    let definition: TableDefinition<Bytes, Bytes> = TableDefinition::new(name);
    let mut table = write.open_table(definition).unwrap();
    table.retain(|_, _| false).unwrap();
    for (key, payload) in rows {
        table.insert(&key[..], &framed(name, &key, &payload)[..]).unwrap();
    }
}

/// The nodes of a row, by level and index: leaf after leaf from the first on, each with what it completes.
fn nodes(first: &[u8], hashes: &[u8]) -> Vec<((u8, u64), [u8; 32])> {
    let places = (number(first)..)
        .flat_map(|leaf| (0..=(leaf.trailing_ones() as u8)).map(move |level| (level, leaf >> level)));
    places.zip(hashes.chunks(32).map(|hash| hash.try_into().unwrap())).collect()
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}

impl Log {
    fn read(database: &Database) -> Self {
        let record = |payload: &[u8]| {
            let (header, body) = payload[8..].split_at(number(&payload[..8]) as usize);
            Record { header: String::from_utf8(header.to_vec()).unwrap(), body: body.to_vec() }
        };
        let records = read_table(database, RECORDS).into_iter();
        let checkpoints = read_table(database, CHECKPOINTS).into_iter();
        Self {
            records: records.map(|(key, payload)| (number(&key), record(&payload))).collect(),
            nodes: read_table(database, NODES)
                .iter()
                .flat_map(|(first, hashes)| nodes(first, hashes))
                .collect(),
            checkpoints: checkpoints
                .map(|(k, text)| (number(&k), String::from_utf8(text).unwrap()))
                .collect(),
        }
    }

    fn write(self, database: &Database) {
        let write = database.begin_write().unwrap();
        let record = |(seq, record): (u64, Record)| {
            let length = (record.header.len() as u64).to_be_bytes();
            (seq.to_be_bytes().to_vec(), [&length[..], record.header.as_bytes(), &record.body].concat())
        };
        let leaves = self.nodes.keys().map(|(level, index)| ((index + 1) << level) - 1).max();
        let row = |leaf: u64| (leaf.to_be_bytes().to_vec(), self.completed_by(leaf));
        let nodes = (0..leaves.map_or(0, |leaf| leaf + 1)).map(row).filter(|(_, hashes)| !hashes.is_empty());
        let nodes: Rows = nodes.collect();
        let notes =
            self.checkpoints.into_iter().map(|(size, text)| (size.to_be_bytes().to_vec(), text.into()));
        write_table(&write, RECORDS, self.records.into_iter().map(record).collect());
        write_table(&write, NODES, nodes);
        write_table(&write, CHECKPOINTS, notes.collect());
        write.commit().unwrap();
    }

    /// The hashes of the nodes that a leaf completes, upwards; what lies above a missing one has no place.
    fn completed_by(&self, leaf: u64) -> Vec<u8> {
        let levels = 0..=(leaf.trailing_ones() as u8);
        let hashes = levels.map(|level| self.nodes.get(&(level, leaf >> level)));
        hashes.map_while(|hash| hash).flatten().copied().collect()
    }

    fn record(&mut self, seq: u64) -> &mut Record {
        self.records.get_mut(&seq).unwrap()
    }

    fn node(&mut self, level: u8, index: u64) -> &mut [u8; 32] {
        self.nodes.get_mut(&(level, index)).unwrap()
    }

    /// Another time in a header, as canonical as before.
    fn alter(&mut self, seq: u64) {
        let record = self.record(seq);
        let (head, time) = record.header.split_at(record.header.rfind("\"time_ms\":").unwrap() + 10);
        let last = if time.ends_with("1}") { "2}" } else { "1}" };
        record.header = format!("{head}{}{last}", &time[..time.len() - 2]);
    }

    /// Gives two records each other's place, with headers that say so.
    fn exchange(&mut self, a: u64, b: u64) {
        let (mut first, mut second) = (self.record(a).clone(), self.record(b).clone());
        let seq = |n: u64| format!("\"seq\":{n},");
        (first.header, second.header) =
            (first.header.replace(&seq(a), &seq(b)), second.header.replace(&seq(b), &seq(a)));
        self.records.insert(a, second);
        self.records.insert(b, first);
    }

    /// All nodes anew, as the records have them now.
    fn grow_again(&mut self) {
        let mut frontier = Frontier::default();
        self.nodes.clear();
        for record in self.records.values() {
            for Node { level, index, hash } in frontier.append(leaf_hash(record.header.as_bytes())) {
                self.nodes.insert((level, index), *hash.as_bytes());
            }
        }
    }
}

/// What is done to the log, and what the audit says of it.
struct Damage {
    what: String,
    apply: Box<dyn Fn(&mut Log)>,
    said: String,
}

fn damage(what: &str, apply: impl Fn(&mut Log) + 'static, said: String) -> Damage {
    Damage { what: what.to_string(), apply: Box::new(apply), said }
}

/// What can happen to one record and its node; `n` is even, its neighbour is of the same kind.
fn around(n: u64) -> Vec<Damage> {
    let leaf = format!("record {n}: its leaf is not the stored one (node level 0 index {n})");
    vec![
        damage("a record's header altered", move |log| log.alter(n), leaf.clone()),
        damage("a record's body altered", move |log| log.record(n).body[0] ^= 1, format!("record {n}: ")),
        damage(
            "a record deleted",
            move |log| drop(log.records.remove(&n)),
            format!("record {n} is missing: the next one is record {}", n + 1),
        ),
        damage(
            "two records reordered",
            move |log| {
                let (a, b) = (log.record(n).clone(), log.record(n + 1).clone());
                log.records.extend([(n, b), (n + 1, a)]);
            },
            format!("record {n}: its header says that it is record {}", n + 1),
        ),
        damage("two records reordered, headers and all", move |log| log.exchange(n, n + 1), leaf.clone()),
        damage("a leaf altered", move |log| log.node(0, n)[0] ^= 1, leaf.clone()),
        damage(
            "a leaf deleted",
            move |log| assert!(log.nodes.remove(&(0, n)).is_some()),
            format!("node level 0 index {n}: it is missing"),
        ),
        damage(
            "two leaves reordered",
            move |log| {
                let (a, b) = (*log.node(0, n), *log.node(0, n + 1));
                log.nodes.extend([((0, n), b), ((0, n + 1), a)]);
            },
            leaf,
        ),
        damage(
            "a record altered with its leaf",
            move |log| {
                log.alter(n);
                let hash = leaf_hash(log.record(n).header.as_bytes());
                log.nodes.insert((0, n), *hash.as_bytes());
            },
            // The first checkpoint that covers it.
            format!("checkpoint at size {}: its root", n + 1),
        ),
        damage(
            "a record altered and every node with it",
            move |log| {
                log.alter(n);
                log.grow_again();
            },
            format!("checkpoint at size {}: its root", n + 1),
        ),
        damage(
            "an inner node altered",
            move |log| log.node(1, n / 2)[31] ^= 1,
            format!("node level 1 index {}: it is not the hash", n / 2),
        ),
        damage(
            "an inner node deleted",
            move |log| assert!(log.nodes.remove(&(1, n / 2)).is_some()),
            format!("node level 1 index {}: it is missing", n / 2),
        ),
        damage(
            "a checkpoint's root altered",
            move |log| {
                let note = log.checkpoints[&(n + 1)].clone();
                let root = note.lines().nth(2).unwrap().to_string();
                let other = format!("{}{}", if root.starts_with('A') { "B" } else { "A" }, &root[1..]);
                log.checkpoints.insert(n + 1, note.replace(&root, &other));
            },
            format!("checkpoint at size {}: ", n + 1),
        ),
        damage(
            "two checkpoints reordered",
            move |log| {
                let (a, b) = (log.checkpoints[&(n + 1)].clone(), log.checkpoints[&(n + 2)].clone());
                log.checkpoints.extend([(n + 1, b), (n + 2, a)]);
            },
            format!("checkpoint at size {}: it says that it is the one at size {}", n + 1, n + 2),
        ),
        damage(
            "a checkpoint in another's place",
            move |log| {
                let note = log.checkpoints.remove(&(n + 2)).unwrap();
                log.checkpoints.insert(n + 1, note);
            },
            format!("checkpoint at size {}: it says that it is the one at size {}", n + 1, n + 2),
        ),
    ]
}

/// What can happen to a log of `end` records at its end.
fn at_the_end(end: u64) -> Vec<Damage> {
    let last = end - 1;
    vec![
        damage(
            "the log truncated",
            move |log| drop(log.records.remove(&last)),
            format!("log ends at {last} where checkpoint says {end}"),
        ),
        damage(
            "the log truncated by all decisions and all nodes",
            move |log| {
                log.records.retain(|seq, _| *seq < end - 3);
                log.grow_again();
            },
            format!("log ends at {} where checkpoint says {}", end - 3, end - 2),
        ),
        damage(
            "the log truncated with its checkpoint",
            move |log| {
                log.records.remove(&last);
                log.checkpoints.remove(&end);
            },
            format!("it is stored, but the log ends at {last}"),
        ),
        damage(
            "the last checkpoint deleted",
            move |log| drop(log.checkpoints.remove(&end)),
            format!("log ends at {end}, but the last checkpoint covers only {last}"),
        ),
        damage("every checkpoint deleted", |log| log.checkpoints.clear(), "the log has no checkpoint".into()),
        damage(
            "a record appended by a stranger",
            move |log| {
                let mut record = log.record(last).clone();
                record.header =
                    record.header.replace(&format!("\"seq\":{last},"), &format!("\"seq\":{end},"));
                log.records.insert(end, record);
                log.grow_again();
            },
            format!("log ends at {}, but the last checkpoint covers only {end}", end + 1),
        ),
        damage(
            "every record deleted",
            |log| log.records.clear(),
            "log ends at 0 where checkpoint says".into(),
        ),
    ]
}

fn alter(home: &Path, apply: &dyn Fn(&mut Log)) {
    let database = Database::open(home.join("ledger.redb")).unwrap();
    let mut log = Log::read(&database);
    apply(&mut log);
    log.write(&database);
}

/// The sizes there are checkpoints at.
fn sizes(home: &Path) -> Vec<u64> {
    let database = Database::open(home.join("ledger.redb")).unwrap();
    Log::read(&database).checkpoints.into_keys().collect()
}

#[test]
fn whatever_is_altered_in_the_log_the_audit_names_the_place() {
    let begin = decided();
    let kinds = begin.log("kind");
    let first = kinds.iter().position(|kind| kind == "decision_made").unwrap() as u64;
    let end = kinds.len() as u64;
    assert_eq!(kinds[first as usize..], ["decision_made"; 3]);
    let whole = begin.copy();
    let sizes = sizes(&whole.path("home"));
    assert_eq!(whole.ok(&["audit", "verify"])["records"], end);
    // An even place that has, as its neighbour has, a checkpoint of its own; once before the decisions, once in them.
    let pair = |from: u64, below: u64| {
        let fits = |n: &u64| {
            n.is_multiple_of(2) && n + 1 < below && sizes.contains(&(n + 1)) && sizes.contains(&(n + 2))
        };
        (from..below).find(fits).unwrap_or_else(|| panic!("{kinds:?} {sizes:?}"))
    };
    let (record, decision) = (pair(0, first), pair(first, end));
    let damages = [around(record), around(decision), at_the_end(end)].into_iter().flatten();
    let mut tried = 0;
    for Damage { what, apply, said } in damages {
        let place = begin.copy();
        alter(&place.path("home"), &*apply);
        // The store itself has nothing to complain of: every tag is right.
        place.ok(&["model", "list"]);
        let error = place.refused(5, &["audit", "verify"]);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&said), "{what}: {said:?} is not in {message:?}");
        tried += 1;
    }
    assert_eq!(tried, 37);
}
