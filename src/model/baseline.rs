//! The base-rate model: one margin for everybody. The floor that every other family must beat.
//! Reads no column.

use crate::model::scorer::{Prepared, Scorer};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Baseline {
    pub log_odds: f64,
}

impl Scorer for Baseline {
    fn width(&self) -> usize {
        0
    }

    fn margin(&self, _row: &[f32]) -> f64 {
        self.log_odds
    }

    fn contributions(&self, row: &[f32], _reference: &[f64], _: &Prepared) -> (f64, Vec<f64>) {
        (self.log_odds, vec![0.0; row.len()])
    }
}
