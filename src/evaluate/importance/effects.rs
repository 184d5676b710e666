//! Values of fields beside what they added to the margin, row by row: checked, and thinned to what a chart can hold.
//! Never computes a contribution; the model explains, this room lines up.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::rng::Random;

/// Points of one field that a chart or a file of it holds.
pub const EFFECT_POINTS_MAX: usize = 1_000;
/// Levels that are told apart; the rarer ones share a place.
pub const EFFECT_LEVELS_MAX: usize = 12;
/// Fields with a swarm of their own.
pub const SWARM_FIELDS_MAX: usize = 14;

/// Beyond these a number is a fault of the model or of the data; sums of what is left stay far from overflow.
pub(super) const CONTRIBUTION_MAX: f64 = 1e12;
const VALUE_MAX: f64 = 1e300;

/// The values of one field, as the rows have them.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// NaN where there is none.
    Numbers(&'a [f64]),
    Levels(&'a [Option<&'a str>]),
}

impl Values<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Levels(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One field over many rows.
#[derive(Clone, Copy, Debug)]
pub struct FieldEffect<'a> {
    pub field: &'a str,
    pub values: Values<'a>,
    pub contributions: &'a [f64],
}

#[derive(Debug, thiserror::Error)]
pub enum EffectsError {
    #[error("field {field:?} has {values} values and {contributions} contributions")]
    Uneven { field: String, values: usize, contributions: usize },
    #[error("field {field:?} has {found} rows where the first field has {expected}")]
    Rows { field: String, found: usize, expected: usize },
    #[error(
        "field {field:?}, row {row}: a contribution of {contribution} is no number of at most {CONTRIBUTION_MAX:e}"
    )]
    Contribution { field: String, row: usize, contribution: f64 },
    #[error("field {field:?}, row {row}: the value is larger than {VALUE_MAX:e}")]
    Value { field: String, row: usize },
    #[error("the contributions add up to {sum} where the margin is {margin}")]
    Sum { sum: f64, margin: f64 },
}

impl Fact for EffectsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Uneven { .. } => "evaluate.effects_uneven",
            Self::Rows { .. } => "evaluate.effects_rows",
            Self::Contribution { .. } => "evaluate.contribution",
            Self::Value { .. } => "evaluate.effects_value",
            Self::Sum { .. } => "evaluate.effects_sum",
        }
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

impl FieldEffect<'_> {
    pub fn check(&self) -> Result<(), EffectsError> {
        let field = || self.field.to_string();
        let (values, contributions) = (self.values.len(), self.contributions.len());
        if values != contributions {
            return Err(EffectsError::Uneven { field: field(), values, contributions });
        }
        if let Some(row) = self.contributions.iter().position(|c| !is_contribution(*c)) {
            let contribution = self.contributions[row];
            return Err(EffectsError::Contribution { field: field(), row, contribution });
        }
        match self.values {
            Values::Numbers(numbers) => match numbers.iter().position(|value| value.abs() > VALUE_MAX) {
                Some(row) => Err(EffectsError::Value { field: field(), row }),
                None => Ok(()),
            },
            Values::Levels(_) => Ok(()),
        }
    }
}

/// Not so for a NaN.
pub(super) fn is_contribution(number: f64) -> bool {
    number.abs() <= CONTRIBUTION_MAX
}

/// The rows that are kept, in their order: all of them, or an even draw.
pub(super) fn drawn_rows(rows: usize, random: &mut Random) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..rows).collect();
    if rows > EFFECT_POINTS_MAX {
        // The first places of a shuffle are an even draw.
        for place in 0..EFFECT_POINTS_MAX {
            kept.swap(place, place + random.below(rows - place));
        }
        kept.truncate(EFFECT_POINTS_MAX);
        kept.sort_unstable();
    }
    kept
}

/// One value of a field in a file or a chart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Number(f64),
    Level(String),
    Missing(()),
}

impl Value {
    pub(super) fn of(values: &Values<'_>, row: usize) -> Self {
        match values {
            Values::Numbers(numbers) => match numbers.get(row) {
                Some(number) if !number.is_nan() => Self::Number(*number),
                _ => Self::Missing(()),
            },
            Values::Levels(levels) => match levels.get(row) {
                Some(Some(level)) => Self::Level((*level).to_string()),
                _ => Self::Missing(()),
            },
        }
    }
}

/// A line of CSV (RFC 4180). Text that a spreadsheet would take for a formula gets an apostrophe before it.
pub(in crate::evaluate) fn csv_line(cells: &[Cell<'_>]) -> String {
    let mut line = cells.iter().map(Cell::write).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

pub(in crate::evaluate) enum Cell<'a> {
    Text(&'a str),
    Number(f64),
    Empty,
}

impl<'a> Cell<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(*number),
            Value::Level(level) => Self::Text(level),
            Value::Missing(()) => Self::Empty,
        }
    }

    fn write(&self) -> String {
        match self {
            // The shortest text that reads back to the same number.
            Self::Number(number) => format!("{number}"),
            Self::Empty => String::new(),
            Self::Text(text) => {
                let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
                if text.contains(['"', ',', '\n', '\r']) {
                    format!("\"{guard}{}\"", text.replace('"', "\"\""))
                } else {
                    format!("{guard}{text}")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_keeps_rows_in_order_and_each_once() {
        let kept = drawn_rows(5_000, &mut Random::new(1, "test"));
        assert_eq!(kept.len(), EFFECT_POINTS_MAX);
        assert!(kept.is_sorted_by(|a, b| a < b) && kept.iter().any(|row| *row > 4_900));
        assert_eq!(drawn_rows(7, &mut Random::new(1, "test")), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn no_cell_leaves_its_place_or_starts_a_formula() {
        let cells = [Cell::Text("a,\"b\""), Cell::Text("=1+1"), Cell::Number(-0.5), Cell::Empty];
        assert_eq!(csv_line(&cells), "\"a,\"\"b\"\"\",'=1+1,-0.5,\r\n");
    }

    #[test]
    fn rows_that_do_not_line_up_are_refused_by_name() {
        let effect = |values, contributions| FieldEffect { field: "age", values, contributions };
        let code = |effect: FieldEffect<'_>| effect.check().unwrap_err().code();
        assert_eq!(code(effect(Values::Numbers(&[1.0]), &[])), "evaluate.effects_uneven");
        assert_eq!(code(effect(Values::Numbers(&[1.0]), &[f64::NAN])), "evaluate.contribution");
        assert_eq!(code(effect(Values::Numbers(&[1.0]), &[1e13])), "evaluate.contribution");
        assert_eq!(code(effect(Values::Numbers(&[f64::INFINITY]), &[0.0])), "evaluate.effects_value");
        assert!(effect(Values::Numbers(&[f64::NAN]), &[0.0]).check().is_ok());
        assert!(effect(Values::Levels(&[None]), &[0.0]).check().is_ok());
    }
}
