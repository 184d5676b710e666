//! The linear margin of logistic regression: bias plus weights times row, one flat loop.
//! Sums in f64 and in column order, so the same row has the same bits in every batch.

use crate::model::scorer::{Prepared, Scorer};

#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    pub weights: Vec<f32>,
    pub bias: f32,
}

impl Scorer for Linear {
    fn width(&self) -> usize {
        self.weights.len()
    }

    fn margin(&self, row: &[f32]) -> f64 {
        debug_assert!(row.len() >= self.weights.len());
        // A product of two f32 is exact in f64: contributions can add up to this margin again.
        let products = self.weights.iter().zip(row).map(|(&w, &x)| f64::from(w) * f64::from(x));
        products.fold(f64::from(self.bias), |sum, product| sum + product)
    }

    /// `w * (x - reference)` is the exact Shapley value of a linear model with independent columns.
    fn contributions(&self, row: &[f32], reference: &[f64], _: &Prepared) -> (f64, Vec<f64>) {
        debug_assert!(reference.len() >= self.weights.len());
        let base = self
            .weights
            .iter()
            .zip(reference)
            .fold(f64::from(self.bias), |sum, (&w, r)| sum + f64::from(w) * r);
        let columns = self.weights.iter().zip(row).zip(reference);
        (base, columns.map(|((&w, &x), r)| f64::from(w) * (f64::from(x) - r)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_the_bias_plus_weights_times_values() {
        let linear = Linear { weights: vec![0.5, -2.0, 0.0], bias: 0.25 };
        assert_eq!(linear.margin(&[1.0, 0.5, 9.0]), -0.25);
    }

    #[test]
    fn a_row_equal_to_the_reference_owes_nothing_to_any_column() {
        let linear = Linear { weights: vec![0.5, -2.0], bias: 0.25 };
        let (base, columns) = linear.contributions(&[1.0, 0.5], &[1.0, 0.5], &Prepared::Nothing);
        assert_eq!((base, columns), (-0.25, vec![0.0, 0.0]));
        let (base, columns) = linear.contributions(&[1.0, 0.5], &[0.0, 0.0], &Prepared::Nothing);
        assert_eq!((base, columns), (0.25, vec![0.5, -1.0]));
    }
}
