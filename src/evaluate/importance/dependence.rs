//! How a field's contribution goes with its value: points and the mean along a number, or by level.
//! Never smooths beyond means of rows; what it shows is the model's own and no effect in the world.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::rng::Random;
use crate::evaluate::importance::effects::{
    Cell, EFFECT_LEVELS_MAX, EffectsError, FieldEffect, Value, Values, csv_line, drawn_rows,
};
use crate::evaluate::ranked::split_evenly;

/// Parts of equal count that the mean along a number is taken over.
const TREND_PARTS: u64 = 24;

/// Rows of neighbouring numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrendPart {
    pub rows: u64,
    pub value_mean: f64,
    pub contribution_mean: f64,
}

/// Rows of one level, or of all that are rarer (`level` is nothing), or without a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub rows: u64,
    pub contribution_mean: f64,
    /// Of the rows that were drawn.
    pub contributions: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelGroup {
    pub level: String,
    pub group: Group,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    Numbers {
        /// Value and contribution of the rows that were drawn.
        points: Vec<(f64, f64)>,
        /// By rising value, over all rows. Equal values are in one part.
        trend: Vec<TrendPart>,
    },
    Levels {
        /// The most frequent first.
        levels: Vec<LevelGroup>,
        /// How many rarer levels there are, and their rows.
        others: Option<(u64, Group)>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependence {
    pub field: String,
    pub rows: u64,
    pub shape: Shape,
    /// Rows without a value, if there are any.
    pub missing: Option<Group>,
}

pub fn dependence(effect: &FieldEffect<'_>, seed: u64) -> Result<Dependence, EffectsError> {
    effect.check()?;
    let rows = effect.contributions.len();
    let kept = drawn_rows(rows, &mut Random::new(seed, "evaluate.dependence"));
    let is_kept = |row: &usize| kept.binary_search(row).is_ok();
    let group = |rows: &[usize]| Group {
        rows: rows.len() as u64,
        contribution_mean: mean(rows.iter().map(|&row| effect.contributions[row])),
        contributions: rows.iter().filter(|row| is_kept(row)).map(|&row| effect.contributions[row]).collect(),
    };
    let (missing, shape) = match effect.values {
        Values::Numbers(values) => {
            let (missing, mut known): (Vec<usize>, Vec<usize>) =
                (0..rows).partition(|&row| values[row].is_nan());
            let points: Vec<(f64, f64)> = known
                .iter()
                .filter(|row| is_kept(row))
                .map(|&row| (values[row], effect.contributions[row]))
                .collect();
            known.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
            (missing, Shape::Numbers { points, trend: trend(values, effect.contributions, &known) })
        }
        Values::Levels(values) => {
            let (missing, levels, rare) = by_level(values);
            let named = |(level, rows): &(&str, Vec<usize>)| LevelGroup {
                level: (*level).into(),
                group: group(rows),
            };
            let others: Vec<usize> = rare.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
            let others = (!rare.is_empty()).then(|| (rare.len() as u64, group(&others)));
            (missing, Shape::Levels { levels: levels.iter().map(named).collect(), others })
        }
    };
    let missing = (!missing.is_empty()).then(|| group(&missing));
    Ok(Dependence { field: effect.field.into(), rows: rows as u64, shape, missing })
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

/// Level and rows.
type Rows<'a> = Vec<(&'a str, Vec<usize>)>;

/// Rows without a level, frequent levels, and rare ones.
fn by_level<'a>(values: &[Option<&'a str>]) -> (Vec<usize>, Rows<'a>, Rows<'a>) {
    let mut missing = Vec::new();
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, level) in values.iter().enumerate() {
        match level {
            Some(level) => found.entry(level).or_default().push(row),
            None => missing.push(row),
        }
    }
    let mut found: Rows<'a> = found.into_iter().collect();
    found.sort_by_key(|(_, rows)| Reverse(rows.len()));
    let rare = found.split_off(found.len().min(EFFECT_LEVELS_MAX));
    (missing, found, rare)
}

/// Few different values have a part each.
fn trend(values: &[f64], contributions: &[f64], sorted: &[usize]) -> Vec<TrendPart> {
    let changes = sorted.windows(2).filter(|pair| values[pair[0]] != values[pair[1]]).count() as u64;
    let wanted = if changes < TREND_PARTS { sorted.len() as u64 } else { TREND_PARTS };
    let mut parts = Vec::new();
    let mut start = 0;
    for range in split_evenly(sorted.len() as u64, wanted) {
        let mut end = (range.end as usize).max(start);
        while end > start && end < sorted.len() && values[sorted[end]] == values[sorted[end - 1]] {
            end += 1;
        }
        let rows = &sorted[start..end];
        if let [first, .., last] | [first @ last] = rows {
            // A mean of equal values may miss them by a rounding; adding zero makes -0 a plain 0.
            let same = values[*first] == values[*last];
            let value_mean =
                if same { values[*first] + 0.0 } else { mean(rows.iter().map(|&row| values[row])) };
            parts.push(TrendPart {
                rows: rows.len() as u64,
                value_mean,
                contribution_mean: mean(rows.iter().map(|&row| contributions[row])),
            });
        }
        start = end;
    }
    parts
}

impl Dependence {
    /// One line a drawn point: value, contribution. Rarer levels are not told apart and are called `other`.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("field,value,contribution\r\n");
        let mut add = |value: Value, contribution: f64| {
            text.push_str(&csv_line(&[
                Cell::Text(&self.field),
                Cell::of(&value),
                Cell::Number(contribution),
            ]));
        };
        match &self.shape {
            Shape::Numbers { points, .. } => {
                points.iter().for_each(|(value, contribution)| add(Value::Number(*value), *contribution));
            }
            Shape::Levels { levels, others } => {
                for LevelGroup { level, group } in levels {
                    group.contributions.iter().for_each(|c| add(Value::Level(level.clone()), *c));
                }
                let others = others.iter().flat_map(|(_, group)| &group.contributions);
                others.for_each(|c| add(Value::Level("other".into()), *c));
            }
        }
        let missing = self.missing.iter().flat_map(|group| &group.contributions);
        missing.for_each(|c| add(Value::Missing(()), *c));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_points_and_a_mean_along_it() {
        let values: Vec<f64> =
            (0..4_800).map(|i| if i % 4 == 3 { f64::NAN } else { f64::from(i % 100) }).collect();
        let contributions: Vec<f64> =
            values.iter().map(|v| if v.is_nan() { -1.0 } else { v / 100.0 }).collect();
        let effect =
            FieldEffect { field: "age", values: Values::Numbers(&values), contributions: &contributions };
        let found = dependence(&effect, 1).unwrap();
        let Shape::Numbers { points, trend } = &found.shape else { panic!("{found:?}") };
        let missing = found.missing.as_ref().unwrap();
        assert_eq!((points.len() + missing.contributions.len(), missing.rows), (1_000, 1_200));
        assert!(trend.len() > 10 && trend.windows(2).all(|w| w[0].value_mean < w[1].value_mean));
        assert!(trend.iter().all(|part| (part.contribution_mean - part.value_mean / 100.0).abs() < 1e-9));
        assert_eq!(trend.iter().map(|part| part.rows).sum::<u64>(), 3_600);
        assert!((missing.contribution_mean + 1.0).abs() < 1e-12);
    }

    #[test]
    fn few_different_numbers_have_a_mean_each_however_rare() {
        let values: Vec<f64> = (0..1_000).map(|i| if i == 7 { 5.0 } else { f64::from(i % 3) }).collect();
        let effect = FieldEffect { field: "late", values: Values::Numbers(&values), contributions: &values };
        let Shape::Numbers { trend, .. } = dependence(&effect, 1).unwrap().shape else { panic!() };
        let means: Vec<_> = trend.iter().map(|part| (part.value_mean, part.rows)).collect();
        assert_eq!(means, [(0.0, 334), (1.0, 332), (2.0, 333), (5.0, 1)]);
    }

    #[test]
    fn levels_come_by_frequency_and_rare_ones_share_a_place() {
        let names: Vec<String> = (0..400).map(|i: i32| format!("l{}", i.isqrt())).collect();
        let levels: Vec<Option<&str>> =
            names.iter().enumerate().map(|(i, n)| if i < 5 { None } else { Some(n.as_str()) }).collect();
        let contributions: Vec<f64> = (0..400).map(|i| f64::from(i) / 100.0 - 2.0).collect();
        let effect =
            FieldEffect { field: "town", values: Values::Levels(&levels), contributions: &contributions };
        let found = dependence(&effect, 1).unwrap();
        let Shape::Levels { levels, others } = &found.shape else { panic!("{found:?}") };
        assert_eq!((levels.len(), levels[0].level.as_str(), levels[0].group.rows), (12, "l19", 39));
        let others = others.as_ref().unwrap();
        let rows: u64 = levels.iter().map(|l| l.group.rows).sum();
        assert_eq!(rows + others.1.rows + found.missing.as_ref().unwrap().rows, 400);
        assert_eq!(found.to_csv().lines().count(), 401);
        assert_eq!(
            serde_json::from_str::<Dependence>(&serde_json::to_string(&found).unwrap()).unwrap(),
            found
        );
    }

    #[test]
    fn no_rows_and_only_missing_ones_have_a_shape() {
        let none = FieldEffect { field: "a", values: Values::Numbers(&[]), contributions: &[] };
        let found = dependence(&none, 1).unwrap();
        assert_eq!((found.rows, found.missing), (0, None));
        let missing =
            FieldEffect { field: "a", values: Values::Levels(&[None, None]), contributions: &[0.5, 0.7] };
        assert_eq!(dependence(&missing, 1).unwrap().missing.unwrap().rows, 2);
    }
}
