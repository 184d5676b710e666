//! Watches a model at work: drift, quality, performance once outcomes are known, fairness, business, and which rules
//! of the project hold. Pure: counts and known outcomes in, figures, verdicts and alarms out.
//! Never reads a clock, a store or a file, and never acts on a verdict.

pub mod alarm;
pub mod business;
pub mod compared;
pub mod drift;
pub mod estimate;
pub mod fairness;
pub mod performance;
pub mod quality;
pub mod report;
pub mod statistics;
pub mod trend;
pub mod verdict;
pub mod words;

/// Bounds of what is compared, so that a report stays small and its making short.
pub mod limits {
    /// Fields in one report.
    pub const DRIFT_FIELDS_MAX: usize = 2_000;
    /// Bins or levels of one field that are compared.
    pub const DRIFT_BINS_MAX: usize = 100_000;
    /// Bins of one field that a report shows; the rarest levels beyond it are shown as one.
    pub const DRIFT_BINS_SHOWN_MAX: usize = 32;
    /// Rows of one sample.
    pub const DRIFT_ROWS_MAX: u64 = 50_000_000;
}
