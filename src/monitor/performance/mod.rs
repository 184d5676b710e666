//! How good the model turned out to be on decisions whose outcome is known by now: in all, by month of decision, and of the
//! release in force alone (`release`).
//! Never reads a clock: what time it is, and what training measured, is told.

mod calibration;
mod figures;
mod judge;
pub mod month;
mod recalibration;
pub mod release;
pub mod settings;
mod vintages;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
pub use crate::evaluate::calibration::ReliabilityBin as CalibrationBin;
use crate::monitor::estimate::Estimate;
use crate::monitor::performance::figures::Rows;
use crate::monitor::performance::judge::judge;
use crate::monitor::performance::settings::PerformanceSettings;
use crate::monitor::performance::vintages::{Month, by_month};
use crate::monitor::verdict::Verdict;

pub mod limits {
    //! What bounds this room's input.
    //! Nothing else here holds a bare number that does.

    /// Known outcomes that one report reads.
    pub const KNOWN_MAX: usize = 2_000_000;
    /// Months of decision in one report: fifty years.
    pub const MONTHS_MAX: usize = 600;
    /// The largest whole number in a setting.
    pub const SETTING_MAX: u64 = 1_000_000;
    /// No figure of fewer known outcomes has an interval worth the name.
    pub const MIN_KNOWN_MIN: u64 = 10;
    pub const MIN_CLASS_MIN: u64 = 2;
}

/// One decision whose outcome is known, by the last word on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pub decided_ms: i64,
    /// Of the event.
    pub probability: f64,
    /// Whether the event happened.
    pub bad: bool,
    pub outcome: String,
    pub groups: BTreeMap<String, String>,
}

/// A value with the interval in which it lies in 95 % of cases; no value where `n` is too small for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    pub name: String,
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub n: u64,
}

impl Figure {
    pub fn of(name: &str, estimate: Option<Estimate>, n: u64) -> Self {
        let part = |of: fn(Estimate) -> f64| estimate.map(of);
        Self { name: name.into(), value: part(|e| e.value), low: part(|e| e.low), high: part(|e| e.high), n }
    }

    pub fn without_interval(name: &str, value: Option<f64>, n: u64) -> Self {
        Self { name: name.into(), value, low: None, high: None, n }
    }
}

/// The decisions of one month in UTC. Insufficient: not matured, or too few known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vintage {
    /// `2026-03`
    pub month: String,
    pub decided: u64,
    pub known: u64,
    pub figures: Vec<Figure>,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    pub decided: u64,
    pub known: u64,
    /// Whether any month has matured. If so, figures, baseline and calibration are those of matured months alone; if not,
    /// of all that is known, and nothing is judged by them.
    pub matured: bool,
    pub figures: Vec<Figure>,
    /// The same figures of a dummy that gives everyone the bad rate of the reference.
    pub baseline: Vec<Figure>,
    pub vintages: Vec<Vintage>,
    pub calibration: Vec<CalibrationBin>,
    pub verdict: Verdict,
}

/// What is known so far.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    pub known: &'a [Known],
    /// How many were decided in each month (`month::month_of`), known or not.
    pub decided: &'a BTreeMap<String, u64>,
    pub now_ms: i64,
}

/// What training measured on its test part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub bad_rate: f64,
    pub auc: Option<Estimate>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PerformanceError {
    #[error("{found} known outcomes are to be measured; at most {max} are")]
    TooMany { found: usize, max: usize },
    #[error("the known outcomes span {found} months; at most {max} are shown")]
    Months { found: usize, max: usize },
    #[error("known outcome {row}: {probability} is not a probability")]
    NotAProbability { row: usize, probability: f64 },
    #[error("known outcome {row}: it was decided at {decided_ms} ms, which is in no month")]
    NoMonth { row: usize, decided_ms: i64 },
    #[error("{found:?} is not a month; months are spelled 2026-03")]
    NotAMonth { found: String },
    #[error("{month}: {known} outcomes are known of {decided} decisions")]
    MoreThanDecided { month: String, known: u64, decided: u64 },
    #[error("the reference's {what} is {found}; it must lie between 0 and 1")]
    Reference { what: &'static str, found: f64 },
}

impl Fact for PerformanceError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "monitor.performance_rows",
            Self::Months { .. } => "monitor.performance_months",
            Self::NotAProbability { .. } => "monitor.not_a_probability",
            Self::NoMonth { .. } => "monitor.no_month",
            Self::NotAMonth { .. } => "monitor.not_a_month",
            Self::MoreThanDecided { .. } => "monitor.more_than_decided",
            Self::Reference { .. } => "monitor.performance_reference",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::TooMany { .. } | Self::Months { .. } => Class::DataRefused,
            Self::MoreThanDecided { .. } => Class::Integrity,
            _ => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::TooMany { .. } | Self::Months { .. } => Some("Report on a shorter window.".into()),
            Self::MoreThanDecided { .. } => Some("Run `tallystick store check`.".into()),
            _ => None,
        }
    }
}

/// A late outcome and a correction change their own month and the whole, and nothing else: every figure is made anew of
/// what is known now, in whatever order it became known.
pub fn measure(
    window: &Window<'_>,
    reference: &Reference,
    settings: &PerformanceSettings,
) -> Result<Performance, PerformanceError> {
    check_reference(reference)?;
    let months = by_month(window)?;
    let ripe = |month: &Month| month.has_matured(window.now_ms, settings);
    let matured = months.values().any(ripe);
    let mut rows = Rows::default();
    months.values().filter(|month| !matured || ripe(month)).for_each(|month| rows.extend(&month.rows));
    let whole = rows.measure(settings);
    let verdict = if matured { judge(&whole.figures, reference, settings) } else { Verdict::Insufficient };
    let vintage = |(name, month): (&String, &Month)| {
        let figures = month.rows.measure(settings).figures;
        let verdict = if ripe(month) { judge(&figures, reference, settings) } else { Verdict::Insufficient };
        Vintage { month: name.clone(), decided: month.decided, known: month.rows.known(), figures, verdict }
    };
    Ok(Performance {
        decided: months.values().map(|month| month.decided).sum(),
        known: window.known.len() as u64,
        matured,
        baseline: rows.foretold_by(reference.bad_rate).measure(settings).figures,
        calibration: whole.bins,
        figures: whole.figures,
        vintages: months.iter().map(vintage).collect(),
        verdict,
    })
}

fn check_reference(reference: &Reference) -> Result<(), PerformanceError> {
    let auc = reference.auc.map(|auc| [("AUC", auc.value), ("AUC", auc.low), ("AUC", auc.high)]);
    let named = auc.into_iter().flatten().chain([("bad rate", reference.bad_rate)]);
    match named.into_iter().find(|(_, found)| !(0.0..=1.0).contains(found)) {
        Some((what, found)) => Err(PerformanceError::Reference { what, found }),
        None => Ok(()),
    }
}
