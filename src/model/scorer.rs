//! What every model family can do, and the closed list of families.
//! A margin is an uncalibrated log-odds; nothing here knows probabilities or field names.

use crate::base::limits;
use crate::features::matrix::Matrix;
use crate::model::baseline::Baseline;
use crate::model::ensemble::Ensemble;
use crate::model::linear::Linear;
use crate::model::network::Network;
use crate::model::scorecard::Scorecard;
use crate::model::shap::{ExplainError, Explainer};
use crate::model::trees::Trees;

/// One family's forward pass. A row's margin depends on that row alone, whatever batch it came in.
pub trait Scorer {
    /// The columns it reads; 0 if it reads none and so fits rows of any width.
    fn width(&self) -> usize;

    fn margin(&self, row: &[f32]) -> f64;

    /// One margin a row, in row order; each the same bits as `margin` gives.
    fn margins(&self, matrix: &Matrix) -> Vec<f64> {
        (0..matrix.rows).map(|row| self.margin(matrix.row(row))).collect()
    }

    /// Whatever can be worked out once for all rows that are measured from this mean row.
    fn prepare(&self, _reference: &[f64]) -> Result<Prepared, ExplainError> {
        Ok(Prepared::Nothing)
    }

    /// The margin of `reference`, and what each column of `row` adds to it. `prepared` is of this reference.
    fn contributions(&self, row: &[f32], reference: &[f64], prepared: &Prepared) -> (f64, Vec<f64>);

    /// Rows that may be explained for a report: what one costs differs a thousandfold between families.
    fn explained_rows_max(&self) -> usize {
        limits::IMPORTANCE_ROWS_MAX
    }

    /// How the contributions are found.
    fn method(&self) -> Method {
        Method::Terms
    }
}

/// What a family works out once for a reference.
#[derive(Clone, Debug)]
pub enum Prepared {
    Nothing,
    Trees(Box<Explainer>),
    /// One for each member of an ensemble.
    Members(Vec<Prepared>),
}

/// How what a column adds to the margin is found; what comes later rests on more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The margin is a sum over columns; each contribution is its own term, whatever the others are.
    Terms,
    /// What the column adds when it becomes known, over all orders in which columns may; what is not known yet is
    /// drawn from the reference, each column by itself.
    Coalitions,
    /// The margin's slope in the column, summed along the straight way from the reference to the row.
    Path,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Path => "path",
            Self::Coalitions => "coalitions",
        }
    }

    /// The most that base and contributions missed the margin by, as a share of the sizes added up, before the gap
    /// was spread; a network's way of more pieces than are walked may miss it by more.
    pub fn gap_max(self) -> f64 {
        match self {
            Self::Terms => 1e-12,
            Self::Path | Self::Coalitions => 1e-9,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Family {
    Baseline(Baseline),
    Logistic(Linear),
    Network(Network),
    Boosting(Trees),
    Forest(Trees),
    Scorecard(Scorecard),
    Ensemble(Ensemble),
}

impl Family {
    /// The family's stable name in files and messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Baseline(_) => "baseline",
            Self::Logistic(_) => "logistic",
            Self::Network(_) => "mlp",
            Self::Boosting(_) => "boosting",
            Self::Forest(_) => "forest",
            Self::Scorecard(_) => "scorecard",
            Self::Ensemble(_) => "ensemble",
        }
    }

    /// Its own kind, or those of its members.
    pub fn kinds(&self) -> Vec<&'static str> {
        match self {
            Self::Ensemble(ensemble) => ensemble.members.iter().map(|member| member.family.kind()).collect(),
            alone => vec![alone.kind()],
        }
    }

    pub fn scorer(&self) -> &dyn Scorer {
        match self {
            Self::Baseline(baseline) => baseline,
            Self::Logistic(linear) => linear,
            Self::Network(network) => network,
            Self::Boosting(trees) | Self::Forest(trees) => trees,
            Self::Scorecard(scorecard) => scorecard,
            Self::Ensemble(ensemble) => ensemble,
        }
    }
}
