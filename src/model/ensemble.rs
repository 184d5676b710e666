//! Several families as one model: a weighted sum of their margins. What a column adds is the same sum of what it adds
//! to each. Chooses no weights.

use crate::base::limits;
use crate::features::matrix::Matrix;
use crate::model::scorer::{Family, Method, Prepared, Scorer};
use crate::model::shap::ExplainError;

#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    pub bias: f64,
    /// At least one; none of them an ensemble itself.
    pub members: Vec<Member>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What its margin counts; above 0.
    pub weight: f64,
    pub family: Family,
}

impl Member {
    /// The columns it reads, which are the first ones.
    fn own<'a>(&self, row: &'a [f32]) -> &'a [f32] {
        &row[..self.family.scorer().width().min(row.len())]
    }

    /// Whoever reads codes finds their shares behind all columns of the mean row; the others know the first columns only.
    fn known<'a>(&self, reference: &'a [f64]) -> &'a [f64] {
        match self.family {
            Family::Boosting(_) | Family::Forest(_) | Family::Scorecard(_) | Family::Ensemble(_) => reference,
            Family::Baseline(_) | Family::Logistic(_) | Family::Network(_) => {
                &reference[..self.family.scorer().width().min(reference.len())]
            }
        }
    }
}

impl Scorer for Ensemble {
    fn width(&self) -> usize {
        self.members.iter().map(|member| member.family.scorer().width()).max().unwrap_or_default()
    }

    fn margin(&self, row: &[f32]) -> f64 {
        let add = |sum, member: &Member| sum + member.weight * member.family.scorer().margin(member.own(row));
        self.members.iter().fold(self.bias, add)
    }

    fn margins(&self, matrix: &Matrix) -> Vec<f64> {
        let mut sums = vec![self.bias; matrix.rows];
        for member in &self.members {
            let width = member.family.scorer().width();
            let margins = if width < matrix.width {
                member.family.scorer().margins(&matrix.first_columns(width))
            } else {
                member.family.scorer().margins(matrix)
            };
            sums.iter_mut().zip(margins).for_each(|(sum, margin)| *sum += member.weight * margin);
        }
        sums
    }

    fn prepare(&self, reference: &[f64]) -> Result<Prepared, ExplainError> {
        let each = self.members.iter().map(|member| member.family.scorer().prepare(reference));
        Ok(Prepared::Members(each.collect::<Result<_, _>>()?))
    }

    fn contributions(&self, row: &[f32], reference: &[f64], prepared: &Prepared) -> (f64, Vec<f64>) {
        let (mut base, mut columns) = (self.bias, vec![0.0; row.len()]);
        let Prepared::Members(prepared) = prepared else { return (base, columns) };
        for (member, prepared) in self.members.iter().zip(prepared) {
            let scorer = member.family.scorer();
            let (own_base, own) = scorer.contributions(member.own(row), member.known(reference), prepared);
            base += member.weight * own_base;
            columns.iter_mut().zip(own).for_each(|(sum, value)| *sum += member.weight * value);
        }
        (base, columns)
    }

    fn explained_rows_max(&self) -> usize {
        let rows = self.members.iter().map(|member| member.family.scorer().explained_rows_max());
        rows.min().unwrap_or(limits::IMPORTANCE_ROWS_MAX)
    }

    /// That of the member whose way is the least exact.
    fn method(&self) -> Method {
        self.members.iter().map(|member| member.family.scorer().method()).max().unwrap_or(Method::Terms)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::linear::Linear;
    use crate::model::scorecard::{Part, Scorecard};
    use crate::model::trees::{Branch, Child, CodeColumn, CodeSet, Leaf, Split, Tree, Trees};

    /// Over two columns of encodings, then codes of 3 and 4: a line, a scorecard and one tree.
    pub(crate) fn three() -> Ensemble {
        let columns = vec![
            CodeColumn { column: 2, codes: 3, ordered: true },
            CodeColumn { column: 3, codes: 4, ordered: false },
        ];
        let leaf = |value| Leaf { value, rows: 1 };
        let among = Branch {
            column: 1,
            split: Split::Among(CodeSet([0b1010, 0, 0, 0])),
            left: Child::Leaf(0),
            right: Child::Leaf(1),
        };
        let root = Branch {
            column: 0,
            split: Split::UpTo { code: 1, missing_left: true },
            left: Child::Branch(1),
            right: Child::Leaf(2),
        };
        let tree = Tree { branches: vec![root, among], leaves: vec![leaf(0.7), leaf(-0.3), leaf(1.1)] };
        let part = Part { place: 1, bin_of: vec![0, 1, 1, 0], woe: vec![0.4, -0.9], coefficient: 1.3 };
        let scorecard = Scorecard { columns: columns.clone(), intercept: -0.6, parts: vec![part] };
        let trees = Trees { columns, base: 0.2, trees: vec![tree] };
        let line = Linear { weights: vec![0.5, -1.25], bias: 0.1 };
        let member = |weight, family| Member { weight, family };
        let members = vec![
            member(0.4, Family::Logistic(line)),
            member(0.35, Family::Scorecard(scorecard)),
            member(0.3, Family::Boosting(trees)),
        ];
        Ensemble { bias: -0.05, members }
    }

    const MEAN: [f64; 11] = [0.25, 0.5, 1.4, 2.0, 0.1, 0.6, 0.3, 0.0, 0.25, 0.5, 0.25];

    fn rows() -> Matrix {
        let codes = (0..3).flat_map(|a| (0..4).map(move |b| (a, b)));
        let values = codes.flat_map(|(a, b)| [a as f32 / 3.0, b as f32 / 7.0, a as f32, b as f32]).collect();
        Matrix { rows: 12, width: 4, values }
    }

    #[test]
    fn the_margin_is_the_bias_and_each_weighed_margin_in_order_alone_and_in_a_batch() {
        let (ensemble, rows) = (three(), rows());
        let batch = ensemble.margins(&rows);
        for (row, margin) in batch.iter().enumerate() {
            let own = rows.row(row);
            let each: Vec<f64> = ensemble
                .members
                .iter()
                .map(|m| m.family.scorer().margin(&own[..m.family.scorer().width()]))
                .collect();
            let expected = -0.05 + 0.4 * each[0] + 0.35 * each[1] + 0.3 * each[2];
            assert_eq!(
                (margin.to_bits(), ensemble.margin(own).to_bits()),
                (expected.to_bits(), expected.to_bits())
            );
        }
    }

    #[test]
    fn every_member_is_explained_from_the_part_of_the_mean_row_that_it_knows() {
        // A scorecard's terms were once measured from the columns alone, where the shares of codes are not.
        let (ensemble, rows) = (three(), rows());
        let prepared = ensemble.prepare(&MEAN).unwrap();
        let mut expected = [0.0; 4];
        for row in 0..rows.rows {
            let own = rows.row(row);
            let (base, columns) = ensemble.contributions(own, &MEAN, &prepared);
            let sum = columns.iter().fold(base, |sum, value| sum + value);
            assert!((sum - ensemble.margin(own)).abs() < 1e-12, "{row}: {sum}");
            let share = MEAN[4 + own[2] as usize] * MEAN[7 + own[3] as usize];
            expected.iter_mut().zip(&columns).for_each(|(sum, value)| *sum += share * value);
        }
        assert!(
            expected[2].abs() < 1e-12 && expected[3].abs() < 1e-12,
            "over the reference nothing is left: {expected:?}"
        );
        assert_eq!(ensemble.method(), Method::Coalitions);
    }
}
