//! Codes: one small whole number a cell, for families that ask which bin or level a cell is in and never how much.
//! Fitted like an encoding, without labels; code 0 is the missing cell.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::table::Table;
use crate::features::binning::cuts::cuts;
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
#[derive(Clone, Debug, PartialEq)]
pub struct CodeRules {
    /// Bins of a numeric field at most.
    pub bins_max: usize,
    /// Training rows that a bin has at least, as far as ties let it.
    pub bin_rows_min: usize,
    /// Training rows without which a level has no code of its own.
    pub level_rows_min: usize,
    /// Numbers at which a bin of the named field must end.
    pub edges: BTreeMap<String, Vec<f64>>,
}

impl Default for CodeRules {
    fn default() -> Self {
        Self { bins_max: limits::CODES_MAX - 2, bin_rows_min: 3, level_rows_min: 10, edges: BTreeMap::new() }
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
            let edges = rules.edges.get(&feature.field).map(Vec::as_slice).unwrap_or_default();
            let bins_max = rules.bins_max.saturating_sub(edges.len()).max(1);
            let mut cuts = cuts(present.sorted(), bins_max, rules.bin_rows_min);
            cuts.extend_from_slice(edges);
            cuts.sort_by(f64::total_cmp);
            cuts.dedup();
            Ok(Code::Bins { cuts, low, high })
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
