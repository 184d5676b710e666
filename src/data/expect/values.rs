//! Expectations of single cells: each row passes or breaks, and `mostly` of them must pass.
//! Missing cells are left to `values_not_null` and `values_null`; the other rules pass over them.

use std::collections::BTreeMap;

use crate::data::expect::arguments::Arguments;
use crate::data::expect::range::{Range, ValueSet, key_of};
use crate::data::expect::suite::ExpectError;
use crate::data::table::{Cell, Column, Kind, Values};

pub const TYPES: [&str; 13] = [
    "values_between",
    "values_on_grid",
    "values_in_set",
    "values_not_in_set",
    "values_not_null",
    "values_null",
    "values_unique",
    "values_match_regex",
    "values_not_match_regex",
    "value_lengths_between",
    "values_increasing",
    "values_decreasing",
    "value_z_scores_below",
];

const GRID_SLACK: f64 = 1e-6;

#[derive(Clone, Debug)]
pub enum ValueRule {
    Between(Range),
    /// The value times a scale is a whole number of the range, give or take what single precision loses.
    Grid {
        scale: f64,
        range: Range,
    },
    InSet(ValueSet),
    NotInSet(ValueSet),
    NotNull,
    Null,
    Unique,
    Regex(regex_lite::Regex),
    NotRegex(regex_lite::Regex),
    Lengths(Range),
    Increasing {
        strictly: bool,
    },
    Decreasing {
        strictly: bool,
    },
    ZScoreBelow(f64),
}

/// Rows that were judged, and those of them that broke the rule, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowOutcome {
    pub considered: usize,
    pub broken: Vec<usize>,
}

pub fn parse(kind: &str, column: Kind, arguments: &mut Arguments) -> Result<ValueRule, ExpectError> {
    Ok(match kind {
        "values_between" => ValueRule::Between(arguments.range(column)?),
        "values_on_grid" => match arguments.number("scale")? {
            scale if scale > 0.0 => ValueRule::Grid { scale, range: arguments.range(Kind::Number)? },
            _ => return Err(arguments.bad("scale", "above 0")),
        },
        "values_in_set" => ValueRule::InSet(arguments.values(column)?),
        "values_not_in_set" => ValueRule::NotInSet(arguments.values(column)?),
        "values_not_null" => ValueRule::NotNull,
        "values_null" => ValueRule::Null,
        "values_unique" => ValueRule::Unique,
        "values_match_regex" => ValueRule::Regex(arguments.regex()?),
        "values_not_match_regex" => ValueRule::NotRegex(arguments.regex()?),
        "value_lengths_between" => ValueRule::Lengths(arguments.range(Kind::Integer)?),
        "values_increasing" => ValueRule::Increasing { strictly: arguments.flag("strictly", false)? },
        "values_decreasing" => ValueRule::Decreasing { strictly: arguments.flag("strictly", false)? },
        _ => match arguments.number("threshold")? {
            threshold if threshold > 0.0 => ValueRule::ZScoreBelow(threshold),
            _ => return Err(arguments.bad("threshold", "above 0")),
        },
    })
}

impl ValueRule {
    pub fn applies_to(&self, kind: Kind) -> bool {
        match self {
            Self::Between(_) | Self::Increasing { .. } | Self::Decreasing { .. } => kind != Kind::Text,
            Self::Regex(_) | Self::NotRegex(_) | Self::Lengths(_) => kind == Kind::Text,
            Self::ZScoreBelow(_) | Self::Grid { .. } => matches!(kind, Kind::Integer | Kind::Number),
            _ => true,
        }
    }

    pub fn evaluate(&self, column: &Column) -> RowOutcome {
        match self {
            Self::Unique => find_repeated(column),
            Self::Increasing { strictly } => find_disorder(column, *strictly, 1.0),
            Self::Decreasing { strictly } => find_disorder(column, *strictly, -1.0),
            Self::ZScoreBelow(threshold) => find_outliers(column, *threshold),
            Self::Regex(_) | Self::NotRegex(_) | Self::Lengths(_) => self.evaluate_levels(column),
            _ => self.evaluate_cells(column),
        }
    }

    fn evaluate_cells(&self, column: &Column) -> RowOutcome {
        let mut outcome = RowOutcome::default();
        for row in 0..column.len() {
            if let Some(passes) = self.passes(column.cell(row)) {
                outcome.considered += 1;
                if !passes {
                    outcome.broken.push(row);
                }
            }
        }
        outcome
    }

    /// A pattern is tried once a level, not once a row.
    fn evaluate_levels(&self, column: &Column) -> RowOutcome {
        let Values::Text(text) = &column.values else { return RowOutcome::default() };
        let passes: Vec<Option<bool>> =
            text.levels.iter().map(|level| self.passes(Cell::Text(level))).collect();
        let judged = text.codes.iter().enumerate();
        let judged = judged.filter_map(|(row, code)| Some((row, (*passes.get(*code as usize)?)?)));
        let mut outcome = RowOutcome::default();
        for (row, passes) in judged {
            outcome.considered += 1;
            if !passes {
                outcome.broken.push(row);
            }
        }
        outcome
    }

    /// `None` where the rule passes over the cell.
    fn passes(&self, cell: Cell<'_>) -> Option<bool> {
        match (self, cell) {
            (Self::NotNull, _) => Some(cell != Cell::Missing),
            (Self::Null, _) => Some(cell == Cell::Missing),
            (Self::Between(range), Cell::Number(x)) => Some(range.contains(x)),
            (Self::Grid { scale, range }, Cell::Number(x)) => {
                let place = (x * scale).round();
                Some((x * scale - place).abs() <= GRID_SLACK * scale.max(1.0) && range.contains(place))
            }
            (Self::InSet(set), _) => Some(set.contains(key_of(cell)?)),
            (Self::NotInSet(set), _) => Some(!set.contains(key_of(cell)?)),
            (Self::Regex(regex), Cell::Text(text)) => Some(regex.is_match(text)),
            (Self::NotRegex(regex), Cell::Text(text)) => Some(!regex.is_match(text)),
            (Self::Lengths(range), Cell::Text(text)) => Some(range.contains(text.chars().count() as f64)),
            _ => None,
        }
    }
}

/// Every row whose value occurs more than once, the first of them too.
fn find_repeated(column: &Column) -> RowOutcome {
    let mut rows_of: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let mut considered = 0;
    for row in 0..column.len() {
        if let Some(key) = key_of(column.cell(row)) {
            rows_of.entry(key).or_default().push(row);
            considered += 1;
        }
    }
    let mut broken: Vec<usize> = rows_of.into_values().filter(|rows| rows.len() > 1).flatten().collect();
    broken.sort_unstable();
    RowOutcome { considered, broken }
}

/// Rows that step against the direction from the last row that had a value.
fn find_disorder(column: &Column, strictly: bool, direction: f64) -> RowOutcome {
    let mut outcome = RowOutcome::default();
    let mut last: Option<f64> = None;
    for row in 0..column.len() {
        let Cell::Number(x) = column.cell(row) else { continue };
        outcome.considered += 1;
        let step = last.map(|before| (x - before) * direction);
        if step.is_some_and(|step| step < 0.0 || (strictly && step == 0.0)) {
            outcome.broken.push(row);
        }
        last = Some(x);
    }
    outcome
}

fn find_outliers(column: &Column, threshold: f64) -> RowOutcome {
    let Values::Number(values) = &column.values else { return RowOutcome::default() };
    let present: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    let mean = present.iter().sum::<f64>() / present.len() as f64;
    let squares = present.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let deviation = (squares / (present.len() as f64 - 1.0)).sqrt();
    let is_outlier = |x: f64| (x - mean).abs() > threshold * deviation;
    let broken = values.iter().enumerate().filter(|(_, x)| !x.is_nan() && is_outlier(**x));
    RowOutcome { considered: present.len(), broken: broken.map(|(row, _)| row).collect() }
}
