//! What every model family can do, and the closed list of families.
//! A margin is an uncalibrated log-odds; nothing here knows probabilities or field names.

use crate::model::baseline::Baseline;
use crate::model::linear::Linear;
use crate::model::network::Network;

/// One family's forward pass. A row's margin depends on that row alone, whatever batch it came in.
pub trait Scorer {
    /// The family's stable name in files and messages.
    fn kind(&self) -> &'static str;

    /// The columns it reads; 0 if it reads none and so fits rows of any width.
    fn width(&self) -> usize;

    fn margin(&self, row: &[f32]) -> f64;

    /// The margin of `reference`, and what each column of `row` adds to it.
    fn contributions(&self, row: &[f32], reference: &[f64]) -> (f64, Vec<f64>);

    /// How the contributions are found.
    fn method(&self) -> Method {
        Method::Terms
    }
}

/// How what a column adds to the margin is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The margin is a sum over columns; each contribution is its own term, whatever the others are.
    Terms,
    /// The margin's slope in the column, summed along the straight way from the reference to the row.
    Path,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Path => "path",
        }
    }

    /// The most that base and contributions missed the margin by, as a share of the sizes added up, before the gap
    /// was spread; a network's way of more pieces than are walked may miss it by more.
    pub fn gap_max(self) -> f64 {
        match self {
            Self::Terms => 1e-12,
            Self::Path => 1e-9,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Family {
    Baseline(Baseline),
    Logistic(Linear),
    Network(Network),
}

impl Family {
    pub fn scorer(&self) -> &dyn Scorer {
        match self {
            Self::Baseline(baseline) => baseline,
            Self::Logistic(linear) => linear,
            Self::Network(network) => network,
        }
    }
}
