//! Groups of rows that one column sets apart and in which (nearly) all outcomes are the same.
//! A group that luck could have made pure is none.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::expect::range::{Key, key_of};
use crate::data::profile::signal::Outcomes;
use crate::data::spelling::number_text;
use crate::data::table::{Cell, Column};

/// Which rows of a column form the group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Missing,
    Present,
    Zero,
    NonZero,
    Value(f64),
    Level(String),
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Present => f.write_str("present"),
            Self::Zero => f.write_str("zero"),
            Self::NonZero => f.write_str("not zero"),
            Self::Value(x) => write!(f, "equal to {}", number_text(*x)),
            Self::Level(level) => write!(f, "{level:?}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PureGroup {
    pub group: Group,
    pub rows: usize,
    pub positive_rate: f64,
    /// Of all rows with the group's outcome, the share that the group holds.
    pub class_share: f64,
}

/// Rates at which a group counts as pure; between them nothing is remarkable.
const POSITIVE_RATE_MIN: f64 = 0.995;
/// Chance below which luck is no explanation of a group without the other outcome.
const LUCK_MAX: f64 = 1e-6;

/// A smaller group of one value says little: 20 rows or half a percent, whichever is more.
pub fn group_rows_min(labelled: usize) -> usize {
    limits::SHARED_LEVEL_ROWS_MIN.max(labelled.div_ceil(200))
}

#[derive(Clone, Copy, Default)]
struct Tally {
    rows: usize,
    positives: usize,
}

impl Tally {
    fn add(&mut self, label: bool) {
        self.rows += 1;
        self.positives += usize::from(label);
    }
}

/// The pure group that holds the largest share of its outcome.
pub fn find_purest(column: &Column, outcomes: &Outcomes) -> Option<PureGroup> {
    let (mut missing, mut present) = (Tally::default(), Tally::default());
    let (mut zero, mut non_zero) = (Tally::default(), Tally::default());
    let mut single: BTreeMap<Key<'_>, (Cell<'_>, Tally)> = BTreeMap::new();
    for (row, label) in outcomes.labels.iter().enumerate() {
        let Some(label) = label else { continue };
        let cell = column.cell(row);
        match key_of(cell) {
            None => missing.add(*label),
            Some(key) => {
                present.add(*label);
                single.entry(key).or_insert_with(|| (cell, Tally::default())).1.add(*label);
            }
        }
        match cell {
            Cell::Number(0.0) => zero.add(*label),
            Cell::Number(_) => non_zero.add(*label),
            _ => {}
        }
    }
    let fixed = [
        (Group::Present, present),
        (Group::Missing, missing),
        (Group::NonZero, non_zero),
        (Group::Zero, zero),
    ];
    let values = single.into_values().filter_map(|(cell, tally)| match cell {
        Cell::Number(x) => Some((Group::Value(x), tally)),
        Cell::Text(level) => Some((Group::Level(level.to_string()), tally)),
        Cell::Missing => None,
    });
    // Four groups a column need no more rows than luck would; there may be thousands of values.
    let fixed = fixed.into_iter().map(|(group, tally)| (group, tally, limits::SHARED_LEVEL_ROWS_MIN));
    let least = group_rows_min(outcomes.labelled());
    let values = values.map(|(group, tally)| (group, tally, least));
    let pure = fixed.chain(values).filter_map(|(group, tally, least)| judge(group, tally, least, outcomes));
    // The first of equals: a group by presence explains more than the one level it may consist of.
    pure.reduce(|best, next| if next.class_share > best.class_share { next } else { best })
}

fn judge(group: Group, tally: Tally, least: usize, outcomes: &Outcomes) -> Option<PureGroup> {
    if tally.rows < least || tally.rows == outcomes.labelled() {
        return None;
    }
    let rate = tally.positives as f64 / tally.rows as f64;
    let (base, held, class) = if rate >= POSITIVE_RATE_MIN {
        (outcomes.rate(), tally.positives, outcomes.positives)
    } else if tally.positives == 0 {
        (1.0 - outcomes.rate(), tally.rows, outcomes.negatives)
    } else {
        return None;
    };
    let luck = base.powi(i32::try_from(tally.rows).unwrap_or(i32::MAX));
    let class_share = held as f64 / class.max(1) as f64;
    (luck < LUCK_MAX).then_some(PureGroup { group, rows: tally.rows, positive_rate: rate, class_share })
}
