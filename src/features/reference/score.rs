//! How a model's own margins were distributed over rows it had not learned from: what the score of live rows is
//! held against. Never holds a bin or an edge that fewer than 20 rows share.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::features::binning::Present;
use crate::features::reference::{BINS, inner_edges, is_rare};

/// Bin `i` has `rows[i]` rows: those with a margin above `edges[i]` and at most `edges[i + 1]`; the first and the last
/// hold what lies beyond the outer edges as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreReference {
    pub edges: Vec<f64>,
    pub rows: Vec<u64>,
}

impl ScoreReference {
    /// Nothing where so few rows were scored that a bin would tell of one of them.
    pub fn fit(margins: &[f64]) -> Option<Self> {
        if margins.len() < limits::SHARED_LEVEL_ROWS_MIN || margins.iter().any(|margin| margin.is_nan()) {
            return None;
        }
        let (edges, rows) = Present::of(margins)?.shared_bins(BINS);
        Some(Self { edges, rows })
    }

    pub fn bins(&self) -> usize {
        self.rows.len()
    }

    pub fn bin_of(&self, margin: f64) -> usize {
        inner_edges(&self.edges).partition_point(|edge| *edge < margin).min(self.rows.len().saturating_sub(1))
    }

    pub(in crate::features::reference) fn check(&self) -> Result<(), &'static str> {
        let (edges, rows) = (&self.edges, &self.rows);
        if rows.is_empty() || rows.len() > limits::REFERENCE_BINS_MAX || edges.len() != rows.len() + 1 {
            return Err("the score's bins and edges do not match");
        }
        if rows.iter().any(|count| is_rare(*count)) {
            return Err("a bin of the score has fewer than 20 rows");
        }
        let finite = edges.iter().all(|edge| edge.is_finite());
        if finite && edges[0] <= edges[1] && edges[1..].windows(2).all(|pair| pair[0] < pair[1]) {
            Ok(())
        } else {
            Err("the score's edges are not finite and increasing")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_margin_counts_to_the_bin_that_its_rows_were_counted_in() {
        let margins: Vec<f64> = (0..400).map(|i| f64::from(i % 97) / 10.0 - 4.0).collect();
        let score = ScoreReference::fit(&margins).unwrap();
        assert!(score.check().is_ok() && score.bins() == 10);
        let mut counted = vec![0; score.bins()];
        margins.iter().for_each(|margin| counted[score.bin_of(*margin)] += 1);
        assert_eq!(counted, score.rows);
        assert_eq!((score.bin_of(-1e300), score.bin_of(1e300)), (0, 9));
    }

    #[test]
    fn one_margin_for_all_is_one_bin_and_few_rows_are_none() {
        let constant = ScoreReference::fit(&[0.5; 60]).unwrap();
        assert!(constant.check().is_ok());
        assert_eq!((constant.bins(), constant.bin_of(7.0)), (1, 0));
        assert_eq!(ScoreReference::fit(&[0.5; 19]), None);
        assert_eq!(ScoreReference::fit(&[f64::NAN; 60]), None);
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        let check = |edges: &[f64], rows: &[u64]| {
            ScoreReference { edges: edges.to_vec(), rows: rows.to_vec() }.check()
        };
        assert!(check(&[0.0, 1.0, 2.0], &[20, 20]).is_ok());
        for (edges, rows) in [
            (&[0.0, 1.0][..], &[20, 20][..]),
            (&[0.0, 1.0, 2.0], &[20, 19]),
            (&[0.0, 2.0, 1.0], &[20, 20]),
            (&[0.0, 1.0, f64::INFINITY], &[20, 20]),
            (&[], &[]),
        ] {
            assert!(check(edges, rows).is_err(), "{edges:?} {rows:?}");
        }
    }
}
