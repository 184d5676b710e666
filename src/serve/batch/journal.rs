//! How far a batch has come, durably: what a killed run may keep of its part files.
//! Never ahead of the files: they are synced first, then the journal is replaced.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::canonical;
use crate::base::files::{self, FileError};
use crate::base::limits;
use crate::serve::batch::error::BatchError;

pub const FILE: &str = "progress.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    pub id: String,
    /// When the first of the runs that made these files began.
    pub started: String,
    pub rows: RowCounts,
    pub scores_bytes: u64,
    pub quarantine_bytes: u64,
}

/// Every row read is scored or quarantined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowCounts {
    pub read: u64,
    pub scored: u64,
    pub quarantined: u64,
}

impl RowCounts {
    pub fn reconcile(&self) -> bool {
        self.scored.checked_add(self.quarantined) == Some(self.read)
    }
}

impl Journal {
    pub fn save(&self, folder: &Path) -> Result<(), BatchError> {
        let bytes = canonical::to_bytes(self)?;
        Ok(files::write_atomic(&folder.join(FILE), &bytes, 0o600)?)
    }

    /// The journal of this batch, if there is a whole one. A torn or foreign one is as good as none:
    /// what it would save is work, not data.
    pub fn find(folder: &Path, id: &str) -> Result<Option<Self>, FileError> {
        let bytes = match files::read_at_most(&folder.join(FILE), limits::MANIFEST_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let journal = canonical::parse::<Self>(&bytes).ok();
        Ok(journal.filter(|journal| journal.id == id && journal.rows.reconcile()))
    }
}
