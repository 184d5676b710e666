//! One record of the tally log: a clear header, a body it names by digest, and the leaf made of it.
//! A `Record` in hand has been checked; the body itself is opaque here and may be sealed.

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::clock::{Stamp, TimeQuality};
use crate::base::digest::{Digest, Hasher};
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::ledger::decision::{DecisionFacts, FactsError, check_facts};
use crate::security::actor::Actor;

/// What happened. The list is closed: a reader knows every kind or refuses the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    HomeCreated,
    DataImported,
    ModelRegistered,
    PolicySigned,
    AliasMoved,
    PromotionProposed,
    ProposalClosed,
    ApprovalRefused,
    BatchFinished,
    LeakWaived,
    DecisionMade,
    PredictionMade,
    UserAdded,
    UserChanged,
    KeyMade,
    KeyRevoked,
    CertificateInstalled,
    OutcomesReported,
    ScheduleApplied,
    ScheduleWithdrawn,
    ScheduleChanged,
    AlertAnswered,
    ModelHeld,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub actor: Actor,
    pub body_sha256: Digest,
    /// Of a decision or a prediction; other kinds do not have this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionFacts>,
    pub kind: Kind,
    pub quality: TimeQuality,
    /// The place in the order of everything, from 0; also the leaf's index.
    pub seq: u64,
    /// What the record speaks of, such as `model/loan-default@3`.
    pub subject: String,
    pub time_ms: i64,
}

/// What is to be recorded of an act, before it has its place and time. Decisions have a `HeaderDraft`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    pub actor: Actor,
    pub subject: String,
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("header is {size} bytes; at most {max} are kept", max = limits::LEDGER_HEADER_BYTES_MAX)]
    HeaderTooLarge { size: usize },
    #[error("body is {size} bytes; at most {max} are kept", max = limits::LEDGER_BODY_BYTES_MAX)]
    BodyTooLarge { size: usize },
    #[error("header: {0}")]
    Header(#[from] CanonicalError),
    #[error(
        "subject {subject:?} is not 1 to {max} characters without control characters",
        max = limits::LEDGER_SUBJECT_CHARS_MAX
    )]
    Subject { subject: String },
    #[error(transparent)]
    Decision(#[from] FactsError),
    #[error("body digest is {found}, but the header says {expected}")]
    BodyDigest { expected: Digest, found: Digest },
}

impl Fact for RecordError {
    fn code(&self) -> &'static str {
        match self {
            Self::HeaderTooLarge { .. } | Self::BodyTooLarge { .. } => "ledger.record_too_large",
            Self::Header(_) => "ledger.header_malformed",
            Self::Subject { .. } | Self::Decision(_) => "ledger.header_field",
            Self::BodyDigest { .. } => "ledger.body_altered",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// A header in its one canonical form, with the body it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    header: Header,
    leaf_data: Vec<u8>,
    body: Vec<u8>,
}

impl Record {
    /// Gives an entry its place and its time.
    pub fn new(entry: Entry, seq: u64, stamp: Stamp) -> Result<Self, RecordError> {
        let header = Header {
            actor: entry.actor,
            body_sha256: Digest::of(&entry.body),
            decision: None,
            kind: entry.kind,
            quality: stamp.quality,
            seq,
            subject: entry.subject,
            time_ms: stamp.millis(),
        };
        check_header(&header)?;
        let leaf_data = canonical::to_bytes(&header)?;
        Self::check(Self { header, leaf_data, body: entry.body })
    }

    /// Reads a record back and refuses what was never written so.
    pub fn parse(header: &[u8], body: Vec<u8>) -> Result<Self, RecordError> {
        Self::check(Self { header: parse_header(header)?, leaf_data: header.to_vec(), body })
    }

    fn check(record: Self) -> Result<Self, RecordError> {
        check_sizes(&record)?;
        let (expected, found) = (record.header.body_sha256, Digest::of(&record.body));
        if expected == found { Ok(record) } else { Err(RecordError::BodyDigest { expected, found }) }
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The canonical bytes of the header: what is stored, and what the leaf is made of.
    pub fn leaf_data(&self) -> &[u8] {
        &self.leaf_data
    }

    pub fn leaf_hash(&self) -> Digest {
        leaf_hash(&self.leaf_data)
    }
}

/// Reads a header without its body.
pub fn parse_header(header: &[u8]) -> Result<Header, RecordError> {
    if header.len() > limits::LEDGER_HEADER_BYTES_MAX {
        return Err(RecordError::HeaderTooLarge { size: header.len() });
    }
    let header: Header = canonical::parse(header)?;
    check_header(&header)?;
    Ok(header)
}

fn check_header(header: &Header) -> Result<(), RecordError> {
    check_subject(&header.subject)?;
    Ok(check_facts(header)?)
}

/// RFC 6962, section 2.1: a leaf can never be taken for an inner node.
pub fn leaf_hash(leaf_data: &[u8]) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(leaf_data);
    hasher.finish()
}

fn check_sizes(record: &Record) -> Result<(), RecordError> {
    if record.leaf_data.len() > limits::LEDGER_HEADER_BYTES_MAX {
        return Err(RecordError::HeaderTooLarge { size: record.leaf_data.len() });
    }
    if record.body.len() > limits::LEDGER_BODY_BYTES_MAX {
        return Err(RecordError::BodyTooLarge { size: record.body.len() });
    }
    Ok(())
}

pub(in crate::ledger) fn check_subject(subject: &str) -> Result<(), RecordError> {
    let length = subject.chars().count();
    let fits = (1..=limits::LEDGER_SUBJECT_CHARS_MAX).contains(&length);
    if fits && !subject.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(RecordError::Subject { subject: subject.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::actor::Role;
    use jiff::Timestamp;

    fn stamp() -> Stamp {
        Stamp { wall: Timestamp::from_millisecond(1_700_000_000_123).unwrap(), quality: TimeQuality::Local }
    }

    fn entry(subject: &str) -> Entry {
        let actor = Actor::new("anna", Role::Approver).unwrap();
        Entry { kind: Kind::AliasMoved, actor, subject: subject.into(), body: b"{\"to\":3}".to_vec() }
    }

    #[test]
    fn a_leaf_is_made_of_exactly_these_bytes() {
        let record = Record::new(entry("model/loan-default@3"), 17, stamp()).unwrap();
        let expected = concat!(
            r#"{"actor":{"name":"anna","role":"approver"},"#,
            r#""body_sha256":"29b685fc5750d3c3e67c6824e78b84e0bf7b95895eb0a61c508c39018b2adef0","#,
            r#""kind":"alias_moved","quality":"local","seq":17,"#,
            r#""subject":"model/loan-default@3","time_ms":1700000000123}"#
        );
        assert_eq!(std::str::from_utf8(record.leaf_data()).unwrap(), expected);
        assert_eq!(record.leaf_hash(), Digest::of(&[&[0u8], record.leaf_data()].concat()));
    }

    #[test]
    fn a_record_reads_as_it_was_written_and_no_other_way() {
        let record = Record::new(entry("x"), 0, stamp()).unwrap();
        let text = String::from_utf8(record.leaf_data().to_vec()).unwrap();
        let code = |header: &str, body: &[u8]| {
            Record::parse(header.as_bytes(), body.to_vec()).map_err(|error| error.code()).map(|_| "read")
        };
        assert_eq!(code(&text, record.body()), Ok("read"));
        assert_eq!(code(&text, b"{\"to\":4}"), Err("ledger.body_altered"));
        assert_eq!(
            code(&text.replace(",\"kind\"", ", \"kind\""), record.body()),
            Err("ledger.header_malformed")
        );
        assert_eq!(
            code(&text.replace("alias_moved", "alias_lost"), record.body()),
            Err("ledger.header_malformed")
        );
        let extra = text.replace("\"kind\"", "\"extra\":0,\"kind\"");
        assert_eq!(code(&extra, record.body()), Err("ledger.header_malformed"));
    }

    #[test]
    fn what_json_cannot_keep_exactly_or_a_log_cannot_show_is_refused() {
        let code =
            |subject: &str, seq| Record::new(entry(subject), seq, stamp()).map_err(|error| error.code());
        assert!(code("x", limits::EXACT_INTEGER_MAX).is_ok());
        assert_eq!(code("x", limits::EXACT_INTEGER_MAX + 2), Err("ledger.header_malformed"));
        for subject in ["", "a\nb", &"x".repeat(201)] {
            assert_eq!(code(subject, 0), Err("ledger.header_field"), "{subject:?}");
        }
        let large = Entry { body: vec![0; limits::LEDGER_BODY_BYTES_MAX + 1], ..entry("x") };
        assert!(matches!(Record::new(large, 0, stamp()), Err(RecordError::BodyTooLarge { .. })));
    }
}
