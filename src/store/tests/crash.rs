//! `store_crash`: the power goes at any flush of the real lane under several callers, and what had not been flushed is
//! lost, kept, or torn. Whatever was answered is there once, and every table agrees with the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::base::digest::Digest;
use crate::base::rng::Random;
use crate::ledger::case::CaseNumber;
use crate::ledger::leaf::parse_header;
use crate::ledger::verify::{StoredRecord, audit};
use crate::security::trust::TrustRoot;
use crate::store::check::CheckReport;
use crate::store::check::answers::check_answers;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::lane::{Lane, Urgency};
use crate::store::rows::answers::{
    CasesRow, CounterRow, Counts, DecisionIdRow, IdempotencyRow, SubjectKeyRow,
};
use crate::store::tables::StoreName;
use crate::store::tests::bank::{Bank, YEAR, answer, number_of, open_whole};
use crate::store::tests::disk::{Disk, Event, Images, Left, Platter};
use crate::store::views::answers::Placed;
use crate::store::views::group::Writes;
use crate::store::views::{Ledger, LedgerRead, Rows, Span};

/// All of it in memory: a judge reads everything several times.
const CACHE_BYTES: usize = 4 << 20;
const BLOCK: usize = 4_096;
const SECTOR: usize = 512;
/// What is tried at each flush.
const CUTS: [Left; 6] = [
    Left::Nothing,
    Left::All,
    Left::Pieces(BLOCK),
    Left::Pieces(BLOCK),
    Left::Pieces(SECTOR),
    Left::Pieces(SECTOR),
];

/// A run of the lane as its disk saw it.
struct Recorded {
    begin: Images,
    events: Vec<Event>,
    trust: TrustRoot,
    syncs: usize,
}

/// Several callers put answers on record at once, each waiting for some of its own; then the lane is closed.
fn record(callers: u64, answers: u64) -> Recorded {
    let bank = Bank::new();
    let begin = bank.disk.images();
    bank.disk.take_events();
    let lane = bank.lane();
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let (lane, disk) = (&lane, &bank.disk);
            scope.spawn(move || call(lane, disk, (0..answers).map(|n| n * callers + caller), caller));
        }
    });
    drop(lane);
    let events = bank.disk.take_events();
    let syncs = events.iter().filter(|event| matches!(event, Event::Sync { .. })).count();
    Recorded { begin, events, trust: bank.trust, syncs }
}

fn call(lane: &Lane, disk: &Disk, numbers: impl Iterator<Item = u64>, caller: u64) {
    let (told, hears) = channel();
    let (mut asked, mut heard) = (0, Vec::new());
    for (turn, number) in numbers.enumerate() {
        put(lane, disk, number, told.clone());
        asked += 1;
        // The same again is refused and takes no neighbour with it.
        if turn % 5 == 4 {
            put(lane, disk, number, told.clone());
        }
        if (turn as u64).is_multiple_of(caller + 1) {
            heard.push(hears.recv().unwrap());
        }
    }
    drop(told);
    heard.extend(hears);
    assert_eq!(heard.into_iter().filter(|kept| *kept).count(), asked);
}

fn put(lane: &Lane, disk: &Disk, number: u64, told: Sender<bool>) {
    let (mut answer, disk) = (answer(number), disk.clone());
    let work = move |view: &dyn Writes| Ledger(view).put_answer(&mut answer);
    let then = move |outcome: Result<Placed, StoreError>| {
        if outcome.is_ok() {
            disk.tell(number);
        }
        let _ = told.send(outcome.is_ok());
    };
    lane.submit_then(Urgency::Decision, work, then).unwrap();
}

/// Cuts the power at those flushes of a run that are wanted, in every way, and judges what is left.
fn cut_all(run: Recorded, random: &mut Random, wanted: impl Fn(usize) -> bool) {
    let mut platter = Platter::of(run.begin);
    let (mut told, mut sync, mut judged) = (BTreeSet::new(), 0, 0);
    for event in run.events {
        if let Event::Told(number) = &event {
            told.insert(*number);
        }
        if matches!(event, Event::Sync { .. }) {
            sync += 1;
            for left in CUTS.into_iter().filter(|_| wanted(sync)) {
                let image = platter.after_cut(left, random);
                let place = format!("flush {sync} of {}, {left:?}", run.syncs);
                judge(image.clone(), &told, &run.trust).unwrap_or_else(|why| panic!("{place}: {why}"));
                judged += 1;
                if judged % 7 == 0 {
                    cut_again(image, random, &told, &run.trust)
                        .unwrap_or_else(|why| panic!("{place}: {why}"));
                }
            }
        }
        platter.take(event);
    }
    let end = platter.after_cut(Left::Nothing, random);
    judge(end, &told, &run.trust).unwrap();
    assert!(judged > 0 && sync == run.syncs);
}

/// The power goes a second time, while the store is opened after the first.
fn cut_again(
    image: Images,
    random: &mut Random,
    told: &BTreeSet<u64>,
    trust: &TrustRoot,
) -> Result<(), String> {
    let disk = Disk::of(image.clone());
    drop(open_whole(&disk, CACHE_BYTES).map_err(|error| error.to_string())?);
    let mut platter = Platter::of(image);
    for event in disk.take_events() {
        if matches!(event, Event::Sync { .. }) {
            let left = CUTS[random.below(CUTS.len())];
            let image = platter.after_cut(left, random);
            judge(image, told, trust).map_err(|why| format!("the second time {left:?}: {why}"))?;
        }
        platter.take(event);
    }
    Ok(())
}

/// Opens what a power cut left and holds every table against the log, and the log against what was answered.
fn judge(image: Images, told: &BTreeSet<u64>, trust: &TrustRoot) -> Result<(), String> {
    let disk = Disk::of(image);
    let file = open_whole(&disk, CACHE_BYTES).map_err(|error| error.to_string())?;
    let checked = file.read(|view| Ok::<_, StoreError>(check(&Ledger(view), told, trust)));
    checked.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn check(
    ledger: &LedgerRead,
    told: &BTreeSet<u64>,
    trust: &TrustRoot,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut records, mut notes) = (Vec::new(), Vec::new());
    for seq in 0..ledger.log_size()? {
        let record = ledger.find_record(seq)?.ok_or("a record is missing")?;
        let (header, body) = (record.leaf_data().to_vec(), record.body().to_vec());
        records.push(StoredRecord { seq, header, body });
    }
    ledger.each_checkpoint(&mut |_, text| {
        notes.push(Ok(text.into_bytes()));
        Ok(())
    })?;
    let (mut found, mut counted, mut cases) = (BTreeMap::new(), BTreeMap::new(), 0);
    for record in &records {
        let number = number_of(&record.body);
        if found.insert(number, record.seq).is_some() {
            return Err(format!("answer {number} is there twice").into());
        }
        let case = parse_header(&record.header)?.decision.and_then(|facts| facts.case);
        let mut expected = answer(number).header;
        expected.put_at(record.seq, case);
        if record.header != expected.to_leaf_data()? {
            return Err(format!("answer {number} is not what it was").into());
        }
        cases += u64::from(case.is_some());
        if case.is_some_and(|case| case.number() != cases) {
            return Err(format!("answer {number} is the {cases}th case and has the number of another").into());
        }
        check_names(ledger, number, record.seq, case)?;
        count(&mut counted, number);
    }
    check_tables(ledger, &found, &counted)?;
    let mut report = CheckReport::default();
    check_answers(ledger, &mut report)?;
    if report.found > 0 {
        return Err(format!("the store's own check: {:?}", report.findings).into());
    }
    if let Some(lost) = told.iter().find(|number| !found.contains_key(number)) {
        return Err(format!("answer {lost} was told and is lost").into());
    }
    if !records.is_empty() {
        audit::<StoreError, _>(records.into_iter().map(Ok), ledger, notes, trust)?;
    }
    Ok(())
}

/// Every name of an answer leads to its record.
fn check_names(
    ledger: &LedgerRead,
    number: u64,
    seq: u64,
    case: Option<CaseNumber>,
) -> Result<(), Box<dyn std::error::Error>> {
    let answer = answer(number);
    let mut led = vec![ledger.find_seq_of_id(&answer.id)?];
    if answer.case.is_some() {
        led.push(ledger.find_seq_of_case(YEAR, case.map_or(0, |case| case.number()))?);
    }
    if let Some(new) = &answer.repetition {
        led.push(ledger.find_repetition(new.day, &new.principal, &new.key)?.map(|row| row.seq));
    }
    let wrapped = ledger.find_subject_key(&answer.subject_tag, seq)?;
    if led.iter().any(|led| *led != Some(seq)) || wrapped.as_ref() != Some(&answer.wrapped_key) {
        return Err(format!("the names of answer {number} do not lead to record {seq}: {led:?}").into());
    }
    Ok(())
}

fn count(counted: &mut BTreeMap<(Digest, u64), Counts>, number: u64) {
    let new = answer(number).counted;
    let counts = counted.entry((new.release, new.day)).or_default();
    new.names.iter().for_each(|name| counts.count(name));
    counts.bins.resize(1, vec![0; 4]);
    counts.bins[0][new.bins[0].0 as usize] += 1;
}

/// No table has a row more than the log accounts for, and the counters are its sum.
fn check_tables(
    ledger: &LedgerRead,
    found: &BTreeMap<u64, u64>,
    counted: &BTreeMap<(Digest, u64), Counts>,
) -> Result<(), Box<dyn std::error::Error>> {
    let (all, view) = (Span::all(), ledger.0);
    let with = |wanted: fn(u64) -> bool| found.keys().filter(|number| wanted(**number)).count();
    let cases: Vec<CasesRow> = view.list(&all, usize::MAX)?;
    let rows = [
        (view.list::<DecisionIdRow>(&all, usize::MAX)?.len(), found.len()),
        (view.list::<SubjectKeyRow>(&all, usize::MAX)?.len(), found.len()),
        (cases.iter().map(|row| row.seqs.len()).sum(), with(|number| answer(number).case.is_some())),
        (view.list::<IdempotencyRow>(&all, usize::MAX)?.len(), with(|number| number.is_multiple_of(2))),
    ];
    if rows.iter().any(|(stored, wanted)| stored != wanted) {
        return Err(format!("rows and what the log accounts for: {rows:?}").into());
    }
    let stored: Vec<CounterRow> = view.list(&all, usize::MAX)?;
    let stored: BTreeMap<_, _> = stored.into_iter().map(|row| ((row.release, row.day), row.counts)).collect();
    if stored == *counted { Ok(()) } else { Err("the counters are not the log's sum".into()) }
}

#[test]
fn a_power_cut_at_any_flush_of_a_short_run_loses_no_answer() {
    let run = record(3, 6);
    assert!(run.syncs > 10, "{}", run.syncs);
    cut_all(run, &mut Random::new(1, "every flush"), |_| true);
}

#[test]
fn a_power_cut_at_some_flush_of_a_long_run_loses_no_answer() {
    let run = record(6, 30);
    let mut random = Random::new(2, "some flush");
    let wanted: BTreeSet<usize> = (0..9).map(|_| 1 + random.below(run.syncs)).collect();
    cut_all(run, &mut random, |sync| wanted.contains(&sync));
}

#[test]
fn the_judge_sees_a_lost_answer_a_doubled_count_and_a_name_that_leads_nowhere() {
    let bank = Bank::new();
    let lane = bank.lane();
    let (disk, told) = (bank.disk.clone(), channel());
    put(&lane, &disk, 1, told.0);
    assert!(told.1.recv().unwrap());
    drop(lane);
    let image = Arc::new(bank.disk.images());
    let judged = |told: &[u64], spoil: fn(&dyn Writes) -> Result<(), StoreError>| {
        let disk = Disk::of((*image).clone());
        let file = StoreFile::open_over(StoreName::Ledger, CACHE_BYTES, || disk.plug()).unwrap();
        let view = file.begin_write().unwrap();
        spoil(&crate::store::views::group::Group::new(&view)).unwrap();
        view.commit().unwrap();
        drop(file);
        judge(disk.images(), &told.iter().copied().collect(), &bank.trust).err().unwrap_or_default()
    };
    assert_eq!(judged(&[1], |_| Ok(())), "");
    assert!(judged(&[1, 2], |_| Ok(())).contains("answer 2 was told and is lost"));
    let again = |view: &dyn Writes| {
        let mut row: CounterRow = view.list(&Span::all(), 1)?.remove(0);
        row.counts.count("decisions");
        view.put(&row)
    };
    assert!(judged(&[1], again).contains("counters"));
    let astray = |view: &dyn Writes| view.put(&DecisionIdRow { id: answer(1).id, seq: 7 });
    assert!(judged(&[1], astray).contains("do not lead"));
}
