//! Why trees could not be learned. Each refusal names the thing at fault.

use crate::base::cancel::Cancelled;
use crate::base::fact::{Class, Fact};

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum TreesError {
    #[error("{part} has no rows")]
    NoRows { part: &'static str },
    #[error("{part} has {found} {what}, expected {expected}")]
    Shape { part: &'static str, what: &'static str, found: usize, expected: usize },
    #[error("column {column} has {codes} codes; 2 to 256 are possible")]
    Codes { column: usize, codes: usize },
    #[error("column {column} of {part} holds code {code}, which is beyond its {codes} codes")]
    Code { part: &'static str, column: usize, code: u8, codes: usize },
    #[error("column {column} has levels without an order, so no direction can be asked of it")]
    Direction { column: usize },
    #[error("row {row} of {part} has weight {weight}; a weight is finite and not below zero")]
    Weight { part: &'static str, row: usize, weight: f32 },
    #[error("{part} holds rows of one class only")]
    OneClass { part: &'static str },
    #[error("{name} = {value} is out of its range, {range}")]
    Param { name: &'static str, value: f64, range: &'static str },
    #[error("the loss of round {round} is no number")]
    Diverged { round: usize },
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Fact for TreesError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoRows { .. } => "train.trees.no_rows",
            Self::Shape { .. } => "train.trees.shape",
            Self::Codes { .. } | Self::Code { .. } => "train.trees.codes",
            Self::Direction { .. } => "train.trees.direction",
            Self::Weight { .. } => "train.trees.weight",
            Self::OneClass { .. } => "train.trees.one_class",
            Self::Param { .. } => "train.trees.param",
            Self::Diverged { .. } => "train.trees.diverged",
            Self::Cancelled(cancelled) => cancelled.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoRows { .. } | Self::OneClass { .. } => Class::DataRefused,
            Self::Param { .. } | Self::Direction { .. } => Class::Usage,
            Self::Cancelled(cancelled) => cancelled.class(),
            _ => Class::Failed,
        }
    }
}
