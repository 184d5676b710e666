//! How much each field moves the margin: contributions, checked, made shares and put in order.
//! Never computes a contribution; the model explains, this room ranks.

pub mod dependence;
pub mod effects;
pub mod swarm;
pub mod waterfall;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::evaluate::importance::effects::{Cell, csv_line};

/// What one field adds to the margin over many rows, as the model explains it.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldContribution {
    pub field: String,
    /// Mean of |contribution|.
    pub mean_absolute: f64,
    /// Mean of the contribution with its sign: never further from 0 than `mean_absolute`.
    pub mean: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportanceError {
    #[error("field {field:?}: a mean contribution of {mean} does not go with a mean size of {mean_absolute}")]
    Contribution { field: String, mean: f64, mean_absolute: f64 },
}

impl Fact for ImportanceError {
    fn code(&self) -> &'static str {
        "evaluate.contribution"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// A field's place. `raises + lowers` is its mean |contribution|: how far it pushes up and down, on average.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldImportance {
    pub field: String,
    /// Share of all fields' mean |contribution|; the shares sum to 1 unless all are 0.
    pub share: f64,
    pub mean_absolute: f64,
    pub raises: f64,
    pub lowers: f64,
}

/// Fields by falling importance; equal ones by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importance {
    pub fields: Vec<FieldImportance>,
}

impl Importance {
    /// One line a field.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("field,share,mean_absolute,raises,lowers\r\n");
        for FieldImportance { field, share, mean_absolute, raises, lowers } in &self.fields {
            let figures = [*share, *mean_absolute, *raises, *lowers].map(Cell::Number);
            let cells = std::iter::once(Cell::Text(field)).chain(figures);
            text.push_str(&csv_line(&cells.collect::<Vec<_>>()));
        }
        text
    }
}

pub fn rank(contributions: &[FieldContribution]) -> Result<Importance, ImportanceError> {
    contributions.iter().try_for_each(check)?;
    let total: f64 = contributions.iter().map(|c| c.mean_absolute).sum();
    let mut fields: Vec<FieldImportance> = contributions.iter().map(|c| place(c, total)).collect();
    fields.sort_by(|a, b| b.mean_absolute.total_cmp(&a.mean_absolute).then_with(|| a.field.cmp(&b.field)));
    Ok(Importance { fields })
}

fn check(c: &FieldContribution) -> Result<(), ImportanceError> {
    // Both means are sums of the same terms, rounded apart.
    let slack = 1e-6 * c.mean_absolute + 1e-12;
    if c.mean_absolute.is_finite() && c.mean_absolute >= 0.0 && c.mean.abs() <= c.mean_absolute + slack {
        return Ok(());
    }
    Err(ImportanceError::Contribution {
        field: c.field.clone(),
        mean: c.mean,
        mean_absolute: c.mean_absolute,
    })
}

fn place(c: &FieldContribution, total: f64) -> FieldImportance {
    let raises = ((c.mean_absolute + c.mean) / 2.0).clamp(0.0, c.mean_absolute);
    FieldImportance {
        field: c.field.clone(),
        share: if total > 0.0 { c.mean_absolute / total } else { 0.0 },
        mean_absolute: c.mean_absolute,
        raises,
        lowers: c.mean_absolute - raises,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contribution(field: &str, mean_absolute: f64, mean: f64) -> FieldContribution {
        FieldContribution { field: field.into(), mean_absolute, mean }
    }

    #[test]
    fn fields_are_ranked_by_size_and_their_shares_sum_to_one() {
        let list = [contribution("b", 1.0, 0.0), contribution("a", 1.0, -1.0), contribution("c", 2.0, 1.0)];
        let importance = rank(&list).unwrap();
        let found: Vec<_> = importance.fields.iter().map(|f| (f.field.as_str(), f.share)).collect();
        assert_eq!(found, [("c", 0.5), ("a", 0.25), ("b", 0.25)]);
        assert_eq!((importance.fields[0].raises, importance.fields[0].lowers), (1.5, 0.5));
        assert_eq!((importance.fields[1].raises, importance.fields[1].lowers), (0.0, 1.0));
        assert!(importance.to_csv().contains("\r\nc,0.5,2,1.5,0.5\r\n"), "{}", importance.to_csv());
    }

    #[test]
    fn means_that_cannot_be_are_refused() {
        for (size, mean) in [(1.0, 1.1), (-1.0, 0.0), (f64::NAN, 0.0), (1.0, f64::NAN), (f64::INFINITY, 0.0)]
        {
            assert!(rank(&[contribution("a", size, mean)]).is_err(), "{size} {mean}");
        }
        assert_eq!(rank(&[contribution("a", 0.0, 0.0)]).unwrap().fields[0].share, 0.0);
    }
}
