//! Which commit of a git reference is new: the first that is seen is only remembered, a later one starts one run.
//! Never opens a repository.

use serde::{Deserialize, Serialize};

use crate::schedule::refname::RefName;
use crate::schedule::trigger::Start;

/// What is known of one reference since earlier looks. It is written together with the start it leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitKnown {
    /// The commit that is dealt with; none until one could be read.
    pub commit: Option<String>,
    /// Since when it is.
    pub since_ms: i64,
    /// The code of why the reference could not be read at the last look.
    pub fault: Option<String>,
}

/// The name under which a reference of a repository is remembered, whatever place its trigger has.
pub fn watch_of(path: &str, name: &RefName) -> String {
    format!("{name} in {path}")
}

impl CommitKnown {
    /// What is to be remembered of a look, whether or not a run can begin: a first commit, and a fault that came or went.
    pub fn after_look(&self, found: Result<&str, &str>, now_ms: i64) -> Self {
        match found {
            Ok(commit) if self.commit.is_none() => Self::dealt_with(commit, now_ms),
            Ok(_) => Self { fault: None, ..self.clone() },
            Err(code) => Self { fault: Some(code.to_string()), ..self.clone() },
        }
    }

    /// What is remembered once a commit has had its start.
    pub fn dealt_with(commit: &str, now_ms: i64) -> Self {
        Self { commit: Some(commit.to_string()), since_ms: now_ms, fault: None }
    }

    /// The start of a chain for a commit that is another than the one known. A reference that goes back to an earlier
    /// commit, and on again, starts each time: the key has the moment since when the commit before it was known.
    pub fn start(&self, chain: &str, watch: &str, commit: &str) -> Option<Start> {
        self.commit.as_ref().filter(|known| *known != commit)?;
        let key = format!("{chain}/git/{}/{commit}/{watch}", self.since_ms);
        Some(Start { key, from: format!("{commit} of {watch}") })
    }
}
