//! Expectations of several columns of a row at once. A row in which one of them is missing is passed over.

use std::collections::BTreeMap;

use crate::data::contract::ColumnSpec;
use crate::data::expect::arguments::Arguments;
use crate::data::expect::range::{Key, Range, key_of};
use crate::data::expect::suite::ExpectError;
use crate::data::expect::values::RowOutcome;
use crate::data::table::{Cell, Column, Kind};

pub const TYPES: [&str; 4] =
    ["column_pair_greater", "column_pair_equal", "compound_unique", "columns_sum_between"];

#[derive(Clone, Debug)]
pub enum PairRule {
    /// The first column is above the second, or equal where that is allowed.
    Greater {
        or_equal: bool,
    },
    Equal,
    /// No two rows share all of these values.
    Unique,
    /// The row's sum, give or take a tolerance for rounding, is in the range.
    Sum(Range),
}

pub fn parse(kind: &str, specs: &[&ColumnSpec], arguments: &mut Arguments) -> Result<PairRule, ExpectError> {
    let pair = matches!(kind, "column_pair_greater" | "column_pair_equal");
    if specs.len() < 2 || (pair && specs.len() != 2) {
        let wanted = if pair { "a list of two columns" } else { "a list of two or more columns" };
        return Err(arguments.bad("columns", wanted));
    }
    if pair && unit(specs[0].kind) != unit(specs[1].kind) {
        return Err(arguments.bad("columns", "a list of two columns of one kind"));
    }
    Ok(match kind {
        "column_pair_greater" => PairRule::Greater { or_equal: arguments.flag("or_equal", true)? },
        "column_pair_equal" => PairRule::Equal,
        "compound_unique" => PairRule::Unique,
        _ => PairRule::Sum(arguments.range(Kind::Number)?),
    })
}

/// Whole and other numbers compare with each other; every other kind only with itself.
fn unit(kind: Kind) -> Kind {
    if kind == Kind::Integer { Kind::Number } else { kind }
}

impl PairRule {
    pub fn applies_to(&self, kind: Kind) -> bool {
        match self {
            Self::Greater { .. } => kind != Kind::Text,
            Self::Sum(_) => matches!(kind, Kind::Integer | Kind::Number),
            Self::Equal | Self::Unique => true,
        }
    }

    pub fn evaluate(&self, columns: &[&Column], rows: usize) -> RowOutcome {
        match self {
            Self::Unique => find_repeated(columns, rows),
            _ => {
                let mut outcome = RowOutcome::default();
                for row in 0..rows {
                    let Some(passes) = self.passes(columns, row) else { continue };
                    outcome.considered += 1;
                    if !passes {
                        outcome.broken.push(row);
                    }
                }
                outcome
            }
        }
    }

    fn passes(&self, columns: &[&Column], row: usize) -> Option<bool> {
        let cells: Vec<Cell<'_>> = columns.iter().map(|column| column.cell(row)).collect();
        match (self, cells.as_slice()) {
            (Self::Greater { or_equal }, [Cell::Number(a), Cell::Number(b)]) => {
                Some(a > b || (*or_equal && a == b))
            }
            (Self::Equal, [a, b]) => Some(key_of(*a)? == key_of(*b)?),
            (Self::Sum(range), cells) => {
                let numbers = cells.iter().map(|cell| match cell {
                    Cell::Number(x) => Some(*x),
                    _ => None,
                });
                let sum = numbers.sum::<Option<f64>>()?;
                // Sums of decimal fractions miss their value by a few units in the last place.
                let slack = 1e-9 * sum.abs().max(1.0);
                Some([sum, sum - slack, sum + slack].iter().any(|x| range.contains(*x)))
            }
            _ => None,
        }
    }
}

fn find_repeated(columns: &[&Column], rows: usize) -> RowOutcome {
    let mut rows_of: BTreeMap<Vec<Key<'_>>, Vec<usize>> = BTreeMap::new();
    let mut considered = 0;
    for row in 0..rows {
        let keys: Option<Vec<Key<'_>>> = columns.iter().map(|column| key_of(column.cell(row))).collect();
        if let Some(keys) = keys {
            rows_of.entry(keys).or_default().push(row);
            considered += 1;
        }
    }
    let mut broken: Vec<usize> = rows_of.into_values().filter(|rows| rows.len() > 1).flatten().collect();
    broken.sort_unstable();
    RowOutcome { considered, broken }
}
