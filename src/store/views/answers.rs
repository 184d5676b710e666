//! Putting an answer on record: its place in the log, its key, its names, its counts, all in one transaction.
//! Never opens a body and never decides whether a request was seen before; it is asked.

use std::borrow::Cow;
use std::collections::btree_map::Entry;

use crate::base::digest::Digest;
use crate::ledger::case::{Branch, CaseNumber};
use crate::ledger::leaf::{Header, Record};
use crate::store::error::StoreError;
use crate::store::rows::answers::{
    CasesRow, CounterRow, Counts, DecisionIdRow, IdempotencyRow, SubjectKeyRow,
};
use crate::store::views::{Ledger, LedgerWrite, Rows, Span};

/// An answer that is to be recorded: all of it but its place in the log.
#[derive(Clone, Debug)]
pub struct NewAnswer {
    /// Its place and its case are those it gets.
    pub header: Header,
    /// Sealed.
    pub body: Vec<u8>,
    pub id: [u8; 16],
    /// Whether it is given a case, and from which year's numbers.
    pub case: Option<NewCase>,
    pub subject_tag: [u8; 16],
    pub wrapped_key: Vec<u8>,
    pub repetition: Option<NewRepetition>,
    pub counted: Counted,
}

/// A case that is to be given its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCase {
    pub branch: Branch,
    /// All four digits.
    pub year: u64,
}

/// Where an answer was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub seq: u64,
    pub case: Option<CaseNumber>,
}

/// What lets a repeated request find its answer.
#[derive(Clone, Debug)]
pub struct NewRepetition {
    pub day: u64,
    pub principal: String,
    pub key: String,
    pub request: [u8; 32],
    pub at_ms: i64,
}

/// What one answer adds to the counts of its release and day.
#[derive(Clone, Debug)]
pub struct Counted {
    pub release: Digest,
    pub day: u64,
    pub names: Vec<Cow<'static, str>>,
    /// For each field its bin among how many; empty where nothing was scored.
    pub bins: Vec<(u32, u32)>,
}

impl Counted {
    fn add_to(&self, counts: &mut Counts) {
        self.names.iter().for_each(|name| counts.count(name));
        if counts.bins.len() < self.bins.len() {
            counts.bins.resize(self.bins.len(), Vec::new());
        }
        for (bins, (bin, width)) in counts.bins.iter_mut().zip(&self.bins) {
            if bins.len() < *width as usize {
                bins.resize(*width as usize, 0);
            }
            if let Some(count) = bins.get_mut(*bin as usize) {
                *count += 1;
            }
        }
    }
}

impl<V: Rows> Ledger<V> {
    pub fn find_seq_of_id(&self, id: &[u8; 16]) -> Result<Option<u64>, StoreError> {
        Ok(self.0.find::<DecisionIdRow>(id)?.map(|row| row.seq))
    }

    pub fn find_seq_of_case(&self, year: u64, number: u64) -> Result<Option<u64>, StoreError> {
        let span = Span::prefix(&CasesRow::prefix(year)).up_to(&CasesRow::key_of(year, number));
        let row: Option<CasesRow> = self.0.find_last(&span)?;
        Ok(row.and_then(|row| row.find(number)))
    }

    /// The number that the next case of that year gets.
    fn find_case_next(&self, year: u64) -> Result<u64, StoreError> {
        let last: Option<CasesRow> = self.0.find_last(&Span::prefix(&CasesRow::prefix(year)))?;
        Ok(last.map_or(1, |row| row.next()))
    }

    /// The wrapped key of a record's body; none once its subject was forgotten.
    pub fn find_subject_key(&self, tag: &[u8; 16], seq: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<SubjectKeyRow> = self.0.find(&SubjectKeyRow::key_of(tag, seq))?;
        Ok(row.map(|row| row.wrapped))
    }

    /// Whether anything was ever sealed in this home.
    pub fn has_subject_keys(&self) -> Result<bool, StoreError> {
        Ok(self.0.find_last::<SubjectKeyRow>(&Span::all())?.is_some())
    }

    pub fn find_repetition(
        &self,
        day: u64,
        principal: &str,
        key: &str,
    ) -> Result<Option<IdempotencyRow>, StoreError> {
        self.0.find(&IdempotencyRow::key_of(day, principal, key))
    }

    pub fn find_counts(&self, release: &Digest, day: u64) -> Result<Option<Counts>, StoreError> {
        let row: Option<CounterRow> = self.0.find(&CounterRow::key_of(release, day))?;
        Ok(row.map(|row| row.counts))
    }

    /// The latest records before `before` that `wanted` keeps, newest first; looks at `looks` records at most and
    /// answers where to go on, if there is more.
    pub fn list_records_back(
        &self,
        before: u64,
        limit: usize,
        looks: u64,
        wanted: &dyn Fn(&Record) -> bool,
    ) -> Result<(Vec<Record>, Option<u64>), StoreError> {
        let (mut found, mut seq) = (Vec::new(), before);
        while seq > 0 && found.len() < limit && before - seq < looks {
            seq -= 1;
            found.extend(self.find_record(seq)?.filter(|record| wanted(record)));
        }
        Ok((found, (seq > 0).then_some(seq)))
    }
}

impl LedgerWrite<'_> {
    /// Records an answer; the number it gets is its place in the order of everything.
    pub fn put_answer(&self, answer: &mut NewAnswer) -> Result<Placed, StoreError> {
        let case = answer.case.map(|new| self.next_case(new)).transpose()?;
        let (header, body) = (&mut answer.header, &answer.body);
        let seq = self.append_with(|seq| {
            header.put_at(seq, case);
            Ok((header.to_leaf_data()?, Cow::Borrowed(&body[..])))
        })?;
        if let Some(NewCase { year, .. }) = answer.case {
            let mut scratch = self.0.scratch().borrow_mut();
            scratch.cases.entry(year).and_modify(|row| row.seqs.push(seq));
        }
        self.0.put_new_later(&DecisionIdRow { id: answer.id, seq })?;
        self.0.put_new_later(&SubjectKeyRow {
            tag: answer.subject_tag,
            seq,
            wrapped: answer.wrapped_key.clone(),
        })?;
        if let Some(new) = &answer.repetition {
            self.0.put_new(&IdempotencyRow {
                day: new.day,
                principal: new.principal.clone(),
                key: new.key.clone(),
                request: new.request,
                seq,
                at_ms: new.at_ms,
            })?;
        }
        let mut scratch = self.0.scratch().borrow_mut();
        let place = (answer.counted.release, answer.counted.day);
        answer.counted.add_to(scratch.counts.entry(place).or_default());
        Ok(Placed { seq, case })
    }

    /// The number behind the last one given, by the group or before it: a year's cases have no gap.
    fn next_case(&self, new: NewCase) -> Result<CaseNumber, StoreError> {
        let mut scratch = self.0.scratch().borrow_mut();
        let number = match scratch.cases.entry(new.year) {
            Entry::Occupied(row) => row.get().next(),
            Entry::Vacant(place) => {
                let first = self.find_case_next(new.year)?;
                place.insert(CasesRow { year: new.year, first, seqs: Vec::new() }).first
            }
        };
        Ok(CaseNumber::new(new.branch, (new.year % 100) as u8, number)?)
    }

    /// Writes where the group's cases are.
    pub(in crate::store) fn flush_cases(&self) -> Result<(), StoreError> {
        let given = std::mem::take(&mut self.0.scratch().borrow_mut().cases);
        given.values().try_for_each(|row| self.0.put_new(row))
    }

    /// Adds what the group's answers counted to what is stored: one row a release and day, however many answers.
    pub(in crate::store) fn flush_counts(&self) -> Result<(), StoreError> {
        let mut scratch = self.0.scratch().borrow_mut();
        let added = std::mem::take(&mut scratch.counts);
        // Only what this group counts goes on to the next: releases and days come to an end.
        let mut before = std::mem::take(&mut scratch.counted);
        drop(scratch);
        for ((release, day), added) in added {
            let mut counts = match before.remove(&(release, day)) {
                Some(counts) => counts,
                None => self.find_counts(&release, day)?.unwrap_or_default(),
            };
            counts.add(&added);
            let row = CounterRow { release, day, counts };
            self.0.put(&row)?;
            self.0.scratch().borrow_mut().counted.insert((release, day), row.counts);
        }
        Ok(())
    }

    /// Forgets what repeated requests before that day would get, a few at a time; answers how many.
    pub fn drop_repetitions(&self, before_day: u64, most: usize) -> Result<usize, StoreError> {
        let span = Span::all();
        let rows: Vec<IdempotencyRow> = self.0.list(&span, most)?;
        let old: Vec<&IdempotencyRow> = rows.iter().filter(|row| row.day < before_day).collect();
        for row in &old {
            self.0.remove::<IdempotencyRow>(&IdempotencyRow::key_of(row.day, &row.principal, &row.key))?;
        }
        Ok(old.len())
    }
}
