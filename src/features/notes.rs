//! What an officer must know of one row beside its score: which fields were missing, which levels the
//! training never saw often enough, which numbers lie beyond its range. Never changes an encoding.

use crate::data::table::{Table, TextValues};
use crate::features::binning::codes::Code;
use crate::features::encode::{FieldColumn, SCALE_DEVIATIONS_MAX, find_level};
use crate::features::error::FeatureError;
use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};
use crate::features::transform::BoundRecipe;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowNotes {
    /// Fields without a value.
    pub missing: Vec<String>,
    /// Fields and their levels that are not among the known levels.
    pub unseen: Vec<(String, String)>,
    /// Numeric fields beyond the outer cuts of the training, or beyond 8 deviations where scaled.
    pub out_of_range: Vec<String>,
}

impl FittedRecipe {
    /// The notes of one row.
    pub fn notes(&self, table: &Table, row: usize) -> Result<RowNotes, FeatureError> {
        Ok(self.bind(table)?.notes(row))
    }
}

impl BoundRecipe<'_> {
    /// The notes of one row; of a row beyond the table, all fields are missing.
    pub fn notes(&self, row: usize) -> RowNotes {
        let mut notes = RowNotes::default();
        for (field, column) in self.recipe.fields.iter().zip(&self.columns) {
            match column {
                FieldColumn::Numbers(numbers) => note_number(field, numbers.get(row), &mut notes),
                FieldColumn::Text(text) => note_level(field, find_cell(text, row), &mut notes),
            }
        }
        notes
    }
}

fn find_cell(text: &TextValues, row: usize) -> Option<&str> {
    let code = *text.codes.get(row)?;
    text.levels.get(code as usize).map(String::as_str)
}

fn note_number(field: &FittedField, number: Option<&f64>, notes: &mut RowNotes) {
    match number.filter(|x| !x.is_nan()) {
        None => notes.missing.push(field.field.to_string()),
        Some(&x) if is_out_of_range(field, x) => notes.out_of_range.push(field.field.to_string()),
        Some(_) => {}
    }
}

fn note_level(field: &FittedField, level: Option<&str>, notes: &mut RowNotes) {
    let keeps_none = matches!(field.encoding, FittedEncoding::Hash { .. }) && field.known_levels.is_empty();
    match level {
        None => notes.missing.push(field.field.to_string()),
        Some(level) if !keeps_none && find_level(&field.known_levels, level).is_none() => {
            notes.unseen.push((field.field.to_string(), level.to_string()));
        }
        Some(_) => {}
    }
}

fn is_out_of_range(field: &FittedField, x: f64) -> bool {
    match &field.encoding {
        FittedEncoding::Scale { deviation: 0.0, median, .. } => x != *median,
        FittedEncoding::Scale { mean, deviation, .. } => (x - mean).abs() > SCALE_DEVIATIONS_MAX * deviation,
        FittedEncoding::Quantile { cuts, .. } | FittedEncoding::Piecewise { cuts, .. } => {
            cuts.first().is_some_and(|low| x < *low) || cuts.last().is_some_and(|high| x > *high)
        }
        FittedEncoding::OneHot { .. } | FittedEncoding::Ordinal { .. } | FittedEncoding::Hash { .. } => false,
        FittedEncoding::None {} => match field.code.as_ref().map(|code| &code.of) {
            Some(Code::Bins { low, high, .. }) => x < *low || x > *high,
            _ => false,
        },
    }
}
