//! Codes: one small whole number a cell, for families that ask which bin or level a cell is in and never how much.
//! Fitted like an encoding, without labels; code 0 is the missing cell.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::table::Table;
use crate::features::encode::find_level;
use crate::features::error::FeatureError;
use crate::features::fit::{present_levels, present_numbers};
use crate::features::recipe::{Encoding, FieldRecipe};

/// How a field's cells become codes 1 and up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case", deny_unknown_fields)]
pub enum Code {
    /// 1 more than how many cuts lie below the number: bin i holds what is above cut i - 2 and at most cut i - 1.
    /// `low` and `high` are about the least and greatest number seen.
    Bins { cuts: Vec<f64>, low: f64, high: f64 },
    /// 1 more than the place in the order; a level that is not in it counts as missing.
    Order { order: Vec<String> },
    /// 1 more than the place among these (sorted); the last code is for every other level.
    Levels { levels: Vec<String> },
}

/// How fine codes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRules {
    /// Bins of a numeric field at most.
    pub bins_max: usize,
    /// Training rows that a bin has at least, as far as ties let it.
    pub bin_rows_min: usize,
    /// Training rows without which a level has no code of its own.
    pub level_rows_min: usize,
}

impl Default for CodeRules {
    fn default() -> Self {
        Self { bins_max: limits::CODES_MAX - 1, bin_rows_min: 5, level_rows_min: 10 }
    }
}

impl Code {
    /// Codes there are, the missing one included.
    pub fn count(&self) -> usize {
        match self {
            Self::Bins { cuts, .. } => cuts.len() + 2,
            Self::Order { order } => order.len() + 1,
            Self::Levels { levels } => levels.len() + 2,
        }
    }

    /// Whether codes from 1 on rise with what they stand for.
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::Levels { .. })
    }

    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Bins { .. })
    }

    /// Levels that have a code of their own, sorted.
    pub(crate) fn known_levels(&self) -> Vec<String> {
        let mut known = match self {
            Self::Bins { .. } => Vec::new(),
            Self::Order { order: levels } | Self::Levels { levels } => levels.clone(),
        };
        known.sort();
        known
    }

    /// Of a number (NaN is missing); 0 where the codes are of text.
    pub fn of_number(&self, number: f64) -> usize {
        match self {
            Self::Bins { cuts, .. } if !number.is_nan() => 1 + cuts.partition_point(|cut| *cut < number),
            _ => 0,
        }
    }

    /// Of a level; 0 where the codes are of numbers.
    pub fn of_level(&self, level: Option<&str>) -> usize {
        match (self, level) {
            (Self::Order { order }, Some(text)) => {
                order.iter().position(|known| known == text).map_or(0, |place| place + 1)
            }
            (Self::Levels { levels }, Some(text)) => find_level(levels, text).unwrap_or(levels.len()) + 1,
            _ => 0,
        }
    }

    /// Refuses codes that `fit_code` would not give.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.count() > limits::CODES_MAX {
            return Err("it has too many codes");
        }
        match self {
            Self::Bins { cuts, low, high }
                if !cuts.iter().chain([low, high]).all(|x| x.abs() <= limits::NUMBER_MAGNITUDE_MAX) =>
            {
                Err("a cut of its codes is not finite, or too large")
            }
            Self::Bins { cuts, .. } if cuts.windows(2).any(|pair| pair[0] >= pair[1]) => {
                Err("the cuts of its codes do not increase")
            }
            Self::Levels { levels } if levels.windows(2).any(|pair| pair[0] >= pair[1]) => {
                Err("the levels of its codes are not sorted")
            }
            Self::Order { order } if order.is_empty() => Err("the order of its codes is empty"),
            _ => Ok(()),
        }
    }
}

/// Codes of a field over training rows.
pub(crate) fn fit_code(
    feature: &FieldRecipe,
    rules: &CodeRules,
    table: &Table,
) -> Result<Code, FeatureError> {
    match &feature.encoding {
        Encoding::Scale | Encoding::Quantile { .. } | Encoding::Piecewise { .. } => {
            let (present, _) = present_numbers(&feature.field, table)?;
            let (low, high) = present.shared_range();
            Ok(Code::Bins { cuts: cuts(present.sorted(), rules), low, high })
        }
        Encoding::Ordinal { order } if order.len() < limits::CODES_MAX => {
            present_levels(&feature.field, table)?;
            Ok(Code::Order { order: order.clone() })
        }
        Encoding::Ordinal { .. } | Encoding::OneHot { .. } | Encoding::Hash { .. } => {
            let counts = present_levels(&feature.field, table)?;
            let mut frequent: Vec<(&str, usize)> =
                counts.into_iter().filter(|(_, rows)| *rows >= rules.level_rows_min).collect();
            frequent.sort_by_key(|(level, rows)| (Reverse(*rows), *level));
            frequent.truncate(limits::CODES_MAX - 2);
            let mut levels: Vec<String> = frequent.into_iter().map(|(level, _)| level.to_string()).collect();
            levels.sort();
            Ok(Code::Levels { levels })
        }
    }
}

/// Cuts halfway between two neighbouring values, so that bins hold about as many rows each: a value that many rows
/// share has a bin of its own, the rows left are divided evenly among the bins left. The sorted values are at
/// least one.
fn cuts(sorted: &[f64], rules: &CodeRules) -> Vec<f64> {
    let ties: Vec<(f64, usize)> = sorted.chunk_by(|a, b| a == b).map(|t| (t[0], t.len())).collect();
    let mut cuts = Vec::new();
    let (mut in_bin, mut left) = (0, sorted.len());
    let mut bins_left = rules.bins_max;
    let few = ties.len() <= rules.bins_max;
    for pair in ties.windows(2) {
        let ((value, rows), (next, next_rows)) = (pair[0], pair[1]);
        in_bin += rows;
        left -= rows;
        let share = (in_bin + left).div_ceil(bins_left.max(1));
        let full = few || in_bin >= share || in_bin + next_rows / 2 > share;
        if full && bins_left > 1 && in_bin >= rules.bin_rows_min && left >= rules.bin_rows_min {
            cuts.push(halfway(value, next));
            bins_left -= 1;
            in_bin = 0;
        }
    }
    cuts
}

/// A number that is at least `low` and below `high`, also where the two are neighbours or their sum is too large.
fn halfway(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    if middle >= low && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(bins_max: usize, bin_rows_min: usize) -> CodeRules {
        CodeRules { bins_max, bin_rows_min, level_rows_min: 1 }
    }

    #[test]
    fn few_values_have_a_bin_each_and_rare_ends_join_their_neighbour() {
        assert_eq!(cuts(&[1.0, 1.0, 2.0, 2.0, 5.0, 5.0], &rules(10, 1)), [1.5, 3.5]);
        assert_eq!(cuts(&[1.0, 2.0, 2.0, 5.0, 5.0, 9.0], &rules(10, 2)), [3.5]);
        assert!(cuts(&[4.0; 9], &rules(10, 1)).is_empty());
    }

    #[test]
    fn many_values_fall_into_bins_of_about_the_same_size() {
        let sorted: Vec<f64> = (0..1000).map(f64::from).collect();
        let found = cuts(&sorted, &rules(10, 3));
        assert_eq!(found.len(), 9);
        let code = Code::Bins { cuts: found, low: 0.0, high: 999.0 };
        let mut rows = [0; 11];
        sorted.iter().for_each(|x| rows[code.of_number(*x)] += 1);
        assert!(rows[1..].iter().all(|count| (95..=105).contains(count)), "{rows:?}");
    }

    #[test]
    fn a_heavy_value_takes_one_bin_and_leaves_the_others_to_the_rest() {
        let mut sorted = vec![0.0; 900];
        sorted.extend((1..=100).map(f64::from));
        let found = cuts(&sorted, &rules(11, 1));
        assert_eq!(found.len(), 10);
        assert_eq!(found[0], 0.5);
    }

    #[test]
    fn a_cell_has_the_code_of_its_bin_its_level_or_none() {
        let bins = Code::Bins { cuts: vec![1.0, 2.0], low: 0.0, high: 3.0 };
        let codes: Vec<usize> = [f64::NAN, 0.5, 1.0, 1.5, 2.0, 9.0].map(|x| bins.of_number(x)).to_vec();
        assert_eq!(codes, [0, 1, 1, 2, 2, 3]);
        let levels = Code::Levels { levels: vec!["A".into(), "B".into()] };
        assert_eq!([None, Some("A"), Some("B"), Some("Z")].map(|l| levels.of_level(l)), [0, 1, 2, 3]);
        let order = Code::Order { order: vec!["low".into(), "high".into()] };
        assert_eq!([None, Some("high"), Some("Z")].map(|l| order.of_level(l)), [0, 2, 0]);
        assert_eq!((bins.count(), levels.count(), order.count()), (4, 4, 3));
    }

    #[test]
    fn a_cut_between_neighbouring_numbers_still_parts_them() {
        let next = f64::from_bits(1.0f64.to_bits() + 1);
        assert_eq!(halfway(1.0, next), 1.0);
        assert!(halfway(-1e300, 1e300).abs() < 1e284);
    }
}
