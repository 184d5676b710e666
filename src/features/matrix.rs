//! The encoded table: rows of f32, row-major. Never holds a NaN.

/// `rows` times `width` values; row `r` is `values[r * width..][..width]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub width: usize,
    pub values: Vec<f32>,
}

impl Matrix {
    pub fn zeros(rows: usize, width: usize) -> Self {
        Self { rows, width, values: vec![0.0; rows * width] }
    }

    /// The same rows with their first columns only.
    pub fn first_columns(&self, width: usize) -> Self {
        let width = width.min(self.width);
        let values = (0..self.rows).flat_map(|row| &self.row(row)[..width]).copied().collect();
        Self { rows: self.rows, width, values }
    }

    /// These rows, in this order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let values = rows.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { rows: rows.len(), width: self.width, values }
    }

    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.width..(row + 1) * self.width]
    }
}
