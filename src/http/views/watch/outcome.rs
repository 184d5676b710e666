//! What became of decisions: the report that is sent, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::watch::outcomes::{Refused, Summary};

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomesBody {
    /// From 1 to 1,000.
    pub outcomes: Vec<OutcomeBody>,
}

/// What became of one decision.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeBody {
    /// Its case number or its id.
    #[schema(example = "0421-26-00317-K")]
    pub decision: String,
    /// The target's value as the training data has it.
    #[schema(example = "Fully Paid")]
    pub value: String,
    /// When it was so, RFC 3339; now where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// Groups that are watched for fairness, such as `{"sex": "f"}`. No model sees them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomesView {
    pub recorded: u64,
    /// Took the place of another word on the same decision.
    pub corrected: u64,
    /// Said what was known already.
    pub unchanged: u64,
    /// What was not taken down; everything else was.
    pub refused: Vec<RefusedOutcome>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedOutcome {
    /// JSON pointer into what was sent.
    #[schema(example = "/outcomes/3")]
    pub pointer: String,
    pub code: String,
    pub message: String,
}

impl OutcomesView {
    pub fn of(summary: &Summary) -> Self {
        let refused = |one: &Refused| RefusedOutcome {
            pointer: format!("/outcomes/{}", one.index),
            code: one.failure.code().to_string(),
            message: one.failure.to_string(),
        };
        Self {
            recorded: summary.recorded,
            corrected: summary.corrected,
            unchanged: summary.unchanged,
            refused: summary.refused.iter().map(refused).collect(),
        }
    }
}
