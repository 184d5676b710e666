//! Receipts: one record, the way from its leaf to a signed root, and the checkpoint over that root, in one file.
//! Never proves more than that the log holds this header; the body stays in the home, and so do other records.

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::ledger::case::CaseNumber;
use crate::ledger::checkpoint::{CheckpointError, SignedCheckpoint, store_of};
use crate::ledger::leaf::{Header, RecordError, leaf_hash, parse_header};
use crate::ledger::tree::{ProofError, TreeHead, verify_inclusion};
use crate::security::key::{KeyId, PublicKey};
use crate::security::trust::{KeyRole, TrustError, TrustRoot, TrustedKey};

pub mod base45;
pub mod compact;

const FORMAT: &str = "tallystick.receipt.v1";

/// A receipt as it is written, field by field in the order of canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptDocument {
    case: Option<CaseNumber>,
    checkpoint: String,
    format: String,
    header: String,
    index: u64,
    proof: Vec<Digest>,
}

/// A receipt in its form. Not yet to be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    document: ReceiptDocument,
    header: Header,
}

#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    #[error("the receipt is {size} bytes; at most {max} are read", max = limits::RECEIPT_BYTES_MAX)]
    TooLarge { size: usize },
    #[error("the receipt: {0}")]
    Form(#[from] CanonicalError),
    #[error("the receipt's text is not what a receipt is packed to")]
    Text,
    #[error("the receipt has the format {found:?} where {FORMAT:?} is known")]
    Format { found: String },
    #[error("the receipt's record: {0}")]
    Record(#[from] RecordError),
    #[error("the receipt is for the case {stated}, but its record is of {found}")]
    Case { stated: String, found: String },
    #[error("the receipt says that it is of record {stated}, but the record says {found}")]
    Index { stated: u64, found: u64 },
    #[error("the receipt's proof has {found} hashes; at most {max} are needed", max = limits::PROOF_HASHES_MAX)]
    ProofLength { found: usize },
    #[error("the receipt's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("the receipt's checkpoint is of {origin:?}, which is no log of a Tallystick store")]
    Origin { origin: String },
    #[error("the receipt: {0}")]
    Proof(#[from] ProofError),
}

impl Fact for ReceiptError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. }
            | Self::Form(_)
            | Self::Text
            | Self::Format { .. }
            | Self::ProofLength { .. } => "receipt.malformed",
            Self::Record(error) => error.code(),
            Self::Case { .. } | Self::Index { .. } => "receipt.other_record",
            Self::Checkpoint(error) => error.code(),
            Self::Origin { .. } => "receipt.origin",
            Self::Proof(_) => "receipt.not_included",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Checkpoint(CheckpointError::UnknownKey | CheckpointError::OtherLog { .. }) => Some(
                "Check that the key or trust root is that of the box which made the receipt.".to_string(),
            ),
            _ => Some("Do not rely on it; ask the branch for the receipt again.".to_string()),
        }
    }
}

/// On whose word a receipt is believed.
#[derive(Clone, Copy, Debug)]
pub enum Anchor<'a> {
    /// A store's trust root: its log, and its keys for checkpoints.
    Trust(&'a TrustRoot),
    /// One public key, learnt from the bank; the log is the one the receipt names.
    Key(PublicKey),
}

/// What a receipt proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    pub header: Header,
    pub leaf_hash: Digest,
    /// The store whose log it is in.
    pub store_id: String,
    pub head: TreeHead,
    pub key_id: KeyId,
    /// As the trust root calls it; nothing where a bare key was given.
    pub key_name: Option<String>,
}

impl Receipt {
    /// Puts a receipt together from a record's leaf data, its inclusion proof and a checkpoint over it.
    pub fn new(leaf_data: &[u8], proof: Vec<Digest>, checkpoint: &str) -> Result<Self, ReceiptError> {
        let header = parse_header(leaf_data)?;
        let document = ReceiptDocument {
            case: case_of(&header),
            checkpoint: checkpoint.to_string(),
            format: FORMAT.to_string(),
            header: String::from_utf8_lossy(leaf_data).into_owned(),
            index: header.seq,
            proof,
        };
        Self::check(document, header)
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() as u64 > limits::RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLarge { size: bytes.len() });
        }
        let document: ReceiptDocument = canonical::parse(bytes)?;
        if document.format != FORMAT {
            return Err(ReceiptError::Format { found: document.format });
        }
        let header = parse_header(document.header.as_bytes())?;
        Self::check(document, header)
    }

    fn check(document: ReceiptDocument, header: Header) -> Result<Self, ReceiptError> {
        let found = case_of(&header);
        if document.case != found {
            let text = |case: Option<CaseNumber>| case.map_or("no case".to_string(), |case| case.to_string());
            return Err(ReceiptError::Case { stated: text(document.case), found: text(found) });
        }
        if document.index != header.seq {
            return Err(ReceiptError::Index { stated: document.index, found: header.seq });
        }
        let found = document.proof.len();
        let fits = found <= limits::PROOF_HASHES_MAX;
        if fits { Ok(Self { document, header }) } else { Err(ReceiptError::ProofLength { found }) }
    }

    /// The one sequence of bytes of its file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReceiptError> {
        Ok(canonical::to_bytes(&self.document)?)
    }

    /// The same as a text for a QR code.
    pub fn to_text(&self) -> Result<String, ReceiptError> {
        Ok(compact::to_text(&self.to_bytes()?))
    }

    /// A receipt's file or the text of its QR code.
    pub fn parse_any(bytes: &[u8]) -> Result<Self, ReceiptError> {
        match std::str::from_utf8(bytes).ok().filter(|text| text.starts_with(compact::MARK)) {
            Some(text) => Self::parse(&compact::parse_text(text).ok_or(ReceiptError::Text)?),
            None => Self::parse(bytes),
        }
    }

    /// What it says it is about, to name it by; nothing to rely on.
    pub fn claimed_header(&self) -> &Header {
        &self.header
    }

    /// The record, if the anchor's key signed a root that this record is under.
    pub fn verify(self, anchor: Anchor<'_>) -> Result<VerifiedReceipt, ReceiptError> {
        let signed = SignedCheckpoint::parse(self.document.checkpoint.as_bytes())?;
        let origin = signed.claimed_origin().to_string();
        let store_id = store_of(&origin).map(str::to_string);
        let store_id = store_id.ok_or_else(|| ReceiptError::Origin { origin: origin.clone() })?;
        let trusted_here;
        let (trust, named) = match anchor {
            Anchor::Trust(trust) => (trust, true),
            Anchor::Key(key) => {
                trusted_here = trust_in(&store_id, key).map_err(|_| ReceiptError::Origin { origin })?;
                (&trusted_here, false)
            }
        };
        let (checkpoint, key) = signed.verify_by(trust)?;
        let leaf_hash = leaf_hash(self.document.header.as_bytes());
        verify_inclusion(&leaf_hash, self.document.index, &checkpoint.head, &self.document.proof)?;
        Ok(VerifiedReceipt {
            header: self.header,
            leaf_hash,
            store_id,
            head: checkpoint.head,
            key_id: key.key_id,
            key_name: named.then_some(key.name),
        })
    }
}

fn case_of(header: &Header) -> Option<CaseNumber> {
    header.decision.as_ref().and_then(|decision| decision.case)
}

/// One key trusted for one log's checkpoints and for nothing else.
fn trust_in(store_id: &str, key: PublicKey) -> Result<TrustRoot, TrustError> {
    TrustRoot::new(store_id, 1, vec![TrustedKey::new("key", key, [KeyRole::Checkpoint])])
}

#[cfg(test)]
mod tests;
