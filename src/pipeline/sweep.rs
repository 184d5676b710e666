//! Every field that may move the margin one way only, moved through its values on real rows: the proof that it does.
//! Nothing of a row is kept, only how often and how far the margin went.

use serde::Serialize;

use crate::base::canonical;
use crate::base::fact::{Class, Fact, Failure};
use crate::data::table::{Column, Table, TextValues, Values};
use crate::model::trained::Model;
use crate::pipeline::artifacts::Artifact;
use crate::train::monotone::{Direction, Directions};

/// Rows that each field is moved on, and values it is moved to.
const ROWS: usize = 200;
const STEPS: usize = 64;
/// What the last bits of sums may differ by; a violation is more.
const ROUNDING: f64 = 1e-9;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Swept {
    pub field: String,
    pub direction: Direction,
    pub rows: usize,
    pub values: usize,
    /// Steps on which the margin went the forbidden way, and the farthest it went.
    pub violations: usize,
    pub worst: f64,
    /// The mean size of what the field moves the margin by, from its lowest to its highest value.
    pub mean_range: f64,
}

/// Sweeps the fields on rows of this table; a model that breaks what was asked of it is refused.
pub fn sweep(model: &Model, directions: &Directions, table: &Table) -> Result<Option<Artifact>, Failure> {
    if directions.is_empty() || table.rows() == 0 {
        return Ok(None);
    }
    let step = table.rows().div_ceil(ROWS).max(1);
    let rows: Vec<usize> = (0..table.rows()).step_by(step).collect();
    let few = table.select(&rows);
    let mut all = Vec::new();
    for (field, direction) in directions.iter() {
        let swept = sweep_field(model, (field, direction), &few, table)?;
        if swept.violations > 0 {
            return Err(NotMonotone { swept }.into());
        }
        all.push(swept);
    }
    Ok(Some(Artifact { path: "monotone.json".into(), bytes: canonical::to_bytes(&all)? }))
}

fn sweep_field(
    model: &Model,
    (field, direction): (&str, Direction),
    few: &Table,
    whole: &Table,
) -> Result<Swept, Failure> {
    let sign = match direction {
        Direction::Rising => 1.0,
        Direction::Falling => -1.0,
    };
    let values = values_of(whole, field, model);
    let mut lowest: Option<Vec<f64>> = None;
    let mut before: Option<Vec<f64>> = None;
    let (mut violations, mut worst) = (0, 0.0f64);
    for value in &values {
        let margins = model.margins(&model.recipe.transform(&moved(few, field, value))?);
        if let Some(before) = &before {
            for (before, now) in before.iter().zip(&margins) {
                let back = sign * (before - now);
                if back > ROUNDING {
                    violations += 1;
                    worst = worst.max(back);
                }
            }
        }
        lowest.get_or_insert_with(|| margins.clone());
        before = Some(margins);
    }
    let ends = lowest.iter().flatten().zip(before.iter().flatten());
    let range = ends.map(|(low, high)| (high - low).abs()).sum::<f64>();
    Ok(Swept {
        field: field.to_string(),
        direction,
        rows: few.rows(),
        values: values.len(),
        violations,
        worst,
        mean_range: range / few.rows().max(1) as f64,
    })
}

/// A value that a field is moved to.
enum Place {
    Number(f64),
    Level(String),
}

/// Numbers from the least to the greatest and beyond both; or the levels of a declared order.
fn values_of(table: &Table, field: &str, model: &Model) -> Vec<Place> {
    match table.find_column(field).map(|column| &column.values) {
        Some(Values::Number(numbers)) => {
            let mut sorted: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
            sorted.sort_by(f64::total_cmp);
            sorted.dedup();
            let Some((first, last)) = sorted.first().zip(sorted.last()) else { return Vec::new() };
            let beyond = (last - first).abs().max(1.0);
            let (below, above) = (first - beyond, last + beyond);
            let step = sorted.len().div_ceil(STEPS).max(1);
            let inner = sorted.iter().copied().step_by(step);
            [below].into_iter().chain(inner).chain([above]).map(Place::Number).collect()
        }
        _ => model.recipe.order_of(field).into_iter().flatten().cloned().map(Place::Level).collect(),
    }
}

fn moved(table: &Table, field: &str, place: &Place) -> Table {
    let column = |column: &Column| match place {
        _ if column.name != field => column.clone(),
        Place::Number(x) => {
            Column { values: Values::Number(vec![*x; table.rows()].into()), ..column.clone() }
        }
        Place::Level(level) => {
            let text = TextValues { levels: vec![level.clone()].into(), codes: vec![0; table.rows()].into() };
            Column { values: Values::Text(text), ..column.clone() }
        }
    };
    let columns = table.columns().iter().map(column).collect();
    // Columns of one table, as long as each other.
    Table::new(columns).unwrap_or_else(|_| table.clone())
}

#[derive(Debug, thiserror::Error)]
#[error(
    "field {:?} was to be {:?}, but moved the margin the other way {} times on {} rows, by {} at most",
    swept.field, swept.direction, swept.violations, swept.rows, swept.worst
)]
struct NotMonotone {
    swept: Swept,
}

impl Fact for NotMonotone {
    fn code(&self) -> &'static str {
        "train.not_monotone"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}
