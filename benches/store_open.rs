//! How long it takes to open a ledger of about a gigabyte of answers, page by page; run by hand:
//! `cargo bench --bench store_open -- [answers] [folder]`. The ledger is made through the real store and kept.

#![allow(clippy::unwrap_used)] // a measurement that cannot be made ends with its reason, as a test does

use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use tallystick::base::clock::TimeQuality;
use tallystick::base::digest::Digest;
use tallystick::base::ids::DecisionId;
use tallystick::ledger::decision::{DecisionFacts, subject_of};
use tallystick::ledger::leaf::{Header, Kind};
use tallystick::security::actor::{Actor, Role};
use tallystick::store::home::Home;
use tallystick::store::open::Store;
use tallystick::store::views::answers::{Counted, NewAnswer, Placed};

/// About a gigabyte.
const ANSWERS: u64 = 400_000;
const BODY_BYTES: usize = 700;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let answers = words.next().map_or(ANSWERS, |word| word.parse().unwrap());
    let folder =
        words.next().map_or_else(|| std::env::temp_dir().join("tallystick-store-open"), PathBuf::from);
    if !folder.join("home.json").exists() {
        drop(Home::create(&folder, 1_000).unwrap());
    }
    fill(&folder, answers);
    let bytes = std::fs::metadata(folder.join("ledger.redb")).unwrap().len();
    for _ in 0..3 {
        let begun = Instant::now();
        let store = open(&folder);
        let took = begun.elapsed();
        let begun = Instant::now();
        let size = store.read_ledger(|ledger| ledger.log_size()).unwrap();
        say(&format!("{size} records, {bytes} bytes: opened in {took:?}, log_size in {:?}", begun.elapsed()));
        let begun = Instant::now();
        put(&store, size, size + 1);
        say(&format!("first write in {:?}", begun.elapsed()));
        let begun = Instant::now();
        drop(store);
        say(&format!("closed in {:?}", begun.elapsed()));
    }
}

fn open(folder: &Path) -> Store {
    let signer = |size, root| Ok(format!("{size} {root} {}", "s".repeat(150)));
    Store::open(Home::open(folder).unwrap(), Box::new(signer)).unwrap()
}

fn fill(folder: &Path, answers: u64) {
    let store = open(folder);
    let begun = Instant::now();
    let from = store.read_ledger(|ledger| ledger.log_size()).unwrap();
    put(&store, from, answers);
    say(&format!("{} answers written in {:?}", answers.saturating_sub(from), begun.elapsed()));
}

/// Puts the answers of these numbers on record, some hundreds on their way at a time.
fn put(store: &Store, from: u64, end: u64) {
    let (told, hears) = sync_channel(1_024);
    let mut under_way = 0;
    for number in from..end {
        let told = told.clone();
        let then = move |outcome: Result<Placed, _>| told.send(outcome.unwrap().seq).unwrap();
        store.submit_answer(answer(number), then).unwrap();
        under_way += 1;
        if under_way == 512 {
            hears.recv().unwrap();
            under_way -= 1;
        }
    }
    drop(told);
    assert_eq!(hears.iter().count(), under_way);
}

fn answer(number: u64) -> NewAnswer {
    let mut id = *Digest::of(&number.to_be_bytes()).as_bytes();
    let millis = 1_700_000_000_000 + number * 500;
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id[6] = 0x70 | id[6] & 0x0F;
    id[8] = 0x80 | id[8] & 0x3F;
    let (id, _) = id.split_first_chunk::<16>().unwrap();
    let subject = Digest::of(&(number % 50_000).to_le_bytes());
    let subject_tag = *subject.as_bytes().first_chunk::<16>().unwrap();
    let release = Digest::of(b"release");
    let facts = DecisionFacts {
        band: None,
        by: None,
        case: None,
        flags: Vec::new(),
        id: DecisionId::from_bytes(*id).unwrap(),
        latency_us: 700,
        model: Some(Digest::of(b"model")),
        name: "loan-default".into(),
        outcome: None,
        policy: None,
        release: Some(release),
        version: Some(3),
    };
    let body = [&[1][..], &subject_tag, &subject.as_bytes().repeat(BODY_BYTES / 32)].concat();
    let header = Header {
        actor: Actor::new("core@hq", Role::CoreBanking).unwrap(),
        body_sha256: Digest::of(&body),
        kind: Kind::PredictionMade,
        quality: TimeQuality::Local,
        seq: 0,
        subject: subject_of(&facts),
        time_ms: millis as i64,
        decision: Some(facts),
    };
    NewAnswer {
        header,
        body,
        id: *id,
        case: None,
        subject_tag,
        wrapped_key: vec![7; 60],
        repetition: None,
        counted: Counted {
            release,
            day: millis / 86_400_000,
            names: vec!["predictions".into()],
            bins: vec![(1, 10)],
        },
    }
}

fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
