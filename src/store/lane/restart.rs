//! What a lane does after a failure of the machine below it: it closes the file, opens it again with growing pauses,
//! verified as ever, and takes writes again once one has worked. Damage is final, and is never retried.

use std::sync::Arc;
use std::time::Duration;

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::file::{StoreFile, guard};
use crate::store::lane::journal::Journal;
use crate::store::lane::{Job, Writer};
use crate::store::migrate::count_commit;
use crate::store::tables::StoreName;
use crate::store::views::group::Group;
use crate::store::witness::Witness;

/// How a lane stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneState {
    Working,
    /// No writes for now; it goes on by itself.
    Restarting,
    /// No writes until somebody has looked at it.
    Stopped,
}

/// A lane's file, and its journal where it has one, all of which the file holds.
pub struct Opened {
    pub file: StoreFile,
    pub journal: Option<Journal>,
}

/// Opens a lane's file and holds it against what the witness has seen.
pub type Open = Box<dyn Fn(&Witness) -> Result<Opened, StoreError> + Send>;

/// How a lane's file is opened, at first and again.
pub struct Opening {
    pub open: Open,
    /// How long is waited before the n-th attempt, from 0, to open it again.
    pub pause: fn(u32) -> Duration,
}

/// Twice as long each time, up to a limit.
pub fn growing_pause(attempt: u32) -> Duration {
    let factor = 1u64.checked_shl(attempt).unwrap_or(u64::MAX);
    let pause = limits::STORE_RESTART_PAUSE_MS.saturating_mul(factor);
    Duration::from_millis(pause.min(limits::STORE_RESTART_PAUSE_MS_MAX))
}

/// A lane's state with its cause.
#[derive(Clone, Default)]
pub(in crate::store::lane) enum Standing {
    #[default]
    Working,
    Restarting(Arc<StoreError>),
    Stopped(Arc<StoreError>),
}

impl Standing {
    /// What an error makes of a lane: damage stops it for good, a failing disk may work again.
    pub fn after(error: StoreError) -> Self {
        if error.is_passing() { Self::Restarting(Arc::new(error)) } else { Self::Stopped(Arc::new(error)) }
    }

    pub fn state(&self) -> LaneState {
        match self {
            Self::Working => LaneState::Working,
            Self::Restarting(_) => LaneState::Restarting,
            Self::Stopped(_) => LaneState::Stopped,
        }
    }

    /// Why no write is taken; nothing where one is.
    pub fn refusal(&self, store: StoreName) -> Option<StoreError> {
        match self {
            Self::Working => None,
            Self::Restarting(cause) => Some(StoreError::Restarting { store, cause: Arc::clone(cause) }),
            Self::Stopped(cause) => Some(StoreError::WriterStopped { store, cause: Arc::clone(cause) }),
        }
    }

    /// What a write is told that was being committed when it happened.
    pub fn verdict(&self, store: StoreName) -> Option<StoreError> {
        match self {
            Self::Restarting(cause) => Some(StoreError::Unconfirmed { store, cause: Arc::clone(cause) }),
            other => other.refusal(store),
        }
    }
}

impl Writer {
    /// Refuses what waits, pauses, and tries once to open the file again.
    pub(in crate::store::lane) fn restart(&self, waiting: Vec<Box<dyn Job>>) {
        let store = self.shared.store;
        self.shared.refuse(waiting);
        let attempt = self.failures.replace(self.failures.get().saturating_add(1));
        if !self.shared.pause((self.opening.pause)(attempt)) {
            return;
        }
        let standing = match self.reopen() {
            Ok(()) => {
                tracing::info!(store = %store, "the store takes writes again");
                Standing::Working
            }
            Err(error) => {
                tracing::error!(store = %store, code = error.code(), cause = %error, "the store could not be reopened");
                match error.class() {
                    Class::Integrity | Class::StoreNewer => Standing::Stopped(Arc::new(error)),
                    _ => Standing::Restarting(Arc::new(error)),
                }
            }
        };
        self.shared.lock().standing = standing;
    }

    fn reopen(&self) -> Result<(), StoreError> {
        if !self.shared.slot.close() {
            return Err(StoreError::BeingRead { store: self.shared.store });
        }
        self.carried.take();
        self.journal.take();
        let Opened { file, journal } = (self.opening.open)(&self.witness)?;
        self.witness.note(commit_nothing(&file)?);
        self.journal.replace(journal);
        self.shared.slot.put(file);
        Ok(())
    }
}

/// Whether the file takes a commit; answers how many it has then.
fn commit_nothing(file: &StoreFile) -> Result<u64, StoreError> {
    guard(file.store(), || {
        let view = file.begin_write()?;
        let commits = count_commit(&Group::new(&view))?;
        view.commit()?;
        Ok(commits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_their_limit() {
        let seconds: Vec<u64> = (0..9).map(|attempt| growing_pause(attempt).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(growing_pause(u32::MAX).as_secs(), 60);
    }
}
