//! Rows of the tally log: records by their sequence number, tree nodes, checkpoints. Raw bytes, as they are hashed.
//! Never computes a hash; the ledger does.

use crate::base::digest::Digest;
use crate::store::rows::key::Key;
use crate::store::rows::{Row, RowFault};
use crate::store::tables::{LOG_CHECKPOINTS, LOG_NODES, LOG_RECORDS, Table};
use crate::store::value;

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

    /// Key and framed bytes of a record that is only borrowed.
    pub fn seal(seq: u64, header: &[u8], body: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let key = Self::key_of(seq);
        let length = (header.len() as u64).to_be_bytes();
        let framed = value::seal_parts(LOG_RECORDS, &key, Self::VERSION, &[&length, header, body]);
        (key, framed)
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
        let mut payload = Vec::with_capacity(8 + self.header.len() + self.body.len());
        payload.extend_from_slice(&(self.header.len() as u64).to_be_bytes());
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

/// The subtrees that one commit completed, in the order they were completed: leaf by leaf, each leaf's own hash
/// first, then upwards. The row of a commit is found by the first leaf it added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodesRow {
    pub first: u64,
    pub hashes: Vec<Digest>,
}

impl NodesRow {
    pub fn key_of(first: u64) -> Vec<u8> {
        Key::new().number(first).finish()
    }

    /// The hash of node (level, index), if this row's commit completed it.
    pub fn find(&self, level: u8, index: u64) -> Option<Digest> {
        let last_leaf = last_leaf_of(level, index)?;
        let before = nodes_of(last_leaf)?.checked_sub(nodes_of(self.first)?)?;
        let place = usize::try_from(before + u64::from(level)).ok()?;
        self.hashes.get(place).copied()
    }
}

/// The leaf that completes a subtree.
pub fn last_leaf_of(level: u8, index: u64) -> Option<u64> {
    let width = 1u64.checked_shl(u32::from(level))?;
    index.checked_add(1)?.checked_mul(width)?.checked_sub(1)
}

/// How many subtrees the first `leaves` leaves complete: each leaf one, and one more a pair on every level.
fn nodes_of(leaves: u64) -> Option<u64> {
    Some(leaves.checked_mul(2)? - u64::from(leaves.count_ones()))
}

impl Row for NodesRow {
    const TABLE: Table = LOG_NODES;
    const VERSION: u8 = 2;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.first)
    }

    /// The hashes, 32 bytes each, one after the other.
    fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        Ok(self.hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }

    fn parse(version: u8, key: &[u8], payload: &[u8]) -> Result<Self, RowFault> {
        if version != Self::VERSION {
            return Err(RowFault::Version(version));
        }
        let (hashes, rest) = payload.as_chunks::<32>();
        if hashes.is_empty() || !rest.is_empty() {
            return Err(RowFault::Shape("nodes are hashes of 32 bytes"));
        }
        let hashes = hashes.iter().map(|hash| Digest::from_bytes(*hash)).collect();
        Ok(Self { first: parse_number(key)?, hashes })
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
