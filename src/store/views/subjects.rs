//! The records of one subject, found by its tag. Never opens one.

use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::rows::answers::SubjectKeyRow;
use crate::store::views::{Ledger, Rows, Span};

impl<V: Rows> Ledger<V> {
    /// The places of a subject's records, the newest first; as far back as is looked.
    pub fn list_seqs_of_subject(&self, tag: &[u8; 16], limit: usize) -> Result<Vec<u64>, StoreError> {
        let last = SubjectKeyRow::block_of(self.log_size()?);
        let mut found = Vec::new();
        for block in (0..=last).rev().take(limits::SUBJECT_BLOCKS_MAX) {
            let span = Span::prefix(&SubjectKeyRow::prefix(block, tag));
            let rows: Vec<SubjectKeyRow> = self.0.list(&span, limits::LIST_MAX)?;
            found.extend(rows.iter().rev().map(|row| row.seq));
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}
