//! From coded rows to a scorecard and the table of its bins, with what became of each column.
//! Draws nothing; chooses no thresholds and scales no points.

use serde::{Deserialize, Serialize};

use crate::model::scorecard::{Part, Scorecard};
use crate::train::scorecard::binning::{BinKind, ColumnBins, RequestError, bin_column, bin_evenly, tallies};
use crate::train::scorecard::coded::CodedRows;
use crate::train::scorecard::held::held_groups;
use crate::train::scorecard::params::{ColumnRequest, ScorecardParams, Trend};
use crate::train::scorecard::together::{Grouped, Sample, Together, TogetherError, fit_together};

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ScorecardFitError {
    #[error("{requests} requests for {columns} columns")]
    Requests { requests: usize, columns: usize },
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Together(#[from] TogetherError),
}

/// A column's bins, and whether they made it into the scorecard. The evidence of a scored column's bins is what they
/// say beside the other columns; that of any other, what they say alone. An information value is always the latter's.
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

/// Evidence is fitted for all bins of all columns together, so nothing is left to multiply it by.
const COEFFICIENT: f64 = 1.0;
/// A column whose evidence varies less than this (a deviation, in log-odds) is no part of the card.
const SPREAD_MIN: f64 = 0.01;

/// One request a column, and one binned column each.
pub fn fit_scorecard(
    rows: &CodedRows<'_>,
    requests: &[ColumnRequest],
    params: &ScorecardParams,
) -> Result<(Scorecard, Vec<BinnedColumn>), ScorecardFitError> {
    let columns = rows.columns();
    if requests.len() != columns.len() {
        let (requests, columns) = (requests.len(), columns.len());
        return Err(ScorecardFitError::Requests { requests, columns });
    }
    let mut binned = bin_all(rows, requests, params)?;
    let places: Vec<usize> =
        (0..binned.len()).filter(|&place| binned[place].fate == Fate::Redundant).collect();
    let together = fit_held(rows, &places, &binned, params.l2)?;
    let mut scorecard =
        Scorecard { columns: columns.to_vec(), intercept: together.intercept, parts: Vec::new() };
    for (place, mut worths) in places.into_iter().zip(together.worths) {
        let own = &mut binned[place];
        let (mean, spread) = centred(&own.bins, &mut worths);
        scorecard.intercept += mean;
        if spread >= SPREAD_MIN {
            own.fate = Fate::Scored(COEFFICIENT);
            own.bins.bins.iter_mut().zip(&worths).for_each(|(bin, &worth)| bin.woe = worth);
            let bin_of = own.bins.bin_of.clone();
            scorecard.parts.push(Part { place, bin_of, woe: worths, coefficient: COEFFICIENT });
        }
    }
    Ok((scorecard, binned))
}

/// Bins are searched for where a column was asked for something, and even where it was not: what is fitted together
/// needs no search, and a search finds what is not there.
fn bin_all(
    rows: &CodedRows<'_>,
    requests: &[ColumnRequest],
    params: &ScorecardParams,
) -> Result<Vec<BinnedColumn>, ScorecardFitError> {
    let mut binned = Vec::with_capacity(requests.len());
    let bins_max = params.even_bins(requests.len());
    for ((column, cells), request) in rows.each_column().zip(requests) {
        let tallies = tallies(column.codes, cells, rows.labels(), rows.weights());
        let free = request.breaks.is_none() && request.trend.unwrap_or(params.trend) == Trend::None;
        let bins = if free || !column.ordered {
            bin_evenly(column, &tallies, request, (params, bins_max))?
        } else {
            bin_column(column, &tallies, request, params)?
        };
        let fate = match bins.refusal {
            Some(_) => Fate::Refused,
            None if bins.iv < params.iv_min => Fate::Weak,
            None => Fate::Redundant,
        };
        binned.push(BinnedColumn { bins, fate });
    }
    Ok(binned)
}

/// Bins that would leave their column's trend beside the others are worth the same, and all is fitted again.
fn fit_held(
    rows: &CodedRows<'_>,
    places: &[usize],
    binned: &[BinnedColumn],
    l2: f64,
) -> Result<Together, ScorecardFitError> {
    let cells: Vec<&[u8]> = rows.each_column().map(|(_, cells)| cells).collect();
    let mut groups: Vec<Vec<usize>> =
        places.iter().map(|&place| (0..binned[place].bins.bins.len()).collect()).collect();
    loop {
        let own = places.iter().zip(&groups);
        let grouped: Vec<Grouped<'_>> = own
            .map(|(&place, group_of_bin)| {
                let (bins, ordered) = (&binned[place].bins, rows.columns()[place].ordered);
                grouped(cells[place], bins, group_of_bin, ordered)
            })
            .collect();
        let sample = Sample { columns: &grouped, labels: rows.labels(), weights: rows.weights() };
        let mut together = fit_together(&sample, l2)?;
        let mut held = true;
        for ((&place, own), worths) in places.iter().zip(&mut groups).zip(&mut together.worths) {
            *worths = own.iter().map(|&group| worths[group]).collect();
            let next = held_groups(&binned[place].bins, own, worths);
            held &= next == *own;
            *own = next;
        }
        if held {
            return Ok(together);
        }
    }
}

fn grouped<'a>(cells: &'a [u8], bins: &ColumnBins, group_of_bin: &[usize], ordered: bool) -> Grouped<'a> {
    let group = |bin: u8| group_of_bin[usize::from(bin)];
    let group_of = bins.bin_of.iter().map(|&bin| u8::try_from(group(bin)).unwrap_or(u8::MAX)).collect();
    let groups = group_of_bin.iter().max().map_or(0, |last| last + 1);
    let first = bins.bins.iter().position(|bin| bin.kind == BinKind::Values);
    let first = first.filter(|_| ordered).map_or(groups, |bin| group_of_bin[bin]);
    Grouped { cells, group_of, groups, ordered: first..groups }
}

/// Makes nothing of what an average row has, and of a bin that no row has; says what was taken away, and the deviation
/// of what is left.
fn centred(bins: &ColumnBins, worths: &mut [f64]) -> (f64, f64) {
    let weight: f64 = bins.bins.iter().map(|bin| bin.weight).sum();
    let mean = |worths: &[f64], of: fn(f64) -> f64| {
        bins.bins.iter().zip(worths).map(|(bin, &worth)| bin.weight * of(worth)).sum::<f64>() / weight
    };
    let taken = mean(worths, |worth| worth);
    for (bin, worth) in bins.bins.iter().zip(worths.iter_mut()) {
        *worth = if bin.weight > 0.0 { *worth - taken } else { 0.0 };
    }
    (taken, mean(worths, |worth| worth * worth).sqrt())
}
