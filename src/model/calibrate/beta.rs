//! Beta calibration (Kull, Silva Filho and Flach 2017): the log-odds are `a ln p - b ln(1 - p) + c`, where `p` is the
//! probability the margin stands for. Never falls: `a` and `b` are above 0. `a = b = 1`, `c = 0` changes nothing.

use crate::base::fact::{Class, Fact};
use crate::model::calibrate::newton::{Bounds, minimise};
use crate::model::calibrate::{SLOPE_MIN, sigmoid, smoothed_targets};

/// Below the middle the curve's slope is nearly `a`, above it nearly `b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beta {
    a: f64,
    b: f64,
    c: f64,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("beta calibration a {a}, b {b}, c {c}: all must be finite, and a and b above 0")]
pub struct BadBeta {
    a: f64,
    b: f64,
    c: f64,
}

impl Fact for BadBeta {
    fn code(&self) -> &'static str {
        "model.calibration"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

impl Beta {
    pub fn new(a: f64, b: f64, c: f64) -> Result<Self, BadBeta> {
        let rises = |slope: f64| slope.is_finite() && slope > 0.0;
        if rises(a) && rises(b) && c.is_finite() { Ok(Self { a, b, c }) } else { Err(BadBeta { a, b, c }) }
    }

    /// The margin is already a log-odds.
    pub fn identity() -> Self {
        Self { a: 1.0, b: 1.0, c: 0.0 }
    }

    /// `a`, `b` and `c`.
    pub fn parameters(&self) -> (f64, f64, f64) {
        (self.a, self.b, self.c)
    }

    pub fn probability(&self, margin: f64) -> f64 {
        let [low, high, _] = terms(margin);
        sigmoid(self.a * low + self.b * high + self.c)
    }

    pub(super) fn moved(&self, by: f64) -> Result<Self, BadBeta> {
        Self::new(self.a, self.b, self.c + by)
    }

    /// The curve of least log loss against Platt's smoothed targets. Without examples, the identity.
    pub fn fit(margins: &[f64], labels: &[bool]) -> Self {
        debug_assert_eq!(margins.len(), labels.len());
        let Some(&first) = margins.first() else { return Self::identity() };
        let targets = smoothed_targets(labels);
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let start = (mean / (1.0 - mean)).ln();
        let curve = if margins.iter().all(|&margin| margin == first) {
            // One margin says nothing about slopes.
            [1.0, 1.0, start - first]
        } else {
            let rows: Vec<[f64; 3]> = margins.iter().map(|&margin| terms(margin)).collect();
            minimise(&rows, &targets, Bounds { slope_min: SLOPE_MIN, start: [1.0, 1.0, start] })
        };
        Self::new(curve[0], curve[1], curve[2]).unwrap_or_else(|_| Self::identity())
    }
}

/// `ln p`, `-ln(1 - p)` and 1, exact in both tails; the first two sum to the margin.
fn terms(margin: f64) -> [f64; 3] {
    let rest = (-margin.abs()).exp().ln_1p();
    [margin.min(0.0) - rest, margin.max(0.0) + rest, 1.0]
}
