//! Rows that go with a recorded answer: where its id and its case are, the key its body is sealed with, what a
//! repeated request gets, and the counts monitoring reads. Raw bytes, written many times a second.

use std::collections::BTreeMap;

use crate::base::canonical::packed::{push_number, push_text, take_list, take_number, take_text};
use crate::base::digest::Digest;
use crate::store::rows::key::Key;
use crate::store::rows::log::{check_version, parse_number};
use crate::store::rows::{Row, RowFault};
use crate::store::tables::{CASES, COUNTERS, DECISION_IDS, IDEMPOTENCY, SUBJECT_KEYS, Table};

/// Records whose keys lie together, by their tags.
const KEYS_BLOCK_RECORDS: u64 = 256;

/// id (16 bytes) -> seq
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionIdRow {
    pub id: [u8; 16],
    pub seq: u64,
}

impl Row for DecisionIdRow {
    const TABLE: Table = DECISION_IDS;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        self.id.to_vec()
    }

    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.seq.to_be_bytes().to_vec())
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let id = key.try_into().map_err(|_| RowFault::Shape("an id is 16 bytes"))?;
        Ok(Self { id, seq: parse_number(payload)? })
    }
}

/// year, first number -> the seqs of the cases from that number on: those that one commit gave, without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasesRow {
    pub year: u64,
    pub first: u64,
    pub seqs: Vec<u64>,
}

impl CasesRow {
    pub fn key_of(year: u64, first: u64) -> Vec<u8> {
        Key::new().number(year).number(first).finish()
    }

    pub fn find(&self, number: u64) -> Option<u64> {
        let place = number.checked_sub(self.first)?;
        self.seqs.get(usize::try_from(place).ok()?).copied()
    }

    /// The number that follows its last.
    pub fn next(&self) -> u64 {
        self.first + self.seqs.len() as u64
    }

    pub fn prefix(year: u64) -> Vec<u8> {
        Key::new().number(year).finish()
    }
}

impl Row for CasesRow {
    const TABLE: Table = CASES;
    const VERSION: u8 = 2;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.year, self.first)
    }

    /// The numbers, 8 bytes each, one after the other.
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.seqs.iter().flat_map(|seq| seq.to_be_bytes()).collect())
    }

    /// The first version had a row for each case, which reads as a row of one.
    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        if !matches!(version, 1 | 2) {
            return Err(RowFault::Version(version));
        }
        let (year, first) =
            key.split_at_checked(8).ok_or(RowFault::Shape("a case's key is two numbers of 8 bytes"))?;
        let (seqs, rest) = payload.as_chunks::<8>();
        if seqs.is_empty() || !rest.is_empty() {
            return Err(RowFault::Shape("cases are numbers of 8 bytes"));
        }
        let seqs = seqs.iter().map(|seq| u64::from_be_bytes(*seq)).collect();
        Ok(Self { year: parse_number(year)?, first: parse_number(first)?, seqs })
    }
}

/// block, subject tag, seq -> the wrapped key of that record's body. Without this row the body can never be read again.
/// A block is 256 records: tags fall anywhere, and without it each record would touch a page of its own, while a
/// subject is still found by one look a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectKeyRow {
    pub tag: [u8; 16],
    pub seq: u64,
    pub wrapped: Vec<u8>,
}

impl SubjectKeyRow {
    pub fn key_of(tag: &[u8; 16], seq: u64) -> Vec<u8> {
        let mut key = (seq / KEYS_BLOCK_RECORDS).to_be_bytes().to_vec();
        key.extend_from_slice(tag);
        key.extend_from_slice(&seq.to_be_bytes());
        key
    }

    /// The block that holds the record of this place.
    pub fn block_of(seq: u64) -> u64 {
        seq / KEYS_BLOCK_RECORDS
    }

    /// What the keys of one subject begin with in one block.
    pub fn prefix(block: u64, tag: &[u8; 16]) -> Vec<u8> {
        let mut key = block.to_be_bytes().to_vec();
        key.extend_from_slice(tag);
        key
    }
}

impl Row for SubjectKeyRow {
    const TABLE: Table = SUBJECT_KEYS;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.tag, self.seq)
    }

    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.wrapped.clone())
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let parts = key.split_first_chunk::<8>().and_then(|(_, rest)| rest.split_first_chunk::<16>());
        let (tag, seq) = parts.ok_or(RowFault::Shape("a subject's key is a block, a tag and a number"))?;
        Ok(Self { tag: *tag, seq: parse_number(seq)?, wrapped: payload.to_vec() })
    }
}

/// day, principal, key -> what the first request of this key was, and the record it led to
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// Days since 1970, so that what has run out lies together.
    pub day: u64,
    pub principal: String,
    pub key: String,
    /// A keyed digest of the request; the request itself is not kept.
    pub request: [u8; 32],
    pub seq: u64,
    pub at_ms: i64,
}

impl IdempotencyRow {
    pub fn key_of(day: u64, principal: &str, key: &str) -> Vec<u8> {
        Key::new().number(day).text(principal).text(key).finish()
    }
}

impl Row for IdempotencyRow {
    const TABLE: Table = IDEMPOTENCY;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.day, &self.principal, &self.key)
    }

    /// request (32 bytes) | seq | at_ms
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut payload = self.request.to_vec();
        payload.extend_from_slice(&self.seq.to_be_bytes());
        payload.extend_from_slice(&self.at_ms.to_be_bytes());
        Ok(payload)
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let shape = RowFault::Shape("an idempotency row is a day and two texts, 32 bytes and two numbers");
        let read = || {
            let (day, texts) = key.split_first_chunk::<8>()?;
            let (principal, rest) = split_text(texts)?;
            let (word, rest) = split_text(rest)?;
            let (request, numbers) = payload.split_first_chunk::<32>()?;
            let (seq, at) = numbers.split_first_chunk::<8>()?;
            let at: &[u8; 8] = at.try_into().ok()?;
            let (day, seq) = (u64::from_be_bytes(*day), u64::from_be_bytes(*seq));
            let (request, at_ms) = (*request, i64::from_be_bytes(*at));
            rest.is_empty().then_some(Self { day, principal, key: word, request, seq, at_ms })
        };
        read().ok_or(shape)
    }
}

/// Takes a text of a key off its front: the way back of `Key::text`.
fn split_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (mut text, mut rest) = (Vec::new(), bytes);
    loop {
        let (first, after) = rest.split_first()?;
        rest = after;
        if *first != 0 {
            text.push(*first);
            continue;
        }
        let (second, after) = rest.split_first()?;
        rest = after;
        match second {
            0 => return Some((String::from_utf8(text).ok()?, rest)),
            0xFF => text.push(0),
            _ => return None,
        }
    }
}

/// What was answered by one release on one day: how often what happened, and each field's rows by reference bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub named: BTreeMap<String, u64>,
    /// In the recipe's order; each as long as the reference's bins of that field.
    pub bins: Vec<Vec<u64>>,
}

impl Counts {
    /// Counts one more of what `name` says.
    pub fn count(&mut self, name: &str) {
        match self.named.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.named.insert(name.to_string(), 1)),
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.named {
            *self.named.entry(name.clone()).or_insert(0) += count;
        }
        if self.bins.len() < other.bins.len() {
            self.bins.resize(other.bins.len(), Vec::new());
        }
        for (mine, theirs) in self.bins.iter_mut().zip(&other.bins) {
            if mine.len() < theirs.len() {
                mine.resize(theirs.len(), 0);
            }
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRow {
    pub release: Digest,
    /// Days since 1970, in UTC.
    pub day: u64,
    pub counts: Counts,
}

impl CounterRow {
    pub fn key_of(release: &Digest, day: u64) -> Vec<u8> {
        Key::new().digest(release).number(day).finish()
    }
}

impl Row for CounterRow {
    const TABLE: Table = COUNTERS;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.release, self.day)
    }

    /// number of names | each: length, name, count | number of fields | each: number of bins, counts
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut out = Vec::with_capacity(256);
        push_number(&mut out, self.counts.named.len() as u64);
        for (name, count) in &self.counts.named {
            push_text(&mut out, name);
            push_number(&mut out, *count);
        }
        push_number(&mut out, self.counts.bins.len() as u64);
        for bins in &self.counts.bins {
            push_number(&mut out, bins.len() as u64);
            bins.iter().for_each(|count| push_number(&mut out, *count));
        }
        Ok(out)
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let shape = RowFault::Shape("a counter row is a digest and a day, names and bins");
        let read = || {
            let (release, day) = key.split_first_chunk::<32>()?;
            let day: &[u8; 8] = day.try_into().ok()?;
            let mut rest = payload;
            let named = take_list(&mut rest, |rest| Some((take_text(rest)?, take_number(rest)?)))?;
            let bins = take_list(&mut rest, |rest| take_list(rest, take_number))?;
            let counts = Counts { named: named.into_iter().collect(), bins };
            let (release, day) = (Digest::from_bytes(*release), u64::from_be_bytes(*day));
            rest.is_empty().then_some(Self { release, day, counts })
        };
        read().ok_or(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::rows;
    use proptest::prelude::{any, prop_assert, proptest};

    fn goes_round<R: Row + PartialEq + std::fmt::Debug>(row: &R) {
        let (key, framed) = rows::seal(row).unwrap();
        assert_eq!(rows::open::<R>(&key, &framed).unwrap(), *row);
    }

    proptest! {
        #[test]
        fn every_row_reads_as_it_was_written(
            principal in "[\u{0}a-z ]{1,9}", word in "[\u{0}\u{1}ä]{0,9}", seq in any::<u64>(), at_ms in any::<i64>(),
        ) {
            let request = [seq as u8; 32];
            goes_round(&IdempotencyRow { day: seq / 3, principal, key: word, request, seq, at_ms });
            goes_round(&DecisionIdRow { id: [at_ms as u8; 16], seq });
            goes_round(&CasesRow { year: seq % 99, first: seq, seqs: vec![seq, seq + 2] });
            goes_round(&SubjectKeyRow { tag: [3; 16], seq, wrapped: vec![7; 60] });
        }

        #[test]
        fn counts_keep_every_number_and_refuse_what_is_cut(numbers in proptest::collection::vec(any::<u64>(), 0..9)) {
            let named = numbers.iter().map(|n| (format!("n{n}"), *n)).collect();
            let bins = vec![numbers.clone(), vec![], numbers];
            let row = CounterRow { release: Digest::of(b"r"), day: 20_000, counts: Counts { named, bins } };
            goes_round(&row);
            let payload = row.payload().unwrap();
            for length in 0..payload.len() {
                prop_assert!(CounterRow::parse(1, &row.key(), &payload[..length]).is_err());
            }
        }
    }

    #[test]
    fn counts_add_up_name_by_name_and_bin_by_bin() {
        let mut sum = Counts::default();
        sum.count("decisions");
        sum.bins = vec![vec![1, 2]];
        let mut other = Counts { bins: vec![vec![1, 0, 4], vec![5]], ..Counts::default() };
        other.count("decisions");
        other.count("degraded");
        sum.add(&other);
        assert_eq!(sum.named, BTreeMap::from([("decisions".into(), 2), ("degraded".into(), 1)]));
        assert_eq!(sum.bins, [vec![2, 2, 4], vec![5]]);
    }

    #[test]
    fn a_case_of_the_first_version_reads_as_a_row_of_one() {
        let key = CasesRow::key_of(2_026, 317);
        let framed = crate::store::value::seal(CASES, &key, 1, &9u64.to_be_bytes());
        let row = rows::open::<CasesRow>(&key, &framed).unwrap();
        assert_eq!((row.find(317), row.find(318), row.next()), (Some(9), None, 318));
    }
}
