//! The auditor: reads a whole log in one pass and says that it was only ever appended to, or where not.
//! Never repairs, and believes no stored hash: everything is computed again from the records.

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::ledger::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::ledger::leaf::{Record, RecordError};
use crate::ledger::tree::{Frontier, Node, Nodes};
use crate::security::trust::TrustRoot;

/// A record as the store keeps it, unchecked, with the place it is kept at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub seq: u64,
    pub header: Vec<u8>,
    pub body: Vec<u8>,
}

/// What was read and found good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditReport {
    pub records: u64,
    pub nodes: u64,
    pub checkpoints: u64,
    pub root: Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum AuditError<E: std::error::Error + 'static> {
    #[error("record {expected} is missing: the next one is record {found}")]
    MissingRecord { expected: u64, found: u64 },
    #[error("record {seq}: {source}")]
    Record { seq: u64, source: RecordError },
    #[error("record {place}: its header says that it is record {found}")]
    Misplaced { place: u64, found: u64 },
    #[error("record {seq}: its leaf is not the stored one (node level 0 index {seq})")]
    Leaf { seq: u64 },
    #[error("node level {level} index {index}: it is not the hash of the two below it")]
    Node { level: u8, index: u64 },
    #[error("node level {level} index {index}: it is missing")]
    MissingNode { level: u8, index: u64 },
    #[error("node level {level} index {index}: it is stored, but the log ends at {size}")]
    SurplusNode { level: u8, index: u64, size: u64 },
    #[error("checkpoint number {number}: {source}")]
    UnreadCheckpoint { number: u64, source: CheckpointError },
    #[error("checkpoint at size {size}: {source}")]
    Checkpoint { size: u64, source: CheckpointError },
    #[error("checkpoint at size {size}: it follows one at size {before}")]
    CheckpointOrder { size: u64, before: u64 },
    #[error("checkpoint at size {size}: its root {stated} is not that of the records, {computed}")]
    CheckpointRoot { size: u64, stated: Digest, computed: Digest },
    #[error("log ends at {end} where checkpoint says {size}")]
    Truncated { end: u64, size: u64 },
    #[error("log ends at {end}, but the last checkpoint covers only {size}")]
    Uncovered { end: u64, size: u64 },
    #[error("the log has no checkpoint")]
    NoCheckpoint,
    #[error(transparent)]
    Store(E),
}

impl<E: Fact + 'static> Fact for AuditError<E> {
    fn code(&self) -> &'static str {
        match self {
            Self::MissingRecord { .. } | Self::Truncated { .. } => "ledger.record_missing",
            Self::Record { source, .. } => source.code(),
            Self::Misplaced { .. } => "ledger.record_misplaced",
            Self::Leaf { .. } => "ledger.record_altered",
            Self::Node { .. } | Self::SurplusNode { .. } => "ledger.node_altered",
            Self::MissingNode { .. } => "ledger.node_missing",
            Self::UnreadCheckpoint { source, .. } | Self::Checkpoint { source, .. } => source.code(),
            Self::CheckpointOrder { .. } => "ledger.checkpoint_order",
            Self::CheckpointRoot { .. } => "ledger.checkpoint_root",
            Self::Uncovered { .. } | Self::NoCheckpoint => "ledger.checkpoint_missing",
            Self::Store(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Store(error) => error.class(),
            _ => Class::Integrity,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.next_step(),
            _ => Some("Stop using this home, keep it as it is, and compare it with a backup.".to_string()),
        }
    }
}

/// Reads all records and all checkpoints, each in ascending order, and checks them against each other
/// and against every stored node.
pub fn audit<E, N>(
    records: impl IntoIterator<Item = Result<StoredRecord, E>>,
    nodes: &N,
    checkpoints: impl IntoIterator<Item = Result<Vec<u8>, E>>,
    trust: &TrustRoot,
) -> Result<AuditReport, AuditError<E>>
where
    E: std::error::Error + 'static,
    N: Nodes<Error = E>,
{
    let mut tally = Tally { nodes, frontier: Frontier::default(), nodes_seen: 0 };
    let mut promises = Promises { notes: checkpoints.into_iter(), trust, next: None, before: None, count: 0 };
    promises.advance()?;
    promises.settle(&tally.frontier)?;
    for record in records {
        tally.add(&record.map_err(AuditError::Store)?)?;
        promises.settle(&tally.frontier)?;
    }
    promises.check_end(tally.frontier.size())?;
    tally.check_nothing_beyond()?;
    Ok(AuditReport {
        records: tally.frontier.size(),
        nodes: tally.nodes_seen,
        checkpoints: promises.count,
        root: tally.frontier.root(),
    })
}

/// The records so far, and the stored nodes they were compared with.
struct Tally<'a, N> {
    nodes: &'a N,
    frontier: Frontier,
    nodes_seen: u64,
}

impl<E, N> Tally<'_, N>
where
    E: std::error::Error + 'static,
    N: Nodes<Error = E>,
{
    fn add(&mut self, stored: &StoredRecord) -> Result<(), AuditError<E>> {
        let seq = self.frontier.size();
        if stored.seq != seq {
            return Err(AuditError::MissingRecord { expected: seq, found: stored.seq });
        }
        let record = Record::parse(&stored.header, stored.body.clone())
            .map_err(|source| AuditError::Record { seq, source })?;
        if record.header().seq != seq {
            return Err(AuditError::Misplaced { place: seq, found: record.header().seq });
        }
        for node in self.frontier.append(record.leaf_hash()) {
            self.compare(&node)?;
        }
        Ok(())
    }

    fn compare(&mut self, node: &Node) -> Result<(), AuditError<E>> {
        let (level, index) = (node.level, node.index);
        self.nodes_seen += 1;
        match self.nodes.find_node(level, index).map_err(AuditError::Store)? {
            Some(hash) if hash == node.hash => Ok(()),
            Some(_) if level == 0 => Err(AuditError::Leaf { seq: index }),
            Some(_) => Err(AuditError::Node { level, index }),
            None => Err(AuditError::MissingNode { level, index }),
        }
    }

    /// On each level the next node must be absent: a log cut at its end would leave nodes behind.
    fn check_nothing_beyond(&self) -> Result<(), AuditError<E>> {
        let size = self.frontier.size();
        for level in 0..64u8 {
            let index = size >> level;
            if self.nodes.find_node(level, index).map_err(AuditError::Store)?.is_some() {
                return Err(AuditError::SurplusNode { level, index, size });
            }
        }
        Ok(())
    }
}

/// The checkpoints not yet reached: `next` is verified and waits for the records to reach its size.
struct Promises<'a, C> {
    notes: C,
    trust: &'a TrustRoot,
    next: Option<Checkpoint>,
    before: Option<u64>,
    count: u64,
}

impl<E, C> Promises<'_, C>
where
    E: std::error::Error + 'static,
    C: Iterator<Item = Result<Vec<u8>, E>>,
{
    fn advance(&mut self) -> Result<(), AuditError<E>> {
        let Some(note) = self.notes.next() else {
            self.next = None;
            return Ok(());
        };
        let signed = SignedCheckpoint::parse(&note.map_err(AuditError::Store)?)
            .map_err(|source| AuditError::UnreadCheckpoint { number: self.count, source })?;
        let size = signed.claimed_size();
        let checkpoint =
            signed.verify(self.trust).map_err(|source| AuditError::Checkpoint { size, source })?;
        if let Some(before) = self.before.filter(|before| *before >= size) {
            return Err(AuditError::CheckpointOrder { size, before });
        }
        self.before = Some(size);
        self.next = Some(checkpoint);
        Ok(())
    }

    /// Where a checkpoint was made at just this size, its root must be the one of the records.
    fn settle(&mut self, frontier: &Frontier) -> Result<(), AuditError<E>> {
        let Some(checkpoint) = self.next.as_ref().filter(|next| next.head.size == frontier.size()) else {
            return Ok(());
        };
        let (stated, computed) = (checkpoint.head.root, frontier.root());
        if stated != computed {
            return Err(AuditError::CheckpointRoot { size: frontier.size(), stated, computed });
        }
        self.count += 1;
        self.advance()
    }

    fn check_end(&self, end: u64) -> Result<(), AuditError<E>> {
        match (&self.next, self.before) {
            (Some(waiting), _) => Err(AuditError::Truncated { end, size: waiting.head.size }),
            (None, None) => Err(AuditError::NoCheckpoint),
            (None, Some(size)) if size != end => Err(AuditError::Uncovered { end, size }),
            (None, Some(_)) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
