//! The mean of some encoded rows, as what a row's reasons are measured from: the mean of each column, and for each
//! column of codes the share of rows with each code. Single rows cannot be told from it.

use crate::features::matrix::Matrix;
use crate::features::recipe::{FieldCode, FittedRecipe};

impl FittedRecipe {
    /// How long a mean row is: the columns of a row, then the shares of each column of codes.
    pub fn mean_width(&self) -> usize {
        self.row_width() + self.codes().map(|code| code.of.count()).sum::<usize>()
    }

    /// The fields' codes, in the order of their columns.
    pub fn codes(&self) -> impl Iterator<Item = &FieldCode> {
        self.fields.iter().filter_map(|field| field.code.as_ref())
    }

    /// Summed in f64 and in row order; zeros where there is no row. In place of a mean, a column of codes has the mean
    /// of those present where they have an order, else the most frequent one.
    pub fn mean_row(&self, matrix: &Matrix, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f64> {
        let count = rows.len().max(1) as f64;
        let mut sums = vec![0.0; self.width];
        let mut shares: Vec<Vec<f64>> = self.codes().map(|code| vec![0.0; code.of.count()]).collect();
        for row in rows {
            let (columns, codes) = matrix.row(row).split_at(self.width);
            sums.iter_mut().zip(columns).for_each(|(sum, &x)| *sum += f64::from(x));
            for (shares, &code) in shares.iter_mut().zip(codes) {
                if let Some(share) = shares.get_mut(code as usize) {
                    *share += 1.0;
                }
            }
        }
        let mut mean: Vec<f64> = sums.into_iter().map(|sum| sum / count).collect();
        mean.extend(self.codes().zip(&shares).map(|(code, rows)| typical(code.of.is_ordered(), rows)));
        mean.extend(shares.into_iter().flatten().map(|rows| rows / count));
        mean
    }

    /// Whether these could be the shares at the end of a mean row: none below 0, each column's together 1.
    pub fn has_shares(&self, mean: &[f64]) -> bool {
        let mut left = mean.get(self.row_width()..).unwrap_or_default();
        self.codes().all(|code| {
            let (own, others) = left.split_at(code.of.count().min(left.len()));
            left = others;
            let sum: f64 = own.iter().sum();
            own.iter().all(|share| *share >= 0.0) && (sum - 1.0).abs() < 1e-9
        })
    }
}

fn typical(ordered: bool, rows: &[f64]) -> f64 {
    let present = rows.get(1..).unwrap_or_default();
    if ordered {
        let count: f64 = present.iter().sum();
        let sum: f64 = present.iter().enumerate().map(|(place, rows)| (place + 1) as f64 * rows).sum();
        return if count > 0.0 { sum / count } else { 0.0 };
    }
    let most = present.iter().copied().fold(0.0, f64::max);
    present.iter().position(|rows| *rows == most).map_or(0.0, |place| (place + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::binning::codes::Code;
    use crate::features::recipe::{FittedEncoding, FittedField};

    #[test]
    fn a_mean_row_has_the_columns_means_then_typical_codes_then_shares() {
        let bins = Code::Bins { cuts: vec![1.0], low: 0.0, high: 2.0 };
        let levels = Code::Levels { levels: vec!["A".into(), "B".into()] };
        let field = |name: &str, width, code: Option<FieldCode>| FittedField {
            field: name.into(),
            encoding: if width == 0 {
                FittedEncoding::None {}
            } else {
                FittedEncoding::Hash { buckets: width - 1 }
            },
            start: 0,
            width,
            known_levels: vec![],
            code,
        };
        let fields = vec![
            field("a", 2, Some(FieldCode { column: 2, of: levels })),
            field("b", 0, Some(FieldCode { column: 3, of: bins })),
        ];
        let recipe = FittedRecipe { fields, width: 2 };
        let values = vec![1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 2.0, 2.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 2.0];
        let matrix = Matrix { rows: 4, width: 4, values };
        let mean = recipe.mean_row(&matrix, 0..4);
        assert_eq!(mean[..4], [0.75, 0.25, 2.0, 5.0 / 3.0]);
        assert_eq!(mean[4..8], [0.25, 0.25, 0.5, 0.0]);
        assert_eq!(mean[8..], [0.25, 0.25, 0.5]);
        assert_eq!(mean.len(), recipe.mean_width());
        assert!(recipe.has_shares(&mean));
        assert!(!recipe.has_shares(&[0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.2, 0.4, 0.4]));
    }
}
