//! Platt scaling: from a margin to a probability by one rising logistic curve.
//! Never falls or turns, so that calibration never changes who ranks before whom.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::model::calibrate::{SLOPE_MIN, sigmoid, smoothed_targets};

/// `1 / (1 + exp(-(slope * margin + intercept)))` with a slope above zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPlatt", into = "RawPlatt")]
pub struct Platt {
    slope: f64,
    intercept: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlatt {
    slope: f64,
    intercept: f64,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("calibration slope {slope} and intercept {intercept}: both must be finite and the slope above 0")]
pub struct BadPlatt {
    slope: f64,
    intercept: f64,
}

impl Fact for BadPlatt {
    fn code(&self) -> &'static str {
        "model.calibration"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// Newton needs fewer than ten steps; more means that it is not getting anywhere.
const STEPS_MAX: usize = 100;
const GRADIENT_SMALL: f64 = 1e-10;

impl Platt {
    pub fn new(slope: f64, intercept: f64) -> Result<Self, BadPlatt> {
        if slope.is_finite() && slope > 0.0 && intercept.is_finite() {
            Ok(Self { slope, intercept })
        } else {
            Err(BadPlatt { slope, intercept })
        }
    }

    /// The margin is already a log-odds.
    pub fn identity() -> Self {
        Self { slope: 1.0, intercept: 0.0 }
    }

    pub fn slope(&self) -> f64 {
        self.slope
    }

    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    pub fn probability(&self, margin: f64) -> f64 {
        sigmoid(self.slope * margin + self.intercept)
    }

    /// The same curve with all odds multiplied by `exp(by)`.
    pub(super) fn moved(&self, by: f64) -> Result<Self, BadPlatt> {
        Self::new(self.slope, self.intercept + by)
    }

    /// The curve of least log loss against Platt's smoothed targets, which keep it finite where
    /// the margins separate the classes. Without examples, the identity.
    pub fn fit(margins: &[f64], labels: &[bool]) -> Self {
        debug_assert_eq!(margins.len(), labels.len());
        let Some(&first) = margins.first() else { return Self::identity() };
        let targets = smoothed_targets(labels);
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let start = (mean / (1.0 - mean)).ln();
        let curve = if margins.iter().all(|&margin| margin == first) {
            // One margin says nothing about a slope.
            (1.0, start - first)
        } else {
            let free = minimise(margins, &targets, (0.0, start), true);
            let rising = free.0 > SLOPE_MIN;
            if rising { free } else { minimise(margins, &targets, (SLOPE_MIN, start), false) }
        };
        Self::new(curve.0, curve.1).unwrap_or_else(|_| Self::identity())
    }
}

impl TryFrom<RawPlatt> for Platt {
    type Error = BadPlatt;

    fn try_from(raw: RawPlatt) -> Result<Self, BadPlatt> {
        Self::new(raw.slope, raw.intercept)
    }
}

impl From<Platt> for RawPlatt {
    fn from(platt: Platt) -> Self {
        Self { slope: platt.slope, intercept: platt.intercept }
    }
}

/// First and second derivatives of the loss in slope and intercept.
#[derive(Default)]
struct Derivatives {
    slope: f64,
    intercept: f64,
    slope_slope: f64,
    slope_intercept: f64,
    intercept_intercept: f64,
}

impl Derivatives {
    fn at(margins: &[f64], targets: &[f64], (slope, intercept): (f64, f64)) -> Self {
        let mut sums = Self::default();
        for (&margin, &target) in margins.iter().zip(targets) {
            let p = sigmoid(slope * margin + intercept);
            let curvature = p * (1.0 - p);
            sums.slope += (p - target) * margin;
            sums.intercept += p - target;
            sums.slope_slope += curvature * margin * margin;
            sums.slope_intercept += curvature * margin;
            sums.intercept_intercept += curvature;
        }
        sums
    }

    /// Newton's step, with a trace of ridge where the curvature has run out.
    fn step(&self, free_slope: bool) -> (f64, f64) {
        let ridge = 1e-12 * (1.0 + self.slope_slope + self.intercept_intercept);
        let (aa, bb, ab) = (self.slope_slope + ridge, self.intercept_intercept + ridge, self.slope_intercept);
        if !free_slope {
            return (0.0, -self.intercept / bb);
        }
        let determinant = aa * bb - ab * ab;
        let slope = -(bb * self.slope - ab * self.intercept) / determinant;
        let intercept = -(aa * self.intercept - ab * self.slope) / determinant;
        (slope, intercept)
    }

    fn along(&self, step: (f64, f64)) -> f64 {
        self.slope * step.0 + self.intercept * step.1
    }
}

fn loss(margins: &[f64], targets: &[f64], (slope, intercept): (f64, f64)) -> f64 {
    let one = |(&margin, &target): (&f64, &f64)| {
        let z = slope * margin + intercept;
        z.max(0.0) - target * z + (-z.abs()).exp().ln_1p()
    };
    margins.iter().zip(targets).map(one).sum()
}

/// Newton's method with step halving; the loss is convex, so what it stops at is the minimum.
fn minimise(margins: &[f64], targets: &[f64], start: (f64, f64), free_slope: bool) -> (f64, f64) {
    let mut at = start;
    let mut value = loss(margins, targets, at);
    for _ in 0..STEPS_MAX {
        let derivatives = Derivatives::at(margins, targets, at);
        let step = derivatives.step(free_slope);
        let slope = derivatives.along(step);
        if slope.abs() < GRADIENT_SMALL {
            break;
        }
        let Some((next, lower)) = (0..40).find_map(|halvings| {
            let scale = 0.5f64.powi(halvings);
            let next = (at.0 + scale * step.0, at.1 + scale * step.1);
            let lower = loss(margins, targets, next);
            (lower <= value + 1e-4 * scale * slope).then_some((next, lower))
        }) else {
            break;
        };
        (at, value) = (next, lower);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    #[test]
    fn a_known_curve_is_found_again() {
        let mut random = Random::new(3, "platt");
        let margins: Vec<f64> = (0..60_000).map(|_| 1.5 * random.normal()).collect();
        let labels: Vec<bool> = margins.iter().map(|m| random.unit() < sigmoid(0.6 * m - 1.2)).collect();
        let found = Platt::fit(&margins, &labels);
        assert!((found.slope() - 0.6).abs() < 0.02 && (found.intercept() + 1.2).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn ten_margins_have_the_curve_that_scikit_learn_finds() {
        let margins = [-2.0, -1.5, -1.0, -0.5, -0.25, 0.0, 0.5, 0.75, 1.0, 2.0];
        let labels = [false, false, true, false, false, true, false, true, true, true];
        let found = Platt::fit(&margins, &labels);
        assert!((found.slope() - 0.802_659_85).abs() < 1e-6, "{found:?}");
        assert!((found.intercept() - 0.082_773_67).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn separated_classes_have_a_finite_curve() {
        let found = Platt::fit(&[-3.0, -2.0, 2.0, 3.0], &[false, false, true, true]);
        assert!(found.slope() > 0.1 && found.slope() < 10.0, "{found:?}");
    }

    #[test]
    fn a_model_that_ranks_the_wrong_way_round_is_not_turned_round() {
        let margins: Vec<f64> = (0..100).map(f64::from).collect();
        let labels: Vec<bool> = (0..100).map(|i| i < 30).collect();
        let found = Platt::fit(&margins, &labels);
        assert_eq!(found.slope(), SLOPE_MIN);
        let mean = margins.iter().map(|&m| found.probability(m)).sum::<f64>() / 100.0;
        assert!((mean - 0.3).abs() < 0.02, "{mean}");
    }

    #[test]
    fn one_margin_for_all_is_moved_to_the_base_rate() {
        let labels: Vec<bool> = (0..1000).map(|i| i % 4 == 0).collect();
        let found = Platt::fit(&[0.7; 1000], &labels);
        assert_eq!(found.slope(), 1.0);
        assert!((found.probability(0.7) - 0.25).abs() < 2e-3);
        assert_eq!(Platt::fit(&[], &[]), Platt::identity());
    }

    #[test]
    fn margins_of_any_size_have_a_probability_and_keep_their_order() {
        let margins = [-1e6, -1e3, 0.0, 1e3, 1e6];
        let found = Platt::fit(&margins, &[false, false, true, true, true]);
        let probabilities: Vec<f64> = margins.iter().map(|&m| found.probability(m)).collect();
        assert!(probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{probabilities:?}");
        assert!(probabilities.is_sorted());
    }

    #[test]
    fn a_curve_that_falls_cannot_be_read_from_a_file() {
        for bad in ["{\"slope\":0,\"intercept\":0}", "{\"slope\":-1,\"intercept\":0}", "{\"slope\":1}"] {
            assert!(serde_json::from_str::<Platt>(bad).is_err(), "{bad}");
        }
        let text = serde_json::to_string(&Platt::new(0.5, -1.0).unwrap()).unwrap();
        assert_eq!(text, "{\"slope\":0.5,\"intercept\":-1.0}");
        assert_eq!(serde_json::from_str::<Platt>(&text).unwrap().slope(), 0.5);
    }
}
