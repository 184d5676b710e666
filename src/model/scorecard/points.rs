//! Points: the calibrated log-odds on a scale that people are used to, each bin with its share.
//! Changes no decision but by rounding, and says by how much at most.

use serde::{Deserialize, Serialize};

use crate::model::calibrate::Platt;
use crate::model::scorecard::Scorecard;

/// As written; nothing is checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawScaling {
    /// Points that double the odds.
    pub pdo: f64,
    /// The score at `base_odds`.
    pub base_score: f64,
    /// Good to bad.
    pub base_odds: f64,
    /// Whether the positive class is the bad one; more points are always better.
    pub positive_is_bad: bool,
    /// Whole points a bin, at the price of `PointsTable::loss_max`.
    pub whole: bool,
}

impl Default for RawScaling {
    fn default() -> Self {
        Self { pdo: 20.0, base_score: 600.0, base_odds: 50.0, positive_is_bad: true, whole: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    raw: RawScaling,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("scaling.{key} is {found}; it must be {rule}")]
pub struct BadScaling {
    key: &'static str,
    found: f64,
    rule: &'static str,
}

const SCORE_SIZE_MAX: f64 = 1e6;

impl RawScaling {
    pub fn check(self) -> Result<Scaling, BadScaling> {
        let in_range = |value: f64, least: f64, most: f64| (least..=most).contains(&value);
        if !in_range(self.pdo, 1e-3, SCORE_SIZE_MAX) {
            return Err(BadScaling { key: "pdo", found: self.pdo, rule: "0.001 to 1000000" });
        }
        if !in_range(self.base_score, -SCORE_SIZE_MAX, SCORE_SIZE_MAX) {
            let found = self.base_score;
            return Err(BadScaling { key: "base_score", found, rule: "-1000000 to 1000000" });
        }
        if !in_range(self.base_odds, 1e-9, 1e9) {
            let found = self.base_odds;
            return Err(BadScaling { key: "base_odds", found, rule: "1e-9 to 1e9" });
        }
        Ok(Scaling { raw: self })
    }
}

/// Points as a straight line of the margin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub at_zero: f64,
    pub per_margin: f64,
}

impl Line {
    pub fn points(&self, margin: f64) -> f64 {
        self.at_zero + self.per_margin * margin
    }

    pub fn margin(&self, points: f64) -> f64 {
        (points - self.at_zero) / self.per_margin
    }
}

impl Scaling {
    pub fn whole(&self) -> bool {
        self.raw.whole
    }

    /// `base_score + pdo / ln 2 * (ln(good odds) - ln(base_odds))`, the good odds being those of the calibrated
    /// probability.
    pub fn line(&self, calibration: &Platt) -> Line {
        let sign = if self.raw.positive_is_bad { -1.0 } else { 1.0 };
        let factor = self.raw.pdo / std::f64::consts::LN_2;
        let log_odds = sign * calibration.intercept() - self.raw.base_odds.ln();
        Line {
            at_zero: self.raw.base_score + factor * log_odds,
            per_margin: factor * sign * calibration.slope(),
        }
    }
}

/// A row's points: the base and one bin of each part.
#[derive(Clone, Debug, PartialEq)]
pub struct PointsTable {
    pub base: f64,
    /// Of each bin of each of `Scorecard::parts`.
    pub parts: Vec<Vec<f64>>,
    /// How far a row's points may be from the unrounded ones; 0 where nothing was rounded.
    pub loss_max: f64,
    pub line: Line,
}

impl PointsTable {
    pub fn of(scorecard: &Scorecard, scaling: &Scaling, calibration: &Platt) -> Self {
        let line = scaling.line(calibration);
        let round = |points: f64| if scaling.raw.whole { points.round() } else { points };
        let exact = line.points(scorecard.intercept);
        let base = round(exact);
        // The worst row has in each part the bin whose rounding goes furthest, all up or all down.
        let (mut down, mut up) = (base - exact, base - exact);
        let mut parts = Vec::with_capacity(scorecard.parts.len());
        for part in &scorecard.parts {
            let exact: Vec<f64> =
                part.woe.iter().map(|woe| line.per_margin * (part.coefficient * woe)).collect();
            let points: Vec<f64> = exact.iter().map(|&points| round(points)).collect();
            let errors = || points.iter().zip(&exact).map(|(p, e)| p - e);
            down += errors().fold(f64::INFINITY, f64::min);
            up += errors().fold(f64::NEG_INFINITY, f64::max);
            parts.push(points);
        }
        let loss_max = if scaling.raw.whole { up.abs().max(down.abs()) } else { 0.0 };
        Self { base, parts, loss_max, line }
    }

    /// Of a row of codes, one for each of the scorecard's columns.
    pub fn points_of(&self, scorecard: &Scorecard, codes: &[u8]) -> f64 {
        scorecard.parts.iter().zip(&self.parts).fold(self.base, |sum, (part, points)| {
            sum + points[usize::from(part.bin_of[usize::from(codes[part.place])])]
        })
    }
}
