//! The witness against rollback: beside each store, how often it was committed. A store that counts less has lost
//! commits. Never needed to read a store: an absent or unreadable witness testifies to nothing.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::files;
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::tables::StoreName;

pub struct Witness {
    store: StoreName,
    store_id: String,
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    store_id: String,
    commits: u64,
}

impl Witness {
    /// `folder` is the home's `run`.
    pub fn new(folder: &Path, store: StoreName, store_id: &str) -> Self {
        let path = folder.join(format!("{store}.head"));
        Self { store, store_id: store_id.to_string(), path }
    }

    /// Refuses a store that holds fewer commits than were once seen.
    pub fn check(&self, found: u64) -> Result<(), StoreError> {
        match self.find_witnessed() {
            Some(witnessed) if found < witnessed => {
                let witness = self.path.clone();
                Err(StoreError::RolledBack { store: self.store, found, witnessed, witness })
            }
            _ => Ok(()),
        }
    }

    /// Notes a commit that is durable already. It is not flushed and may fail: it would only testify to less.
    pub fn note(&self, commits: u64) {
        let temp = self.path.with_extension("head.partial");
        let head = Head { store_id: self.store_id.clone(), commits };
        if let Ok(bytes) = serde_json::to_vec(&head)
            && std::fs::write(&temp, bytes).is_ok()
        {
            let _ = std::fs::rename(&temp, &self.path);
        }
    }

    fn find_witnessed(&self) -> Option<u64> {
        let bytes = files::read_at_most(&self.path, limits::HOME_FILE_BYTES_MAX).ok()?;
        let head: Head = serde_json::from_slice(&bytes).ok()?;
        (head.store_id == self.store_id).then_some(head.commits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_commits_than_witnessed_is_a_rollback_and_a_broken_witness_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let witness = Witness::new(folder.path(), StoreName::Lab, "id");
        witness.check(0).unwrap();
        witness.note(5);
        witness.check(5).unwrap();
        witness.check(6).unwrap();
        assert!(matches!(witness.check(4), Err(StoreError::RolledBack { found: 4, witnessed: 5, .. })));
        Witness::new(folder.path(), StoreName::Lab, "another store").check(4).unwrap();
        std::fs::write(folder.path().join("lab.head"), b"{\"store_id\":\"id\"").unwrap();
        witness.check(0).unwrap();
    }
}
