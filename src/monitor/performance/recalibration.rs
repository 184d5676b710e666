//! What would set the probabilities right: the slope of the outcome's log-odds on theirs, and how far all of them are off.
//! Never changes a probability.

use crate::evaluate::ranked::Step;
use crate::monitor::estimate::{Estimate, Z_95};

/// Probabilities nearer than this to 0 or 1 count as this far: their log-odds would outweigh all others.
const MARGIN: f64 = 1e-6;
const ROUNDS_MAX: usize = 100;
const HALVINGS_MAX: usize = 50;
/// Where a further round would gain no more likelihood than this, the fit stands.
const SETTLED: f64 = 1e-20;
/// How far one round may move the level: where all are foretold to be certain, a longer one leaves sight of them.
const LEVEL_STRIDE_MAX: f64 = 4.0;
/// The part of the gain that a straight line foretells which a step must bring (Armijo).
const GAIN_MIN: f64 = 0.1;
/// Sums of very many losses differ by this part of them through rounding alone.
const ROUNDING: f64 = 1e-12;

/// By logistic regression of the outcome on the log-odds: 1 is right, below 1 they are too extreme. Nothing where all
/// probabilities are one or the classes do not overlap.
pub(super) fn slope(steps: &[Step]) -> Option<Estimate> {
    let points = points(steps);
    overlap(&points).then_some(())?;
    let sums = fit(&points, true)?;
    Some(with_error(sums.slope, (sums.weight / sums.determinant()).sqrt()))
}

/// Calibration in the large: what must be added to every log-odds so that as many are bad as were foretold. 0 is right,
/// below 0 too much was foretold. Nothing where only one class came.
pub(super) fn intercept(steps: &[Step]) -> Option<Estimate> {
    let sums = fit(&points(steps), false)?;
    Some(with_error(sums.level, sums.weight.sqrt().recip()))
}

/// Newton's rounds, each halved until it gains what it may be expected to: whole ones may run away from where they
/// began. With the slope free from no slope at all, where the outcomes weigh most.
fn fit(points: &[Point], free: bool) -> Option<Sums> {
    let mut here = Sums::of(points, 0.0, if free { 0.0 } else { 1.0 });
    for _ in 0..ROUNDS_MAX {
        let (to_level, to_slope) = if free { here.stride()? } else { (here.level_stride()?, 0.0) };
        let gain = to_level * here.miss + to_slope * here.miss_x;
        if gain <= SETTLED {
            return Some(here);
        }
        let mut held = std::iter::successors(Some(1.0), |held| Some(held / 2.0)).take(HALVINGS_MAX);
        let next = held.find_map(|held| {
            let there = Sums::of(points, here.level + held * to_level, here.slope + held * to_slope);
            let enough = here.loss * (1.0 + ROUNDING) - GAIN_MIN * held * gain;
            (there.loss <= enough).then_some(there)
        });
        here = next?;
    }
    None
}

fn with_error(value: f64, error: f64) -> Estimate {
    Estimate { value, low: value - Z_95 * error, high: value + Z_95 * error }
}

/// Rows of one probability: its log-odds, how many of them are bad, how many they are.
struct Point {
    x: f64,
    bad: f64,
    rows: f64,
}

fn points(steps: &[Step]) -> Vec<Point> {
    let point = |step: &Step| {
        let p = step.probability.clamp(MARGIN, 1.0 - MARGIN);
        let (bad, good) = (f64::from(step.positives), f64::from(step.negatives));
        Point { x: (p / (1.0 - p)).ln(), bad, rows: bad + good }
    };
    steps.iter().map(point).collect()
}

/// Whether each class has a case beyond one of the other: if not, no slope is steep enough. `points` fall.
fn overlap(points: &[Point]) -> bool {
    let ends = |is_of: fn(&&Point) -> bool| {
        let of = || points.iter().filter(is_of).map(|point| point.x);
        of().next_back().zip(of().next())
    };
    let (bad, good) = (ends(|point| point.bad > 0.0), ends(|point| point.rows > point.bad));
    bad.zip(good).is_some_and(|((low, high), (other_low, other_high))| low < other_high && other_low < high)
}

/// What is to be fitted, the loss it leaves, and its first and second derivatives.
#[derive(Default)]
struct Sums {
    level: f64,
    slope: f64,
    loss: f64,
    miss: f64,
    miss_x: f64,
    weight: f64,
    weight_x: f64,
    weight_xx: f64,
}

impl Sums {
    fn of(points: &[Point], level: f64, slope: f64) -> Self {
        let mut sums = Self { level, slope, ..Self::default() };
        for Point { x, bad, rows } in points {
            let log_odds = level + slope * x;
            let rest = (-log_odds.abs()).exp();
            let p = if log_odds >= 0.0 { 1.0 / (1.0 + rest) } else { rest / (1.0 + rest) };
            let (miss, weight) = (bad - rows * p, rows * rest / (1.0 + rest) / (1.0 + rest));
            sums.loss += rows * (log_odds.max(0.0) + rest.ln_1p()) - bad * log_odds;
            sums.miss += miss;
            sums.miss_x += miss * x;
            sums.weight += weight;
            sums.weight_x += weight * x;
            sums.weight_xx += weight * x * x;
        }
        sums
    }

    fn determinant(&self) -> f64 {
        self.weight * self.weight_xx - self.weight_x * self.weight_x
    }

    /// Nothing where all log-odds are one.
    fn stride(&self) -> Option<(f64, f64)> {
        let determinant = self.determinant();
        (determinant > 1e-12 * self.weight * self.weight_xx).then_some(())?;
        let to_level = (self.weight_xx * self.miss - self.weight_x * self.miss_x) / determinant;
        let to_slope = (self.weight * self.miss_x - self.weight_x * self.miss) / determinant;
        Some((to_level, to_slope))
    }

    fn level_stride(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| (self.miss / self.weight).clamp(-LEVEL_STRIDE_MAX, LEVEL_STRIDE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};
    use serde::Deserialize;

    use super::*;
    use crate::evaluate::scores::Scores;

    #[derive(Deserialize)]
    struct Oracle {
        cases: Vec<OracleCase>,
    }

    #[derive(Deserialize)]
    struct OracleCase {
        name: String,
        labels: Vec<u8>,
        probabilities: Vec<f64>,
        slope: f64,
        slope_error: f64,
        intercept: f64,
        intercept_error: f64,
    }

    /// `tests/oracles/recalibration.py` makes and checks the fixture.
    #[test]
    fn slope_and_intercept_are_those_of_statsmodels() {
        let text = include_str!("../../../fixtures/oracles/recalibration.json");
        for case in serde_json::from_str::<Oracle>(text).unwrap().cases {
            let labels: Vec<bool> = case.labels.iter().map(|label| *label == 1).collect();
            let scores = Scores::check(&labels, &case.probabilities).unwrap();
            let is = |found: Option<Estimate>, value: f64, error: f64| {
                let found = found.unwrap();
                assert!((found.value - value).abs() < 1e-7, "{}: {found:?} {value}", case.name);
                assert!((found.high - found.value - Z_95 * error).abs() < 1e-6, "{}: {error}", case.name);
            };
            is(slope(scores.steps()), case.slope, case.slope_error);
            is(intercept(scores.steps()), case.intercept, case.intercept_error);
        }
    }

    fn step(probability: f64, positives: u32, negatives: u32) -> Step {
        Step { probability, positives, negatives }
    }

    #[test]
    fn two_groups_have_the_slope_of_the_line_through_them() {
        // Foretold 0.2 and 0.5, came 0.1 and 0.5: log-odds -ln 4 and 0, against -ln 9 and 0.
        let steps = [step(0.5, 50, 50), step(0.2, 10, 90)];
        let found = slope(&steps).unwrap();
        assert!((found.value - 9.0f64.ln() / 4.0f64.ln()).abs() < 1e-9, "{found:?}");
        // The variance of that difference of two log-odds: 1/25 + 1/9 over ln(4)^2.
        let error = (1.0f64 / 25.0 + 1.0 / 9.0).sqrt() / 4.0f64.ln();
        assert!((found.high - found.value - Z_95 * error).abs() < 1e-9);
    }

    #[test]
    fn one_probability_for_all_has_no_slope_and_the_level_it_missed() {
        let steps = [step(0.5, 20, 80)];
        assert!(slope(&steps).is_none());
        let found = intercept(&steps).unwrap();
        assert!((found.value + 4.0f64.ln()).abs() < 1e-9);
        assert!((found.high - found.value - Z_95 / 4.0).abs() < 1e-9);
    }

    #[test]
    fn classes_that_do_not_overlap_have_no_slope_and_certainties_no_infinity() {
        assert!(slope(&[step(0.9, 30, 0), step(0.1, 0, 30)]).is_none());
        assert!(slope(&[step(0.9, 30, 0), step(0.5, 9, 9), step(0.1, 0, 30)]).is_none());
        assert!(slope(&[step(0.9, 30, 1), step(0.5, 9, 9), step(0.1, 0, 30)]).is_some());
        let wrong = intercept(&[step(1.0, 5, 95), step(0.0, 5, 95)]).unwrap();
        assert!(wrong.value.is_finite() && wrong.low < wrong.high);
        assert!(slope(&[step(1.0, 5, 95), step(0.0, 5, 95)]).unwrap().value.abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn what_is_fitted_foretells_as_many_as_came_wherever_the_classes_overlap(
            counts in proptest::collection::vec((0u32..6, 0u32..6), 2..20),
            shift in 0.01f64..0.9,
        ) {
            let of = counts.len() as f64;
            let place = |row: usize| 0.05 + shift * (of - row as f64) / of;
            let steps: Vec<Step> =
                counts.iter().enumerate().map(|(row, (bad, good))| step(place(row), *bad, *good)).collect();
            let came: f64 = counts.iter().map(|(bad, _)| f64::from(*bad)).sum();
            let rows: f64 = counts.iter().map(|(bad, good)| f64::from(bad + good)).sum();
            let sums = |level: f64| Sums::of(&points(&steps), level, 1.0);
            match intercept(&steps) {
                Some(found) => prop_assert!(sums(found.value).miss.abs() < 1e-6, "{:?}", found),
                None => prop_assert!(came == 0.0 || came == rows),
            }
            // Both classes at either end: they overlap whatever lies between.
            let both = |at: usize| counts[at].0 > 0 && counts[at].1 > 0;
            if both(0) && both(counts.len() - 1) {
                prop_assert!(slope(&steps).is_some());
            }
        }
    }
}
