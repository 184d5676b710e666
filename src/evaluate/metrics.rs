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

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

/// The metrics that rank one model before another. The map holds counts beside them, which do not.
pub const JUDGED: [(&str, Better); 15] = [
    ("accuracy", Better::Higher),
    ("auc", Better::Higher),
    ("brier", Better::Lower),
    ("ece", Better::Lower),
    ("f1", Better::Higher),
    ("f2", Better::Higher),
    ("gini", Better::Higher),
    ("ks", Better::Higher),
    ("lift_10", Better::Higher),
    ("log_loss", Better::Lower),
    ("mcc", Better::Higher),
    ("pr_auc", Better::Higher),
    ("precision", Better::Higher),
    ("recall", Better::Higher),
    ("specificity", Better::Higher),
];

pub fn find_better(name: &str) -> Option<Better> {
    JUDGED.iter().find(|(known, _)| *known == name).map(|(_, better)| *better)
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
    /// What follows holds at this threshold.
    pub threshold: f64,
    pub confusion: Confusion,
    pub accuracy: f64,
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
            lift_10: lift_10(scores),
            threshold,
            confusion,
            accuracy: confusion.accuracy(),
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
        let figures = [
            ("rows", self.rows as f64),
            ("positives", self.positives as f64),
            ("base_rate", self.base_rate),
            ("auc", self.auc),
            ("pr_auc", self.pr_auc),
            ("gini", self.gini),
            ("ks", self.ks),
            ("log_loss", self.log_loss),
            ("brier", self.brier),
            ("ece", self.ece),
            ("lift_10", self.lift_10),
            ("threshold", self.threshold),
            ("true_positives", self.confusion.true_positives as f64),
            ("false_positives", self.confusion.false_positives as f64),
            ("true_negatives", self.confusion.true_negatives as f64),
            ("false_negatives", self.confusion.false_negatives as f64),
            ("accuracy", self.accuracy),
            ("precision", self.precision),
            ("recall", self.recall),
            ("specificity", self.specificity),
            ("f1", self.f1),
            ("f2", self.f2),
            ("mcc", self.mcc),
        ];
        figures.into_iter().map(|(key, value)| (key.to_string(), value)).collect()
    }
}

fn lift_10(scores: &Scores<'_>) -> f64 {
    let top = scores.rows().div_ceil(10);
    let positives: f64 = ranked::captured(scores.steps(), &[top]).iter().sum();
    positives / top as f64 / scores.base_rate()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 4] = [false, true, false, true];

    #[test]
    fn every_judged_metric_is_in_the_map() {
        let scores = Scores::check(&LABELS, &[0.1, 0.9, 0.4, 0.3]).unwrap();
        let map = Metrics::of(&scores, 0.5).unwrap().to_map();
        assert!(JUDGED.iter().all(|(name, _)| map.contains_key(*name)));
        assert_eq!(find_better("log_loss"), Some(Better::Lower));
        assert_eq!(find_better("rows"), None);
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
