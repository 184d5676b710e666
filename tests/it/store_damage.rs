//! One flipped byte anywhere in a store: refused when opened, or named by a check, or without any effect.
//! Never a panic, a hang, or another answer than the one that was stored.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tallystick::base::clock::{Stamp, TimeQuality};
use tallystick::base::digest::Digest;
use tallystick::base::fact::{Class, Fact};
use tallystick::base::ids::RunId;
use tallystick::base::rng::Random;
use tallystick::ledger::leaf::{Entry, Kind};
use tallystick::registry::gate::GateReport;
use tallystick::registry::proposal::ProposalState;
use tallystick::security::actor::{Actor, Role};
use tallystick::store::check::check_home;
use tallystick::store::error::StoreError;
use tallystick::store::home::Home;
use tallystick::store::open::Store;
use tallystick::store::rows::approvals::ProposalRow;
use tallystick::store::rows::lab::DatasetRow;
use tallystick::store::rows::registry::{AliasTarget, PolicyRow, StoredSignature, VersionRow};
use tallystick::store::views::LedgerWrite;
use tallystick::store::views::registry::AliasMove;
use tallystick::store::views::runs::RunSpan;
use tallystick::tracking::experiment::Experiment;
use tallystick::tracking::metric::MetricPoint;
use tallystick::tracking::run::{Artifact, Run, RunStatus};

const ROUNDS: u64 = 12;
/// The commit slots and all that steers opening lie here; every byte of it is tried.
const HEADER_BYTES: usize = 320;
const POSITIONS: usize = 2_200;

#[test]
fn no_flipped_byte_in_a_closed_ledger_gives_another_answer() {
    sweep(State::Closed, "ledger.redb", POSITIONS);
}

#[test]
fn no_flipped_byte_in_a_closed_lab_gives_another_answer() {
    sweep(State::Closed, "lab.redb", POSITIONS);
}

#[test]
fn no_flipped_byte_in_a_ledger_left_by_a_crash_gives_another_answer() {
    sweep(State::Crashed, "ledger.redb", POSITIONS / 2);
}

#[test]
fn no_byte_flipped_under_an_open_ledger_gives_another_answer() {
    sweep_open("ledger.redb");
}

#[test]
fn no_byte_flipped_under_an_open_lab_gives_another_answer() {
    sweep_open("lab.redb");
}

/// Models that name no blobs.
fn no_inner(_: &[u8]) -> Result<Vec<Digest>, String> {
    Ok(Vec::new())
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Closed,
    Crashed,
}

/// What became of one flipped byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    RefusedOpen,
    CorruptRead,
    Unchanged,
}

fn sweep(state: State, file: &str, positions: usize) {
    let folder = scratch();
    let whole = folder.path().join("whole");
    build(&whole, state);
    let victim = folder.path().join("victim");
    copy_home(&whole, &victim);
    let bytes = std::fs::read(whole.join(file)).unwrap();
    let wanted = dump(&victim).unwrap();
    assert!(check_home(&victim, &no_inner).unwrap().found == 0);
    assert!(wanted.len() > 100, "{}", wanted.len());
    let mut random = Random::new(11, file);
    let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
    for turn in 0..positions {
        let position = if turn < HEADER_BYTES { turn } else { random.below(bytes.len()) };
        let mask = if turn % 3 == 0 { 0xFF } else { 1u8 << random.below(8) };
        restore(&whole, &victim);
        let mut damaged = bytes.clone();
        damaged[position] ^= mask;
        std::fs::write(victim.join(file), &damaged).unwrap();
        let place = format!("{file} byte {position} xor {mask:#04x}");
        let outcome = judge(&victim, &wanted, &place);
        if outcome != Outcome::Unchanged {
            judge(&victim, &wanted, &format!("{place}, opened again"));
        }
        if turn % 20 == 0 {
            std::fs::write(victim.join(file), &damaged).unwrap();
            let report = check_home(&victim, &no_inner).unwrap();
            assert!(
                outcome == Outcome::Unchanged || report.found > 0,
                "{file} byte {position} was not reported"
            );
        }
        *outcomes.entry(outcome).or_default() += 1;
    }
    assert!(outcomes[&Outcome::RefusedOpen] > positions / 10, "{outcomes:?}");
    assert!(outcomes[&Outcome::Unchanged] > positions / 10, "{outcomes:?}");
}

/// As `sweep`, but the byte is flipped on the disk while the store is open.
fn sweep_open(file: &str) {
    let folder = scratch();
    let whole = folder.path().join("whole");
    build(&whole, State::Closed);
    let victim = folder.path().join("victim");
    copy_home(&whole, &victim);
    let wanted = dump(&victim).unwrap();
    let mut random = Random::new(12, file);
    let mut noticed = 0;
    for _ in 0..POSITIONS / 4 {
        restore(&whole, &victim);
        let store = open(&victim).unwrap();
        let path = victim.join(file);
        let position = flip_in_place(&path, &mut random);
        let mut found = BTreeMap::new();
        match dump_ledger(&store, &mut found).and_then(|()| dump_lab(&store, &mut found)) {
            Ok(()) => assert!(found == wanted, "{file} byte {position} changed an answer unnoticed"),
            Err(error) => {
                assert_eq!(error.class(), Class::Integrity, "{file} byte {position}: {error}");
                noticed += 1;
            }
        }
    }
    assert!(noticed > POSITIONS / 40, "{noticed}");
}

fn flip_in_place(path: &Path, random: &mut Random) -> u64 {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let position = random.below(file.metadata().unwrap().len() as usize) as u64;
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << random.below(8))], position).unwrap();
    position
}

fn judge(home: &Path, wanted: &BTreeMap<String, String>, place: &str) -> Outcome {
    match dump(home) {
        Ok(found) => {
            let changed = wanted.iter().find(|(name, row)| found.get(*name) != Some(row));
            assert!(found == *wanted, "{place} changed {changed:?} unnoticed");
            Outcome::Unchanged
        }
        Err((opened, error)) => {
            assert_eq!(error.class(), Class::Integrity, "{place}: {error}");
            assert!(!error.to_string().is_empty() && error.next_step().is_some(), "{place}");
            if opened { Outcome::CorruptRead } else { Outcome::RefusedOpen }
        }
    }
}

fn scratch() -> tempfile::TempDir {
    // Thousands of files are written and flushed; memory is enough for that where there is such a folder.
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

fn open(home: &Path) -> Result<Store, StoreError> {
    Store::open(Home::open(home)?, Box::new(|size, root| Ok(format!("{size} {root}"))))
}

/// A home with rows in every table, closed in order or as a crash would leave it.
fn build(home: &Path, state: State) {
    let made = if state == State::Crashed { home.with_extension("living") } else { home.to_path_buf() };
    drop(Home::create(&made, 1_000).unwrap());
    let store = open(&made).unwrap();
    for round in 1..=ROUNDS {
        fill_ledger(&store, round);
        fill_lab(&store, round);
    }
    if state == State::Crashed {
        copy_home(&made, home);
    }
    drop(store);
}

fn fill_ledger(store: &Store, round: u64) {
    let digest = |what: &str| store.blobs().put(format!("{what} {round}").as_bytes()).unwrap();
    let (version, policy) = (
        VersionRow {
            name: "loans".into(),
            version: round,
            model: digest("model"),
            release: digest("release"),
            policy: digest("policy"),
            evaluation: digest("evaluation"),
            run_id: "0123456789abcdef0123456789abcdef".into(),
            created_ms: 5,
            label: "1.0.0".into(),
        },
        PolicyRow { digest: digest("policy"), name: "retail".into(), created_ms: 6 },
    );
    let change = AliasMove {
        name: "loans".into(),
        alias: "production".into(),
        to: AliasTarget { version: round, policy: policy.digest },
        moved_ms: 7,
        by: "anna".into(),
        why: "better".into(),
        back: false,
    };
    let signature =
        StoredSignature { key_id: "box".into(), sig: "c2ln".into(), payload_type: "application/json".into() };
    let proposed = proposal(round, policy.digest);
    let write = move |ledger: &LedgerWrite| {
        ledger.put_version(&version)?;
        ledger.put_proposal(&proposed)?;
        if round.is_multiple_of(2) {
            ledger.close_proposal(&rejected(&proposed))?;
        }
        ledger.put_policy(&policy)?;
        ledger.move_alias(&change)?;
        ledger.add_signature(&version.release, &signature)?;
        ledger.put_trust(b"{}")?;
        (0..4).try_for_each(|i| ledger.append_record(entry(i), stamp()).map(|_| ()))
    };
    store.write_ledger(write).unwrap();
}

fn proposal(round: u64, policy: Digest) -> ProposalRow {
    ProposalRow {
        id: round,
        name: "loans".into(),
        version: round,
        policy,
        to: "production".into(),
        why: "better".into(),
        from: None,
        from_tag: None,
        gate: GateReport { rules: Vec::new(), passed: true },
        proposed_by: "anna".into(),
        proposed_ms: 6,
        expires_ms: 9,
        state: ProposalState::Open,
        decided_by: None,
        comment: None,
        decided_ms: None,
    }
}

fn rejected(row: &ProposalRow) -> ProposalRow {
    let (decided_by, comment) = (Some("ben".into()), Some("not yet".into()));
    ProposalRow { state: ProposalState::Rejected, decided_by, comment, decided_ms: Some(7), ..row.clone() }
}

fn entry(i: u64) -> Entry {
    let actor = Actor::new("anna", Role::Analyst).unwrap();
    let body = vec![i as u8; 600 + 900 * i as usize];
    Entry { kind: Kind::DataImported, actor, subject: format!("run/{i}"), body }
}

fn stamp() -> Stamp {
    Stamp { wall: jiff::Timestamp::from_millisecond(9_000).unwrap(), quality: TimeQuality::Simulated }
}

fn run_id(round: u64) -> RunId {
    RunId::try_from(format!("{round:032x}")).unwrap()
}

fn fill_lab(store: &Store, round: u64) {
    let experiment = Experiment::new(round - 1, &format!("experiment {round}"), 3).unwrap();
    let mut run = Run::start(run_id(round), "0", "calm-oak-001", "anna", round as i64);
    run.log_param("notes", &"n".repeat(300)).unwrap();
    run.log_artifact(Artifact { path: "m".into(), digest: store.blobs().put(b"m").unwrap(), size: 1 })
        .unwrap();
    let dataset = DatasetRow {
        name: "loans".into(),
        content: Digest::of(&round.to_be_bytes()),
        parquet: store.blobs().put(b"parquet").unwrap(),
        rows: 1,
        columns: 2,
        source_name: "loans.csv".into(),
        imported_ms: 4,
        contract: Digest::of(b"contract"),
    };
    store
        .write_lab(move |lab| {
            lab.put_experiment(&experiment)?;
            lab.put_run_new(&run)?;
            for step in 0..20 {
                let point = MetricPoint { value: step as f64 / 7.0, timestamp: 5, step };
                lab.add_metric(&run.run_id, "loss", &point)?;
            }
            let finished = Run { status: RunStatus::Finished, end_time: Some(9), ..run.clone() };
            lab.put_run(&finished)?;
            lab.put_dataset(&dataset)
        })
        .unwrap();
}

/// All that can be asked of a home, by what was asked. An error tells whether the home opened at all.
fn dump(home: &Path) -> Result<BTreeMap<String, String>, (bool, Box<StoreError>)> {
    let store = open(home).map_err(|error| (false, Box::new(error)))?;
    let mut said = BTreeMap::new();
    dump_ledger(&store, &mut said)
        .and_then(|()| dump_lab(&store, &mut said))
        .map_err(|error| (true, Box::new(error)))?;
    Ok(said)
}

fn dump_ledger(store: &Store, said: &mut BTreeMap<String, String>) -> Result<(), StoreError> {
    let mut say = |name: String, value: &dyn Debug| drop(said.insert(name, format!("{value:?}")));
    store.read_ledger(|ledger| {
        ledger.each_model_name(&mut |name| {
            say(format!("name {name}"), &());
            Ok(())
        })?;
        ledger.each_version(&mut |row| {
            say(format!("walked version {}", row.version), &row);
            Ok(())
        })?;
        say("alias".into(), &ledger.find_alias("loans", "production")?);
        say("aliases".into(), &ledger.list_aliases("loans")?);
        ledger.each_alias_move("loans", "production", &mut |row| {
            say(format!("move {}", row.n), &row);
            Ok(())
        })?;
        ledger.each_policy(&mut |row| {
            say(format!("policy {}", row.digest), &row);
            Ok(())
        })?;
        ledger.each_proposal(None, &mut |row| {
            say(format!("proposal {}", row.id), &row);
            Ok(true)
        })?;
        say("trust".into(), &ledger.find_trust()?);
        ledger.each_checkpoint(&mut |size, text| {
            say(format!("checkpoint {size}"), &text);
            Ok(())
        })?;
        say("records".into(), &ledger.list_records(0, 500)?);
        for round in 0..=ROUNDS + 1 {
            let release = Digest::of(format!("release {round}").as_bytes());
            say(format!("version {round}"), &ledger.find_version("loans", round)?);
            say(format!("signatures {round}"), &ledger.list_signatures(&release)?);
        }
        for size in 0..=ledger.log_size()? {
            say(format!("root {size}"), &ledger.log_root(size)?);
            say(format!("record {size}"), &ledger.find_record(size)?);
        }
        Ok(())
    })
}

fn dump_lab(store: &Store, said: &mut BTreeMap<String, String>) -> Result<(), StoreError> {
    let mut say = |name: String, value: &dyn Debug| drop(said.insert(name, format!("{value:?}")));
    store.read_lab(|lab| {
        let all = RunSpan { limit: 500, ..RunSpan::default() };
        say("runs".into(), &lab.list_runs(&all)?);
        // Damage in what runs are found by is seen, or answers nothing else.
        say(
            "runs of an experiment".into(),
            &lab.list_runs(&RunSpan { experiment: Some("0".into()), ..all })?,
        );
        say("blobs".into(), &lab.list_referenced()?);
        lab.each_dataset(&mut |row| {
            say(format!("walked dataset {}", row.content), &row);
            Ok(())
        })?;
        for round in 1..=ROUNDS {
            say(format!("run {round}"), &lab.find_run(&run_id(round))?);
            say(format!("metric {round}"), &lab.list_metric_history(&run_id(round), "loss", 500)?);
            say(format!("experiment {round}"), &lab.find_experiment(&(round - 1).to_string())?);
            let content = Digest::of(&round.to_be_bytes());
            say(format!("dataset {round}"), &lab.find_dataset("loans", &content)?);
        }
        Ok(())
    })
}

/// Puts both stores and their witnesses back as they were.
fn restore(whole: &Path, victim: &Path) {
    for part in ["ledger.redb", "lab.redb", "run/ledger.head", "run/lab.head"] {
        std::fs::copy(whole.join(part), victim.join(part)).unwrap();
    }
}

fn copy_home(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_home(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
