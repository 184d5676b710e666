//! One report of one model on one day, and its form as JSON.
//! Never judges; it holds what the other files of `monitor` found, as they found it.

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::monitor::alarm::Alarm;
use crate::monitor::business::Business;
use crate::monitor::drift::DriftReport;
use crate::monitor::fairness::Fairness;
use crate::monitor::performance::Performance;
use crate::monitor::performance::release::ReleasePerformance;
use crate::monitor::quality::DayQuality;
use crate::monitor::report::error::ReportError;
use crate::monitor::verdict::Verdict;

pub mod changes;
pub mod error;
pub mod page;

#[cfg(test)]
pub(crate) mod example;
#[cfg(test)]
mod tests;

mod limits {
    /// One report as JSON: two thousand fields with their bins are about half of it.
    pub(super) const REPORT_BYTES_MAX: usize = 16 << 20;
}

/// The form of the JSON. A later program may read an older form, never a newer one.
pub const SCHEMA: u64 = 2;
/// The oldest form that is still read: without the release's own outcomes, and without what drift was counted over.
const SCHEMA_OLDEST: u64 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub project: String,
    pub model: String,
    pub version: u64,
    pub release: Digest,
    /// Such as `2026-03-14`: the last day of the window.
    pub day: String,
    pub window_days: u64,
    pub made_ms: i64,
    pub drift: DriftReport,
    pub quality: DayQuality,
    /// Absent until an outcome is known.
    pub performance: Option<Performance>,
    /// The release in force by its own outcomes; absent from reports that were made before it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_performance: Option<ReleasePerformance>,
    pub fairness: Vec<Fairness>,
    pub business: Business,
    pub alarms: Vec<Alarm>,
    pub verdict: Verdict,
}

/// The report as it stands in its file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<R> {
    schema: u64,
    report: R,
}

#[derive(Deserialize)]
struct Stamp {
    schema: u64,
}

impl Report {
    /// The worst that any part says; too few rows everywhere say nothing.
    pub fn overall(&self) -> Verdict {
        let outcomes = self.performance.as_ref().map(|performance| performance.verdict);
        let own = self.release_performance.as_ref().map(|release| release.verdict);
        let groups = self.fairness.iter().map(|fairness| fairness.verdict);
        let parts = [self.drift.verdict, self.quality.verdict];
        Verdict::worst(parts.into_iter().chain(outcomes).chain(own).chain(groups))
    }
}

/// The same bytes for the same report. What cannot be read back as it was is refused.
pub fn write_json(report: &Report) -> Result<Vec<u8>, ReportError> {
    let mut bytes =
        serde_json::to_vec_pretty(&Document { schema: SCHEMA, report }).map_err(ReportError::Shape)?;
    bytes.push(b'\n');
    match parse_json(&bytes) {
        Ok(read) if read == *report => Ok(bytes),
        Err(error @ ReportError::TooLong { .. }) => Err(error),
        // JSON has no word for a number that is none, so it would come back as another report.
        _ => Err(ReportError::NotFinite { day: report.day.clone() }),
    }
}

pub fn parse_json(bytes: &[u8]) -> Result<Report, ReportError> {
    if bytes.len() > limits::REPORT_BYTES_MAX {
        return Err(ReportError::TooLong { bytes: bytes.len(), max: limits::REPORT_BYTES_MAX });
    }
    let stamp: Stamp = serde_json::from_slice(bytes).map_err(ReportError::Shape)?;
    if !(SCHEMA_OLDEST..=SCHEMA).contains(&stamp.schema) {
        return Err(ReportError::Schema { found: stamp.schema, known: SCHEMA });
    }
    let document: Document<Report> = serde_json::from_slice(bytes).map_err(ReportError::Shape)?;
    Ok(document.report)
}
