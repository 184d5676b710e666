//! What a training is given, rows and their outcomes, and how it can refuse or fail.
//! Knows no family and computes nothing.

use burn::tensor::TensorReadError;

use crate::base::cancel::Cancelled;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::features::matrix::Matrix;
use crate::model::network::NetworkError;
use crate::model::reference::DeviceError;
use crate::train::params::ParamsError;
use crate::train::scorecard::coded::CodedError;
use crate::train::scorecard::fit::ScorecardFitError;
use crate::train::trees::error::TreesError;

/// Encoded rows and whether each is of the positive class.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    pub matrix: &'a Matrix,
    pub labels: &'a [bool],
}

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the {part} part has no rows")]
    Empty { part: &'static str },
    #[error("the {part} part has {rows} rows and {labels} outcomes")]
    Uneven { part: &'static str, rows: usize, labels: usize },
    #[error("the validation part has {valid} columns where the training part has {train}")]
    Width { train: usize, valid: usize },
    #[error("all {rows} training rows have the same outcome ({outcome}); there is nothing to learn")]
    OneClass { rows: usize, outcome: &'static str },
    #[error("the loss is no finite number any more after epoch {epoch}")]
    Diverged { epoch: usize },
    #[error("the network would have {found} weights; at most {max} are trained", max = limits::NETWORK_WEIGHTS_MAX)]
    Weights { found: usize },
    #[error("[monotone] names {field:?}, which is no field of the recipe{}", nearest.as_ref().map(|n| format!(" (did you mean {n:?}?)")).unwrap_or_default())]
    NoSuchField { field: String, nearest: Option<String> },
    #[error("[monotone] asks for a direction of {field:?}, whose levels have no order")]
    NoOrder { field: String },
    #[error(transparent)]
    Params(#[from] ParamsError),
    #[error(transparent)]
    Coded(#[from] CodedError),
    #[error(transparent)]
    Scorecard(#[from] ScorecardFitError),
    #[error("an ensemble is put together of families, and cannot be fitted as one")]
    Ensemble,
    #[error(transparent)]
    Trees(#[from] TreesError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("the gradient could not be computed: {0}")]
    Gradient(#[source] TensorReadError),
    #[error("the gradient of the weights is missing from the backward pass")]
    NoGradient,
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Fact for TrainError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "train.empty",
            Self::Uneven { .. } => "train.uneven",
            Self::Width { .. } => "train.width",
            Self::OneClass { .. } => "train.one_class",
            Self::Diverged { .. } => "train.diverged",
            Self::Weights { .. } => "train.weights",
            Self::NoSuchField { .. } => "train_params.monotone_field",
            Self::NoOrder { .. } => "train_params.monotone_order",
            Self::Params(inner) => inner.code(),
            Self::Coded(_) | Self::Scorecard(_) => "train.scorecard",
            Self::Ensemble => "train.ensemble",
            Self::Trees(inner) => inner.code(),
            Self::Network(inner) => inner.code(),
            Self::Gradient(_) => "train.gradient",
            Self::NoGradient => "train.no_gradient",
            Self::Device(error) => error.code(),
            Self::Cancelled(_) => "train.cancelled",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Empty { .. } | Self::OneClass { .. } => Class::DataRefused,
            Self::Weights { .. } | Self::NoSuchField { .. } | Self::NoOrder { .. } => Class::Usage,
            Self::Params(inner) => inner.class(),
            Self::Trees(inner) => inner.class(),
            Self::Device(error) => error.class(),
            _ => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Empty { .. } => Some("Give more rows, or change [split] in train.toml.".into()),
            Self::OneClass { .. } => {
                Some("Check the target column and its positive value, and give rows of both outcomes.".into())
            }
            Self::Diverged { .. } => Some(
                "Look for infinite values in the encoded columns, or lower the family's learning_rate."
                    .into(),
            ),
            Self::Weights { .. } => {
                Some("Write fewer units in mlp.hidden, or encode fields in fewer columns.".into())
            }
            Self::Device(error) => error.next_step(),
            _ => None,
        }
    }
}

impl Examples<'_> {
    /// Refuses a part without rows, or with rows and outcomes of different number.
    pub fn check(&self, part: &'static str) -> Result<(), TrainError> {
        let (rows, labels) = (self.matrix.rows, self.labels.len());
        if rows != labels {
            return Err(TrainError::Uneven { part, rows, labels });
        }
        if rows == 0 { Err(TrainError::Empty { part }) } else { Ok(()) }
    }

    pub fn positives(&self) -> usize {
        self.labels.iter().filter(|&&label| label).count()
    }
}
