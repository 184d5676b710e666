//! The outcome of each row as yes or no: which spelling of the target counts as positive.
//! Never guesses; a row without an outcome is an error where training needs one.

use crate::base::fact::{Class, Fact, nearest};
use crate::data::finding::shown;
use crate::data::spelling::{self, Decimal};
use crate::data::table::{Column, Kind, Table, Values};

#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    #[error("the table has no target column {column:?}")]
    NoColumn { column: String },
    #[error("target {column:?}: {positive:?} is not {kind} value, so it cannot be the positive one", kind = kind.as_str())]
    NotOfKind { column: String, positive: String, kind: Kind },
    #[error("target {column:?}: no row has the positive value {positive:?}{}", hint(.nearest))]
    NoPositive { column: String, positive: String, nearest: Option<String> },
    #[error("target {column:?}: every row has the positive value {positive:?}")]
    NoNegative { column: String, positive: String },
    #[error("target {column:?}: {rows} rows have no outcome, the first is row {first} of the table")]
    Missing { column: String, rows: usize, first: usize },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |level| format!("; is {level:?} meant?"))
}

impl Fact for LabelError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoColumn { .. } => "data.label.no_column",
            Self::NotOfKind { .. } => "data.label.not_of_kind",
            Self::NoPositive { .. } => "data.label.no_positive",
            Self::NoNegative { .. } => "data.label.no_negative",
            Self::Missing { .. } => "data.label.missing",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoColumn { .. } | Self::NotOfKind { .. } | Self::NoPositive { .. } => Class::Usage,
            Self::NoNegative { .. } | Self::Missing { .. } => Class::DataRefused,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => "Drop the rows without an outcome, or make the target `required`.".into(),
            _ => "Correct `positive` in project.toml or the role `target` in contract.toml.".into(),
        })
    }
}

/// Each row's outcome; `None` where the target is missing. Both outcomes occur.
pub fn find_outcomes(table: &Table, target: &str, positive: &str) -> Result<Vec<Option<bool>>, LabelError> {
    let column = table.find_column(target);
    let column = column.ok_or_else(|| LabelError::NoColumn { column: target.to_string() })?;
    let outcomes = match &column.values {
        Values::Text(text) => {
            let code = text.levels.iter().position(|level| level == positive);
            let row = |row: usize| text.get(row).map(|_| Some(text.codes[row] as usize) == code);
            (0..column.len()).map(row).collect()
        }
        Values::Number(values) => {
            let wanted = positive_number(column, positive)?;
            values.iter().map(|x| (!x.is_nan()).then_some(*x == wanted)).collect::<Vec<_>>()
        }
    };
    let (column, positive) = (column.name.to_string(), positive.to_string());
    if !outcomes.contains(&Some(true)) {
        let nearest = nearest_level(table, target, &positive);
        return Err(LabelError::NoPositive { column, positive, nearest });
    }
    if !outcomes.contains(&Some(false)) {
        return Err(LabelError::NoNegative { column, positive });
    }
    Ok(outcomes)
}

/// Each row's outcome, where every row must have one.
pub fn find_labels(table: &Table, target: &str, positive: &str) -> Result<Vec<bool>, LabelError> {
    let outcomes = find_outcomes(table, target, positive)?;
    let labels: Vec<bool> = outcomes.iter().copied().flatten().collect();
    match outcomes.iter().position(Option::is_none) {
        None => Ok(labels),
        Some(first) => Err(LabelError::Missing {
            column: target.to_string(),
            rows: outcomes.len() - labels.len(),
            first: first + 1,
        }),
    }
}

/// Whether one value of a target is the positive one; nothing where it is no value of its kind.
pub fn outcome_of(kind: Kind, positive: &str, value: &str) -> Option<bool> {
    match kind {
        _ if value.trim().is_empty() => None,
        Kind::Text => Some(value == positive),
        _ => Some(number_of(kind, value)? == number_of(kind, positive)?),
    }
}

fn number_of(kind: Kind, text: &str) -> Option<f64> {
    match kind {
        Kind::Boolean => spelling::boolean(text).map(f64::from),
        Kind::Date => spelling::date(text),
        _ => spelling::number(text, Decimal::Point),
    }
}

fn positive_number(column: &Column, positive: &str) -> Result<f64, LabelError> {
    number_of(column.kind, positive).ok_or_else(|| LabelError::NotOfKind {
        column: column.name.to_string(),
        positive: positive.to_string(),
        kind: column.kind,
    })
}

fn nearest_level(table: &Table, target: &str, positive: &str) -> Option<String> {
    match &table.find_column(target)?.values {
        Values::Text(text) => nearest(positive, text.levels.iter().map(String::as_str)).map(shown),
        Values::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::{Cell, TableBuilder};

    fn table(kind: Kind, cells: &[Cell<'_>]) -> Table {
        let mut builder = TableBuilder::new([("y", kind)]);
        cells.iter().for_each(|cell| builder.push_row([*cell]));
        builder.finish()
    }

    #[test]
    fn the_positive_value_is_found_by_the_targets_kind() {
        let text = table(Kind::Text, &[Cell::Text("Charged Off"), Cell::Text("Fully Paid")]);
        assert_eq!(find_labels(&text, "y", "Charged Off").unwrap(), [true, false]);
        let boolean = table(Kind::Boolean, &[Cell::Number(0.0), Cell::Number(1.0)]);
        assert_eq!(find_labels(&boolean, "y", "yes").unwrap(), [false, true]);
        let whole = table(Kind::Integer, &[Cell::Number(1.0), Cell::Number(2.0)]);
        assert_eq!(find_labels(&whole, "y", "2").unwrap(), [false, true]);
    }

    #[test]
    fn an_outcome_that_is_missing_or_never_occurs_is_refused() {
        let gap = table(Kind::Integer, &[Cell::Number(1.0), Cell::Missing, Cell::Number(0.0)]);
        assert!(matches!(find_labels(&gap, "y", "1"), Err(LabelError::Missing { rows: 1, first: 2, .. })));
        assert_eq!(find_outcomes(&gap, "y", "1").unwrap(), [Some(true), None, Some(false)]);
        let text = table(Kind::Text, &[Cell::Text("Yes"), Cell::Text("No")]);
        let error = find_labels(&text, "y", "Yess").unwrap_err();
        assert!(error.to_string().contains("is \"Yes\" meant?"), "{error}");
        assert_eq!(find_labels(&gap, "y", "maybe").unwrap_err().code(), "data.label.not_of_kind");
        let same = table(Kind::Integer, &[Cell::Number(1.0)]);
        assert_eq!(find_labels(&same, "y", "1").unwrap_err().code(), "data.label.no_negative");
    }
}
