//! Which days of a model have a report, how one is asked for, and the rule that holds a model back.
//! The report itself is sent as its own form has it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::watch::HoldRow;
use crate::base::clock::millis_to_text;
use crate::monitor::report::Report;
use crate::monitor::verdict::Verdict;
use crate::registry::version::Alias;

/// A report that is to be made now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// `production` where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "production")]
    pub alias: Option<Alias>,
    /// The last day that is looked at, in UTC; yesterday where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-14")]
    pub day: Option<String>,
    /// Days that are looked at together, from 1 to 366; 7 where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_days: Option<u64>,
}

/// A day that has a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportInfo {
    #[schema(example = "2026-03-14")]
    pub day: String,
    pub model: String,
    pub version: u64,
    pub window_days: u64,
    pub made: String,
    /// `insufficient`, `stable`, `watch` or `shifted`.
    #[schema(example = "stable")]
    pub verdict: String,
    /// Decisions of the window.
    pub decided: u64,
    /// Fields that have shifted.
    pub shifted: u64,
    pub alarms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportList {
    /// The newest first.
    pub reports: Vec<ReportInfo>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl ReportInfo {
    pub fn of(report: &Report) -> Self {
        Self {
            day: report.day.clone(),
            model: report.model.clone(),
            version: report.version,
            window_days: report.window_days,
            made: millis_to_text(report.made_ms),
            verdict: verdict_word(report.verdict).to_string(),
            decided: report.business.decided,
            shifted: report.drift.shifted,
            alarms: report.alarms.len() as u64,
        }
    }
}

/// As a program reads it.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Insufficient => "insufficient",
        Verdict::Stable => "stable",
        Verdict::Watch => "watch",
        Verdict::Shifted => "shifted",
    }
}

/// A rule that holds a model back: nothing of it is promoted until somebody lets it go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldView {
    pub model: String,
    pub rule: String,
    pub why: String,
    pub since: String,
}

impl HoldView {
    pub fn of(row: &HoldRow) -> Self {
        Self {
            model: row.model.clone(),
            rule: row.rule.clone(),
            why: row.why.clone(),
            since: millis_to_text(row.since_ms),
        }
    }
}
