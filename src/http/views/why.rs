//! What a decision stands on, each part with whether it holds now.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::decisions::why::Why;
use crate::http::views::decision::RecordView;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhyCheck {
    /// Of record, outcome, replay, content, model, release, policy, promotion, run, data.
    #[schema(example = "record")]
    pub what: String,
    pub verified: bool,
    /// What was found, for a person.
    pub found: String,
}

/// A reason beside the value it is measured from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhyReason {
    pub field: String,
    pub text: String,
    /// The row's value as text; null where it was missing.
    pub value: Option<String>,
    /// About what the reference has there; null where a rule decided, or where it keeps none.
    pub reference: Option<String>,
    pub contribution: Option<f64>,
    pub verified: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WhyView {
    #[serde(flatten)]
    pub record: RecordView,
    /// Null for a prediction.
    pub outcome: Option<String>,
    /// Whether every part is.
    pub verified: bool,
    pub checks: Vec<WhyCheck>,
    pub reasons: Vec<WhyReason>,
}

impl WhyView {
    pub fn of(why: &Why) -> Self {
        let checks = why.checks.iter().map(|check| WhyCheck {
            what: check.what.to_string(),
            verified: check.holds,
            found: check.found.clone(),
        });
        let reasons = why.reasons.iter().map(|measured| WhyReason {
            field: measured.reason.field.to_string(),
            text: measured.reason.text.clone(),
            value: measured.reason.value.clone(),
            reference: measured.reference.clone(),
            contribution: measured.reason.contribution,
            verified: measured.holds,
        });
        Self {
            record: RecordView::of(&why.header),
            outcome: why.header.decision.as_ref().and_then(|facts| facts.outcome.clone()),
            verified: why.holds(),
            checks: checks.collect(),
            reasons: reasons.collect(),
        }
    }
}
