//! Whether two models differ on the same rows: paired percentile bootstrap, stratified by class. A round draws rows
//! once for both, so what is hard for both does not blur what differs. Never calls a difference proven.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::rng::Random;
use crate::evaluate::intervals::{BootstrapPlan, IntervalError, quantile};
use crate::evaluate::ranked::{self, Step, StepLoss};
use crate::evaluate::scores::Scores;

/// What is compared, and whether more of it is better.
pub const COMPARED: [(&str, bool); 3] = [("auc", true), ("log_loss", false), ("brier", false)];

/// Where the interval of a difference lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All of it on the better side.
    Better,
    Worse,
    /// Zero is in it.
    NoDifference,
}

/// The other model's figure less the first one's, and where it would lie in `level` of the samples of this size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    pub metric: &'static str,
    pub first: f64,
    pub other: f64,
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    pub level: f64,
    pub rounds: usize,
    pub verdict: Verdict,
}

/// A thousand rounds, fewer where the rows are very many.
pub fn plan_for(rows: usize, seed: u64) -> BootstrapPlan {
    let rounds = (limits::COMPARE_DRAWS_MAX / rows.max(1)).clamp(200, 1_000);
    BootstrapPlan { rounds, ..BootstrapPlan::seeded(seed) }
}

/// In the order of `COMPARED`. Both are scores of the same rows in the same order, with the same labels.
pub fn compare(
    first: &Scores<'_>,
    other: &Scores<'_>,
    plan: &BootstrapPlan,
) -> Result<Vec<Difference>, IntervalError> {
    plan.check()?;
    debug_assert_eq!(first.labels(), other.labels());
    let (mut one, mut two) = (Redrawn::of(first), Redrawn::of(other));
    let (found, against) = (one.measure(), two.measure());
    let (positives, negatives): (Vec<u32>, Vec<u32>) =
        (0..first.labels().len() as u32).partition(|&row| first.labels()[row as usize]);
    let mut random = Random::new(plan.seed, "evaluate.compare");
    let mut drawn: [Vec<f64>; COMPARED.len()] = Default::default();
    for _ in 0..plan.rounds {
        one.clear();
        two.clear();
        for (rows, positive) in [(&positives, true), (&negatives, false)] {
            for _ in 0..rows.len() {
                let row = rows[random.below(rows.len())] as usize;
                one.count(row, positive);
                two.count(row, positive);
            }
        }
        let values = one.measure().into_iter().zip(two.measure());
        drawn.iter_mut().zip(values).for_each(|(column, (first, other))| column.push(other - first));
    }
    let mut differences = Vec::with_capacity(COMPARED.len());
    for (at, (metric, more_is_better)) in COMPARED.into_iter().enumerate() {
        let column = &mut drawn[at];
        column.sort_by(f64::total_cmp);
        let tail = (1.0 - plan.level) / 2.0;
        let (low, high) = (quantile(column, tail), quantile(column, 1.0 - tail));
        differences.push(Difference {
            metric,
            first: found[at],
            other: against[at],
            difference: against[at] - found[at],
            low,
            high,
            level: plan.level,
            rounds: plan.rounds,
            verdict: verdict(low, high, more_is_better),
        });
    }
    Ok(differences)
}

fn verdict(low: f64, high: f64, more_is_better: bool) -> Verdict {
    match (low > 0.0, high < 0.0) {
        (false, false) => Verdict::NoDifference,
        (above, _) if above == more_is_better => Verdict::Better,
        _ => Verdict::Worse,
    }
}

/// One model's steps with counts that are drawn anew each round, and the step of each row.
struct Redrawn {
    steps: Vec<Step>,
    losses: Vec<StepLoss>,
    step_of: Vec<u32>,
}

impl Redrawn {
    fn of(scores: &Scores<'_>) -> Self {
        let steps = scores.steps().to_vec();
        let place = |p: &f64| steps.partition_point(|step| step.probability > *p) as u32;
        let step_of = scores.probabilities().iter().map(place).collect();
        Self { losses: steps.iter().map(StepLoss::of).collect(), steps, step_of }
    }

    fn clear(&mut self) {
        self.steps.iter_mut().for_each(|step| (step.positives, step.negatives) = (0, 0));
    }

    fn count(&mut self, row: usize, positive: bool) {
        let step = &mut self.steps[self.step_of[row] as usize];
        if positive { step.positives += 1 } else { step.negatives += 1 }
    }

    fn measure(&self) -> [f64; COMPARED.len()] {
        let (steps, losses) = (&self.steps, &self.losses);
        [ranked::auc(steps), ranked::log_loss(steps, losses), ranked::brier(steps)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels, and scores of which each follows the label with so much noise.
    fn sample(rows: usize, noises: [f64; 2]) -> (Vec<bool>, [Vec<f64>; 2]) {
        let mut random = Random::new(17, "paired");
        let labels: Vec<bool> = (0..rows).map(|_| random.unit() < 0.3).collect();
        let mut score = |noise: f64| -> Vec<f64> {
            let margin = |label: bool| if label { 1.0 } else { -1.0 };
            let one = |&label: &bool| 1.0 / (1.0 + (-(margin(label) + noise * random.normal())).exp());
            labels.iter().map(one).collect()
        };
        let scores = noises.map(&mut score);
        (labels, scores)
    }

    fn run(rows: usize, noises: [f64; 2], seed: u64) -> Vec<Difference> {
        let (labels, [one, two]) = sample(rows, noises);
        let first = Scores::check(&labels, &one).unwrap();
        let other = Scores::check(&labels, &two).unwrap();
        compare(&first, &other, &BootstrapPlan { rounds: 300, ..BootstrapPlan::seeded(seed) }).unwrap()
    }

    #[test]
    fn a_clearly_better_model_is_called_better_and_seen_from_there_the_other_is_worse() {
        for (noises, expected) in [([2.0, 1.0], Verdict::Better), ([1.0, 2.0], Verdict::Worse)] {
            for difference in run(1_500, noises, 1) {
                assert_eq!(difference.verdict, expected, "{difference:?}");
                let inside =
                    difference.low < difference.difference && difference.difference < difference.high;
                assert!(inside, "{difference:?}");
            }
        }
    }

    #[test]
    fn two_of_a_kind_do_not_differ_beyond_chance_and_one_does_not_differ_from_itself() {
        for difference in run(800, [1.5, 1.5], 1) {
            assert_eq!(difference.verdict, Verdict::NoDifference, "{difference:?}");
        }
        let (labels, [one, _]) = sample(200, [1.0, 1.0]);
        let scores = Scores::check(&labels, &one).unwrap();
        for same in compare(&scores, &scores, &plan_for(200, 1)).unwrap() {
            assert_eq!((same.difference, same.low, same.high), (0.0, 0.0, 0.0));
            assert_eq!((same.verdict, same.rounds), (Verdict::NoDifference, 1_000));
        }
    }

    /// Both rank the same hard rows; the noise they share leaves the difference.
    #[test]
    fn the_interval_of_a_paired_difference_is_narrower_than_those_of_its_sides() {
        let (labels, [one, _]) = sample(600, [1.5, 1.5]);
        let near: Vec<f64> =
            one.iter().enumerate().map(|(i, p)| p * 0.99 + 0.01 * ((i % 7) as f64 / 7.0)).collect();
        let (first, other) = (Scores::check(&labels, &one).unwrap(), Scores::check(&labels, &near).unwrap());
        let plan = BootstrapPlan::seeded(2);
        let paired = compare(&first, &other, &plan).unwrap();
        let alone = crate::evaluate::intervals::bootstrap(&first, 0.5, &plan).unwrap();
        assert!(paired[0].high - paired[0].low < 0.2 * (alone["auc"].high - alone["auc"].low));
    }

    #[test]
    fn a_seed_fixes_the_intervals_and_the_figures_are_those_of_the_metrics() {
        let found = run(400, [1.0, 1.4], 5);
        assert_eq!(found, run(400, [1.0, 1.4], 5));
        assert_ne!(found[0].low, run(400, [1.0, 1.4], 6)[0].low);
        let (labels, [one, two]) = sample(400, [1.0, 1.4]);
        for (scores, side) in [(one, 0), (two, 1)] {
            let scores = Scores::check(&labels, &scores).unwrap();
            let map = crate::evaluate::metrics::Metrics::of(&scores, 0.5).unwrap().to_map();
            for difference in &found {
                let value = [difference.first, difference.other][side];
                assert!((map[difference.metric] - value).abs() < 1e-12, "{}", difference.metric);
            }
        }
    }

    #[test]
    fn very_many_rows_take_fewer_rounds() {
        assert_eq!(plan_for(1_000, 1).rounds, 1_000);
        assert_eq!(plan_for(limits::COMPARE_DRAWS_MAX, 1).rounds, 200);
    }
}
