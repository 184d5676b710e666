//! Rows of what runs by itself: the projects that were applied, how far each chain has come, and its runs.
//! Never says what is due; `schedule` does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::schedule::chain_run::{ChainRun, Trigger};
use crate::schedule::trigger::{CommitKnown, Inbox};
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::tables::{
    CHAIN_RUNS, CHAIN_RUNS_BY_START, CHAIN_RUNS_OPEN, CHAIN_STARTS, CHAINS, PROJECTS, Table,
};

/// A project whose schedule is in force here, as it was when it was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectRow {
    pub name: String,
    /// The project's files by their names.
    pub files: BTreeMap<String, String>,
    /// Of the files.
    pub digest: Digest,
    pub applied_by: String,
    pub applied_ms: i64,
}

impl ProjectRow {
    pub fn key_of(name: &str) -> Vec<u8> {
        Key::new().text(name).finish()
    }
}

impl JsonRow for ProjectRow {
    const TABLE: Table = PROJECTS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.name)
    }
}

/// Somebody's word on whether a chain starts by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    pub paused: bool,
    pub by: String,
    pub at_ms: i64,
}

/// How far a chain has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainRow {
    pub project: String,
    pub chain: String,
    /// Planned starts up to here are dealt with.
    pub dealt_ms: i64,
    /// None: as schedule.toml says.
    pub pause: Option<Pause>,
    /// What its file triggers have seen, by their places.
    pub inboxes: BTreeMap<String, Inbox>,
    /// What its git triggers have seen, by the references they watch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commits: BTreeMap<String, CommitKnown>,
    /// How many outcomes were known when it last began.
    pub outcomes_then: u64,
    /// The newest run.
    pub last_run: Option<String>,
    /// Planned starts that were passed over since it is known.
    pub skipped: u64,
    /// Starts that wait until the run before them has ended.
    pub queued: Vec<QueuedStart>,
}

/// A start that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueuedStart {
    pub key: String,
    pub planned_ms: Option<i64>,
    pub trigger: Trigger,
}

impl ChainRow {
    pub fn key_of(project: &str, chain: &str) -> Vec<u8> {
        Key::new().text(project).text(chain).finish()
    }

    pub fn prefix(project: &str) -> Vec<u8> {
        Key::new().text(project).finish()
    }
}

impl JsonRow for ChainRow {
    const TABLE: Table = CHAINS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.project, &self.chain)
    }
}

/// One run of a chain, with what its steps left for those after them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainRunRow {
    pub project: String,
    /// The digest of the project's files when it began.
    pub config: Digest,
    pub run: ChainRun,
    /// What came of the steps: a training run, a version, a report, by names that end in the step's.
    pub facts: BTreeMap<String, String>,
}

impl ChainRunRow {
    pub fn key_of(id: &str) -> Vec<u8> {
        Key::new().text(id).finish()
    }
}

impl JsonRow for ChainRunRow {
    const TABLE: Table = CHAIN_RUNS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.run.id)
    }
}

/// The order in which runs of chains are listed, newest first: of one chain, or, under empty names, of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainRunOrderRow {
    pub project: String,
    pub chain: String,
    pub started_ms: i64,
    pub id: String,
}

impl ChainRunOrderRow {
    pub fn prefix(project: &str, chain: &str) -> Vec<u8> {
        Key::new().text(project).text(chain).finish()
    }
}

impl JsonRow for ChainRunOrderRow {
    const TABLE: Table = CHAIN_RUNS_BY_START;

    fn key(&self) -> Vec<u8> {
        Key::new()
            .text(&self.project)
            .text(&self.chain)
            .signed_descending(self.started_ms)
            .text(&self.id)
            .finish()
    }
}

/// A run of a chain that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRunRow {
    pub id: String,
    pub project: String,
    pub chain: String,
}

impl OpenRunRow {
    pub fn key_of(id: &str) -> Vec<u8> {
        Key::new().text(id).finish()
    }
}

impl JsonRow for OpenRunRow {
    const TABLE: Table = CHAIN_RUNS_OPEN;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.id)
    }
}

/// A cause that has had its run, so that it starts none again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainStartRow {
    pub project: String,
    pub key: String,
    pub run: String,
    pub at_ms: i64,
}

impl ChainStartRow {
    pub fn key_of(project: &str, key: &str) -> Vec<u8> {
        Key::new().text(project).text(key).finish()
    }

    /// Of every cause whose key begins so.
    pub fn prefix(project: &str, begin: &str) -> Vec<u8> {
        Key::new().text(project).beginning(begin).finish()
    }
}

impl JsonRow for ChainStartRow {
    const TABLE: Table = CHAIN_STARTS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.project, &self.key)
    }
}
