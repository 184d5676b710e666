//! Every metric of one evaluation, as a record and as a flat map by stable key.
//! Never prints, never decides whether a value is good enough; gates read the map.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::evaluate::calibration::reliability;
use crate::evaluate::ranked::{self, Confusion, StepLoss};
use crate::evaluate::scores::Scores;

#[derive(Debug, thiserror::Error)]
#[error("{threshold} is not a threshold: it must be a finite number")]
pub struct BadThreshold {
    pub threshold: f64,
}

pub fn check_threshold(threshold: f64) -> Result<(), BadThreshold> {
    if threshold.is_finite() { Ok(()) } else { Err(BadThreshold { threshold }) }
}

impl Fact for BadThreshold {
    fn code(&self) -> &'static str {
        "evaluate.threshold"
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

/// The keys of figures that need no threshold.
pub const FREE_KEYS: [&str; 12] = [
    "rows",
    "positives",
    "base_rate",
    "auc",
    "pr_auc",
    "gini",
    "ks",
    "log_loss",
    "brier",
    "ece",
    "lift_10",
    "captured_10",
];

/// The keys of figures that hold at one threshold.
pub const THRESHOLD_KEYS: [&str; 13] = [
    "threshold",
    "true_positives",
    "false_positives",
    "true_negatives",
    "false_negatives",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "f2",
    "mcc",
];

/// The figures of `THRESHOLD_KEYS` by key, from the counts at a threshold.
pub fn figures_at(confusion: &Confusion, threshold: f64) -> BTreeMap<String, f64> {
    let figures = [
        threshold,
        confusion.true_positives as f64,
        confusion.false_positives as f64,
        confusion.true_negatives as f64,
        confusion.false_negatives as f64,
        confusion.accuracy(),
        confusion.balanced_accuracy(),
        confusion.precision(),
        confusion.recall(),
        confusion.specificity(),
        confusion.f_beta(1.0),
        confusion.f_beta(2.0),
        confusion.mcc(),
    ];
    THRESHOLD_KEYS.iter().map(ToString::to_string).zip(figures).collect()
}

/// All figures of one set of scores at one threshold; the definitions are scikit-learn's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    pub rows: u64,
    pub positives: u64,
    pub base_rate: f64,
    pub auc: f64,
    /// Average precision.
    pub pr_auc: f64,
    pub gini: f64,
    pub ks: f64,
    pub log_loss: f64,
    pub brier: f64,
    /// Expected calibration error over `calibration::RELIABILITY_BINS` bins of equal count.
    pub ece: f64,
    /// Positives among the highest tenth of rows (rounded up) against those of a random tenth.
    pub lift_10: f64,
    /// Share of all positives that are among the highest tenth of rows.
    pub captured_10: f64,
    /// What follows holds at this threshold.
    pub threshold: f64,
    pub confusion: Confusion,
    pub accuracy: f64,
    /// The mean of recall and specificity.
    pub balanced_accuracy: f64,
    pub precision: f64,
    pub recall: f64,
    pub specificity: f64,
    pub f1: f64,
    pub f2: f64,
    pub mcc: f64,
}

impl Metrics {
    /// A probability at or above `threshold` is predicted positive.
    pub fn of(scores: &Scores<'_>, threshold: f64) -> Result<Self, BadThreshold> {
        check_threshold(threshold)?;
        let steps = scores.steps();
        let losses: Vec<StepLoss> = steps.iter().map(StepLoss::of).collect();
        let auc = ranked::auc(steps);
        let confusion = Confusion::at(steps, threshold);
        let (lift_10, captured_10) = top_tenth(scores);
        Ok(Self {
            rows: scores.rows(),
            positives: scores.positives(),
            base_rate: scores.base_rate(),
            auc,
            pr_auc: ranked::average_precision(steps),
            gini: 2.0 * auc - 1.0,
            ks: ranked::ks(steps),
            log_loss: ranked::log_loss(steps, &losses),
            brier: ranked::brier(steps),
            ece: reliability(scores).ece,
            lift_10,
            captured_10,
            threshold,
            confusion,
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            precision: confusion.precision(),
            recall: confusion.recall(),
            specificity: confusion.specificity(),
            f1: confusion.f_beta(1.0),
            f2: confusion.f_beta(2.0),
            mcc: confusion.mcc(),
        })
    }

    /// The same figures by key. The keys are stable: gates and tracked runs name them.
    pub fn to_map(&self) -> BTreeMap<String, f64> {
        let free = [
            self.rows as f64,
            self.positives as f64,
            self.base_rate,
            self.auc,
            self.pr_auc,
            self.gini,
            self.ks,
            self.log_loss,
            self.brier,
            self.ece,
            self.lift_10,
            self.captured_10,
        ];
        let mut figures = figures_at(&self.confusion, self.threshold);
        figures.extend(FREE_KEYS.iter().map(ToString::to_string).zip(free));
        figures
    }
}

/// Lift and share of all positives.
fn top_tenth(scores: &Scores<'_>) -> (f64, f64) {
    let top = scores.rows().div_ceil(10);
    let positives: f64 = ranked::captured(scores.steps(), &[top]).iter().sum();
    (positives / top as f64 / scores.base_rate(), positives / scores.positives() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 4] = [false, true, false, true];

    #[test]
    fn every_figure_is_in_the_map_under_its_own_key() {
        let scores = Scores::check(&LABELS, &[0.1, 0.9, 0.4, 0.3]).unwrap();
        let metrics = Metrics::of(&scores, 0.5).unwrap();
        let map = metrics.to_map();
        assert_eq!(map.len(), FREE_KEYS.len() + THRESHOLD_KEYS.len());
        assert_eq!((map["auc"], map["f1"], map["mcc"]), (metrics.auc, metrics.f1, metrics.mcc));
        assert_eq!((map["rows"], map["lift_10"]), (metrics.rows as f64, metrics.lift_10));
    }

    #[test]
    fn a_probability_at_the_threshold_is_predicted_positive() {
        let scores = Scores::check(&LABELS, &[0.1, 0.5, 0.4, 0.3]).unwrap();
        assert_eq!(Metrics::of(&scores, 0.5).unwrap().confusion.true_positives, 1);
        assert_eq!(Metrics::of(&scores, 0.5f64.next_up()).unwrap().confusion.true_positives, 0);
    }

    #[test]
    fn a_threshold_that_is_no_number_is_refused() {
        let scores = Scores::check(&LABELS, &[0.1, 0.5, 0.4, 0.3]).unwrap();
        assert!(Metrics::of(&scores, f64::NAN).is_err());
    }
}
