//! The check of what goes with recorded answers: every answer of the log has its rows, no row leads elsewhere, and the
//! counters are the log's sum. A missing key of a body is none of its findings: its subject was forgotten.

use std::collections::BTreeMap;

use crate::base::clock::year_of;
use crate::base::digest::Digest;
use crate::ledger::decision::DecisionFacts;
use crate::ledger::leaf::Record;
use crate::security::seal::record::SubjectTag;
use crate::store::check::CheckReport;
use crate::store::error::StoreError;
use crate::store::rows::Row;
use crate::store::rows::answers::{CasesRow, CounterRow, DecisionIdRow, IdempotencyRow, SubjectKeyRow};
use crate::store::rows::log::RecordRow;
use crate::store::views::{Direction, Framed, Ledger, ReadView, Rows, Span};

const DAY_MS: i64 = 86_400_000;

/// Answers that counters count, by release and day.
type Tally = BTreeMap<(Digest, u64), u64>;

/// What the log's records account for.
#[derive(Default)]
struct Seen {
    ids: u64,
    cases: u64,
    keys: u64,
    /// Answers made by a release, and those of a day that no release made: they count for the one that was asked.
    by_release: Tally,
    unscored: BTreeMap<u64, u64>,
}

pub(in crate::store) fn check_answers(
    ledger: &Ledger<&ReadView>,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let mut seen = Seen::default();
    ledger.0.each(&Span::all(), &mut |row: RecordRow| check_record(ledger.0, row, &mut seen, report))?;
    // Each record has found its own rows; where there are more, some lead elsewhere.
    if count_rows::<DecisionIdRow>(ledger.0)? != seen.ids {
        ledger.0.each(&Span::all(), &mut |row| check_id(ledger, &row, report))?;
    }
    let mut cases = 0;
    ledger.0.each(&Span::all(), &mut |row: CasesRow| {
        cases += row.seqs.len() as u64;
        Ok(())
    })?;
    if cases != seen.cases {
        ledger.0.each(&Span::all(), &mut |row| check_cases(ledger, &row, report))?;
    }
    if count_rows::<SubjectKeyRow>(ledger.0)? != seen.keys {
        ledger.0.each(&Span::all(), &mut |row| check_key(ledger, &row, report))?;
    }
    ledger.0.each(&Span::all(), &mut |row| check_repetition(ledger, &row, report))?;
    check_counters(ledger.0, &seen, report)
}

fn count_rows<R: Row>(view: &ReadView) -> Result<u64, StoreError> {
    let mut rows = 0;
    view.visit(R::TABLE, &Span::all(), Direction::Forward, &mut |_, _| {
        rows += 1;
        Ok(true)
    })?;
    Ok(rows)
}

/// A record reads, and where it is an answer its rows lead to it.
fn check_record(
    view: &ReadView,
    row: RecordRow,
    seen: &mut Seen,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let seq = row.seq;
    let unread = |why: String| {
        let why = format!("record {seq}: {why}");
        StoreError::corrupt(RecordRow::TABLE, &RecordRow::key_of(seq), why)
    };
    let read = Record::parse(&row.header, row.body).map_err(|error| unread(error.to_string()));
    let Some(record) = report.keep(read) else { return Ok(()) };
    let Some(facts) = &record.header().decision else { return Ok(()) };
    let id: DecisionIdRow = DecisionIdRow { id: *facts.id.as_bytes(), seq };
    seen.ids += u64::from(leads(view, &id, id.seq, report)?);
    if let Some(case) = case_of(&record, facts) {
        seen.cases += u64::from(case_leads(view, case, seq, report)?);
    }
    match SubjectTag::find_in(record.body()) {
        Some(tag) => {
            let key = SubjectKeyRow::key_of(&tag.0, seq);
            seen.keys += u64::from(view.find_framed(SubjectKeyRow::TABLE, &key)?.is_some());
        }
        None => report.add(unread("its body is not a sealed one".to_string())),
    }
    let day = u64::try_from(record.header().time_ms / DAY_MS).unwrap_or_default();
    match facts.release {
        Some(release) => *seen.by_release.entry((release, day)).or_default() += 1,
        None => *seen.unscored.entry(day).or_default() += 1,
    }
    Ok(())
}

/// Year and number of an answer's case.
fn case_of(record: &Record, facts: &DecisionFacts) -> Option<(u64, u64)> {
    let case = facts.case.as_ref()?;
    Some((year_of(record.header().time_ms), case.number()))
}

/// As `leads`, for one case of the row that it is in.
fn case_leads(
    view: &ReadView,
    (year, number): (u64, u64),
    seq: u64,
    report: &mut CheckReport,
) -> Result<bool, StoreError> {
    let key = CasesRow::key_of(year, number);
    let span = Span::prefix(&CasesRow::prefix(year)).up_to(&key);
    let row: Option<CasesRow> = match view.find_last(&span) {
        Ok(row) => row,
        // Found by the walk over all rows already.
        Err(error) if error.is_corrupt() => return Ok(true),
        Err(error) => return Err(error),
    };
    let found = row.and_then(|row| row.find(number));
    let finding = match found {
        None => format!("case {number} of {year} has no row though record {seq} is its answer"),
        Some(found) if found != seq => {
            format!("case {number} of {year} does not lead to record {seq}, which is its answer")
        }
        Some(_) => return Ok(true),
    };
    report.add(StoreError::corrupt(CasesRow::TABLE, &key, finding));
    Ok(found.is_some())
}

/// Whether the row that should be there is; otherwise that is a finding. Says yes as well where there is a row, but
/// of another record: it was counted as one.
fn leads<R: Row + PartialEq>(
    view: &ReadView,
    wanted: &R,
    seq: u64,
    report: &mut CheckReport,
) -> Result<bool, StoreError> {
    let key = wanted.key();
    let found = match view.find::<R>(&key) {
        Ok(found) => found,
        // Found by the walk over all rows already.
        Err(error) if error.is_corrupt() => return Ok(true),
        Err(error) => return Err(error),
    };
    let finding = match &found {
        None => format!("the row is missing though record {seq} is its answer"),
        Some(row) if row != wanted => format!("it does not lead to record {seq}, which is its answer"),
        Some(_) => return Ok(true),
    };
    report.add(StoreError::corrupt(R::TABLE, &key, finding));
    Ok(found.is_some())
}

/// The answer at a place that a row names; none is a finding.
fn find_answer<R: Row>(
    ledger: &Ledger<&ReadView>,
    row: &R,
    seq: u64,
    report: &mut CheckReport,
) -> Result<Option<Record>, StoreError> {
    let found = match ledger.find_record(seq) {
        Ok(found) => found.filter(|record| record.header().decision.is_some()),
        Err(error) if error.is_corrupt() => return Ok(None),
        Err(error) => return Err(error),
    };
    if found.is_none() {
        let why = format!("it leads to record {seq}, which is no answer");
        report.add(StoreError::corrupt(R::TABLE, &row.key(), why));
    }
    Ok(found)
}

fn check_id(
    ledger: &Ledger<&ReadView>,
    row: &DecisionIdRow,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let found = find_answer(ledger, row, row.seq, report)?;
    let fits =
        |record: &Record| record.header().decision.as_ref().is_some_and(|f| *f.id.as_bytes() == row.id);
    astray(row, row.seq, found.as_ref().is_none_or(fits), report);
    Ok(())
}

fn check_cases(
    ledger: &Ledger<&ReadView>,
    row: &CasesRow,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    for (number, seq) in (row.first..).zip(&row.seqs) {
        let found = find_answer(ledger, row, *seq, report)?;
        let case = |record: &Record| record.header().decision.as_ref().and_then(|f| case_of(record, f));
        let fits = |record: &Record| case(record) == Some((row.year, number));
        astray(row, *seq, found.as_ref().is_none_or(fits), report);
    }
    Ok(())
}

fn check_key(
    ledger: &Ledger<&ReadView>,
    row: &SubjectKeyRow,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let found = find_answer(ledger, row, row.seq, report)?;
    let fits = |record: &Record| SubjectTag::find_in(record.body()).is_some_and(|tag| tag.0 == row.tag);
    astray(row, row.seq, found.as_ref().is_none_or(fits), report);
    Ok(())
}

fn check_repetition(
    ledger: &Ledger<&ReadView>,
    row: &IdempotencyRow,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let found = find_answer(ledger, row, row.seq, report)?;
    let fits = |record: &Record| record.header().actor.name() == row.principal;
    astray(row, row.seq, found.as_ref().is_none_or(fits), report);
    Ok(())
}

fn astray<R: Row>(row: &R, seq: u64, fits: bool, report: &mut CheckReport) {
    if !fits {
        let why = format!("it leads to record {seq}, which is another's answer");
        report.add(StoreError::corrupt(R::TABLE, &row.key(), why));
    }
}

/// For each release and day as many answers are counted as the log has; those that no release made count for some.
fn check_counters(view: &ReadView, seen: &Seen, report: &mut CheckReport) -> Result<(), StoreError> {
    let (mut counted, mut surplus) = (Tally::new(), BTreeMap::<u64, u64>::new());
    view.each(&Span::all(), &mut |row: CounterRow| {
        let of = |name: &str| row.counts.named.get(name).copied().unwrap_or(0);
        let answers = ["decisions", "predictions", "rehearsals"].map(of);
        counted.insert((row.release, row.day), answers.into_iter().fold(0, u64::saturating_add));
        Ok(())
    })?;
    let none = seen.by_release.keys().filter(|place| !counted.contains_key(place)).copied();
    let places: Vec<(Digest, u64)> = counted.keys().copied().chain(none).collect();
    for (release, day) in places {
        let count = counted.get(&(release, day)).copied().unwrap_or(0);
        let recorded = seen.by_release.get(&(release, day)).copied().unwrap_or(0);
        let unscored = seen.unscored.get(&day).copied().unwrap_or(0);
        if count < recorded || count - recorded > unscored {
            let why = format!(
                "release {release}, day {day}: {count} answers are counted, {recorded} are in the log \
                 and {unscored} more that no release made"
            );
            report.add(StoreError::corrupt(CounterRow::TABLE, &CounterRow::key_of(&release, day), why));
        } else {
            *surplus.entry(day).or_default() += count - recorded;
        }
    }
    for (day, unscored) in &seen.unscored {
        let counted = surplus.get(day).copied().unwrap_or(0);
        if report.found == 0 && counted != *unscored {
            let why = format!(
                "day {day}: {counted} answers are counted that no release made, {unscored} are in the log"
            );
            report.add(StoreError::corrupt(CounterRow::TABLE, &day.to_be_bytes(), why));
        }
    }
    Ok(())
}
