//! The distribution of Kolmogorov's statistic for one sample of `n`, after Simard and L'Ecuyer: each way of reckoning
//! where it is both exact enough and quick.
//! Never the limit for endless samples, which is too rough for p-values of a few hundred rows.

use std::f64::consts::{PI, TAU};

use crate::monitor::statistics::density::{binomial, stirling_error};

/// The chance of a statistic of at least `x`; `n` is a whole number above 0.
pub(in crate::monitor::statistics) fn tail(n: f64, x: f64) -> f64 {
    let steps = n * x;
    let square = steps * x;
    if steps <= 0.5 {
        1.0
    } else if x >= 1.0 || (n > 140.0 && square >= 370.0) {
        0.0
    } else if steps <= 1.0 {
        let rows_by_power = (TAU * n).sqrt() * (stirling_error(n) - n).exp();
        1.0 - rows_by_power * (2.0 * steps - 1.0).powf(n)
    } else if steps >= n - 1.0 {
        2.0 * (1.0 - x).powf(n)
    } else if x >= 0.5 || square >= if n > 140.0 { 2.2 } else { 4.0 } {
        2.0 * one_sided(n, x)
    } else if n <= 140.0 || (n <= 100_000.0 && steps * x.sqrt() <= 1.4) {
        1.0 - durbin(n as u64, x)
    } else {
        1.0 - pelz_good(n, x)
    }
}

/// The chance that the gap on one side is at least `x`, after Birnbaum and Tingey; each term is a binomial chance.
fn one_sided(n: f64, x: f64) -> f64 {
    let mut sum = 0.0;
    let mut at = 0.0;
    while at <= (n * (1.0 - x)).floor() {
        let p = x + at / n;
        sum += binomial(at, n, p.min(1.0)) / p;
        at += 1.0;
    }
    sum * x
}

/// A square matrix by rows, times two to the `power`.
struct Scaled {
    cells: Vec<f64>,
    side: usize,
    power: i32,
}

impl Scaled {
    fn times(&self, other: &Self) -> Self {
        let side = self.side;
        let mut cells = vec![0.0; side * side];
        for (row, out) in self.cells.chunks_exact(side).zip(cells.chunks_exact_mut(side)) {
            for (&factor, line) in row.iter().zip(other.cells.chunks_exact(side)) {
                out.iter_mut().zip(line).for_each(|(cell, &x)| *cell += factor * x);
            }
        }
        Self { cells, side, power: self.power + other.power }.leveled()
    }

    fn middle(&self) -> f64 {
        let at = self.side / 2;
        self.cells.get(at * self.side + at).copied().unwrap_or(0.0)
    }

    fn leveled(mut self) -> Self {
        const STEP: i32 = 128;
        if self.middle().abs() > 2f64.powi(STEP) {
            self.cells.iter_mut().for_each(|cell| *cell *= 2f64.powi(-STEP));
            self.power += STEP;
        }
        self
    }
}

/// The chance of at most `x`, exactly, by the matrix of Durbin after Marsaglia, Tsang and Wang.
fn durbin(n: u64, x: f64) -> f64 {
    let steps = n as f64 * x;
    let k = steps.ceil();
    let mut square = durbin_matrix(k as usize, k - steps);
    let mut product: Option<Scaled> = None;
    let mut left = n;
    while left > 0 {
        if left % 2 == 1 {
            product = Some(match product {
                None => Scaled { cells: square.cells.clone(), ..square },
                Some(product) => product.times(&square),
            });
        }
        left /= 2;
        if left > 0 {
            square = square.times(&square);
        }
    }
    let Some(product) = product else { return 1.0 };
    // n! / n^n is far below the smallest float for most n: it joins the power of two as a logarithm.
    let n = n as f64;
    let log = product.middle().ln() + f64::from(product.power) * std::f64::consts::LN_2;
    (log + (TAU * n).sqrt().ln() + stirling_error(n) - n).exp()
}

fn durbin_matrix(k: usize, h: f64) -> Scaled {
    let side = 2 * k - 1;
    // 1 / j!
    let mut inverse = vec![1.0; side + 1];
    for j in 1..=side {
        inverse[j] = inverse[j - 1] / j as f64;
    }
    let edge = |row: usize| {
        let corner = if row + 1 == side {
            (2.0 * h - 1.0).max(0.0).powi(side as i32) - h.powi(side as i32)
        } else {
            0.0
        };
        (1.0 - h.powi(row as i32 + 1) + corner) * inverse[row + 1]
    };
    let mut cells = vec![0.0; side * side];
    for row in 0..side {
        for column in 0..side {
            cells[row * side + column] = if column == 0 {
                edge(row)
            } else if row + 1 == side {
                edge(side - 1 - column)
            } else if row + 1 >= column {
                inverse[row + 1 - column]
            } else {
                0.0
            };
        }
    }
    Scaled { cells, side, power: 0 }
}

/// The chance of at most `x` by the series of Pelz and Good in powers of the root of `n`.
fn pelz_good(n: f64, x: f64) -> f64 {
    let z = n.sqrt() * x;
    let (z2, z4, z6) = (z.powi(2), z.powi(4), z.powi(6));
    let (p2, p4, p6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let mut sums = [0.0f64; 4];
    let whole = (16.0 * z / PI).ceil() as i32;
    for k in (1..=whole).rev() {
        let m = f64::from(2 * k - 1);
        let (m2, m4, m6) = (m.powi(2), m.powi(4), m.powi(6));
        let weight = (-p2 * m2 / 8.0 / z2).exp();
        let half = f64::from(k).powi(2);
        let other = (-p2 * half / 2.0 / z2).exp();
        sums[0] += weight / z;
        sums[1] += weight * (p2 / 4.0 * m2 - z2) / (6.0 * z4);
        let second =
            6.0 * z6 + 2.0 * z4 + (2.0 * z4 - 5.0 * z2) * p2 / 4.0 * m2 + p4 * (1.0 - 2.0 * z2) / 16.0 * m4;
        sums[2] += weight * second / (72.0 * z.powi(7)) - other * half * p2 / (36.0 * z.powi(3));
        let third = -30.0 * z6 - 90.0 * z.powi(8)
            + p2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
            + p4 * (212.0 * z4 - 60.0 * z2) / 16.0 * m4
            + p6 * (5.0 - 30.0 * z2) / 64.0 * m6;
        let extra = (3.0 * z2 - p2 * half) * half * other * p2 / (216.0 * z6);
        sums[3] += weight * third / (6_480.0 * z.powi(10)) + extra;
    }
    let root = n.sqrt();
    let sum = sums[0] + (sums[1] + (sums[2] + sums[3] / root) / root) / root;
    sum * TAU.sqrt()
}
