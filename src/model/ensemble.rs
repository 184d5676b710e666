//! Several families as one model: a weighted sum of their margins. What a column adds is the same sum of what it adds
//! to each. Chooses no weights.

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

    /// That of the member whose way is the least exact.
    fn method(&self) -> Method {
        self.members.iter().map(|member| member.family.scorer().method()).max().unwrap_or(Method::Terms)
    }
}
