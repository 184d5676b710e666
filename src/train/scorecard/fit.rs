//! From coded rows to a scorecard and the table of its bins, with what became of each column.
//! Draws nothing; chooses no thresholds and scales no points.

use serde::{Deserialize, Serialize};

use crate::model::scorecard::{Part, Scorecard};
use crate::train::scorecard::binning::{ColumnBins, RequestError, bin_column, tallies};
use crate::train::scorecard::coded::CodedRows;
use crate::train::scorecard::logistic::{CurveError, Regressor, Sample, fit_nonnegative};
use crate::train::scorecard::params::{ColumnRequest, ScorecardParams};

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ScorecardFitError {
    #[error("{requests} requests for {columns} columns")]
    Requests { requests: usize, columns: usize },
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Curve(#[from] CurveError),
}

/// A column's bins, and whether they made it into the scorecard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BinnedColumn {
    pub bins: ColumnBins,
    pub fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Scored, with this coefficient.
    Scored(f64),
    /// What was asked of it could not be had; `ColumnBins::refusal` says what.
    Refused,
    /// Its information value is below the limit.
    Weak,
    /// Beside the other columns it would score the wrong way round or not at all.
    Redundant,
}

/// One request a column, and one binned column each.
pub fn fit_scorecard(
    rows: &CodedRows<'_>,
    requests: &[ColumnRequest],
    params: &ScorecardParams,
) -> Result<(Scorecard, Vec<BinnedColumn>), ScorecardFitError> {
    let (columns, labels, weights) = (rows.columns(), rows.labels(), rows.weights());
    if requests.len() != columns.len() {
        let (requests, columns) = (requests.len(), columns.len());
        return Err(ScorecardFitError::Requests { requests, columns });
    }
    let (mut binned, mut regressors, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for (place, ((column, cells), request)) in rows.each_column().zip(requests).enumerate() {
        let tallies = tallies(column.codes, cells, labels, weights);
        let bins = bin_column(column, &tallies, request, params)?;
        let fate = match bins.refusal {
            Some(_) => Fate::Refused,
            None if bins.iv < params.iv_min => Fate::Weak,
            None => {
                let value_of = bins.bin_of.iter().map(|&bin| bins.bins[usize::from(bin)].woe).collect();
                regressors.push(Regressor { cells, value_of });
                places.push(place);
                Fate::Redundant
            }
        };
        binned.push(BinnedColumn { bins, fate });
    }
    let curve = fit_nonnegative(&Sample { regressors: &regressors, labels, weights }, params.l2)?;
    let mut parts = Vec::new();
    for (place, coefficient) in places.into_iter().zip(curve.coefficients) {
        if coefficient > 0.0 {
            binned[place].fate = Fate::Scored(coefficient);
            let bins = &binned[place].bins;
            let woe = bins.bins.iter().map(|bin| bin.woe).collect();
            parts.push(Part { place, bin_of: bins.bin_of.clone(), woe, coefficient });
        }
    }
    let scorecard = Scorecard { columns: columns.to_vec(), intercept: curve.intercept, parts };
    Ok((scorecard, binned))
}
