//! A ledger over a disk in memory, behind its real lane, and answers to put on record there.
//! Never a home and never a file but the witness's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::base::clock::TimeQuality;
use crate::base::digest::Digest;
use crate::base::ids::DecisionId;
use crate::ledger::case::{Branch, CaseNumber};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::decision::{DecisionFacts, Flag, Ground, subject_of};
use crate::ledger::leaf::{Header, Kind};
use crate::ledger::tree::TreeHead;
use crate::security::actor::{Actor, Role};
use crate::security::key::SigningKey;
use crate::security::trust::TrustRoot;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::lane::journal::Journal;
use crate::store::lane::restart::{Opened, Opening};
use crate::store::lane::{Lane, Pending, Urgency};
use crate::store::migrate;
use crate::store::open::{before_ledger_commit, check_owner, take_in};
use crate::store::tables::StoreName;
use crate::store::tests::disk::Disk;
use crate::store::views::Ledger;
use crate::store::views::answers::{Counted, NewAnswer, NewCase, NewRepetition, Placed};
use crate::store::views::group::Writes;
use crate::store::witness::Witness;

const STORE_ID: &str = "bank";
/// A fraction of what is written here, so that the engine asks the disk for pages and writes some before a commit.
const CACHE_BYTES: usize = 64 << 10;
/// Day 20,000 and what follows lies in it.
pub const YEAR: u64 = 2_024;
const FIRST_DAY: u64 = 20_000;

pub struct Bank {
    pub disk: Disk,
    pub trust: TrustRoot,
    key: Arc<SigningKey>,
    folder: tempfile::TempDir,
    store_id: &'static str,
}

impl Bank {
    /// A new ledger, closed.
    pub fn new() -> Self {
        Self::named(STORE_ID)
    }

    pub fn named(store_id: &'static str) -> Self {
        let disk = Disk::default();
        let file = StoreFile::open_over(StoreName::Ledger, CACHE_BYTES, || disk.plug()).unwrap();
        migrate::found(&file, store_id).unwrap();
        migrate::bring_up(&file, migrate::list_migrations(StoreName::Ledger)).unwrap();
        drop(file);
        let key = Arc::new(SigningKey::generate().unwrap());
        let trust = TrustRoot::of_box(store_id, key.public()).unwrap();
        Self { disk, trust, key, folder: tempfile::tempdir().unwrap(), store_id }
    }

    pub fn lane(&self) -> Lane {
        self.lane_over(&self.disk)
    }

    fn lane_over(&self, disk: &Disk) -> Lane {
        let (disk, key, store_id) = (disk.clone(), Arc::clone(&self.key), self.store_id);
        let open = move |witness: &Witness| {
            let (file, journal) = open_both(&disk, store_id, CACHE_BYTES)?;
            let mut journal = Some(journal);
            take_in(&file, journal.as_mut(), witness)?;
            Ok(Opened { file, journal })
        };
        let sign = move |size, root| Ok(Checkpoint::new(store_id, TreeHead { size, root }).sign(&key));
        let opening = Opening { open: Box::new(open), pause: |_| Duration::ZERO };
        let witness = Witness::new(self.folder.path(), StoreName::Ledger, self.store_id);
        Lane::start(opening, witness, before_ledger_commit(Box::new(sign))).unwrap()
    }
}

/// The ledger and its journal, as they lie on a disk.
fn open_both(disk: &Disk, store_id: &str, cache_bytes: usize) -> Result<(StoreFile, Journal), StoreError> {
    let file = StoreFile::open_over(StoreName::Ledger, cache_bytes, || disk.plug())?;
    check_owner(store_id, &file)?;
    let journal = Journal::over(StoreName::Ledger, Path::new("memory"), store_id, disk.plug_journal())?;
    Ok((file, journal))
}

/// The ledger with all that its journal holds.
pub fn open_whole(disk: &Disk, cache_bytes: usize) -> Result<StoreFile, StoreError> {
    let (file, mut journal) = open_both(disk, STORE_ID, cache_bytes)?;
    journal.bring_into(&file)?;
    Ok(file)
}

pub fn submit(lane: &Lane, number: u64) -> Result<Pending<Placed, StoreError>, StoreError> {
    let mut answer = answer(number);
    lane.submit(Urgency::Decision, move |view: &dyn Writes| Ledger(view).put_answer(&mut answer))
}

/// The number of the answer that has this body.
pub fn number_of(body: &[u8]) -> u64 {
    u64::from_be_bytes(body[17..25].try_into().unwrap())
}

/// The answer of a number, made once: tests hold it against what is stored again and again.
pub fn answer(number: u64) -> NewAnswer {
    static MADE: Mutex<BTreeMap<u64, NewAnswer>> = Mutex::new(BTreeMap::new());
    MADE.lock().unwrap().entry(number).or_insert_with(|| make_answer(number)).clone()
}

/// Every third is a prediction, every second came with an idempotency key.
fn make_answer(number: u64) -> NewAnswer {
    let is_decision = !number.is_multiple_of(3);
    let mut id = [7; 16];
    id[6..8].copy_from_slice(&[0x70, 0x00]);
    id[8..].copy_from_slice(&(number | 1 << 63).to_be_bytes());
    let day = FIRST_DAY + number / 40;
    let release = Digest::of(&[(number % 2) as u8]);
    let facts = facts(is_decision, number, DecisionId::from_bytes(id).unwrap(), release);
    let tag = [(number % 5) as u8; 16];
    // A sealed body begins with its version and its subject's tag.
    let body = [&[1][..], &tag, &number.to_be_bytes().repeat(40)].concat();
    let header = Header {
        actor: Actor::new("core@hq", Role::CoreBanking).unwrap(),
        body_sha256: Digest::of(&body),
        kind: if is_decision { Kind::DecisionMade } else { Kind::PredictionMade },
        quality: TimeQuality::Local,
        seq: 0,
        subject: subject_of(&facts),
        time_ms: (day * 86_400_000 + number) as i64,
        decision: Some(facts),
    };
    let repetition = NewRepetition {
        day,
        principal: "core@hq".into(),
        key: format!("key {number}"),
        request: [number as u8; 32],
        at_ms: header.time_ms,
    };
    NewAnswer {
        header,
        body,
        id,
        case: is_decision.then(|| NewCase { branch: branch(), year: YEAR }),
        subject_tag: tag,
        wrapped_key: vec![number as u8; 60],
        repetition: number.is_multiple_of(2).then_some(repetition),
        counted: Counted {
            release,
            day,
            names: vec![if is_decision { "decisions" } else { "predictions" }.into()],
            bins: vec![((number % 4) as u32, 4)],
        },
    }
}

fn branch() -> Branch {
    Branch::try_from("0421".to_string()).unwrap()
}

fn facts(is_decision: bool, number: u64, id: DecisionId, release: Digest) -> DecisionFacts {
    let case = CaseNumber::new(branch(), (YEAR % 100) as u8, number + 1).unwrap();
    DecisionFacts {
        band: is_decision.then_some(1),
        by: is_decision.then_some(Ground::Band),
        case: is_decision.then_some(case),
        flags: vec![Flag::Simulated],
        id,
        latency_us: 5,
        model: Some(Digest::of(b"model")),
        name: "loan-default".into(),
        outcome: is_decision.then(|| "refer".into()),
        policy: is_decision.then(|| Digest::of(b"policy")),
        release: Some(release),
        version: Some(3),
    }
}
