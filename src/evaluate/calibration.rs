//! Whether a probability means what it says: reliability bins and their error, and how scores spread by class.
//! Never recalibrates; a model's own calibration is fitted elsewhere.

pub mod isotonic;

use serde::{Deserialize, Serialize};

use crate::evaluate::ranked::split_evenly;
use crate::evaluate::scores::Scores;

/// Bins of equal count in the reliability curve and the expected calibration error.
pub const RELIABILITY_BINS: u64 = 15;
/// A score distribution begins and ends at multiples of one part of this many.
const DISTRIBUTION_GRID: f64 = 20.0;
/// Bars a score distribution has, about: each part of the grid gets as many as come nearest to it.
const DISTRIBUTION_BARS: usize = 30;
/// Two-sided 95 % of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Rows of neighbouring probabilities: what was promised and what came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    pub rows: u64,
    pub positives: u64,
    pub probability_min: f64,
    pub probability_max: f64,
    pub probability_mean: f64,
    pub positive_rate: f64,
    /// Wilson's 95 % interval of the rate.
    pub rate_low: f64,
    pub rate_high: f64,
}

/// The reliability curve; `ece` is the mean over rows of |promised - came| of their bin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reliability {
    pub ece: f64,
    pub bins: Vec<ReliabilityBin>,
}

/// Rows sorted stably by probability and split into `RELIABILITY_BINS` parts, the longer ones first
/// (`numpy.array_split` of a stable `argsort`); fewer rows than bins make a bin a row.
pub fn reliability(scores: &Scores<'_>) -> Reliability {
    let mut sorted = scores.ascending();
    let bins: Vec<ReliabilityBin> = split_evenly(scores.rows(), RELIABILITY_BINS)
        .into_iter()
        .map(|range| bin(sorted.by_ref().take((range.end - range.start) as usize)))
        .collect();
    let missed: f64 = bins.iter().map(|b| b.rows as f64 * (b.probability_mean - b.positive_rate).abs()).sum();
    Reliability { ece: missed / scores.rows() as f64, bins }
}

fn bin(rows: impl Iterator<Item = (bool, f64)>) -> ReliabilityBin {
    let (mut count, mut positives, mut sum) = (0u64, 0u64, 0.0);
    let (mut lowest, mut highest) = (1.0f64, 0.0f64);
    for (label, probability) in rows {
        count += 1;
        positives += u64::from(label);
        sum += probability;
        lowest = lowest.min(probability);
        highest = highest.max(probability);
    }
    let positive_rate = positives as f64 / count as f64;
    let (rate_low, rate_high) = wilson(positive_rate, count as f64);
    ReliabilityBin {
        rows: count,
        positives,
        probability_min: lowest,
        probability_max: highest,
        probability_mean: sum / count as f64,
        positive_rate,
        rate_low,
        rate_high,
    }
}

fn wilson(rate: f64, rows: f64) -> (f64, f64) {
    let z2 = Z_95 * Z_95;
    let centre = (rate + z2 / (2.0 * rows)) / (1.0 + z2 / rows);
    let reach = Z_95 / (1.0 + z2 / rows) * (rate * (1.0 - rate) / rows + z2 / (4.0 * rows * rows)).sqrt();
    ((centre - reach).max(0.0), (centre + reach).min(1.0))
}

/// Counts by class over bars of equal width from `low` to `high`; the last bar includes `high`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    pub low: f64,
    pub high: f64,
    pub positives: Vec<u64>,
    pub negatives: Vec<u64>,
}

/// How the scores spread, between the round borders that enclose them.
pub fn distribution(scores: &Scores<'_>) -> Distribution {
    let steps = scores.steps();
    let highest = steps.first().map_or(1.0, |step| step.probability);
    let lowest = steps.last().map_or(0.0, |step| step.probability);
    let first = (lowest * DISTRIBUTION_GRID).floor().min(DISTRIBUTION_GRID - 1.0);
    let last = (highest * DISTRIBUTION_GRID).ceil().max(first + 1.0);
    let parts = (last - first) as usize;
    let count = parts * ((DISTRIBUTION_BARS + parts / 2) / parts);
    let (low, high) = (first / DISTRIBUTION_GRID, last / DISTRIBUTION_GRID);
    let mut bars = Distribution { low, high, positives: vec![0; count], negatives: vec![0; count] };
    for step in steps {
        // Rounding may put a border's own score a hair to either side: saturating, so never out of the bars.
        let place = (step.probability - low) / (high - low) * count as f64;
        let bar = (place as usize).min(count - 1);
        bars.positives[bar] += u64::from(step.positives);
        bars.negatives[bar] += u64::from(step.negatives);
    }
    bars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_rows_than_bins_make_a_bin_a_row() {
        let scores = Scores::check(&[true, false, false], &[0.8, 0.1, 0.1]).unwrap();
        let reliability = reliability(&scores);
        assert_eq!(reliability.bins.len(), 3);
        assert!((reliability.ece - 0.4 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn wilson_gives_the_published_interval() {
        // Newcombe 1998, method 3: 81 of 263.
        let (low, high) = wilson(81.0 / 263.0, 263.0);
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
    }

    #[test]
    fn every_row_is_in_one_bar_even_where_all_scores_are_equal() {
        for p in [0.0, 0.05, 0.5, 0.999, 1.0] {
            let bars = distribution(&Scores::check(&[true, false, false], &[p; 3]).unwrap());
            assert_eq!((bars.positives.iter().sum::<u64>(), bars.negatives.iter().sum::<u64>()), (1, 2));
            assert!(bars.low < bars.high && bars.low <= p && p <= bars.high, "{p}");
            assert!(bars.high <= 1.0 && bars.positives.len() == 30);
        }
    }
}
