//! The witness against rollback: beside each store, how often it was committed. A store that counts less has lost
//! commits. Never needed to read a store: an absent or unreadable witness testifies to nothing.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::files;
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::tables::StoreName;

pub struct Witness {
    store: StoreName,
    store_id: String,
    path: PathBuf,
    /// The commits this process has seen, and those it has written down and when.
    seen: Cell<u64>,
    written: Cell<(u64, Option<Instant>)>,
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
        Self { store, store_id: store_id.to_string(), path, seen: Cell::new(0), written: Cell::default() }
    }

    /// Refuses a store that holds fewer commits than were once seen.
    pub fn check(&self, found: u64) -> Result<(), StoreError> {
        let witnessed = self.find_witnessed().unwrap_or(0).max(self.seen.get());
        if found < witnessed {
            let witness = self.path.clone();
            return Err(StoreError::RolledBack { store: self.store, found, witnessed, witness });
        }
        Ok(())
    }

    /// Notes a commit that is durable already. Soon after another it is not written down at once: `settle` does that.
    pub fn note(&self, commits: u64) {
        self.seen.set(commits);
        if self.settles_in() == Some(Duration::ZERO) {
            self.settle();
        }
    }

    /// How long what was noted may still wait to be written down; nothing where it was.
    pub fn settles_in(&self) -> Option<Duration> {
        let (written, at) = self.written.get();
        let pause = Duration::from_millis(limits::WITNESS_PAUSE_MS);
        let left = at.map_or(Duration::ZERO, |at| pause.saturating_sub(at.elapsed()));
        (written != self.seen.get()).then_some(left)
    }

    /// Writes down what was noted. It is not flushed and may fail: it would only testify to less.
    pub fn settle(&self) {
        let commits = self.seen.get();
        if commits == self.written.get().0 {
            return;
        }
        self.written.set((commits, Some(Instant::now())));
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
        witness.note(6);
        witness.check(6).unwrap();
        assert!(witness.check(5).is_err(), "what this process has seen counts before it is written down");
        let head = || std::fs::read_to_string(folder.path().join("lab.head")).unwrap();
        assert_eq!(head(), r#"{"store_id":"id","commits":5}"#);
        witness.settle();
        assert_eq!(head(), r#"{"store_id":"id","commits":6}"#);
        let witness = Witness::new(folder.path(), StoreName::Lab, "id");
        witness.check(6).unwrap();
        witness.check(7).unwrap();
        assert!(matches!(witness.check(4), Err(StoreError::RolledBack { found: 4, witnessed: 6, .. })));
        Witness::new(folder.path(), StoreName::Lab, "another store").check(4).unwrap();
        std::fs::write(folder.path().join("lab.head"), b"{\"store_id\":\"id\"").unwrap();
        witness.check(0).unwrap();
    }
}
