//! The mathematics of one cell: from a number or a level to the columns of its field.
//! All in f64, cast to f32 at the end; no cell depends on another row.

use crate::base::digest::Hasher;
use crate::data::table::{Column, Table, TextValues, Values};
use crate::features::error::FeatureError;
use crate::features::recipe::{FittedEncoding, FittedField};

/// Scaled values are held within this many deviations, so that one freak value cannot decide alone.
pub const SCALE_DEVIATIONS_MAX: f64 = 8.0;
/// The place of a level that has none: the middle, so that missing is neither best nor worst.
const ORDINAL_PLACE_UNKNOWN: f64 = 0.5;

/// A field's column in a table, of the kind that its encoding reads.
#[derive(Clone, Copy)]
pub enum FieldColumn<'a> {
    Numbers(&'a [f64]),
    Text(&'a TextValues),
}

/// Where a level of text falls: one column of the encoding and its value, whether the encoding's last
/// column (missing or unknown) is set as well, and the code of a field that has codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    pub offset: usize,
    pub value: f32,
    pub flagged: bool,
    pub code: f32,
}

impl FittedField {
    /// Where a level falls; `None` is a missing cell.
    pub fn mark(&self, level: Option<&str>) -> Mark {
        let code = self.code.as_ref().map_or(0, |code| code.of.of_level(level));
        Mark { code: code as f32, ..self.encoding.mark(&self.field, level) }
    }
}

impl Mark {
    /// Into the field's columns of a whole row, which hold zeros.
    pub fn write(self, row: &mut [f32], field: &FittedField) {
        let out = &mut row[field.start..field.start + field.width];
        if let Some(slot) = out.get_mut(self.offset) {
            *slot = self.value;
        }
        if self.flagged
            && let Some(flag) = out.last_mut()
        {
            *flag = 1.0;
        }
        if let Some(code) = &field.code {
            row[code.column] = self.code;
        }
    }
}

pub fn find_numbers<'a>(table: &'a Table, field: &str) -> Result<&'a [f64], FeatureError> {
    numbers_of(table.find_column(field).ok_or_else(|| missing(field))?)
}

pub fn find_text<'a>(table: &'a Table, field: &str) -> Result<&'a TextValues, FeatureError> {
    text_of(table.find_column(field).ok_or_else(|| missing(field))?)
}

/// The columns of fields in their order. Mostly that is the table's own, so each field is looked for first behind
/// the one before.
pub fn find_fields<'a>(
    table: &'a Table,
    fields: &[FittedField],
) -> Result<Vec<FieldColumn<'a>>, FeatureError> {
    let mut found = Vec::with_capacity(fields.len());
    let mut next = 0;
    for field in fields {
        let place = table.find_place(&field.field, next).ok_or_else(|| missing(&field.field))?;
        next = place + 1;
        let column = &table.columns()[place];
        found.push(if field.is_numeric() {
            FieldColumn::Numbers(numbers_of(column)?)
        } else {
            FieldColumn::Text(text_of(column)?)
        });
    }
    Ok(found)
}

fn numbers_of(column: &Column) -> Result<&[f64], FeatureError> {
    match &column.values {
        Values::Number(numbers) => Ok(numbers),
        Values::Text(_) => Err(wrong_kind(column, "numbers")),
    }
}

fn text_of(column: &Column) -> Result<&TextValues, FeatureError> {
    match &column.values {
        Values::Text(text) => Ok(text),
        Values::Number(_) => Err(wrong_kind(column, "text")),
    }
}

fn missing(field: &str) -> FeatureError {
    FeatureError::MissingColumn { field: field.to_string() }
}

fn wrong_kind(column: &Column, expected: &'static str) -> FeatureError {
    FeatureError::ColumnKind { field: column.name.to_string(), found: column.kind.as_str(), expected }
}

impl FittedEncoding {
    /// Writes a number (NaN is missing) into the field's columns, which hold zeros. A missing number
    /// is encoded as the median and flagged in the last column, where there is an indicator.
    pub fn write_number(&self, number: f64, out: &mut [f32]) {
        let (median, indicator) = match self {
            Self::Scale { median, indicator, .. }
            | Self::Quantile { median, indicator, .. }
            | Self::Piecewise { median, indicator, .. } => (*median, *indicator),
            Self::None {} | Self::OneHot { .. } | Self::Ordinal { .. } | Self::Hash { .. } => return,
        };
        let missing = number.is_nan();
        if missing
            && indicator
            && let Some(flag) = out.last_mut()
        {
            *flag = 1.0;
        }
        let columns = out.len() - usize::from(indicator);
        self.write_present(if missing { median } else { number }, &mut out[..columns]);
    }

    fn write_present(&self, x: f64, out: &mut [f32]) {
        match self {
            Self::Scale { mean, deviation, .. } => {
                if let Some(slot) = out.first_mut() {
                    *slot = scaled(x, *mean, *deviation);
                }
            }
            Self::Quantile { cuts, .. } => {
                if let Some(slot) = out.first_mut() {
                    *slot = quantile_place(cuts, x);
                }
            }
            Self::Piecewise { cuts, .. } => write_piecewise(cuts, x, out),
            Self::None {} | Self::OneHot { .. } | Self::Ordinal { .. } | Self::Hash { .. } => {}
        }
    }

    /// Where a level falls; `None` is a missing cell.
    pub fn mark(&self, field: &str, level: Option<&str>) -> Mark {
        let one = |offset| Mark { offset, value: 1.0, flagged: false, code: 0.0 };
        match self {
            Self::OneHot { levels } => match level {
                None => one(levels.len()),
                Some(text) => one(find_level(levels, text).unwrap_or(levels.len() + 1)),
            },
            Self::Ordinal { order } => {
                let place = level.and_then(|text| order.iter().position(|l| l == text));
                let value = ordinal_value(place, order.len());
                Mark { offset: 0, value, flagged: place.is_none(), code: 0.0 }
            }
            Self::Hash { buckets } => one(level.map_or(*buckets, |text| bucket(field, text, *buckets))),
            Self::None {} | Self::Scale { .. } | Self::Quantile { .. } | Self::Piecewise { .. } => {
                Mark { offset: 0, value: 0.0, flagged: false, code: 0.0 }
            }
        }
    }
}

fn scaled(x: f64, mean: f64, deviation: f64) -> f32 {
    ((x - mean) / deviation).clamp(-SCALE_DEVIATIONS_MAX, SCALE_DEVIATIONS_MAX) as f32
}

fn quantile_place(cuts: &[f64], x: f64) -> f32 {
    let (bin, share) = locate(cuts, x);
    ((bin as f64 + share) / (cuts.len() - 1) as f64) as f32
}

fn write_piecewise(cuts: &[f64], x: f64, out: &mut [f32]) {
    if out.is_empty() {
        return;
    }
    let (bin, share) = locate(cuts, x);
    out[..bin].fill(1.0);
    out[bin] = share as f32;
}

/// The bin of at least two cuts that `x` is in, and how far along it lies; beyond the outer cuts the
/// nearest end of the nearest bin.
fn locate(cuts: &[f64], x: f64) -> (usize, f64) {
    let last = cuts.len() - 2;
    let bin = cuts.partition_point(|cut| *cut <= x).saturating_sub(1).min(last);
    let share = (x - cuts[bin]) / (cuts[bin + 1] - cuts[bin]);
    (bin, share.clamp(0.0, 1.0))
}

/// The place of `text` in a sorted list of levels.
pub fn find_level(levels: &[String], text: &str) -> Option<usize> {
    levels.binary_search_by(|level| level.as_str().cmp(text)).ok()
}

fn ordinal_value(place: Option<usize>, count: usize) -> f32 {
    match place {
        None => ORDINAL_PLACE_UNKNOWN as f32,
        Some(place) => (place as f64 / (count - 1).max(1) as f64) as f32,
    }
}

fn bucket(field: &str, level: &str, buckets: usize) -> usize {
    let mut hasher = Hasher::new();
    hasher.update(field.as_bytes());
    hasher.update(&[0]);
    hasher.update(level.as_bytes());
    let mut first = [0u8; 8];
    first.copy_from_slice(&hasher.finish().as_bytes()[..8]);
    (u64::from_le_bytes(first) % buckets as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piecewise(cuts: &[f64], x: f64) -> Vec<f32> {
        let mut out = vec![0.0; cuts.len() - 1];
        write_piecewise(cuts, x, &mut out);
        out
    }

    #[test]
    fn a_number_fills_the_bins_below_it_and_part_of_its_own() {
        let cuts = [0.0, 10.0, 20.0, 40.0];
        assert_eq!(piecewise(&cuts, 5.0), [0.5, 0.0, 0.0]);
        assert_eq!(piecewise(&cuts, 10.0), [1.0, 0.0, 0.0]);
        assert_eq!(piecewise(&cuts, 30.0), [1.0, 1.0, 0.5]);
        assert_eq!(quantile_place(&cuts, 30.0), 2.5 / 3.0);
    }

    #[test]
    fn beyond_the_outer_cuts_the_encoding_stays_where_it_is() {
        let cuts = [0.0, 10.0, 20.0];
        for x in [20.0, 20.5, 1e300, f64::INFINITY] {
            assert_eq!(piecewise(&cuts, x), [1.0, 1.0]);
            assert_eq!(quantile_place(&cuts, x), 1.0);
        }
        for x in [0.0, -0.5, -1e300, f64::NEG_INFINITY] {
            assert_eq!(piecewise(&cuts, x), [0.0, 0.0]);
            assert_eq!(quantile_place(&cuts, x), 0.0);
        }
        assert_eq!(scaled(1e300, 0.0, 1e-300), 8.0);
        assert_eq!(scaled(f64::NEG_INFINITY, 0.0, 1.0), -8.0);
    }

    #[test]
    fn a_missing_number_is_the_median_with_its_flag() {
        let encoding =
            FittedEncoding::Piecewise { cuts: vec![0.0, 10.0, 20.0], median: 15.0, indicator: true };
        let mut out = [0.0; 3];
        encoding.write_number(f64::NAN, &mut out);
        assert_eq!(out, [1.0, 0.5, 1.0]);
        let mut out = [0.0; 3];
        encoding.write_number(15.0, &mut out);
        assert_eq!(out, [1.0, 0.5, 0.0]);
    }

    #[test]
    fn a_level_without_a_place_stands_in_the_middle_and_is_flagged() {
        let encoding = FittedEncoding::Ordinal { order: vec!["low".into(), "mid".into(), "high".into()] };
        let mark = |level| {
            let mark = encoding.mark("risk", level);
            (mark.offset, mark.value, mark.flagged)
        };
        assert_eq!(mark(Some("low")), (0, 0.0, false));
        assert_eq!(mark(Some("high")), (0, 1.0, false));
        assert_eq!(mark(Some("extreme")), (0, 0.5, true));
        assert_eq!(mark(None), (0, 0.5, true));
    }

    #[test]
    fn buckets_are_those_that_any_other_reader_computes() {
        // From Python: int.from_bytes(hashlib.sha256(b"city\0Oslo").digest()[:8], "little") % 64
        assert_eq!(bucket("city", "Oslo", 64), 17);
        assert_ne!(bucket("city", "Oslo", 4096), bucket("town", "Oslo", 4096));
    }
}
