//! Why two samples cannot be compared at all. Too few rows is no error but a verdict.

use crate::base::fact::{Class, Fact};

#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    #[error(
        "{field}: there are {bins} names of bins for {reference} counts of the reference and {current} of today"
    )]
    Uneven { field: String, bins: usize, reference: usize, current: usize },
    #[error(
        "{field}: {bins} bins are too few: the last one counts missing values, in text the one before it other levels"
    )]
    TooFewBins { field: String, bins: usize },
    #[error("{field}: {bins} bins or levels are to be compared; at most {max} are")]
    TooManyBins { field: String, bins: usize, max: usize },
    #[error("{field}: {rows} rows are to be compared; at most {max} are")]
    TooManyRows { field: String, rows: u64, max: u64 },
    #[error("{fields} fields are to be compared; at most {max} are")]
    TooManyFields { fields: usize, max: usize },
    #[error("{name} is {value}: it must be {allowed}")]
    Rule { name: &'static str, value: f64, allowed: &'static str },
}

impl Fact for DriftError {
    fn code(&self) -> &'static str {
        match self {
            Self::Uneven { .. } => "monitor.uneven_bins",
            Self::TooFewBins { .. } => "monitor.too_few_bins",
            Self::TooManyBins { .. } => "monitor.too_many_bins",
            Self::TooManyRows { .. } => "monitor.too_many_rows",
            Self::TooManyFields { .. } => "monitor.too_many_fields",
            Self::Rule { .. } => "monitor.rule",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Uneven { .. } | Self::TooFewBins { .. } => Class::Failed,
            Self::TooManyBins { .. } | Self::TooManyRows { .. } | Self::TooManyFields { .. } => {
                Class::DataRefused
            }
            Self::Rule { .. } => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Uneven { .. } | Self::TooFewBins { .. } => {
                "Compare with the reference of the same model version; the counters of another one do not fit it."
            }
            Self::TooManyBins { .. } => {
                "Leave the field out: a text that is nearly always new has no distribution."
            }
            Self::TooManyRows { .. } => "Compare a shorter period, or a sample of the rows.",
            Self::TooManyFields { .. } => "Name the fields to compare, fewer of them.",
            Self::Rule { .. } => "Correct the setting.",
        };
        Some(step.into())
    }
}
