//! What can be asked of and written to the table of proposals.
//! Never decides who may propose or approve; the use case does.

use crate::store::error::{StoreError, printable};
use crate::store::rows::approvals::ProposalRow;
use crate::store::rows::{self, Row};
use crate::store::tables::PROPOSALS;
use crate::store::views::{Direction, Ledger, LedgerWrite, Rows, Span};

/// The place of a proposal in the list, open ones first: where a page of it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposalPlace {
    pub is_open: bool,
    pub id: u64,
}

impl<V: Rows> Ledger<V> {
    pub fn find_proposal(&self, id: u64) -> Result<Option<ProposalRow>, StoreError> {
        match self.0.find(&ProposalRow::key_of(true, id))? {
            Some(open) => Ok(Some(open)),
            None => self.0.find(&ProposalRow::key_of(false, id)),
        }
    }

    /// Every proposal after a place, open ones first and the latest first among each, until told to stop (`false`).
    pub fn each_proposal(
        &self,
        after: Option<ProposalPlace>,
        each: &mut dyn FnMut(ProposalRow) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let span = match after {
            Some(place) => Span::all().after(&ProposalRow::key_of(place.is_open, place.id)),
            None => Span::all(),
        };
        self.0.visit(ProposalRow::TABLE, &span, Direction::Forward, &mut |key, framed| {
            each(rows::open(key, framed)?)
        })
    }

    /// All that are open, the latest first; at most `PROPOSALS_OPEN_MAX` ever are.
    pub fn list_open_proposals(&self) -> Result<Vec<ProposalRow>, StoreError> {
        let mut open = Vec::new();
        self.0.each(&Span::prefix(&ProposalRow::prefix(true)), &mut |row| {
            open.push(row);
            Ok(())
        })?;
        Ok(open)
    }

    /// The number the next proposal gets.
    pub fn next_proposal(&self) -> Result<u64, StoreError> {
        let mut last = 0;
        for is_open in [true, false] {
            let newest: Vec<ProposalRow> = self.0.list(&Span::prefix(&ProposalRow::prefix(is_open)), 1)?;
            last = newest.iter().map(|row| row.id).fold(last, u64::max);
        }
        Ok(last + 1)
    }
}

impl LedgerWrite<'_> {
    /// Keeps a new proposal; its number must be the next.
    pub fn put_proposal(&self, row: &ProposalRow) -> Result<(), StoreError> {
        if row.id != self.next_proposal()? {
            return Err(StoreError::Exists { table: PROPOSALS, key: printable(&row.key()) });
        }
        self.0.put_new(row)
    }

    /// Writes what came of an open proposal; a closed one is never changed.
    pub fn close_proposal(&self, row: &ProposalRow) -> Result<(), StoreError> {
        let open = ProposalRow::key_of(true, row.id);
        if row.is_open() || self.0.find::<ProposalRow>(&open)?.is_none() {
            return Err(StoreError::NotFound { table: PROPOSALS, key: printable(&open) });
        }
        self.0.remove::<ProposalRow>(&open)?;
        self.0.put_new(row)
    }
}
