//! Fits a checked recipe to training rows: medians, cuts, levels, and the numbering of columns.
//! Sees no labels; the caller chooses the rows, and their order changes nothing.

use std::collections::BTreeMap;

use crate::base::limits;
use crate::data::table::{Table, TextValues};
use crate::features::binning::Present;
use crate::features::binning::codes::{Code, CodeRules, fit_code};
use crate::features::encode::{find_numbers, find_text};
use crate::features::error::FeatureError;
use crate::features::recipe::{
    Encoding, FieldCode, FieldRecipe, FittedEncoding, FittedField, FittedRecipe, Recipe,
};

/// What a family reads of a field: the columns of its encoding, its code, or both.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    Columns,
    Codes(CodeRules),
    Both(CodeRules),
}

/// Fits over all rows of `table`, which must be training rows only.
pub fn fit(recipe: &Recipe, form: &Form, table: &Table) -> Result<FittedRecipe, FeatureError> {
    let mut fields = Vec::with_capacity(recipe.features().len());
    let mut width = 0;
    for feature in recipe.features() {
        let fitted = FittedField { start: width, ..fit_field(feature, form, table)? };
        width += fitted.width;
        if width + recipe.features().len() > limits::MATRIX_WIDTH_MAX {
            let field = fitted.field;
            return Err(FeatureError::TooWide {
                field: field.to_string(),
                found: width,
                max: limits::MATRIX_WIDTH_MAX,
            });
        }
        fields.push(fitted);
    }
    let codes = fields.iter_mut().filter_map(|field| field.code.as_mut());
    codes.enumerate().for_each(|(rank, code)| code.column = width + rank);
    let recipe = FittedRecipe { fields, width };
    if recipe.row_width() == 0 || !recipe.varies() {
        Err(FeatureError::NothingVaries { rows: table.rows() })
    } else {
        Ok(recipe)
    }
}

impl FittedRecipe {
    /// Whether any field could tell two rows apart.
    fn varies(&self) -> bool {
        let has_codes = |code: &FieldCode| code.of.count() > 2;
        self.width > 0 || self.fields.iter().any(|field| field.code.as_ref().is_some_and(has_codes))
    }
}

fn fit_field(feature: &FieldRecipe, form: &Form, table: &Table) -> Result<FittedField, FeatureError> {
    let code = match form {
        Form::Columns => None,
        Form::Codes(rules) | Form::Both(rules) => Some(fit_code(feature, rules, table)?),
    };
    let (encoding, known_levels) = match form {
        Form::Codes(_) => {
            (FittedEncoding::None {}, code.as_ref().map(Code::known_levels).unwrap_or_default())
        }
        Form::Columns | Form::Both(_) => fit_feature(feature, table)?,
    };
    let width = encoding.width();
    let code = code.map(|of| FieldCode { column: 0, of });
    Ok(FittedField { field: feature.field.as_str().into(), encoding, start: 0, width, known_levels, code })
}

fn fit_feature(feature: &FieldRecipe, table: &Table) -> Result<(FittedEncoding, Vec<String>), FeatureError> {
    let field = &feature.field;
    let unknown_to_numbers = |encoding| (encoding, Vec::new());
    match &feature.encoding {
        Encoding::Scale => fit_scale(field, table).map(unknown_to_numbers),
        Encoding::Quantile { bins } => fit_quantile(field, *bins, table).map(unknown_to_numbers),
        Encoding::Piecewise { bins } => fit_piecewise(field, *bins, table).map(unknown_to_numbers),
        Encoding::OneHot { min_rows } => fit_one_hot(field, *min_rows, table),
        Encoding::Ordinal { order } => fit_ordinal(field, order, table),
        Encoding::Hash { buckets } => fit_hash(field, *buckets, table),
    }
}

fn fit_scale(field: &str, table: &Table) -> Result<FittedEncoding, FeatureError> {
    let (present, indicator) = present_numbers(field, table)?;
    let (mean, deviation) = present.mean_and_deviation();
    Ok(FittedEncoding::Scale { mean, deviation, median: present.median(), indicator })
}

fn fit_quantile(field: &str, bins: usize, table: &Table) -> Result<FittedEncoding, FeatureError> {
    let (present, indicator) = present_numbers(field, table)?;
    Ok(FittedEncoding::Quantile { cuts: present.cuts(bins), median: present.median(), indicator })
}

fn fit_piecewise(field: &str, bins: usize, table: &Table) -> Result<FittedEncoding, FeatureError> {
    let (present, indicator) = present_numbers(field, table)?;
    Ok(FittedEncoding::Piecewise { cuts: present.cuts(bins), median: present.median(), indicator })
}

/// The present numbers of a field, and whether some rows have none and so need an indicator.
pub(crate) fn present_numbers(field: &str, table: &Table) -> Result<(Present, bool), FeatureError> {
    let numbers = find_numbers(table, field)?;
    let max = limits::NUMBER_MAGNITUDE_MAX;
    if let Some((row, &value)) = numbers.iter().enumerate().find(|(_, x)| x.abs() > max) {
        return Err(FeatureError::Magnitude { field: field.to_string(), row, value, max });
    }
    let present = Present::of(numbers).ok_or_else(|| no_values(field, table))?;
    let indicator = present.sorted().len() < numbers.len();
    Ok((present, indicator))
}

fn no_values(field: &str, table: &Table) -> FeatureError {
    FeatureError::NoValues { field: field.to_string(), rows: table.rows() }
}

fn fit_one_hot(
    field: &str,
    min_rows: usize,
    table: &Table,
) -> Result<(FittedEncoding, Vec<String>), FeatureError> {
    let levels = levels_of_at_least(min_rows, &present_levels(field, table)?);
    let found = levels.len();
    if found > limits::ONE_HOT_LEVELS_MAX {
        let field = field.to_string();
        return Err(FeatureError::TooManyLevels { field, found, max: limits::ONE_HOT_LEVELS_MAX });
    }
    Ok((FittedEncoding::OneHot { levels: levels.clone() }, levels))
}

fn fit_ordinal(
    field: &str,
    order: &[String],
    table: &Table,
) -> Result<(FittedEncoding, Vec<String>), FeatureError> {
    let seen = present_levels(field, table)?;
    if !order.iter().any(|level| seen.contains_key(level.as_str())) {
        return Err(FeatureError::OrderUnmatched { field: field.to_string() });
    }
    let mut known = order.to_vec();
    known.sort();
    Ok((FittedEncoding::Ordinal { order: order.to_vec() }, known))
}

fn fit_hash(
    field: &str,
    buckets: usize,
    table: &Table,
) -> Result<(FittedEncoding, Vec<String>), FeatureError> {
    let mut known = levels_of_at_least(limits::SHARED_LEVEL_ROWS_MIN, &present_levels(field, table)?);
    if known.len() > limits::KNOWN_LEVELS_MAX {
        known.clear();
    }
    Ok((FittedEncoding::Hash { buckets }, known))
}

/// The levels of a field's rows, by text, and how many rows have each; at least one.
pub(crate) fn present_levels<'a>(
    field: &str,
    table: &'a Table,
) -> Result<BTreeMap<&'a str, usize>, FeatureError> {
    let counts = count_levels(find_text(table, field)?);
    if counts.is_empty() { Err(no_values(field, table)) } else { Ok(counts) }
}

fn count_levels(text: &TextValues) -> BTreeMap<&str, usize> {
    let mut by_code = vec![0usize; text.levels.len()];
    for &code in &text.codes {
        if let Some(count) = by_code.get_mut(code as usize) {
            *count += 1;
        }
    }
    let mut by_text = BTreeMap::new();
    for (level, count) in text.levels.iter().zip(by_code).filter(|(_, count)| *count > 0) {
        *by_text.entry(level.as_str()).or_insert(0) += count;
    }
    by_text
}

fn levels_of_at_least(min_rows: usize, counts: &BTreeMap<&str, usize>) -> Vec<String> {
    counts.iter().filter(|(_, count)| **count >= min_rows).map(|(level, _)| level.to_string()).collect()
}
