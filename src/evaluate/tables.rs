//! Gain by decile and the confusion matrix, as rows a person reads.
//! Never draws; the charts take these tables.

pub mod segments;

use serde::{Deserialize, Serialize};

use crate::evaluate::ranked::{Confusion, captured, split_evenly};
use crate::evaluate::scores::Scores;

/// Parts of a gain table.
pub const GAIN_PARTS: u64 = 10;

/// One tenth of the rows, by falling probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GainRow {
    /// From 1, the highest probabilities.
    pub decile: u32,
    pub rows: u64,
    /// Whole but where rows of one probability lie on both sides of a border: they are shared in proportion.
    pub positives: f64,
    pub rate: f64,
    /// Rate against the rate of all rows.
    pub lift: f64,
    /// Share of all positives in this decile and those before it.
    pub captured: f64,
    pub cumulative_lift: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GainTable {
    pub base_rate: f64,
    pub rows: Vec<GainRow>,
}

/// Fewer than ten rows make as many parts as rows.
pub fn gain(scores: &Scores<'_>) -> GainTable {
    let ranges = split_evenly(scores.rows(), GAIN_PARTS);
    let borders: Vec<u64> = std::iter::once(0).chain(ranges.iter().map(|range| range.end)).collect();
    let found = captured(scores.steps(), &borders);
    let base_rate = scores.base_rate();
    let row = |((part, range), found): ((u32, &std::ops::Range<u64>), &[f64])| {
        let rows = range.end - range.start;
        let positives = found[1] - found[0];
        let rate = positives / rows as f64;
        GainRow {
            decile: part,
            rows,
            positives,
            rate,
            lift: rate / base_rate,
            captured: found[1] / scores.positives() as f64,
            cumulative_lift: found[1] / range.end as f64 / base_rate,
        }
    };
    GainTable { base_rate, rows: (1..).zip(&ranges).zip(found.windows(2)).map(row).collect() }
}

/// What became of the rows of one label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionRow {
    pub label: bool,
    pub predicted_negative: u64,
    pub predicted_positive: u64,
    pub rows: u64,
    /// Share of this label's rows that was predicted right.
    pub right: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionTable {
    pub threshold: f64,
    /// Negative rows, then positive ones.
    pub rows: [ConfusionRow; 2],
}

pub fn confusion(counts: &Confusion, threshold: f64) -> ConfusionTable {
    let negative = ConfusionRow {
        label: false,
        predicted_negative: counts.true_negatives,
        predicted_positive: counts.false_positives,
        rows: counts.true_negatives + counts.false_positives,
        right: counts.specificity(),
    };
    let positive = ConfusionRow {
        label: true,
        predicted_negative: counts.false_negatives,
        predicted_positive: counts.true_positives,
        rows: counts.false_negatives + counts.true_positives,
        right: counts.recall(),
    };
    ConfusionTable { threshold, rows: [negative, positive] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_decile_has_captured_everything() {
        let labels: Vec<bool> = (0..23).map(|i| i % 4 == 0).collect();
        let probabilities: Vec<f64> = (0..23).map(|i| f64::from(i * 7 % 23) / 23.0).collect();
        let table = gain(&Scores::check(&labels, &probabilities).unwrap());
        assert_eq!(table.rows.iter().map(|r| r.rows).collect::<Vec<_>>(), [3, 3, 3, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(table.rows.iter().map(|r| r.positives).sum::<f64>(), 6.0);
        let last = table.rows.last().unwrap();
        assert_eq!((last.captured, last.cumulative_lift), (1.0, 1.0));
    }

    #[test]
    fn a_constant_score_lifts_nothing_whatever_the_order_of_rows() {
        let labels: Vec<bool> = (0..40).map(|i| i < 8).collect();
        let table = gain(&Scores::check(&labels, &[0.2; 40]).unwrap());
        assert!(table.rows.iter().all(|r| (r.lift - 1.0).abs() < 1e-12), "{table:?}");
    }

    #[test]
    fn the_matrix_counts_by_label() {
        let counts =
            Confusion { true_positives: 3, false_positives: 2, true_negatives: 6, false_negatives: 1 };
        let table = confusion(&counts, 0.5);
        assert_eq!(table.rows.map(|r| (r.label, r.rows, r.right)), [(false, 8, 0.75), (true, 4, 0.75)]);
    }
}
