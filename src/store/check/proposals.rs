//! The check of proposals: each stands once, was decided if it is closed and only then, and speaks of a version there is.
//! Never judges whether it should have been decided so.

use std::collections::BTreeSet;

use crate::store::check::CheckReport;
use crate::store::error::StoreError;
use crate::store::rows::Row;
use crate::store::rows::approvals::ProposalRow;
use crate::store::views::{Ledger, ReadView};

pub(in crate::store) fn check_proposals(
    ledger: &Ledger<&ReadView>,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let (mut seen, mut last) = (BTreeSet::new(), 0);
    ledger.each_proposal(None, &mut |row| {
        let corrupt = |why: &str| StoreError::corrupt(ProposalRow::TABLE, &row.key(), why);
        if !seen.insert(row.id) {
            report.add(corrupt("the proposal stands twice, open and closed"));
        }
        if row.is_open() == row.decided_ms.is_some() || row.decided_ms.is_some() != row.decided_by.is_some() {
            report.add(corrupt("its state does not fit who decided it and when"));
        }
        if row.from.is_some() != row.from_tag.is_some() {
            report.add(corrupt("the state it was proposed against is half there"));
        }
        if ledger.find_version(&row.name, row.version)?.is_none() {
            report.add(corrupt("the version is missing though this row names it"));
        }
        last = last.max(row.id);
        Ok(true)
    })?;
    if seen.len() as u64 != last || seen.contains(&0) {
        let why = format!("{} of the {last} proposals are there", seen.len());
        report.add(StoreError::corrupt(ProposalRow::TABLE, &ProposalRow::key_of(false, last), why));
    }
    Ok(())
}
