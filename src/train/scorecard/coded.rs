//! Rows as codes, column by column, with labels and weights: checked once, so that the steps behind need not.
//! Never sees a value or a name.

use crate::model::trees::{CODES_MAX, CodeColumn};

/// Rows that do not belong together, or that nothing can be learned from.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum CodedError {
    #[error("there are no rows to train on")]
    Empty,
    #[error("{columns} columns of {rows} rows need {expected} codes and {found} were given")]
    Shape { columns: usize, rows: usize, expected: usize, found: usize },
    #[error("there are {weights} weights for {rows} rows")]
    Weights { weights: usize, rows: usize },
    #[error("row {row} weighs {weight}: a weight is a finite number above 0")]
    Weight { row: usize, weight: f64 },
    #[error("column {column} has {codes} codes; 2 to {max} are possible", max = CODES_MAX)]
    Codes { column: usize, codes: usize },
    #[error("column {column} has the code {code} in row {row}, where it has {codes} codes")]
    Code { column: usize, row: usize, code: u8, codes: usize },
    #[error("all {rows} rows have the same label ({label}): nothing can be learned from them")]
    OneClass { rows: usize, label: bool },
}

/// Column-major codes, each within its column's number of them; weights above 0; both labels present.
#[derive(Clone, Copy, Debug)]
pub struct CodedRows<'a> {
    columns: &'a [CodeColumn],
    codes: &'a [u8],
    labels: &'a [bool],
    weights: &'a [f64],
}

impl<'a> CodedRows<'a> {
    /// `codes` holds every row of the first column, then every row of the second.
    pub fn check(
        columns: &'a [CodeColumn],
        codes: &'a [u8],
        labels: &'a [bool],
        weights: &'a [f64],
    ) -> Result<Self, CodedError> {
        let rows = labels.len();
        let Some(&label) = labels.first() else { return Err(CodedError::Empty) };
        let expected = columns.len().saturating_mul(rows);
        if codes.len() != expected {
            let (columns, found) = (columns.len(), codes.len());
            return Err(CodedError::Shape { columns, rows, expected, found });
        }
        if weights.len() != rows {
            return Err(CodedError::Weights { weights: weights.len(), rows });
        }
        if let Some(row) = weights.iter().position(|w| !(w.is_finite() && *w > 0.0)) {
            return Err(CodedError::Weight { row, weight: weights[row] });
        }
        if labels.iter().all(|&other| other == label) {
            return Err(CodedError::OneClass { rows, label });
        }
        for (number, (column, codes)) in columns.iter().zip(codes.chunks(rows)).enumerate() {
            check_column(number, column.codes, codes)?;
        }
        Ok(Self { columns, codes, labels, weights })
    }

    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    pub fn columns(&self) -> &'a [CodeColumn] {
        self.columns
    }

    pub fn labels(&self) -> &'a [bool] {
        self.labels
    }

    pub fn weights(&self) -> &'a [f64] {
        self.weights
    }

    /// Each column with its codes, one a row.
    pub fn each_column(&self) -> impl Iterator<Item = (&'a CodeColumn, &'a [u8])> {
        self.columns.iter().zip(self.codes.chunks(self.labels.len()))
    }
}

fn check_column(column: usize, codes: usize, cells: &[u8]) -> Result<(), CodedError> {
    if !(2..=CODES_MAX).contains(&codes) {
        return Err(CodedError::Codes { column, codes });
    }
    match cells.iter().position(|&code| usize::from(code) >= codes) {
        Some(row) => Err(CodedError::Code { column, row, code: cells[row], codes }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [CodeColumn; 2] = [
        CodeColumn { column: 0, codes: 3, ordered: true },
        CodeColumn { column: 1, codes: 4, ordered: false },
    ];

    #[test]
    fn rows_that_do_not_belong_together_are_refused_by_name() {
        let labels = [true, false];
        let check = |codes: &[u8], weights: &[f64]| CodedRows::check(&TWO, codes, &labels, weights).err();
        assert_eq!(check(&[0, 2, 3, 1], &[1.0, 2.0]), None);
        let shape = CodedError::Shape { columns: 2, rows: 2, expected: 4, found: 3 };
        assert_eq!(check(&[0, 2, 3], &[1.0, 1.0]), Some(shape));
        let code = CodedError::Code { column: 0, row: 1, code: 3, codes: 3 };
        assert_eq!(check(&[0, 3, 3, 1], &[1.0, 1.0]), Some(code));
        assert_eq!(check(&[0, 2, 3, 1], &[1.0]), Some(CodedError::Weights { weights: 1, rows: 2 }));
        assert!(matches!(check(&[0, 2, 3, 1], &[1.0, f64::NAN]), Some(CodedError::Weight { row: 1, .. })));
        let same = CodedRows::check(&TWO, &[0, 2, 3, 1], &[true, true], &[1.0, 1.0]);
        assert!(matches!(same, Err(CodedError::OneClass { rows: 2, label: true })));
        assert!(matches!(CodedRows::check(&TWO, &[], &[], &[]), Err(CodedError::Empty)));
    }
}
