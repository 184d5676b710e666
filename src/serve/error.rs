//! Why a champion cannot be made, or a row cannot be answered.

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::decide::outcome::NotAProbability;
use crate::decide::policy::PolicyError;
use crate::decide::reasons::ReasonError;
use crate::decide::rules::RuleError;
use crate::features::error::FeatureError;
use crate::model::shap::ExplainError;
use crate::registry::content_error::ContentError;
use crate::registry::gate::GateError;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("release {release}: its reasons cannot be prepared: {source}")]
    Explain { release: String, source: Box<ExplainError> },
    #[error("release {release}: {source}")]
    Content { release: String, source: Box<ContentError> },
    #[error("release {release} cannot serve under policy {policy}: {source}")]
    Policy { release: String, policy: Digest, source: Box<PolicyError> },
    #[error("release {release} has no policy: it can score but not decide")]
    NoPolicy { release: String },
    #[error(transparent)]
    Gate(#[from] GateError),
    #[error("the row cannot be encoded: {0}")]
    Features(#[from] FeatureError),
    #[error("the row's margin {margin} is no finite number")]
    NotFinite { margin: f64 },
    #[error(transparent)]
    Probability(#[from] NotAProbability),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Reason(#[from] ReasonError),
    #[error("row {row} is not in a table of {rows} rows")]
    NoRow { row: usize, rows: usize },
}

impl Fact for ServeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Explain { source, .. } => source.code(),
            Self::Content { source, .. } => source.code(),
            Self::Policy { source, .. } => source.code(),
            Self::NoPolicy { .. } => "serve.no_policy",
            Self::Gate(inner) => inner.code(),
            Self::Features(_) => "serve.features",
            Self::NotFinite { .. } => "serve.not_finite",
            Self::Probability(inner) => inner.code(),
            Self::Rule(inner) => inner.code(),
            Self::Reason(inner) => inner.code(),
            Self::NoRow { .. } => "serve.no_row",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Explain { source, .. } => source.class(),
            Self::Content { source, .. } => source.class(),
            Self::Policy { source, .. } => source.class(),
            Self::NoPolicy { .. } => Class::Usage,
            Self::Gate(inner) => inner.class(),
            _ => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Content { source, .. } => source.next_step(),
            Self::Policy { source, .. } => source.next_step(),
            Self::Gate(inner) => inner.next_step(),
            Self::NoPolicy { .. } => Some("Sign a policy and let the alias point to it.".into()),
            _ => None,
        }
    }
}
