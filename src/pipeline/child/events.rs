//! What a run's child tells its parent: one JSON object a line on stdout.
//! Never carries data of a person; only names, counts, metrics and the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::fact::Failure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    Stage {
        name: String,
        total: u64,
    },
    Step {
        done: u64,
    },
    Metric {
        key: String,
        step: i64,
        value: f64,
    },
    /// Something was tried; its figures are of the folds.
    Trial {
        name: String,
        settings: Vec<String>,
        figures: BTreeMap<String, f64>,
    },
    /// The candidate folder is whole; its model has this digest.
    Done {
        model: Digest,
    },
    Failed {
        code: String,
        exit_code: u8,
        message: String,
        next_step: Option<String>,
        details: Option<serde_json::Value>,
    },
}

impl Event {
    pub fn failed(error: &Failure) -> Self {
        Self::Failed {
            code: error.code().to_string(),
            exit_code: error.class().exit_code(),
            message: error.to_string(),
            next_step: error.next_step(),
            details: error.details(),
        }
    }
}
