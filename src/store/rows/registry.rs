//! Rows of the registry: versions, aliases and their history, signatures, policies, trust.
//! Never verifies a signature; the registry does.

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::store::rows::key::Key;
use crate::store::rows::{JsonRow, Row, RowFault};
use crate::store::tables::{ALIAS_HISTORY, ALIASES, POLICIES, SIGNATURES, TRUST, Table, VERSIONS};

/// A registered model version; the number is never reused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionRow {
    pub name: String,
    pub version: u64,
    pub model: Digest,
    pub release: Digest,
    /// The policy that was signed with the version.
    pub policy: Digest,
    /// What was measured of it, as the release names it.
    pub evaluation: Digest,
    pub run_id: String,
    pub created_ms: i64,
    pub label: String,
}

impl VersionRow {
    pub fn key_of(name: &str, version: u64) -> Vec<u8> {
        Key::new().text(name).number(version).finish()
    }

    pub fn prefix(name: &str) -> Vec<u8> {
        Key::new().text(name).finish()
    }
}

impl JsonRow for VersionRow {
    const TABLE: Table = VERSIONS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.name, self.version)
    }
}

/// Where an alias points: a version with the policy it decides by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasTarget {
    pub version: u64,
    pub policy: Digest,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasRow {
    pub name: String,
    pub alias: String,
    pub version: u64,
    pub policy: Digest,
    pub moved_ms: i64,
    pub by: String,
}

impl AliasRow {
    pub fn key_of(name: &str, alias: &str) -> Vec<u8> {
        Key::new().text(name).text(alias).finish()
    }

    pub fn prefix(name: &str) -> Vec<u8> {
        Key::new().text(name).finish()
    }

    pub fn target(&self) -> AliasTarget {
        AliasTarget { version: self.version, policy: self.policy }
    }
}

impl JsonRow for AliasRow {
    const TABLE: Table = ALIASES;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.name, &self.alias)
    }
}

/// One move of an alias; only ever appended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AliasHistoryRow {
    pub name: String,
    pub alias: String,
    /// Counts the moves of this alias from 0.
    pub n: u64,
    pub from: Option<AliasTarget>,
    pub to: AliasTarget,
    pub moved_ms: i64,
    pub by: String,
    pub why: String,
    /// A rollback.
    pub back: bool,
}

impl AliasHistoryRow {
    pub fn prefix(name: &str, alias: &str) -> Vec<u8> {
        Key::new().text(name).text(alias).finish()
    }
}

impl JsonRow for AliasHistoryRow {
    const TABLE: Table = ALIAS_HISTORY;

    fn key(&self) -> Vec<u8> {
        Key::new().text(&self.name).text(&self.alias).number(self.n).finish()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredSignature {
    pub key_id: String,
    /// Base64.
    pub sig: String,
    pub payload_type: String,
}

/// All signatures over one digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureRow {
    pub signed: Digest,
    pub signatures: Vec<StoredSignature>,
}

impl SignatureRow {
    pub fn key_of(signed: &Digest) -> Vec<u8> {
        Key::new().digest(signed).finish()
    }
}

impl JsonRow for SignatureRow {
    const TABLE: Table = SIGNATURES;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.signed)
    }
}

/// A policy that was brought in; its content is the blob of its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRow {
    pub digest: Digest,
    pub name: String,
    pub created_ms: i64,
}

impl PolicyRow {
    pub fn key_of(digest: &Digest) -> Vec<u8> {
        Key::new().digest(digest).finish()
    }
}

impl JsonRow for PolicyRow {
    const TABLE: Table = POLICIES;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.digest)
    }
}

/// The trust root as its own bytes, byte for byte: they are what was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRow {
    pub bytes: Vec<u8>,
}

impl TrustRow {
    pub const KEY: &'static [u8] = b"root";
}

impl Row for TrustRow {
    const TABLE: Table = TRUST;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::KEY.to_vec()
    }

    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.bytes.clone())
    }

    fn parse(version: u8, _key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        match version {
            1 => Ok(Self { bytes: payload.to_vec() }),
            other => Err(RowFault::Version(other)),
        }
    }
}
