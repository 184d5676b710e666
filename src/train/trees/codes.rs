//! What trees learn from: columns of codes with labels and weights, checked once and then carried as proof.
//! Never turns a raw value into a code.

use crate::model::trees::{CODES_MAX, CodeColumn};
use crate::train::trees::error::TreesError;

/// Codes, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeTable {
    pub rows: usize,
    pub columns: Vec<Vec<u8>>,
}

/// How the margin may move as an ordered column rises. Code 0, the missing cell, is no part of the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Monotone {
    #[default]
    Free,
    Rising,
    Falling,
}

/// One part of the data as it is handed in.
#[derive(Clone, Copy, Debug)]
pub struct CodedPart<'a> {
    pub table: &'a CodeTable,
    pub labels: &'a [bool],
    pub weights: &'a [f32],
}

/// What the columns are, in the order of `CodeTable::columns`.
#[derive(Clone, Copy, Debug)]
pub struct CodedShape<'a> {
    pub columns: &'a [CodeColumn],
    pub monotone: &'a [Monotone],
}

/// A part whose shape, codes and weights have been checked, with the codes also row by row: a histogram reads a
/// row's codes together, a split reads one column.
#[derive(Clone, Debug)]
pub struct CheckedPart<'a> {
    pub table: &'a CodeTable,
    pub labels: &'a [bool],
    pub weights: &'a [f32],
    /// `rows * width` codes.
    pub by_row: Vec<u8>,
    pub width: usize,
}

impl CodedShape<'_> {
    pub fn check(&self) -> Result<(), TreesError> {
        if self.monotone.len() != self.columns.len() || self.columns.len() > usize::from(u16::MAX) {
            let (found, expected) = (self.monotone.len(), self.columns.len());
            return Err(TreesError::Shape { part: "the table", what: "directions", found, expected });
        }
        for (column, (described, direction)) in self.columns.iter().zip(self.monotone).enumerate() {
            if !(2..=CODES_MAX).contains(&described.codes) {
                return Err(TreesError::Codes { column, codes: described.codes });
            }
            if !described.ordered && *direction != Monotone::Free {
                return Err(TreesError::Direction { column });
            }
        }
        Ok(())
    }
}

impl<'a> CodedPart<'a> {
    /// The lengths only.
    pub fn check_shape(&self, part: &'static str, shape: &CodedShape<'_>) -> Result<(), TreesError> {
        let (rows, width) = (self.table.rows, shape.columns.len());
        if rows == 0 {
            return Err(TreesError::NoRows { part });
        }
        let mut lengths = vec![
            ("columns", self.table.columns.len(), width),
            ("labels", self.labels.len(), rows),
            ("weights", self.weights.len(), rows),
            // Row numbers are kept as u32, and sums of that many rows fit the packed halves of a histogram.
            ("rows", rows.min(1 << 28), rows),
        ];
        lengths.extend(self.table.columns.iter().map(|codes| ("codes in a column", codes.len(), rows)));
        if let Some((what, found, expected)) =
            lengths.into_iter().find(|(_, found, expected)| found != expected)
        {
            return Err(TreesError::Shape { part, what, found, expected });
        }
        Ok(())
    }

    /// `shape` must have been checked itself.
    pub fn check(&self, part: &'static str, shape: &CodedShape<'_>) -> Result<CheckedPart<'a>, TreesError> {
        self.check_shape(part, shape)?;
        let width = shape.columns.len();
        for (column, (codes, described)) in self.table.columns.iter().zip(shape.columns).enumerate() {
            let codes_max = described.codes;
            match codes.iter().max() {
                Some(&code) if usize::from(code) >= codes_max => {
                    return Err(TreesError::Code { part, column, code, codes: codes_max });
                }
                _ => {}
            }
        }
        let bad = |weight: &f32| !(weight.is_finite() && *weight >= 0.0);
        if let Some(row) = self.weights.iter().position(bad) {
            return Err(TreesError::Weight { part, row, weight: self.weights[row] });
        }
        let by_row = rows_of(self.table, width);
        Ok(CheckedPart { table: self.table, labels: self.labels, weights: self.weights, by_row, width })
    }
}

fn rows_of(table: &CodeTable, width: usize) -> Vec<u8> {
    let mut by_row = vec![0; table.rows * width];
    for (place, codes) in table.columns.iter().enumerate() {
        for (row, &code) in by_row.chunks_exact_mut(width).zip(codes) {
            row[place] = code;
        }
    }
    by_row
}

impl CheckedPart<'_> {
    pub fn rows(&self) -> usize {
        self.table.rows
    }

    /// The weighted log-odds of the labels, or that there is only one class.
    pub fn log_odds(&self, part: &'static str) -> Result<f64, TreesError> {
        let (mut positive, mut negative) = (0.0, 0.0);
        for (&label, &weight) in self.labels.iter().zip(self.weights) {
            if label { positive += f64::from(weight) } else { negative += f64::from(weight) }
        }
        if positive > 0.0 && negative > 0.0 {
            Ok((positive / negative).ln())
        } else {
            Err(TreesError::OneClass { part })
        }
    }
}
