//! How well one column alone foretells the outcome: rank AUC, information value, the purest group.
//! Judged so that many rare levels, each seen once, foretell nothing.

use serde::{Deserialize, Serialize};

use crate::base::rng::Random;
use crate::data::profile::group::{PureGroup, find_purest, group_rows_min};
use crate::data::table::{Column, TextValues, Values};

/// The outcome of each row, and the part of a five-fold draw the row belongs to.
pub struct Outcomes {
    pub labels: Vec<Option<bool>>,
    folds: Vec<usize>,
    pub positives: usize,
    pub negatives: usize,
}

const FOLDS: usize = 5;

impl Outcomes {
    pub fn new(labels: &[Option<bool>]) -> Self {
        // A fixed draw: the same table has the same profile.
        let mut random = Random::new(0, "profile.folds");
        let folds = labels.iter().map(|_| random.below(FOLDS)).collect();
        let positives = labels.iter().filter(|l| **l == Some(true)).count();
        let negatives = labels.iter().filter(|l| **l == Some(false)).count();
        Self { labels: labels.to_vec(), folds, positives, negatives }
    }

    pub fn labelled(&self) -> usize {
        self.positives + self.negatives
    }

    pub fn rate(&self) -> f64 {
        self.positives as f64 / self.labelled().max(1) as f64
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// From 0.5 (foretells nothing) to 1, whichever way the column points.
    pub auc: f64,
    pub information_value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pure: Option<PureGroup>,
}

impl Signal {
    pub fn of(column: &Column, outcomes: &Outcomes) -> Self {
        let (auc, information_value) = match &column.values {
            Values::Number(values) => (auc_of_numbers(values, outcomes), iv_of_numbers(values, outcomes)),
            Values::Text(text) => (auc_of_text(text, outcomes), iv_of_text(text, outcomes)),
        };
        Self { auc, information_value, pure: find_purest(column, outcomes) }
    }
}

/// Missing cells are a group of their own, at the end of the scale where they tell most.
fn auc_of_numbers(values: &[f64], outcomes: &Outcomes) -> f64 {
    let with_gaps_at = |end: f64| {
        let scores: Vec<f64> = values.iter().map(|x| if x.is_nan() { end } else { *x }).collect();
        let auc = rank_auc(&scores, &outcomes.labels);
        auc.max(1.0 - auc)
    };
    with_gaps_at(f64::NEG_INFINITY).max(with_gaps_at(f64::INFINITY))
}

/// A level's rate as the other folds know it, shrunk to the overall rate: a level seen once scores like any other.
fn auc_of_text(text: &TextValues, outcomes: &Outcomes) -> f64 {
    const SHRINK_ROWS: f64 = 10.0;
    let groups = text.levels.len() + 1;
    let group = |row: usize| (text.codes[row] as usize).min(groups - 1);
    let mut seen = vec![[(0.0f64, 0.0f64); FOLDS]; groups];
    for (row, label) in outcomes.labels.iter().enumerate() {
        if let Some(label) = label {
            let cell = &mut seen[group(row)][outcomes.folds[row]];
            *cell = (cell.0 + 1.0, cell.1 + f64::from(*label));
        }
    }
    let score = |row: usize| {
        let others = seen[group(row)].iter().enumerate().filter(|(fold, _)| *fold != outcomes.folds[row]);
        let (rows, positives) = others.fold((0.0, 0.0), |sum, (_, cell)| (sum.0 + cell.0, sum.1 + cell.1));
        (positives + SHRINK_ROWS * outcomes.rate()) / (rows + SHRINK_ROWS)
    };
    let scores: Vec<f64> = (0..outcomes.labels.len()).map(score).collect();
    rank_auc(&scores, &outcomes.labels).max(0.5)
}

/// The share of pairs (positive, negative) that the scores put in order, ties counting half.
fn rank_auc(scores: &[f64], labels: &[Option<bool>]) -> f64 {
    let mut pairs: Vec<(f64, bool)> =
        scores.iter().zip(labels).filter_map(|(score, label)| label.map(|l| (*score, l))).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won, mut positives) = (0.0, 0.0, 0.0);
    for tied in pairs.chunk_by(|a, b| a.0 == b.0) {
        let ones = tied.iter().filter(|(_, label)| *label).count() as f64;
        let zeros = tied.len() as f64 - ones;
        won += ones * (below + zeros / 2.0);
        below += zeros;
        positives += ones;
    }
    if positives == 0.0 || below == 0.0 { 0.5 } else { won / (positives * below) }
}

/// Over ten quantile bins and one for missing.
fn iv_of_numbers(values: &[f64], outcomes: &Outcomes) -> f64 {
    const BINS: usize = 10;
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let cuts: Vec<f64> = (1..BINS).filter_map(|i| sorted.get(i * sorted.len() / BINS).copied()).collect();
    let bin = |x: f64| if x.is_nan() { BINS } else { cuts.partition_point(|cut| *cut <= x) };
    information_value(values.iter().map(|x| bin(*x)), BINS + 1, outcomes)
}

/// Over the levels with enough rows, one group for the rest and one for missing.
fn iv_of_text(text: &TextValues, outcomes: &Outcomes) -> f64 {
    let counts = crate::data::profile::column::count_levels(text);
    let least = group_rows_min(outcomes.labelled());
    let rest = counts.len();
    let bin = |code: &u32| match counts.get(*code as usize) {
        None => rest + 1,
        Some(count) if *count < least => rest,
        Some(_) => *code as usize,
    };
    information_value(text.codes.iter().map(bin), rest + 2, outcomes)
}

/// Half a row is added to each count of a bin, so that a pure bin is finite.
fn information_value(bins: impl Iterator<Item = usize>, count: usize, outcomes: &Outcomes) -> f64 {
    let mut rows = vec![[0.0f64; 2]; count];
    for (bin, label) in bins.zip(&outcomes.labels) {
        if let Some(label) = label {
            rows[bin][usize::from(*label)] += 1.0;
        }
    }
    let (negatives, positives) = (outcomes.negatives.max(1) as f64, outcomes.positives.max(1) as f64);
    let filled = rows.iter().filter(|[zeros, ones]| zeros + ones > 0.0);
    let part = |[zeros, ones]: &[f64; 2]| {
        let (good, bad) = ((zeros + 0.5) / negatives, (ones + 0.5) / positives);
        (good - bad) * (good / bad).ln()
    };
    filled.map(part).sum()
}
