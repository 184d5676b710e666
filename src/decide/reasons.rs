//! Why an outcome is not the best one: up to four reasons, each a field of the row and a signed text.
//! Never decides, and never names a field that did not push to the bad side.

use serde::{Deserialize, Serialize};

use crate::base::clock::iso_date;
use crate::base::fact::{Class, Fact};
use crate::base::ids::FieldName;
use crate::base::limits;
use crate::data::table::{Cell, Kind, Table};
use crate::decide::outcome::{DecidedBy, Outcome};
use crate::decide::policy::PositiveIs;
use crate::decide::resolved::ResolvedPolicy;
use crate::decide::rules::Rule;
use crate::decide::texts::Variant;
use crate::model::explain::Contribution;
use crate::model::trained::Model;

/// What the contributions are measured from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// The mean of accepted cases.
    Accepted,
    /// The mean of all training rows: there were too few accepted cases to stand for them.
    Population,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    pub field: FieldName,
    /// Where the text is found in the policy.
    pub key: String,
    pub text: String,
    /// What the field adds to the margin, measured from the reference; null where a rule decided.
    pub contribution: Option<f64>,
    /// The row's value as text; null where it was missing.
    pub value: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reasons {
    pub reference: ReferenceKind,
    pub list: Vec<Reason>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReasonError {
    #[error("the table has no field {field:?}, which a reason needs")]
    NoField { field: String },
    #[error("the policy has no text {key:?}; it was not checked against this model")]
    NoText { key: String },
}

impl Fact for ReasonError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoField { .. } => "reason.no_field",
            Self::NoText { .. } => "reason.no_text",
        }
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// One decided row: as it was read, and as the model saw it.
pub struct DecidedRow<'a> {
    pub table: &'a Table,
    pub row: usize,
    pub encoded: &'a [f32],
    /// Its margin measured from `reference`, field by field in the recipe's order.
    pub shares: &'a [Contribution],
    pub hits: &'a [&'a Rule],
}

/// The vector reasons are measured from, and what it is.
pub fn reference(model: &Model) -> (ReferenceKind, &[f64]) {
    match &model.accepted {
        Some(accepted) => (ReferenceKind::Accepted, accepted),
        None => (ReferenceKind::Population, &model.background),
    }
}

/// The best outcome needs no reason; a rule's outcome has the rules for it, any other the score's fields.
pub fn find_reasons(
    policy: &ResolvedPolicy,
    model: &Model,
    outcome: &Outcome,
    row: &DecidedRow<'_>,
) -> Result<Reasons, ReasonError> {
    let (kind, vector) = reference(model);
    let list = match outcome.by {
        _ if outcome.outcome == policy.best_outcome() => Vec::new(),
        DecidedBy::Rule(_) => from_rules(policy, outcome, row)?,
        DecidedBy::Band => from_score(policy, model, vector, row)?,
        DecidedBy::Fallback => Vec::new(),
    };
    Ok(Reasons { reference: kind, list })
}

fn from_rules(
    policy: &ResolvedPolicy,
    outcome: &Outcome,
    row: &DecidedRow<'_>,
) -> Result<Vec<Reason>, ReasonError> {
    let same = row.hits.iter().filter(|rule| rule.outcome == outcome.outcome);
    same.take(limits::REASONS_MAX)
        .map(|rule| reason(policy, row, &rule.when.field.as_str().into(), rule.reason.clone()))
        .collect()
}

fn from_score(
    policy: &ResolvedPolicy,
    model: &Model,
    vector: &[f64],
    row: &DecidedRow<'_>,
) -> Result<Vec<Reason>, ReasonError> {
    let towards_bad = |c: &Contribution| match policy.object().positive_is {
        PositiveIs::Bad => c.value,
        PositiveIs::Good => -c.value,
    };
    let mut pushing: Vec<&Contribution> = row.shares.iter().filter(|c| towards_bad(c) > 0.0).collect();
    pushing.sort_by(|a, b| towards_bad(b).total_cmp(&towards_bad(a)).then_with(|| a.field.cmp(&b.field)));
    pushing.truncate(limits::REASONS_MAX);
    pushing.into_iter().map(|c| from_contribution(policy, model, vector, row, c)).collect()
}

fn from_contribution(
    policy: &ResolvedPolicy,
    model: &Model,
    vector: &[f64],
    row: &DecidedRow<'_>,
    contribution: &Contribution,
) -> Result<Reason, ReasonError> {
    let Contribution { field, value } = contribution;
    let no_field = || ReasonError::NoField { field: field.to_string() };
    let fitted = model.recipe.fields.iter().find(|f| f.field == *field).ok_or_else(no_field)?;
    let column = row.table.find_column(field).ok_or_else(no_field)?;
    let variant = match column.cell(row.row) {
        Cell::Missing => Variant::Missing,
        _ if column.kind == Kind::Text => Variant::Value,
        _ if fitted.place(|at| row.encoded.get(at).map(|x| f64::from(*x)))
            > fitted.place(|at| vector.get(at).copied()) =>
        {
            Variant::High
        }
        _ => Variant::Low,
    };
    let told = reason(policy, row, field, variant.key(policy.stem(field)))?;
    Ok(Reason { contribution: Some(*value), ..told })
}

fn reason(
    policy: &ResolvedPolicy,
    row: &DecidedRow<'_>,
    field: &FieldName,
    key: String,
) -> Result<Reason, ReasonError> {
    let text = match policy.find_text(&key) {
        Some(text) => text.to_string(),
        None => return Err(ReasonError::NoText { key }),
    };
    let value = shown_cell(row.table, row.row, field)?;
    Ok(Reason { field: field.clone(), key, text, contribution: None, value })
}

/// A cell as a person wrote it; nothing where it is missing.
pub fn shown_cell(table: &Table, row: usize, field: &str) -> Result<Option<String>, ReasonError> {
    let column = table.find_column(field).ok_or_else(|| ReasonError::NoField { field: field.to_string() })?;
    Ok(match (column.cell(row), column.kind) {
        (Cell::Missing, _) => None,
        (Cell::Text(text), _) => Some(text.to_string()),
        (Cell::Number(x), Kind::Boolean) => Some((x != 0.0).to_string()),
        (Cell::Number(x), Kind::Date) => Some(iso_date(x).unwrap_or_else(|| x.to_string())),
        (Cell::Number(x), _) => Some(x.to_string()),
    })
}

#[cfg(test)]
mod tests;
