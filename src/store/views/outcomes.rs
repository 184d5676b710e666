//! What became of decisions, written and read by the release that decided.

use crate::base::digest::Digest;
use crate::store::error::StoreError;
use crate::store::rows::outcomes::OutcomeRow;
use crate::store::views::{Ledger, LedgerWrite, Rows, Span};

impl<V: Rows> Ledger<V> {
    pub fn find_outcome(&self, release: &Digest, seq: u64) -> Result<Option<OutcomeRow>, StoreError> {
        self.0.find(&OutcomeRow::key_of(release, seq))
    }

    /// Every known outcome of a release, in the order of the decisions.
    pub fn each_outcome(
        &self,
        release: &Digest,
        work: &mut dyn FnMut(OutcomeRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::prefix(&OutcomeRow::prefix(release)), work)
    }
}

impl LedgerWrite<'_> {
    pub fn put_outcome(&self, row: &OutcomeRow) -> Result<(), StoreError> {
        self.0.put(row)
    }
}
