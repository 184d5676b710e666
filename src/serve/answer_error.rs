//! Why a recorded answer cannot be packed or restored.

use crate::base::fact::{Class, Fact};
use crate::decide::reasons::ReasonError;
use crate::serve::error::ServeError;

#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("the record's body is not in the form that is known")]
    Form,
    #[error("the record holds {found} values where its model has {expected}")]
    Inputs { found: usize, expected: usize },
    #[error("the record names {what} {place}, which its model or policy does not have")]
    Place { what: &'static str, place: u64 },
    #[error("the policy has no text {key:?}, which the record names")]
    NoText { key: String },
    #[error("the row has no field {field:?}, which its answer names")]
    NoField { field: String },
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Reason(#[from] ReasonError),
}

impl Fact for AnswerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Form => "answer.form",
            Self::Inputs { .. } | Self::Place { .. } | Self::NoText { .. } => "answer.other_model",
            Self::NoField { .. } => "answer.no_field",
            Self::Serve(error) => error.code(),
            Self::Reason(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoField { .. } => Class::Failed,
            Self::Serve(error) => error.class(),
            Self::Reason(error) => error.class(),
            _ => Class::Integrity,
        }
    }
}
