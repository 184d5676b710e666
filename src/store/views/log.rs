//! Appending to and reading the tally log: the next number, the record, its tree nodes, and one checkpoint a commit.
//! Never changes or removes a record.

use std::borrow::Cow;
use std::cell::RefCell;

use crate::base::clock::Stamp;
use crate::base::digest::Digest;
use crate::base::limits;
use crate::ledger::leaf::{Entry, Record, leaf_hash};
use crate::ledger::tree::{self, Frontier, Nodes, TreeError};
use crate::ledger::verify::StoredRecord;
use crate::store::error::StoreError;
use crate::store::rows::log::{CheckpointRow, NodesRow, RecordRow, last_leaf_of};
use crate::store::tables::{LOG_CHECKPOINTS, LOG_NODES, LOG_RECORDS};
use crate::store::views::{Ledger, LedgerWrite, Rows, Span};

/// Signs the state of the log: its size and root become a checkpoint's text.
pub type CheckpointSigner =
    Box<dyn Fn(u64, Digest) -> Result<String, Box<dyn std::error::Error + Send + Sync>> + Send>;

impl<V: Rows> Nodes for Ledger<V> {
    type Error = StoreError;

    fn find_node(&self, level: u8, index: u64) -> Result<Option<Digest>, StoreError> {
        Ok(self.find_nodes(level, index)?.and_then(|row| row.find(level, index)))
    }
}

/// The stored nodes for a reader that asks for them one after the other: a commit's row is read once.
pub struct NodesInOrder<'l, V> {
    ledger: &'l Ledger<V>,
    row: RefCell<Option<NodesRow>>,
}

impl<V: Rows> Nodes for NodesInOrder<'_, V> {
    type Error = StoreError;

    fn find_node(&self, level: u8, index: u64) -> Result<Option<Digest>, StoreError> {
        let kept = self.row.borrow().as_ref().and_then(|row| row.find(level, index));
        if kept.is_some() {
            return Ok(kept);
        }
        let row = self.ledger.find_nodes(level, index)?;
        let found = row.as_ref().and_then(|row| row.find(level, index));
        *self.row.borrow_mut() = row;
        Ok(found)
    }
}

impl<V: Rows> Ledger<V> {
    pub fn nodes_in_order(&self) -> NodesInOrder<'_, V> {
        NodesInOrder { ledger: self, row: RefCell::default() }
    }

    /// The row of the commit that would have completed this node: the last that begins at or before its last leaf.
    fn find_nodes(&self, level: u8, index: u64) -> Result<Option<NodesRow>, StoreError> {
        match last_leaf_of(level, index) {
            Some(leaf) => self.0.find_last(&Span::all().up_to(&NodesRow::key_of(leaf))),
            None => Ok(None),
        }
    }

    /// How many records the log has; also the number the next one gets.
    pub fn log_size(&self) -> Result<u64, StoreError> {
        let last: Option<RecordRow> = self.0.find_last(&Span::all())?;
        Ok(last.map_or(0, |last| last.seq + 1))
    }

    /// The root of the log at a size it has or had.
    pub fn log_root(&self, size: u64) -> Result<Digest, StoreError> {
        tree::root(self, size).map_err(broken_tree)
    }

    pub fn find_record(&self, seq: u64) -> Result<Option<Record>, StoreError> {
        let row: Option<RecordRow> = self.0.find(&RecordRow::key_of(seq))?;
        row.map(|row| read_record(&row)).transpose()
    }

    /// The records from `from` on, in order, at most `limit` and `LIST_MAX`.
    pub fn list_records(&self, from: u64, limit: usize) -> Result<Vec<Record>, StoreError> {
        let span = Span::all().starting_at(RecordRow::key_of(from));
        let rows: Vec<RecordRow> = self.0.list(&span, limit.min(limits::LIST_MAX))?;
        rows.iter().map(read_record).collect()
    }

    /// Records from `from` on as they are kept, unread, for an audit; at most `LIST_MAX`.
    pub fn list_stored(&self, from: u64) -> Result<Vec<StoredRecord>, StoreError> {
        let span = Span::all().starting_at(RecordRow::key_of(from));
        let rows: Vec<RecordRow> = self.0.list(&span, limits::LIST_MAX)?;
        let stored = |row: RecordRow| StoredRecord { seq: row.seq, header: row.header, body: row.body };
        Ok(rows.into_iter().map(stored).collect())
    }

    /// Checkpoints of sizes from `from` on, with the size each is kept under; at most `LIST_MAX`.
    pub fn list_checkpoints(&self, from: u64) -> Result<Vec<(u64, String)>, StoreError> {
        let span = Span::all().starting_at(CheckpointRow::key_of(from));
        let rows: Vec<CheckpointRow> = self.0.list(&span, limits::LIST_MAX)?;
        Ok(rows.into_iter().map(|row| (row.size, row.text)).collect())
    }

    /// The size and text of the latest checkpoint.
    pub fn find_checkpoint_last(&self) -> Result<Option<(u64, String)>, StoreError> {
        let row: Option<CheckpointRow> = self.0.find_last(&Span::all())?;
        Ok(row.map(|row| (row.size, row.text)))
    }

    /// The latest checkpoint, and what shows that a record is in it.
    pub fn prove(&self, seq: u64) -> Result<(String, Vec<Digest>), StoreError> {
        let missing = || StoreError::NotFound { table: LOG_CHECKPOINTS, key: seq.to_string() };
        let (size, note) = self.find_checkpoint_last()?.ok_or_else(missing)?;
        Ok((note, tree::inclusion_proof(self, seq, size).map_err(broken_tree)?))
    }

    /// Size and text of every checkpoint, the smallest first.
    pub fn each_checkpoint(
        &self,
        each: &mut dyn FnMut(u64, String) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::all(), &mut |row: CheckpointRow| each(row.size, row.text))
    }
}

impl LedgerWrite<'_> {
    /// Gives an entry the next number and writes it with the tree nodes it completes; answers that number.
    pub fn append_record(&self, entry: Entry, stamp: Stamp) -> Result<u64, StoreError> {
        self.append_with(|seq| {
            let record = Record::new(entry, seq, stamp)?;
            Ok((record.leaf_data().to_vec(), record.body().to_vec().into()))
        })
    }

    /// Appends the record that `make` gives for the next number. The edge of the tree is loaded once for a
    /// group of writes; a place that is taken already is damage, never overwritten.
    pub(in crate::store) fn append_with<'b>(
        &self,
        make: impl FnOnce(u64) -> Result<(Vec<u8>, Cow<'b, [u8]>), StoreError>,
    ) -> Result<u64, StoreError> {
        let mut scratch = self.0.scratch().borrow_mut();
        let mut frontier = match scratch.frontier.take() {
            Some(frontier) => frontier,
            None => Frontier::load(self, self.log_size()?).map_err(broken_tree)?,
        };
        let seq = frontier.size();
        let (header, body) = make(seq)?;
        let completed = frontier.append(leaf_hash(&header));
        let nodes = scratch.nodes.get_or_insert_with(|| NodesRow { first: seq, hashes: Vec::new() });
        nodes.hashes.extend(completed.iter().map(|node| node.hash));
        self.0.put_later(LOG_RECORDS, RecordRow::seal(seq, &header, &body));
        (scratch.frontier, scratch.has_grown) = (Some(frontier), true);
        Ok(seq)
    }

    /// The size and root of the log as this transaction has left it.
    fn head(&self) -> Result<(u64, Digest), StoreError> {
        match &self.0.scratch().borrow().frontier {
            Some(frontier) => Ok((frontier.size(), frontier.root())),
            None => {
                let size = self.log_size()?;
                Ok((size, self.log_root(size)?))
            }
        }
    }

    /// Writes the nodes that the group's records completed.
    pub(in crate::store) fn flush_nodes(&self) -> Result<(), StoreError> {
        let nodes = self.0.scratch().borrow_mut().nodes.take();
        nodes.map_or(Ok(()), |nodes| self.0.put_new(&nodes))
    }

    /// Signs a checkpoint if the log has grown past the last one.
    pub(in crate::store) fn sign_growth(&self, signer: &CheckpointSigner) -> Result<(), StoreError> {
        let (size, root) = self.head()?;
        // What this group added has no checkpoint yet: there is nothing to look for.
        let has_grown = self.0.scratch().borrow().has_grown;
        if !has_grown && size == self.find_checkpoint_last()?.map_or(0, |(size, _)| size) {
            return Ok(());
        }
        let text = signer(size, root).map_err(|source| StoreError::Checkpoint { size, source })?;
        self.0.put_new(&CheckpointRow { size, text })
    }
}

fn read_record(row: &RecordRow) -> Result<Record, StoreError> {
    let corrupt = |why: String| StoreError::corrupt(LOG_RECORDS, &RecordRow::key_of(row.seq), why);
    let record = Record::parse(&row.header, row.body.clone()).map_err(|error| corrupt(error.to_string()))?;
    let said = record.header().seq;
    if said == row.seq { Ok(record) } else { Err(corrupt(format!("its header says it is record {said}"))) }
}

fn broken_tree(error: TreeError<StoreError>) -> StoreError {
    match error {
        TreeError::Store(error) => error,
        TreeError::MissingNode { level, index } => {
            let why = format!("node level {level} index {index} is missing");
            StoreError::corrupt(LOG_NODES, &NodesRow::key_of(last_leaf_of(level, index).unwrap_or(0)), why)
        }
        // Neither a record nor a growth is asked for here.
        TreeError::NoSuchRecord { index, .. } | TreeError::NotLater { new: index, .. } => {
            StoreError::corrupt(LOG_RECORDS, &RecordRow::key_of(index), "the log does not reach so far")
        }
    }
}
