//! What a training is given, rows and their outcomes, and how it can refuse or fail.
//! Knows no family and computes nothing.

use burn::tensor::TensorReadError;

use crate::base::cancel::Cancelled;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::features::matrix::Matrix;
use crate::model::network::NetworkError;
use crate::model::reference::DeviceError;

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
    #[error("mlp.monotone names {field:?}, which is no numeric field of the recipe")]
    Monotone { field: String },
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
            Self::Monotone { .. } => "train.monotone",
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
            Self::Weights { .. } | Self::Monotone { .. } => Class::Usage,
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
            Self::Monotone { .. } => {
                Some("Name fields that recipe.toml encodes as scale, quantile or piecewise.".into())
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
