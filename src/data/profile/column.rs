//! The figures of each column: gaps, distinct values, quantiles, frequent levels.
//! Names no level of fewer rows than a person could hide among.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::expect::aggregates::quantile;
use crate::data::label::{LabelError, find_outcomes};
use crate::data::profile::signal::{Outcomes, Signal};
use crate::data::table::{Column, Kind, Table, TextValues, Values};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub rows: usize,
    /// Share of positive rows among those with an outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive_rate: Option<f64>,
    pub columns: Vec<ColumnProfile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnProfile {
    pub name: String,
    pub kind: Kind,
    pub missing: usize,
    pub distinct: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberProfile>,
    /// The most frequent levels of text with their rows; rare ones are not named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<(String, usize)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<Signal>,
}

/// Dates are days since 1970-01-01.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberProfile {
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    pub deviation: f64,
    pub zeros: usize,
    /// At `QUANTILES`.
    pub quantiles: Vec<f64>,
}

pub const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

impl Profile {
    pub fn find(&self, column: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|c| c.name == column)
    }
}

/// Profiles every column; with a target (column, positive value) also what each foretells of it.
pub fn profile(table: &Table, target: Option<(&str, &str)>) -> Result<Profile, LabelError> {
    let outcomes = match target {
        Some((column, positive)) => Some(Outcomes::new(&find_outcomes(table, column, positive)?)),
        None => None,
    };
    let of_column = |column: &Column| {
        let is_target = target.is_some_and(|(name, _)| column.name == name);
        let signal = outcomes.as_ref().filter(|_| !is_target).map(|o| Signal::of(column, o));
        describe(column, signal)
    };
    let columns = table.columns().iter().map(of_column).collect();
    Ok(Profile { rows: table.rows(), positive_rate: outcomes.as_ref().map(Outcomes::rate), columns })
}

fn describe(column: &Column, signal: Option<Signal>) -> ColumnProfile {
    let mut profile = ColumnProfile {
        name: column.name.to_string(),
        kind: column.kind,
        missing: 0,
        distinct: 0,
        numbers: None,
        levels: Vec::new(),
        signal,
    };
    match &column.values {
        Values::Number(values) => {
            let mut present: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
            present.sort_by(f64::total_cmp);
            profile.missing = values.len() - present.len();
            profile.distinct = present.chunk_by(|a, b| a == b).count();
            profile.numbers = describe_numbers(&present);
        }
        Values::Text(text) => {
            let counts = count_levels(text);
            profile.missing = text.codes.len() - counts.iter().sum::<usize>();
            profile.distinct = counts.iter().filter(|n| **n > 0).count();
            profile.levels = frequent_levels(text, &counts);
        }
    }
    profile
}

fn describe_numbers(sorted: &[f64]) -> Option<NumberProfile> {
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    let squares = sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    Some(NumberProfile {
        min,
        max,
        mean,
        deviation: (squares / (count - 1.0).max(1.0)).sqrt(),
        zeros: sorted.iter().filter(|x| **x == 0.0).count(),
        quantiles: QUANTILES.iter().filter_map(|q| quantile(sorted, *q)).collect(),
    })
}

/// Rows of each level, in the order of the levels.
pub fn count_levels(text: &TextValues) -> Vec<usize> {
    let mut counts = vec![0; text.levels.len()];
    for code in &text.codes {
        if let Some(count) = counts.get_mut(*code as usize) {
            *count += 1;
        }
    }
    counts
}

fn frequent_levels(text: &TextValues, counts: &[usize]) -> Vec<(String, usize)> {
    let mut levels: Vec<(String, usize)> = text
        .levels
        .iter()
        .zip(counts)
        .filter(|(_, count)| **count >= limits::SHARED_LEVEL_ROWS_MIN)
        .map(|(level, count)| (level.clone(), *count))
        .collect();
    levels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    levels.truncate(limits::PROFILE_LEVELS_MAX);
    levels
}
