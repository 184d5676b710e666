//! Percentile bootstrap intervals, stratified by class: each round draws counts into steps that are sorted once.
//! Never assumes a distribution, and never draws from anything but the seed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::base::rng::Random;
use crate::evaluate::metrics::{BadThreshold, check_threshold};
use crate::evaluate::ranked::{self, Confusion, Step, StepLoss};
use crate::evaluate::scores::Scores;

pub const ROUNDS_DEFAULT: usize = 200;
pub const LEVEL_DEFAULT: f64 = 0.95;

/// The metrics that get an interval, in the order `measure` gives them.
pub const MEASURED: [&str; 9] =
    ["auc", "pr_auc", "ks", "log_loss", "brier", "accuracy", "precision", "recall", "f1"];

#[derive(Debug, thiserror::Error)]
pub enum IntervalError {
    #[error("{rounds} bootstrap rounds: between 1 and {max} are allowed")]
    Rounds { rounds: usize, max: usize },
    #[error("{level} is not the level of an interval: it must lie between 0 and 1")]
    Level { level: f64 },
    #[error(transparent)]
    Threshold(#[from] BadThreshold),
}

impl Fact for IntervalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Rounds { .. } => "evaluate.bootstrap_rounds",
            Self::Level { .. } => "evaluate.bootstrap_level",
            Self::Threshold(bad) => bad.code(),
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

/// A metric's value on all rows, and where it would lie in `level` of the samples of this size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
    pub level: f64,
    pub rounds: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BootstrapPlan {
    pub rounds: usize,
    pub level: f64,
    pub seed: u64,
}

impl BootstrapPlan {
    /// 200 rounds at the level 0.95.
    pub fn seeded(seed: u64) -> Self {
        Self { rounds: ROUNDS_DEFAULT, level: LEVEL_DEFAULT, seed }
    }

    pub(super) fn check(&self) -> Result<(), IntervalError> {
        if self.rounds == 0 || self.rounds > limits::BOOTSTRAP_ROUNDS_MAX {
            return Err(IntervalError::Rounds { rounds: self.rounds, max: limits::BOOTSTRAP_ROUNDS_MAX });
        }
        if self.level > 0.0 && self.level < 1.0 {
            Ok(())
        } else {
            Err(IntervalError::Level { level: self.level })
        }
    }
}

/// An interval for each of `MEASURED`, by key. Every round has as many positives and negatives as the scores.
pub fn bootstrap(
    scores: &Scores<'_>,
    threshold: f64,
    plan: &BootstrapPlan,
) -> Result<BTreeMap<String, Interval>, IntervalError> {
    plan.check()?;
    check_threshold(threshold)?;
    let losses: Vec<StepLoss> = scores.steps().iter().map(StepLoss::of).collect();
    let mut resample = Resample::of(scores);
    let mut random = Random::new(plan.seed, "evaluate.bootstrap");
    let mut drawn: [Vec<f64>; MEASURED.len()] = Default::default();
    for _ in 0..plan.rounds {
        let values = measure(resample.draw(&mut random), &losses, threshold);
        drawn.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }
    let values = measure(scores.steps(), &losses, threshold);
    let intervals = values.into_iter().zip(&mut drawn).map(|(value, column)| interval(value, column, plan));
    Ok(MEASURED.iter().map(ToString::to_string).zip(intervals).collect())
}

fn measure(steps: &[Step], losses: &[StepLoss], threshold: f64) -> [f64; MEASURED.len()] {
    let confusion = Confusion::at(steps, threshold);
    [
        ranked::auc(steps),
        ranked::average_precision(steps),
        ranked::ks(steps),
        ranked::log_loss(steps, losses),
        ranked::brier(steps),
        confusion.accuracy(),
        confusion.precision(),
        confusion.recall(),
        confusion.f_beta(1.0),
    ]
}

fn interval(value: f64, drawn: &mut [f64], plan: &BootstrapPlan) -> Interval {
    drawn.sort_by(f64::total_cmp);
    let tail = (1.0 - plan.level) / 2.0;
    Interval {
        value,
        low: quantile(drawn, tail),
        high: quantile(drawn, 1.0 - tail),
        level: plan.level,
        rounds: plan.rounds,
    }
}

/// Two-sided 95 % of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// The 95 % interval of the AUC after DeLong, reckoned on its log-odds so that it stays between 0 and 1. Nothing where
/// a class has fewer than two rows or the classes do not overlap: then nothing is known of the spread.
pub fn auc_interval(steps: &[Step]) -> Option<(f64, f64)> {
    let auc = ranked::auc(steps);
    let spread = ranked::auc_variance(steps)?.sqrt();
    if spread == 0.0 || auc <= 0.0 || auc >= 1.0 {
        return None;
    }
    let middle = (auc / (1.0 - auc)).ln();
    let reach = Z_95 * spread / (auc * (1.0 - auc));
    let at = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
    Some((at(middle - reach), at(middle + reach)))
}

/// Linear between the two nearest of the sorted values, which are not none: numpy's default.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// The steps with counts that are drawn anew each round.
struct Resample {
    steps: Vec<Step>,
    /// The step of each positive and of each negative row.
    positives: Vec<u32>,
    negatives: Vec<u32>,
}

impl Resample {
    fn of(scores: &Scores<'_>) -> Self {
        let rows_of = |count: fn(&Step) -> u32| -> Vec<u32> {
            let repeat = |(index, step)| std::iter::repeat_n(index as u32, count(step) as usize);
            scores.steps().iter().enumerate().flat_map(repeat).collect()
        };
        Self {
            steps: scores.steps().to_vec(),
            positives: rows_of(|step| step.positives),
            negatives: rows_of(|step| step.negatives),
        }
    }

    fn draw(&mut self, random: &mut Random) -> &[Step] {
        for step in &mut self.steps {
            (step.positives, step.negatives) = (0, 0);
        }
        for _ in 0..self.positives.len() {
            let step = self.positives[random.below(self.positives.len())];
            self.steps[step as usize].positives += 1;
        }
        for _ in 0..self.negatives.len() {
            let step = self.negatives[random.below(self.negatives.len())];
            self.steps[step as usize].negatives += 1;
        }
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> (Vec<bool>, Vec<f64>) {
        let mut random = Random::new(3, "test");
        let labels: Vec<bool> = (0..count).map(|_| random.unit() < 0.2).collect();
        let shift = |label: bool| if label { 1.0 } else { 0.0 };
        let chance = |x: f64| (1.0 / (1.0 + (-x).exp()) * 500.0).round() / 500.0;
        let probabilities = labels.iter().map(|&l| chance(shift(l) - 1.5 + random.normal())).collect();
        (labels, probabilities)
    }

    #[test]
    fn a_seed_fixes_the_intervals_and_another_seed_moves_them() {
        let (labels, probabilities) = rows(300);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let run = |seed| bootstrap(&scores, 0.3, &BootstrapPlan::seeded(seed)).unwrap();
        assert_eq!(run(1), run(1));
        assert_ne!(run(1)["auc"].low, run(2)["auc"].low);
        assert_eq!(run(1).len(), MEASURED.len());
    }

    #[test]
    fn a_round_keeps_the_size_of_each_class_and_only_rows_that_exist() {
        let (labels, probabilities) = rows(200);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let mut resample = Resample::of(&scores);
        let drawn = resample.draw(&mut Random::new(5, "test")).to_vec();
        assert_eq!(ranked::totals(&drawn), ranked::totals(scores.steps()));
        assert_ne!(drawn, scores.steps());
        for (drawn, step) in drawn.iter().zip(scores.steps()) {
            assert!(drawn.positives == 0 || step.positives > 0);
            assert!(drawn.negatives == 0 || step.negatives > 0);
        }
    }

    #[test]
    fn a_round_measures_what_its_rows_written_out_would() {
        let (labels, probabilities) = rows(150);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let losses: Vec<StepLoss> = scores.steps().iter().map(StepLoss::of).collect();
        let mut resample = Resample::of(&scores);
        let drawn = resample.draw(&mut Random::new(9, "test")).to_vec();
        let (mut labels, mut probabilities) = (Vec::new(), Vec::new());
        for step in &drawn {
            let rows = step.positives + step.negatives;
            labels.extend((0..rows).map(|row| row < step.positives));
            probabilities.extend((0..rows).map(|_| step.probability));
        }
        let map =
            crate::evaluate::metrics::Metrics::of(&Scores::check(&labels, &probabilities).unwrap(), 0.25)
                .unwrap()
                .to_map();
        for (name, value) in MEASURED.iter().zip(measure(&drawn, &losses, 0.25)) {
            assert!((map[*name] - value).abs() < 1e-12, "{name}: {} {value}", map[*name]);
        }
    }

    #[test]
    fn quantiles_are_those_of_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!([0.0, 0.25, 0.5, 1.0].map(|q| quantile(&sorted, q)), [1.0, 1.75, 3.0, 8.0]);
        assert_eq!(quantile(&[7.0], 0.975), 7.0);
    }

    #[test]
    fn a_plan_outside_its_bounds_is_refused() {
        let scores = Scores::check(&[true, false], &[0.6, 0.4]).unwrap();
        let code = |plan: BootstrapPlan| bootstrap(&scores, 0.5, &plan).unwrap_err().code();
        let good = BootstrapPlan::seeded(1);
        assert_eq!(code(BootstrapPlan { rounds: 0, ..good }), "evaluate.bootstrap_rounds");
        assert_eq!(code(BootstrapPlan { rounds: 10_001, ..good }), "evaluate.bootstrap_rounds");
        assert_eq!(code(BootstrapPlan { level: 1.0, ..good }), "evaluate.bootstrap_level");
        assert_eq!(code(BootstrapPlan { level: f64::NAN, ..good }), "evaluate.bootstrap_level");
        assert_eq!(bootstrap(&scores, f64::NAN, &good).unwrap_err().code(), "evaluate.threshold");
    }
}
