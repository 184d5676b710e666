//! Expectations of one figure of a column: its mean, a quantile, how many values it has.
//! Figures are of the cells that are present; a column without any has none.

use std::collections::BTreeSet;

use crate::data::expect::arguments::Arguments;
use crate::data::expect::range::{Range, ValueSet, key_of};
use crate::data::expect::suite::ExpectError;
use crate::data::table::{Cell, Column, Kind, Values};

pub const TYPES: [&str; 11] = [
    "column_min_between",
    "column_max_between",
    "column_mean_between",
    "column_median_between",
    "column_stdev_between",
    "column_sum_between",
    "column_quantile_between",
    "distinct_count_between",
    "proportion_unique_between",
    "missing_share_between",
    "distinct_values_contain",
];

#[derive(Clone, Debug)]
pub enum AggregateRule {
    Figure {
        figure: Figure,
        range: Range,
    },
    /// Each value of the list occurs at least once.
    Contains {
        values: Vec<ValueSet>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    Min,
    Max,
    Mean,
    Median,
    /// The sample's, with n - 1.
    Deviation,
    Sum,
    Quantile(f64),
    Distinct,
    ProportionUnique,
    MissingShare,
}

/// The figure that was found, and whether it is as expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    pub value: f64,
    pub success: bool,
}

pub fn parse(kind: &str, column: Kind, arguments: &mut Arguments) -> Result<AggregateRule, ExpectError> {
    let figure = match kind {
        "column_min_between" => Figure::Min,
        "column_max_between" => Figure::Max,
        "column_mean_between" => Figure::Mean,
        "column_median_between" => Figure::Median,
        "column_stdev_between" => Figure::Deviation,
        "column_sum_between" => Figure::Sum,
        "column_quantile_between" => match arguments.number("quantile")? {
            q if (0.0..=1.0).contains(&q) => Figure::Quantile(q),
            _ => return Err(arguments.bad("quantile", "from 0 to 1")),
        },
        "distinct_count_between" => Figure::Distinct,
        "proportion_unique_between" => Figure::ProportionUnique,
        "missing_share_between" => Figure::MissingShare,
        _ => return Ok(AggregateRule::Contains { values: arguments.each_value(column)? }),
    };
    let bounds = if figure.is_a_value() { column } else { Kind::Number };
    Ok(AggregateRule::Figure { figure, range: arguments.range(bounds)? })
}

impl Figure {
    /// The figure is in the column's own unit, so that dates are bounded by dates.
    fn is_a_value(self) -> bool {
        matches!(self, Self::Min | Self::Max | Self::Mean | Self::Median | Self::Quantile(_))
    }

    fn of(self, column: &Column) -> Option<f64> {
        let present = (0..column.len()).filter(|&row| column.cell(row) != Cell::Missing).count();
        match self {
            Self::MissingShare if column.is_empty() => None,
            Self::MissingShare => Some((column.len() - present) as f64 / column.len() as f64),
            _ if present == 0 => None,
            Self::Distinct => Some(count_distinct(column) as f64),
            Self::ProportionUnique => Some(count_distinct(column) as f64 / present as f64),
            _ => self.of_numbers(column),
        }
    }

    fn of_numbers(self, column: &Column) -> Option<f64> {
        let Values::Number(values) = &column.values else { return None };
        let mut present: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        let count = present.len() as f64;
        let sum = present.iter().sum::<f64>();
        let mean = sum / count;
        match self {
            Self::Sum => Some(sum),
            Self::Mean => Some(mean),
            Self::Deviation if present.len() < 2 => None,
            Self::Deviation => {
                let squares = present.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
                Some((squares / (count - 1.0)).sqrt())
            }
            _ => {
                present.sort_by(f64::total_cmp);
                quantile(&present, self.rank())
            }
        }
    }

    fn rank(self) -> f64 {
        match self {
            Self::Min => 0.0,
            Self::Max => 1.0,
            Self::Quantile(q) => q,
            _ => 0.5,
        }
    }
}

fn count_distinct(column: &Column) -> usize {
    (0..column.len()).filter_map(|row| key_of(column.cell(row))).collect::<BTreeSet<_>>().len()
}

/// Linear between neighbours, as numpy has it by default.
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let place = q * (sorted.len().checked_sub(1)?) as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * (place - place.floor()))
}

impl AggregateRule {
    pub fn applies_to(&self, kind: Kind) -> bool {
        match self {
            Self::Contains { .. } => true,
            Self::Figure { figure: Figure::Sum | Figure::Deviation, .. } => {
                !matches!(kind, Kind::Text | Kind::Date)
            }
            Self::Figure { figure, .. } => !figure.is_a_value() || kind != Kind::Text,
        }
    }

    /// `None` where the figure does not exist.
    pub fn evaluate(&self, column: &Column) -> Option<Observed> {
        match self {
            Self::Figure { figure, range } => {
                let value = figure.of(column)?;
                Some(Observed { value, success: range.contains(value) })
            }
            Self::Contains { values } => {
                let keys: BTreeSet<_> =
                    (0..column.len()).filter_map(|row| key_of(column.cell(row))).collect();
                if keys.is_empty() {
                    return None;
                }
                let found = values.iter().filter(|one| keys.iter().any(|key| one.contains(*key))).count();
                Some(Observed { value: found as f64, success: found == values.len() })
            }
        }
    }
}
