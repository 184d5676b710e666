//! Every table of both store files, by name. Keys and values are plain bytes; values are always framed.
//! Never says what a row means; that is `rows`.

use std::fmt;

use redb::TableDefinition;

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreName {
    Ledger,
    Lab,
}

impl StoreName {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Lab => "lab",
        }
    }

    pub fn file_name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger.redb",
            Self::Lab => "lab.redb",
        }
    }

    /// Only decisions are waited for at a counter.
    pub fn journal_name(self) -> Option<&'static str> {
        match self {
            Self::Ledger => Some("ledger.journal"),
            Self::Lab => None,
        }
    }

    pub fn meta(self) -> Table {
        match self {
            Self::Ledger => LEDGER_META,
            Self::Lab => LAB_META,
        }
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub store: StoreName,
    pub name: &'static str,
}

pub type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

impl Table {
    const fn ledger(name: &'static str) -> Self {
        Self { store: StoreName::Ledger, name }
    }

    const fn lab(name: &'static str) -> Self {
        Self { store: StoreName::Lab, name }
    }

    pub(in crate::store) fn definition(self) -> Definition {
        TableDefinition::new(self.name)
    }
}

pub const LEDGER_META: Table = Table::ledger("ledger_meta");
pub const VERSIONS: Table = Table::ledger("versions");
pub const ALIASES: Table = Table::ledger("aliases");
pub const ALIAS_HISTORY: Table = Table::ledger("alias_history");
pub const SIGNATURES: Table = Table::ledger("signatures");
pub const POLICIES: Table = Table::ledger("policies");
pub const TRUST: Table = Table::ledger("trust");
pub const LOG_RECORDS: Table = Table::ledger("log_records");
pub const LOG_NODES: Table = Table::ledger("log_nodes");
pub const LOG_CHECKPOINTS: Table = Table::ledger("log_checkpoints");
pub const DECISION_IDS: Table = Table::ledger("decision_ids");
pub const CASES: Table = Table::ledger("cases");
pub const SUBJECT_KEYS: Table = Table::ledger("subject_keys");
pub const IDEMPOTENCY: Table = Table::ledger("idempotency");
pub const COUNTERS: Table = Table::ledger("counters");
pub const OUTCOMES: Table = Table::ledger("outcomes");
pub const USERS: Table = Table::ledger("users");
pub const API_KEYS: Table = Table::ledger("api_keys");
pub const PROPOSALS: Table = Table::ledger("proposals");

pub const LAB_META: Table = Table::lab("lab_meta");
pub const EXPERIMENTS: Table = Table::lab("experiments");
pub const EXPERIMENT_NAMES: Table = Table::lab("experiment_names");
pub const RUNS: Table = Table::lab("runs");
pub const RUNS_BY_START: Table = Table::lab("runs_by_start");
pub const RUNS_LISTED: Table = Table::lab("runs_listed");
pub const RUNS_OPEN: Table = Table::lab("runs_open");
pub const RUN_BLOBS: Table = Table::lab("run_blobs");
pub const METRICS: Table = Table::lab("metrics");
pub const DATASETS: Table = Table::lab("datasets");
pub const RUN_QUEUE: Table = Table::lab("run_queue");
pub const PROJECTS: Table = Table::lab("projects");
pub const CHAINS: Table = Table::lab("chains");
pub const CHAIN_RUNS: Table = Table::lab("chain_runs");
pub const CHAIN_RUNS_BY_START: Table = Table::lab("chain_runs_by_start");
pub const CHAIN_RUNS_OPEN: Table = Table::lab("chain_runs_open");
pub const CHAIN_STARTS: Table = Table::lab("chain_starts");
pub const REPORTS: Table = Table::lab("reports");
pub const WATCHED_DAYS: Table = Table::lab("watched_days");
pub const TRENDS: Table = Table::lab("trends");
pub const MODEL_HOLDS: Table = Table::lab("model_holds");
pub const ALERTS: Table = Table::lab("alerts");
pub const DELIVERIES: Table = Table::lab("deliveries");
