//! From facts to starts: a file in the inbox, a commit, drift, outcomes that became known, the end of another chain. Each start
//! has a key; whoever keeps the keys of starts already made starts nothing twice. Never looks into a folder or a store.

mod commits;
mod files;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::schedule::chain_run::Status;
use crate::schedule::definition::{ChainEnd, DriftLevel};
use crate::schedule::limits;

pub use crate::schedule::pattern::{NamePattern, PatternError};
pub use commits::{CommitKnown, watch_of};
pub use files::{FileLook, FileSeen, Inbox, Watched, keys};

/// One start that a trigger asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The same for the same cause: what was started under it is not started again.
    pub key: String,
    /// What it was, for people: a file's name, a day, a number of outcomes, a run.
    pub from: String,
}

/// One day of the model in production, as drift was judged on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftDay {
    /// ISO date.
    pub day: String,
    pub seen: DriftSeen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftSeen {
    /// Too little was decided to say.
    Insufficient,
    Stable,
    Watch,
    Shifted,
}

impl DriftSeen {
    fn reaches(self, at: DriftLevel) -> bool {
        matches!((self, at), (Self::Shifted, _) | (Self::Watch, DriftLevel::Watch))
    }
}

/// The start for a shift that lasts up to the newest of `days` (oldest first, of one release). A shift of many days is
/// one start, and starts again after a day without it or under another release. Days that say nothing end no shift.
pub fn drift_start(chain: &str, at: DriftLevel, release: &str, days: &[DriftDay]) -> Option<Start> {
    let judged = days.iter().rev().take(limits::DRIFT_DAYS_MAX);
    let first = judged
        .filter(|day| day.seen != DriftSeen::Insufficient)
        .take_while(|day| day.seen.reaches(at))
        .last()?;
    let key = format!("{chain}/drift/{release}/{}", first.day);
    Some(Start { key, from: format!("drift since {}", first.day) })
}

/// The start when enough outcomes have become known since the chain last began, `known_then` being their number then.
pub fn volume_start(chain: &str, outcomes: u64, known_then: u64, known_now: u64) -> Option<Start> {
    let since = known_now.checked_sub(known_then)?;
    (since >= outcomes).then(|| Start {
        key: format!("{chain}/volume/{known_then}"),
        from: format!("{since} outcomes became known"),
    })
}

/// The start at the end of a run of another chain. A run that was cancelled starts nothing.
pub fn chain_start(chain: &str, when: ChainEnd, run: &str, ended: Status) -> Option<Start> {
    let fits =
        matches!((when, ended), (ChainEnd::Success, Status::Succeeded) | (ChainEnd::Failure, Status::Failed));
    fits.then(|| Start { key: format!("{chain}/chain/{run}"), from: run.to_string() })
}
