//! What can be wrong with a report as bytes.
//! Never about what a report says.

use crate::base::fact::{Class, Fact};

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("the report has {bytes} bytes; at most {max} are read")]
    TooLong { bytes: usize, max: usize },
    #[error("the report has the form {found}; this program knows form {known}")]
    Schema { found: u64, known: u64 },
    #[error("the report is not one: {0}")]
    Shape(#[source] serde_json::Error),
    #[error("the report of {day} holds a number that is not finite")]
    NotFinite { day: String },
}

impl Fact for ReportError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "report.too_long",
            Self::Schema { .. } => "report.schema",
            Self::Shape(_) => "report.shape",
            Self::NotFinite { .. } => "report.not_finite",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NotFinite { .. } => Class::Failed,
            _ => Class::Integrity,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Schema { found, known } if found > known => Some("Read it with a newer version.".into()),
            Self::NotFinite { .. } => None,
            _ => Some("Make the report of that day again.".into()),
        }
    }
}
