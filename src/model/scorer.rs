//! What every model family can do, and the closed list of families.
//! A margin is an uncalibrated log-odds; nothing here knows probabilities or field names.

use crate::model::baseline::Baseline;
use crate::model::linear::Linear;

/// One family's forward pass. A row's margin depends on that row alone, whatever batch it came in.
pub trait Scorer {
    /// The family's stable name in files and messages.
    fn kind(&self) -> &'static str;

    /// The columns it reads; 0 if it reads none and so fits rows of any width.
    fn width(&self) -> usize;

    fn margin(&self, row: &[f32]) -> f64;

    /// The margin of `reference`, and what each column of `row` adds to it.
    fn contributions(&self, row: &[f32], reference: &[f64]) -> (f64, Vec<f64>);
}

#[derive(Clone, Debug, PartialEq)]
pub enum Family {
    Baseline(Baseline),
    Logistic(Linear),
}

impl Family {
    pub fn scorer(&self) -> &dyn Scorer {
        match self {
            Self::Baseline(baseline) => baseline,
            Self::Logistic(linear) => linear,
        }
    }
}
