//! A header before it has its place: its canonical bytes on both sides of `seq`, made ahead of the writer.
//! Never another spelling than the canonical one: `finish` gives the bytes that `Record` would.

use std::ops::Range;

use serde::Serialize;

use crate::base::canonical::CanonicalError;
use crate::base::canonical::exact::check_exact;
use crate::base::clock::TimeQuality;
use crate::base::digest::Digest;
use crate::base::limits;
use crate::ledger::case::CaseNumber;
use crate::ledger::decision::{DecisionFacts, check_facts};
use crate::ledger::leaf::{Header, Kind, RecordError, check_subject};
use crate::security::actor::Actor;

/// Digits of the largest `seq`.
const SEQ_DIGITS_MAX: usize = 16;
const CASE_KEY: &str = "\"case\":\"";
const CASE_SUBJECT: &[u8] = b",\"subject\":\"case/";

/// The members before `seq`, in the order of canonical JSON; serde_json escapes texts just as that does.
#[derive(Serialize)]
struct Before<'a> {
    actor: &'a Actor,
    body_sha256: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a DecisionFacts>,
    kind: Kind,
    quality: TimeQuality,
}

#[derive(Serialize)]
struct After<'a> {
    subject: &'a str,
    time_ms: i64,
}

/// All numbers of a header but its `seq`: each is one that every reader of JSON reads alike.
fn check_numbers(header: &Header) -> Result<(), CanonicalError> {
    let facts = header.decision.as_ref();
    let of_facts = facts.map(|facts| (facts.band, facts.latency_us, facts.version));
    Ok(check_exact(&(header.time_ms, of_facts))?)
}

/// A checked header that lacks its `seq`, and whose case number may still change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderDraft {
    /// Up to and with `"seq":`.
    prefix: Vec<u8>,
    suffix: Vec<u8>,
    /// Where the number stands in the prefix; in the suffix it follows `CASE_SUBJECT`.
    case: Option<Range<usize>>,
}

impl HeaderDraft {
    /// The header's own `seq` plays no part.
    pub fn new(header: &Header) -> Result<Self, RecordError> {
        check_subject(&header.subject)?;
        check_facts(header)?;
        let before = Before {
            actor: &header.actor,
            body_sha256: header.body_sha256,
            decision: header.decision.as_ref(),
            kind: header.kind,
            quality: header.quality,
        };
        let after = After { subject: &header.subject, time_ms: header.time_ms };
        check_numbers(header)?;
        let mut prefix = Vec::with_capacity(1_024);
        serde_json::to_writer(&mut prefix, &before).map_err(CanonicalError::Write)?;
        prefix.pop();
        prefix.extend_from_slice(b",\"seq\":");
        let mut suffix = Vec::with_capacity(256);
        serde_json::to_writer(&mut suffix, &after).map_err(CanonicalError::Write)?;
        suffix[0] = b',';
        let case = header.decision.as_ref().and_then(|facts| facts.case);
        let case = case.map(|case| place_of_case(&prefix, case));
        let size = prefix.len() + SEQ_DIGITS_MAX + 2 * limits::CASE_DIGITS_MAX + suffix.len();
        if size > limits::LEDGER_HEADER_BYTES_MAX {
            return Err(RecordError::HeaderTooLarge { size });
        }
        Ok(Self { prefix, suffix, case })
    }

    /// The leaf data of the record at that place.
    pub fn finish(&self, seq: u64) -> Result<Vec<u8>, RecordError> {
        check_exact(&seq).map_err(CanonicalError::from)?;
        let digits = seq.to_string();
        Ok([&self.prefix[..], digits.as_bytes(), &self.suffix[..]].concat())
    }

    /// The same for a decision that gets its case number together with its place.
    pub fn finish_as(&self, seq: u64, case: CaseNumber) -> Result<Vec<u8>, RecordError> {
        let Some(place) = &self.case else { return self.finish(seq) };
        check_exact(&seq).map_err(CanonicalError::from)?;
        let (digits, case) = (seq.to_string(), case.to_string());
        let behind = &self.suffix[CASE_SUBJECT.len() + place.len()..];
        let (before, after) = (&self.prefix[..place.start], &self.prefix[place.end..]);
        let parts =
            [before, case.as_bytes(), after, digits.as_bytes(), CASE_SUBJECT, case.as_bytes(), behind];
        Ok(parts.concat())
    }
}

/// Inside a text the quotes of the key would be escaped: the first place is the right one.
fn place_of_case(prefix: &[u8], case: CaseNumber) -> Range<usize> {
    let text = std::str::from_utf8(prefix).unwrap_or_default();
    let start = text.find(CASE_KEY).map_or(prefix.len(), |key| key + CASE_KEY.len());
    start..start + case.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::canonical;
    use crate::base::fact::Fact;
    use crate::base::ids::DecisionId;
    use crate::ledger::case::Branch;
    use crate::ledger::decision::tests::{decided, header, predicted};
    use crate::ledger::decision::{Flag, Ground, subject_of};
    use crate::ledger::leaf::Record;
    use crate::security::actor::Role;
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    fn any_decided() -> impl Strategy<Value = DecisionFacts> {
        let ground = prop_oneof![
            Just(Ground::Band),
            Just(Ground::Fallback),
            "[a-z][a-z0-9_-]{0,8}".prop_map(Ground::Rule)
        ];
        let flags = proptest::sample::subsequence(Flag::ALL.to_vec(), 0..=5);
        let case = (1..1_000_000_000u64, 0..100u8);
        (ground, flags, case, any::<[u8; 16]>(), 0..=limits::EXACT_INTEGER_MAX, 0..16u32).prop_map(
            |(by, flags, (number, year), mut id, latency_us, band)| {
                id[6] = 0x70 | id[6] & 0x0f;
                id[8] = 0x80 | id[8] & 0x3f;
                let case = CaseNumber::new(Branch::default(), year, number).unwrap();
                let id = DecisionId::from_bytes(id).unwrap();
                let (by, case, band) = (Some(by), Some(case), Some(band));
                DecisionFacts { band, by, case, flags, id, latency_us, ..decided() }
            },
        )
    }

    fn any_header() -> impl Strategy<Value = Header> {
        let facts = any_decided().prop_flat_map(|facts| {
            let other = DecisionFacts { id: facts.id, latency_us: facts.latency_us, ..predicted() };
            prop_oneof![
                Just((Kind::DecisionMade, Some(facts))),
                Just((Kind::PredictionMade, Some(other))),
                Just((Kind::KeyRevoked, None)),
            ]
        });
        let place = (0..=limits::EXACT_INTEGER_MAX, "[\\PC]{1,60}", any::<i32>(), proptest::bool::ANY);
        (facts, "[!-~]{1,64}", any::<[u8; 32]>(), place).prop_map(
            |((kind, decision), name, body, (seq, subject, time, local))| Header {
                actor: Actor::new(&name, Role::CoreBanking).unwrap(),
                body_sha256: Digest::from_bytes(body),
                kind,
                quality: if local { TimeQuality::Local } else { TimeQuality::Simulated },
                seq,
                subject: decision.as_ref().map_or(subject, subject_of),
                time_ms: i64::from(time) * 1_000,
                decision,
            },
        )
    }

    proptest! {
        #[test]
        fn a_finished_draft_is_the_canonical_header(header in any_header()) {
            let leaf_data = HeaderDraft::new(&header).unwrap().finish(header.seq).unwrap();
            prop_assert_eq!(&leaf_data, &canonical::to_bytes(&header).unwrap());
        }

        #[test]
        fn a_draft_finished_as_another_case_is_the_canonical_header_of_that(
            header in any_header(), number in 1..1_000_000_000u64, year in 0..100u8
        ) {
            let case = CaseNumber::new(Branch::default(), year, number).unwrap();
            let mut expected = header.clone();
            if let Some(facts) = expected.decision.as_mut().filter(|facts| facts.case.is_some()) {
                facts.case = Some(case);
                expected.subject = subject_of(facts);
            }
            let leaf_data = HeaderDraft::new(&header).unwrap().finish_as(header.seq, case).unwrap();
            prop_assert_eq!(&leaf_data, &canonical::to_bytes(&expected).unwrap());
        }
    }

    #[test]
    fn a_draft_refuses_what_a_record_refuses() {
        let good = header(Kind::DecisionMade, Some(decided()));
        let draft = HeaderDraft::new(&good).unwrap();
        let record = Record::parse(&draft.finish(5).unwrap(), b"sealed".to_vec()).unwrap();
        assert_eq!(record.header(), &Header { seq: 5, ..good.clone() });
        let code = |header: &Header| HeaderDraft::new(header).map_err(|error| error.code());
        assert_eq!(code(&Header { subject: "a\nb".into(), ..good.clone() }), Err("ledger.header_field"));
        assert_eq!(code(&Header { decision: None, ..good.clone() }), Err("ledger.header_field"));
        assert_eq!(code(&Header { time_ms: i64::MAX, ..good.clone() }), Err("ledger.header_malformed"));
        assert_eq!(draft.finish(1 << 60).map_err(|error| error.code()), Err("ledger.header_malformed"));
        assert!(draft.finish(limits::EXACT_INTEGER_MAX).is_ok());
    }
}
