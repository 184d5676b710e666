//! `store check` over rows that disagree with the log: each is named, and a forgotten subject is none of them.

use crate::store::check::CheckReport;
use crate::store::check::answers::check_answers;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::rows::answers::{CasesRow, CounterRow, DecisionIdRow, IdempotencyRow, SubjectKeyRow};
use crate::store::rows::{self, Row};
use crate::store::tables::StoreName;
use crate::store::tests::bank::{Bank, answer, submit};
use crate::store::tests::{entry, stamp};
use crate::store::views::group::{Group, Writes};
use crate::store::views::{Ledger, Rows, Span};

const CACHE_BYTES: usize = 1 << 20;

/// What is written over a sound ledger.
type Spoil = fn(&dyn Writes) -> Result<(), StoreError>;

/// The answers 1 to 6 as the records 0 to 5, then one record that is no answer.
fn sound() -> Bank {
    let bank = Bank::new();
    let lane = bank.lane();
    for number in 1..=6 {
        assert_eq!(submit(&lane, number).unwrap().wait().unwrap().seq, number - 1);
    }
    let work = |view: &dyn Writes| Ledger(view).append_record(entry("run/1"), stamp(1));
    let other = lane.submit(crate::store::lane::Urgency::Bulk, work).unwrap();
    assert_eq!(other.wait().unwrap(), 6);
    drop(lane);
    bank
}

fn findings(bank: &Bank, spoil: Spoil) -> Vec<String> {
    let disk = crate::store::tests::disk::Disk::of(bank.disk.images());
    let file = StoreFile::open_over(StoreName::Ledger, CACHE_BYTES, || disk.plug()).unwrap();
    let view = file.begin_write().unwrap();
    spoil(&Group::new(&view)).unwrap();
    view.commit().unwrap();
    let mut report = CheckReport::default();
    file.read(|view| check_answers(&Ledger(view), &mut report)).unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

/// The one row of a table that `wanted` picks.
fn pick<R: Row>(view: &dyn Writes, wanted: fn(&R) -> bool) -> Result<R, StoreError> {
    Ok(view.list::<R>(&Span::all(), usize::MAX)?.into_iter().find(wanted).unwrap())
}

/// What is spoiled, in which table, and what the finding says of the place.
const SPOILED: [(&str, Spoil, &str, &str); 13] = [
    (
        "an id without its row",
        |view| view.remove::<DecisionIdRow>(&answer(2).id),
        "decision_ids",
        "missing though record 1",
    ),
    (
        "an id that leads to another answer",
        |view| view.put(&DecisionIdRow { id: answer(2).id, seq: 3 }),
        "decision_ids",
        "does not lead to record 1",
    ),
    (
        "an id of no answer",
        |view| view.put(&DecisionIdRow { id: [1; 16], seq: 3 }),
        "decision_ids",
        "record 3, which is another's answer",
    ),
    (
        "an id that leads beyond the log",
        |view| view.put(&DecisionIdRow { id: [1; 16], seq: 99 }),
        "decision_ids",
        "record 99, which is no answer",
    ),
    (
        "a case without its row",
        |view| view.remove::<CasesRow>(&CasesRow::key_of(2_024, 2)),
        "cases",
        "record 1",
    ),
    (
        "a case of no answer",
        |view| view.put(&CasesRow { year: 2_024, first: 77, seqs: vec![6] }),
        "cases",
        "record 6, which is no answer",
    ),
    (
        "a case of another's answer",
        |view| view.put(&CasesRow { year: 2_024, first: 77, seqs: vec![1] }),
        "cases",
        "record 1, which is another's answer",
    ),
    (
        "a key under another subject",
        |view| {
            let row: SubjectKeyRow = pick(view, |row: &SubjectKeyRow| row.seq == 4)?;
            view.put(&SubjectKeyRow { tag: [9; 16], ..row })
        },
        "subject_keys",
        "record 4, which is another's answer",
    ),
    (
        "a key of no answer",
        |view| view.put(&SubjectKeyRow { tag: [0; 16], seq: 6, wrapped: vec![] }),
        "subject_keys",
        "record 6, which is no answer",
    ),
    (
        "a repetition that leads to no answer",
        |view| {
            let row: IdempotencyRow = pick(view, |row: &IdempotencyRow| row.seq == 3)?;
            view.put(&IdempotencyRow { seq: 6, ..row })
        },
        "idempotency",
        "record 6, which is no answer",
    ),
    (
        "a repetition of somebody else",
        |view| {
            let row: IdempotencyRow = pick(view, |row: &IdempotencyRow| row.seq == 3)?;
            view.put(&IdempotencyRow { principal: "mallory".into(), ..row })
        },
        "idempotency",
        "record 3, which is another's answer",
    ),
    (
        "a count too many",
        |view| {
            let mut row: CounterRow = pick(view, |_: &CounterRow| true)?;
            row.counts.count("predictions");
            view.put(&row)
        },
        "counters",
        "4 answers are counted, 3 are in the log",
    ),
    (
        "a lost counter",
        |view| {
            let row: CounterRow = pick(view, |_: &CounterRow| true)?;
            view.remove::<CounterRow>(&row.key())
        },
        "counters",
        "0 answers are counted, 3 are in the log",
    ),
];

#[test]
fn every_row_that_disagrees_with_the_log_is_named() {
    let bank = sound();
    assert_eq!(findings(&bank, |_| Ok(())), Vec::<String>::new());
    for (what, spoil, table, place) in SPOILED {
        let found = findings(&bank, spoil);
        assert!(!found.is_empty(), "{what}");
        let named = found.iter().any(|text| text.contains(&format!("table {table}")) && text.contains(place));
        assert!(named, "{what}: {found:?}");
    }
}

#[test]
fn a_forgotten_subject_is_no_damage() {
    let forget: Spoil = |view| {
        let rows: Vec<SubjectKeyRow> = view.list(&Span::all(), usize::MAX)?;
        rows.iter().try_for_each(|row| view.remove::<SubjectKeyRow>(&row.key()))
    };
    assert_eq!(findings(&sound(), forget), Vec::<String>::new());
}

#[test]
fn a_row_with_a_wrong_tag_is_left_to_the_walk_over_all_rows() {
    let spoil: Spoil = |view| {
        let (key, mut framed) = rows::seal(&DecisionIdRow { id: answer(2).id, seq: 1 })?;
        framed[3] ^= 1;
        view.put_framed(DecisionIdRow::TABLE, &key, &framed).map(drop)
    };
    assert_eq!(findings(&sound(), spoil), Vec::<String>::new());
}
