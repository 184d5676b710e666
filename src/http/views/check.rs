//! A version held against another on the same test rows, as it is told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::runs::against::Checked;
use crate::evaluate::compare::production::{Judged, Standing};
use crate::registry::version::Alias;

/// One figure of both, and how much worse the candidate is: below 0 where it is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct JudgedView {
    #[schema(example = "auc")]
    pub metric: String,
    pub against: f64,
    pub candidate: f64,
    pub worse_by: f64,
    pub worse_low: f64,
    pub worse_high: f64,
    pub tolerance: f64,
    /// `holds`, `holds_uncertainly`, `falls_uncertainly` or `falls`.
    #[schema(example = "holds")]
    pub standing: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    pub name: String,
    pub version: u64,
    #[schema(example = "production")]
    pub alias: String,
    pub against_version: u64,
    /// Whether each difference that was measured is within its tolerance.
    pub holds: bool,
    /// The worst of the figures' standings.
    #[schema(example = "holds")]
    pub standing: String,
    pub rows: u64,
    pub level: f64,
    pub rounds: u64,
    pub judged: Vec<JudgedView>,
}

impl CheckView {
    pub fn of(checked: &Checked, alias: Alias) -> Self {
        let verdict = &checked.verdict;
        Self {
            name: checked.candidate.name.clone(),
            version: checked.candidate.version,
            alias: alias.to_string(),
            against_version: checked.against.version,
            holds: verdict.standing.holds(),
            standing: word(verdict.standing),
            rows: verdict.rows,
            level: verdict.level,
            rounds: verdict.rounds as u64,
            judged: verdict.judged.iter().map(judged).collect(),
        }
    }
}

fn judged(judged: &Judged) -> JudgedView {
    JudgedView {
        metric: judged.metric.clone(),
        against: judged.production,
        candidate: judged.candidate,
        worse_by: judged.worse_by,
        worse_low: judged.worse_low,
        worse_high: judged.worse_high,
        tolerance: judged.tolerance,
        standing: word(judged.standing),
    }
}

fn word(standing: Standing) -> String {
    let word = match standing {
        Standing::Holds => "holds",
        Standing::HoldsUncertainly => "holds_uncertainly",
        Standing::FallsUncertainly => "falls_uncertainly",
        Standing::Falls => "falls",
    };
    word.to_string()
}
