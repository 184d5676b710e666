//! Every way a model's content can be refused. Never holds a value of a row.

use std::error::Error;

use crate::base::canonical::CanonicalError;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::data::contract::ContractError;
use crate::features::error::FeatureError;
use crate::model::trained::ModelError;
use crate::model::weights::WeightsError;

#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    #[error("{what} is {size} bytes; at most {max} are read")]
    TooLarge { what: &'static str, size: u64, max: u64 },
    #[error("{what} was altered: the digest is {found} where {expected} was promised")]
    Digest { what: &'static str, expected: Digest, found: Digest },
    #[error("{what}: {source}")]
    Form { what: &'static str, source: CanonicalError },
    #[error("{what} has the format {found:?}, which this program does not know")]
    Format { what: &'static str, found: String },
    #[error("{what} (blob {digest}) cannot be read: {source}")]
    Fetch { what: &'static str, digest: Digest, source: Box<dyn Error + Send + Sync> },
    #[error("model.json: {0}")]
    ContractForm(#[from] ContractError),
    #[error("model.json: the contract has columns that no scoring reads")]
    Contract,
    #[error("model.json: the recipe's field {field:?} is no feature of the contract, or of another kind")]
    Field { field: String },
    #[error("model.json: the subject {field:?} is no id of the contract")]
    Subject { field: String },
    #[error("model.json: training.base_rate is {found}, which is no share")]
    BaseRate { found: f64 },
    #[error("the model's features: {0}")]
    Features(#[from] FeatureError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("the golden rows are none: the model cannot be tried")]
    GoldenEmpty,
    #[error("golden row {row} does not have the cells its fields say")]
    GoldenShape { row: usize },
    #[error("golden row {row} gives the margin {found} where {expected} was promised: not the same model")]
    Golden { row: usize, expected: f64, found: f64 },
}

impl ContentError {
    pub(crate) fn in_part(what: &'static str) -> impl FnOnce(CanonicalError) -> Self {
        move |source| Self::Form { what, source }
    }
}

impl Fact for ContentError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "content.too_large",
            Self::Digest { .. } => "content.altered",
            Self::Form { .. } => "content.form",
            Self::Format { .. } => "content.format",
            Self::Fetch { .. } => "content.blob",
            Self::ContractForm(_) | Self::Contract => "content.contract",
            Self::Field { .. } => "content.field",
            Self::BaseRate { .. } => "content.base_rate",
            Self::Subject { .. } => "content.subject",
            Self::Features(_) => "content.features",
            Self::Weights(inner) => inner.code(),
            Self::Model(inner) => inner.code(),
            Self::GoldenEmpty => "content.golden_empty",
            Self::GoldenShape { .. } => "content.golden_shape",
            Self::Golden { .. } => "content.golden_mismatch",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::Format { .. } => "Install the program version the model was made with.".into(),
            Self::Golden { .. } => {
                "Compare the release's CPU features with this machine's; else import the release again."
                    .into()
            }
            Self::GoldenEmpty => "Train on more rows or fields, so that synthetic rows can be drawn.".into(),
            _ => "Import the release again from its source, or train the model again.".into(),
        })
    }
}
