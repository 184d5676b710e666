//! Rows of what became of decisions: the outcome that came to be known, beside the score it is held against.
//! Never holds whom it is about; that is in the record's sealed body.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::tables::{OUTCOMES, Table};

/// The latest word on one decision; an earlier one is in the tally log only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRow {
    /// The release that decided.
    pub release: Digest,
    /// The decision's place in the tally log.
    pub seq: u64,
    pub decided_ms: i64,
    /// What the decision led to; none for a prediction.
    pub outcome: Option<String>,
    /// Of the event, as it was given then.
    pub probability: f64,
    /// Whether the event came.
    pub happened: bool,
    /// Groups that are watched for fairness and are no input of the model.
    pub groups: BTreeMap<String, String>,
    /// When it was so.
    pub known_ms: i64,
    pub reported_ms: i64,
    pub reported_by: String,
}

impl OutcomeRow {
    pub fn key_of(release: &Digest, seq: u64) -> Vec<u8> {
        Key::new().digest(release).number(seq).finish()
    }

    pub fn prefix(release: &Digest) -> Vec<u8> {
        Key::new().digest(release).finish()
    }

    /// Whether both say the same of the same decision, whoever said it when.
    pub fn agrees_with(&self, other: &Self) -> bool {
        (self.seq, self.happened, self.known_ms) == (other.seq, other.happened, other.known_ms)
            && self.groups == other.groups
    }
}

impl JsonRow for OutcomeRow {
    const TABLE: Table = OUTCOMES;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.release, self.seq)
    }
}
