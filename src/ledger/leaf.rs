//! One record of the tally log: a clear header, a body it names by digest, and the leaf made of it.
//! A `Record` in hand has been checked; the body itself is opaque here and may be sealed.

use serde::{Deserialize, Serialize};

use crate::base::canonical::exact::check_exact;
use crate::base::canonical::{self, CanonicalError};
use crate::base::clock::{Stamp, TimeQuality};
use crate::base::digest::{Digest, Hasher};
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::ledger::case::CaseNumber;
use crate::ledger::decision::{DecisionFacts, FactsError, check_facts, subject_of};
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

impl Header {
    /// Gives the record its place, and a decision its case number with it.
    pub fn put_at(&mut self, seq: u64, case: Option<CaseNumber>) {
        self.seq = seq;
        if let Some(facts) = &mut self.decision {
            facts.case = case;
            self.subject = subject_of(facts);
        }
    }

    /// The canonical bytes of a checked header. Its members stand in their canonical order and serde_json escapes
    /// texts just as canonical JSON does: what is left is that all readers read every number alike.
    pub fn to_leaf_data(&self) -> Result<Vec<u8>, RecordError> {
        check_header(self)?;
        let facts = self.decision.as_ref();
        let of_facts = facts.map(|facts| (facts.band, facts.latency_us, facts.version));
        check_exact(&(self.seq, self.time_ms, of_facts)).map_err(CanonicalError::from)?;
        let mut bytes = Vec::with_capacity(1_024);
        serde_json::to_writer(&mut bytes, self).map_err(CanonicalError::Write)?;
        check_header_size(&bytes)?;
        Ok(bytes)
    }
}

/// What is to be recorded of an act, before it has its place and time.
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
        let leaf_data = header.to_leaf_data()?;
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
    check_header_size(header)?;
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

fn check_header_size(bytes: &[u8]) -> Result<(), RecordError> {
    let size = bytes.len();
    if size > limits::LEDGER_HEADER_BYTES_MAX { Err(RecordError::HeaderTooLarge { size }) } else { Ok(()) }
}

fn check_sizes(record: &Record) -> Result<(), RecordError> {
    check_header_size(&record.leaf_data)?;
    if record.body.len() > limits::LEDGER_BODY_BYTES_MAX {
        return Err(RecordError::BodyTooLarge { size: record.body.len() });
    }
    Ok(())
}

fn check_subject(subject: &str) -> Result<(), RecordError> {
    let length = subject.chars().count();
    let fits = (1..=limits::LEDGER_SUBJECT_CHARS_MAX).contains(&length);
    if fits && !subject.chars().any(char::is_control) {
        Ok(())
    } else {
        Err(RecordError::Subject { subject: subject.to_string() })
    }
}

#[cfg(test)]
mod tests;
