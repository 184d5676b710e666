//! Synthetic rows, stored with a model so that every copy of it can be tried: each field is drawn on
//! its own from the reference. No row drawn equals a training row, and no rare value ever appears.

use crate::base::limits;
use crate::base::rng::Random;
use crate::data::table::{Column, MISSING, Table, TextValues, Values};
use crate::features::encode::{FieldColumn, find_numbers, find_text};
use crate::features::error::FeatureError;
use crate::features::reference::{Marginal, Reference, ReferenceField};

/// How often a row is drawn anew where it happens to equal a training row.
const ATTEMPTS_MAX: usize = 64;
/// After this many such attempts one more field is left empty, so that few and coarse fields, whose
/// every combination some training row has, still yield rows.
const ATTEMPTS_PER_BLANK: usize = 16;

/// One drawn cell; a level is an index into the reference's levels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Draw {
    Missing,
    Number(f64),
    Level(usize),
}

/// Draws `rows` rows of the reference's fields that no row of `training` equals in all of them. There
/// are fewer only where even rows with empty fields could not be told from training rows.
pub fn draw_golden(
    reference: &Reference,
    training: &Table,
    seed: u64,
    rows: usize,
) -> Result<Table, FeatureError> {
    if rows > limits::GOLDEN_ROWS_MAX {
        return Err(FeatureError::TooManyGoldenRows { found: rows, max: limits::GOLDEN_ROWS_MAX });
    }
    let real = RealRows::bind(reference, training)?;
    let mut random = Random::new(seed, "golden");
    let drawn: Vec<Vec<Draw>> =
        (0..rows).filter_map(|_| draw_new_row(reference, &real, &mut random)).collect();
    Ok(to_table(reference, &drawn))
}

fn draw_new_row(reference: &Reference, real: &RealRows<'_>, random: &mut Random) -> Option<Vec<Draw>> {
    (0..ATTEMPTS_MAX).find_map(|attempt| {
        let mut row: Vec<Draw> = reference.fields.iter().map(|field| draw_cell(field, random)).collect();
        for _ in 0..attempt / ATTEMPTS_PER_BLANK {
            let blank = random.below(row.len());
            row[blank] = Draw::Missing;
        }
        (!real.contain(&row)).then_some(row)
    })
}

/// Missing as often as in training; else a bin or level by its share. Rows of levels too rare to be
/// told are no part of the shares.
fn draw_cell(field: &ReferenceField, random: &mut Random) -> Draw {
    match &field.marginal {
        Marginal::Numbers { edges, rows, decimals } => {
            let told = if edges.is_empty() { &[] } else { rows.as_slice() };
            match draw_share(field.missing, told.iter().copied(), random) {
                None => Draw::Missing,
                Some(bin) => Draw::Number(draw_number(edges[bin], edges[bin + 1], *decimals, random)),
            }
        }
        Marginal::Text { levels, .. } => {
            let shares = levels.iter().map(|level| level.rows);
            draw_share(field.missing, shares, random).map_or(Draw::Missing, Draw::Level)
        }
    }
}

/// The index of the share that is drawn, or nothing where the draw falls to the missing rows.
fn draw_share(missing: u64, shares: impl Iterator<Item = u64> + Clone, random: &mut Random) -> Option<usize> {
    let total = missing + shares.clone().sum::<u64>();
    let mut drawn = (random.below(total as usize) as u64).checked_sub(missing)?;
    for (index, share) in shares.enumerate() {
        match drawn.checked_sub(share) {
            None => return Some(index),
            Some(rest) => drawn = rest,
        }
    }
    None
}

/// Uniform above `low` and up to `high`, rounded up as the bins are: what is drawn stays in its bin.
fn draw_number(low: f64, high: f64, decimals: u32, random: &mut Random) -> f64 {
    let share = random.unit();
    let exact = high * (1.0 - share) + low * share;
    let scale = 10f64.powi(decimals as i32);
    ((exact * scale).ceil() / scale).min(high) + 0.0
}

/// The training rows as the draws see them.
struct RealRows<'a> {
    rows: usize,
    fields: Vec<RealField<'a>>,
}

struct RealField<'a> {
    column: FieldColumn<'a>,
    /// The training table's code of each of the reference's levels.
    codes: Vec<Option<u32>>,
}

impl<'a> RealRows<'a> {
    fn bind(reference: &Reference, training: &'a Table) -> Result<Self, FeatureError> {
        let bind = |field| RealField::bind(field, training);
        let fields = reference.fields.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Self { rows: training.rows(), fields })
    }

    fn contain(&self, row: &[Draw]) -> bool {
        (0..self.rows).any(|real| self.fields.iter().zip(row).all(|(field, draw)| field.equals(real, *draw)))
    }
}

impl<'a> RealField<'a> {
    fn bind(field: &ReferenceField, training: &'a Table) -> Result<Self, FeatureError> {
        let Marginal::Text { levels, .. } = &field.marginal else {
            let column = FieldColumn::Numbers(find_numbers(training, &field.field)?);
            return Ok(Self { column, codes: Vec::new() });
        };
        let text = find_text(training, &field.field)?;
        let mut codes = vec![None; levels.len()];
        for (code, level) in text.levels.iter().enumerate() {
            if let Ok(index) = levels.binary_search_by(|known| known.level.cmp(level)) {
                codes[index] = Some(code as u32);
            }
        }
        Ok(Self { column: FieldColumn::Text(text), codes })
    }

    fn equals(&self, real: usize, draw: Draw) -> bool {
        match (&self.column, draw) {
            (FieldColumn::Numbers(numbers), Draw::Number(x)) => numbers[real] == x,
            (FieldColumn::Numbers(numbers), _) => numbers[real].is_nan(),
            (FieldColumn::Text(text), Draw::Level(level)) => self.codes[level] == Some(text.codes[real]),
            (FieldColumn::Text(text), _) => text.get(real).is_none(),
        }
    }
}

fn to_table(reference: &Reference, drawn: &[Vec<Draw>]) -> Table {
    let column = |(index, field): (usize, &ReferenceField)| {
        let cells = drawn.iter().map(|row| row[index]);
        Column { name: field.field.as_str().into(), kind: field.kind, values: to_values(field, cells) }
    };
    // Every column has one cell a drawn row, so the table cannot be uneven.
    Table::new(reference.fields.iter().enumerate().map(column).collect()).unwrap_or_default()
}

fn to_values(field: &ReferenceField, cells: impl Iterator<Item = Draw>) -> Values {
    match &field.marginal {
        Marginal::Numbers { .. } => Values::Number(cells.map(to_number).collect()),
        Marginal::Text { levels, .. } => Values::Text(TextValues {
            levels: levels.iter().map(|l| l.level.clone()).collect(),
            codes: cells.map(to_code).collect(),
        }),
    }
}

fn to_number(draw: Draw) -> f64 {
    match draw {
        Draw::Number(x) => x,
        Draw::Missing | Draw::Level(_) => f64::NAN,
    }
}

fn to_code(draw: Draw) -> u32 {
    match draw {
        Draw::Level(level) => level as u32,
        Draw::Missing | Draw::Number(_) => MISSING,
    }
}
