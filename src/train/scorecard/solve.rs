//! A symmetric matrix taken apart by Cholesky's method: its equations solved, and its inverse looked up.
//! Knows no model.

/// The lower factor, row by row.
pub struct Factor {
    lower: Vec<f64>,
    count: usize,
}

/// The lower factor's inverse, column by column.
pub struct Inverse {
    columns: Vec<f64>,
    count: usize,
}

/// What is left of a diagonal entry is no smaller, whatever rounding has done to it.
const PIVOT_MIN: f64 = 1e-12;

impl Factor {
    /// Of the lower half of a positive matrix of `count` rows.
    pub fn of(mut matrix: Vec<f64>, count: usize) -> Self {
        for row in 0..count {
            let (above, below) = matrix.split_at_mut(row * count);
            let own = &mut below[..count];
            for column in 0..row {
                let other = &above[column * count..column * count + column + 1];
                let sum = dot(&own[..column], &other[..column]);
                own[column] = (own[column] - sum) / other[column];
            }
            let sum = dot(&own[..row], &own[..row]);
            own[row] = (own[row] - sum).max(PIVOT_MIN).sqrt();
        }
        Self { lower: matrix, count }
    }

    /// The vector that the matrix makes `right` of.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (count, mut found) = (self.count, right.to_vec());
        for row in 0..count {
            let line = &self.lower[row * count..row * count + row + 1];
            found[row] = (found[row] - dot(&line[..row], &found[..row])) / line[row];
        }
        for row in (0..count).rev() {
            let line = &self.lower[row * count..row * count + row + 1];
            found[row] /= line[row];
            let own = found[row];
            found[..row].iter_mut().zip(line).for_each(|(other, factor)| *other -= factor * own);
        }
        found
    }

    pub fn inverse(&self) -> Inverse {
        let count = self.count;
        let mut columns = vec![0.0; count * count];
        for (column, own) in columns.chunks_exact_mut(count.max(1)).enumerate() {
            own[column] = 1.0 / self.lower[column * count + column];
            for row in column + 1..count {
                let line = &self.lower[row * count..row * count + row + 1];
                own[row] = -dot(&line[column..row], &own[column..row]) / line[row];
            }
        }
        Inverse { columns, count }
    }
}

impl Inverse {
    /// An entry of the inverse of the whole matrix.
    pub fn covariance(&self, one: usize, other: usize) -> f64 {
        let (count, first) = (self.count, one.max(other));
        let of = |column: usize| &self.columns[column * count + first..(column + 1) * count];
        dot(of(one), of(other))
    }
}

/// In four sums, which are always added in the same order.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (mut a, mut b) = (a.chunks_exact(4), b.chunks_exact(4));
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    #[test]
    fn the_solution_and_the_inverse_undo_the_matrix() {
        let mut random = Random::new(5, "solve");
        let count = 11;
        let root: Vec<f64> = (0..count * count).map(|_| random.normal()).collect();
        let line = |row: usize| &root[row * count..(row + 1) * count];
        let entry =
            |row: usize, column: usize| dot(line(row), line(column)) + if row == column { 0.5 } else { 0.0 };
        let mut lower = vec![0.0; count * count];
        for row in 0..count {
            (0..=row).for_each(|column| lower[row * count + column] = entry(row, column));
        }
        let factor = Factor::of(lower, count);
        let right: Vec<f64> = (0..count).map(|_| random.normal()).collect();
        let (found, inverse) = (factor.solve(&right), factor.inverse());
        for (row, wanted) in right.iter().enumerate() {
            let back: f64 = (0..count).map(|column| entry(row, column) * found[column]).sum();
            assert!((back - wanted).abs() < 1e-9, "{back} {wanted}");
            for other in 0..count {
                let one: f64 = (0..count).map(|k| inverse.covariance(row, k) * entry(k, other)).sum();
                assert!((one - f64::from(u8::from(row == other))).abs() < 1e-9, "{row} {other} {one}");
            }
        }
    }
}
