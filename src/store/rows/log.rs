//! Rows of the tally log: records by their sequence number, tree nodes, checkpoints. Raw bytes, as they are hashed.
//! Never computes a hash; the ledger does.

use crate::base::digest::Digest;
use crate::store::rows::key::Key;
use crate::store::rows::{Row, RowFault};
use crate::store::tables::{LOG_CHECKPOINTS, LOG_NODES, LOG_RECORDS, Table};

/// A record's clear header and its body, as the leaf was made from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    pub seq: u64,
    pub header: Vec<u8>,
    pub body: Vec<u8>,
}

impl RecordRow {
    pub fn key_of(seq: u64) -> Vec<u8> {
        Key::new().number(seq).finish()
    }
}

impl Row for RecordRow {
    const TABLE: Table = LOG_RECORDS;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.seq)
    }

    /// length of the header (8 bytes, big-endian) | header | body
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut payload = (self.header.len() as u64).to_be_bytes().to_vec();
        payload.extend_from_slice(&self.header);
        payload.extend_from_slice(&self.body);
        Ok(payload)
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let short = RowFault::Shape("the record is shorter than its header says");
        let Some((length, rest)) = payload.split_first_chunk::<8>() else { return Err(short) };
        let length = usize::try_from(u64::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((header, body)) = rest.split_at_checked(length) else { return Err(short) };
        Ok(Self { seq: parse_number(key)?, header: header.to_vec(), body: body.to_vec() })
    }
}

/// The hash of a complete subtree: `level` 0 is a leaf, `index` counts along the level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    pub level: u8,
    pub index: u64,
    pub hash: Digest,
}

impl NodeRow {
    pub fn key_of(level: u8, index: u64) -> Vec<u8> {
        Key::new().byte(level).number(index).finish()
    }
}

impl Row for NodeRow {
    const TABLE: Table = LOG_NODES;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.level, self.index)
    }

    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.hash.as_bytes().to_vec())
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let (level, index) = key.split_first().ok_or(RowFault::Shape("the key is empty"))?;
        let hash = payload.try_into().map_err(|_| RowFault::Shape("a node is 32 bytes"))?;
        Ok(Self { level: *level, index: parse_number(index)?, hash: Digest::from_bytes(hash) })
    }
}

/// A signed checkpoint over the first `size` records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRow {
    pub size: u64,
    pub text: String,
}

impl CheckpointRow {
    pub fn key_of(size: u64) -> Vec<u8> {
        Key::new().number(size).finish()
    }
}

impl Row for CheckpointRow {
    const TABLE: Table = LOG_CHECKPOINTS;
    const VERSION: u8 = 1;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.size)
    }

    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.text.as_bytes().to_vec())
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        check_version(version)?;
        let text = String::from_utf8(payload.to_vec());
        let text = text.map_err(|_| RowFault::Shape("a checkpoint is UTF-8 text"))?;
        Ok(Self { size: parse_number(key)?, text })
    }
}

pub(in crate::store::rows) fn check_version(version: u8) -> Result<(), RowFault> {
    if version == 1 { Ok(()) } else { Err(RowFault::Version(version)) }
}

pub(in crate::store::rows) fn parse_number(key: &[u8]) -> Result<u64, RowFault> {
    let bytes = key.try_into().map_err(|_| RowFault::Shape("the key is not a number of 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}
