//! The swarm of a model: for each of its most important fields, what single rows got from it and how high their value
//! ranked. Never says who a row is.

use serde::{Deserialize, Serialize};

use crate::base::rng::Random;
use crate::evaluate::importance::effects::{
    Cell, EffectsError, FieldEffect, SWARM_FIELDS_MAX, Value, Values, csv_line, drawn_rows,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwarmPoint {
    pub contribution: f64,
    pub value: Value,
    /// The share of rows with a lower number, 0 to 1; equal numbers share the middle. Nothing for levels and where
    /// the value is missing.
    pub rank: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwarmField {
    pub field: String,
    /// Over all rows, not only those drawn.
    pub mean_absolute: f64,
    pub points: Vec<SwarmPoint>,
}

/// Fields by falling mean size; equal ones by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swarm {
    pub rows: u64,
    /// Fields that are left out, each less important than those that are there.
    pub others: u64,
    pub fields: Vec<SwarmField>,
}

/// All fields have the same rows; of very many the seed draws which are shown, the same for each field.
pub fn swarm(effects: &[FieldEffect<'_>], seed: u64) -> Result<Swarm, EffectsError> {
    let rows = effects.first().map_or(0, |effect| effect.contributions.len());
    for effect in effects {
        effect.check()?;
        if effect.contributions.len() != rows {
            let (field, found) = (effect.field.to_string(), effect.contributions.len());
            return Err(EffectsError::Rows { field, found, expected: rows });
        }
    }
    let size = |effect: &FieldEffect<'_>| {
        effect.contributions.iter().map(|c| c.abs()).sum::<f64>() / rows.max(1) as f64
    };
    let mut ranked: Vec<(f64, &FieldEffect<'_>)> = effects.iter().map(|e| (size(e), e)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.field.cmp(b.1.field)));
    let others = ranked.len().saturating_sub(SWARM_FIELDS_MAX) as u64;
    ranked.truncate(SWARM_FIELDS_MAX);
    let kept = drawn_rows(rows, &mut Random::new(seed, "evaluate.swarm"));
    let field = |(mean_absolute, effect): (f64, &FieldEffect<'_>)| {
        let ranks = ranks(&effect.values);
        let point = |&row: &usize| SwarmPoint {
            contribution: effect.contributions[row],
            value: Value::of(&effect.values, row),
            rank: ranks.get(row).copied().filter(|rank| !rank.is_nan()),
        };
        SwarmField { field: effect.field.into(), mean_absolute, points: kept.iter().map(point).collect() }
    };
    Ok(Swarm { rows: rows as u64, others, fields: ranked.into_iter().map(field).collect() })
}

/// Each number's place among all, 0 to 1, NaN where there is none; nothing at all for levels.
fn ranks(values: &Values<'_>) -> Vec<f64> {
    let Values::Numbers(numbers) = values else { return Vec::new() };
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1).max(1) as f64;
    let place = |number: &f64| {
        let below = sorted.partition_point(|other| other < number);
        let upto = sorted.partition_point(|other| other <= number);
        if number.is_nan() { f64::NAN } else { (below + upto.saturating_sub(1)) as f64 / 2.0 / last }
    };
    numbers.iter().map(place).collect()
}

impl Swarm {
    /// One line a point: field, value, rank, contribution.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("field,value,rank,contribution\r\n");
        for field in &self.fields {
            for point in &field.points {
                let rank = point.rank.map_or(Cell::Empty, Cell::Number);
                let contribution = Cell::Number(point.contribution);
                text.push_str(&csv_line(&[
                    Cell::Text(&field.field),
                    Cell::of(&point.value),
                    rank,
                    contribution,
                ]));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_by_size_and_numbers_by_rank() {
        let levels = [Some("b"), None, Some("a"), Some("a")];
        let effects = [
            FieldEffect {
                field: "small",
                values: Values::Levels(&levels),
                contributions: &[0.1, 0.0, 0.0, -0.1],
            },
            FieldEffect {
                field: "large",
                values: Values::Numbers(&[5.0, f64::NAN, 9.0, 5.0]),
                contributions: &[1.0, -1.0, 0.0, 0.5],
            },
        ];
        let found = swarm(&effects, 1).unwrap();
        assert_eq!(found.fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["large", "small"]);
        let ranks: Vec<_> = found.fields[0].points.iter().map(|p| p.rank).collect();
        assert_eq!(ranks, [Some(0.25), None, Some(1.0), Some(0.25)]);
        assert!(found.fields[1].points.iter().all(|p| p.rank.is_none()));
        let csv = found.to_csv();
        assert!(
            csv.contains("large,5,0.25,1\r\nlarge,,,-1\r\n") && csv.contains("small,b,,0.1\r\n"),
            "{csv}"
        );
        let text = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Swarm>(&text).unwrap(), found);
    }

    #[test]
    fn many_rows_are_drawn_alike_for_all_fields_and_many_fields_are_counted() {
        let numbers: Vec<f64> = (0..3_000).map(f64::from).collect();
        let names: Vec<String> = (0..20).map(|i| format!("f{i:02}")).collect();
        let effects: Vec<FieldEffect<'_>> = names
            .iter()
            .map(|name| FieldEffect {
                field: name,
                values: Values::Numbers(&numbers),
                contributions: &numbers,
            })
            .collect();
        let found = swarm(&effects, 1).unwrap();
        assert_eq!((found.fields.len(), found.others, found.rows), (SWARM_FIELDS_MAX, 6, 3_000));
        assert!(found.fields.windows(2).all(|w| w[0].points == w[1].points));
        assert_eq!(found, swarm(&effects, 1).unwrap());
        assert_ne!(found, swarm(&effects, 2).unwrap());
        assert!(swarm(&[], 1).unwrap().fields.is_empty());
    }
}
