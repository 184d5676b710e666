//! Rules over a report, and the alarms they raise with what is to be done.
//! Never acts and never sends; an alarm is a fact that others act on.

use serde::{Deserialize, Serialize};

pub mod error;
pub mod judge;
pub mod rules;
mod sentence;
pub mod watch;

#[cfg(test)]
mod tests;

mod limits {
    pub(super) const RULES_MAX: usize = 200;
    /// Days in a row that a rule may ask for.
    pub(super) const RULE_DAYS_MAX: u64 = 60;
    /// Days without a report, or with too few rows, that a row of days may span beside twice its length.
    pub(super) const SILENT_DAYS_MAX: u64 = 7;
    /// Alarms of one rule in one report, the worst first; the rest share one.
    pub(super) const RULE_ALARMS_MAX: usize = 20;
}

/// A rule that held, and what it asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    pub rule: String,
    pub severity: Severity,
    /// The field, group or figure.
    pub about: String,
    pub value: Option<f64>,
    pub limit: Option<f64>,
    /// What is wrong, in words that stand alone.
    pub sentence: String,
    pub actions: Vec<Reaction>,
}

/// Ordered from the mildest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// What a rule asks others to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    Notify,
    /// No version is promoted until a person says so.
    Freeze,
    /// The version before this one goes back to production.
    RollBack,
    /// What was in production before answers again, and nothing is promoted until a person says so.
    FallBack,
    /// A candidate is trained; production stays as it is.
    Retrain,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Reaction {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Freeze => "freeze",
            Self::RollBack => "roll_back",
            Self::FallBack => "fall_back",
            Self::Retrain => "retrain",
        }
    }
}
