//! The two-sample test of Kolmogorov and Smirnov: exact up to the sample size at which scipy stops being so, else by
//! the distribution of one sample of the equivalent size.
//! Never one-sided.

use crate::monitor::statistics::Tested;
use crate::monitor::statistics::smirnov::tail;
use crate::monitor::statistics::sorted::{Merged, Sorted};

/// The larger sample up to which every path is counted.
const EXACT_ROWS_MAX: u64 = 10_000;

/// Nothing where a sample is empty.
pub fn kolmogorov_smirnov(reference: &Sorted, current: &Sorted) -> Option<Tested> {
    let (n1, n2) = (reference.rows(), current.rows());
    if n1 == 0 || n2 == 0 {
        return None;
    }
    let farthest = farthest(reference, current);
    if n1.max(n2) <= EXACT_ROWS_MAX
        && let Some(exact) = exact(n1, n2, farthest)
    {
        return Some(exact);
    }
    let (n1, n2) = (n1 as f64, n2 as f64);
    let equivalent = (n1 * n2 / (n1 + n2)).round_ties_even();
    Some(Tested { statistic: farthest, p_value: tail(equivalent, farthest).clamp(0.0, 1.0) })
}

/// The largest gap between the two distribution functions.
fn farthest(reference: &Sorted, current: &Sorted) -> f64 {
    let (n1, n2) = (reference.rows() as f64, current.rows() as f64);
    let mut seen = [0u64; 2];
    let mut farthest = 0.0f64;
    for run in Merged::of(reference, current) {
        seen = [seen[0] + run.rows[0], seen[1] + run.rows[1]];
        farthest = farthest.max((seen[0] as f64 / n1 - seen[1] as f64 / n2).abs());
    }
    farthest
}

fn exact(n1: u64, n2: u64, farthest: f64) -> Option<Tested> {
    let shared = common_divisor(n1, n2);
    let steps = (n1 / shared * n2) as f64;
    let height = (farthest * steps).round_ties_even();
    let statistic = height / steps;
    let p_value = if height == 0.0 {
        1.0
    } else if n1 == n2 {
        outside_square(n1 as f64, height)
    } else {
        outside(n1.max(n2) as i64, n1.min(n2) as i64, shared as i64, height as i64)
    };
    (0.0..=1.0).contains(&p_value).then_some(Tested { statistic, p_value })
}

/// The share of paths through a square of `n` that leave the band of `height` about its diagonal.
fn outside_square(n: f64, height: f64) -> f64 {
    let mut share = 0.0;
    let mut fold = (n / height).floor();
    while fold >= 0.0 {
        let mut term = 1.0;
        let mut at = 0.0;
        while at < height {
            term = (n - fold * height - at) * term / (n + fold * height + at + 1.0);
            at += 1.0;
        }
        share = term * (1.0 - share);
        fold -= 1.0;
    }
    2.0 * share
}

/// The share of paths through a rectangle `m` by `n` (`m` the longer side) that leave the band about its diagonal,
/// column by column: of the paths to each point of the band, the share that has been outside.
fn outside(m: i64, n: i64, shared: i64, height: i64) -> f64 {
    let (mg, ng) = (m / shared, n / shared);
    let ceil = |a: i64, b: i64| -(-a).div_euclid(b);
    let (mut first, mut last) = (0i64, ceil(height, mg).min(n + 1));
    // What is not in the band is 1.
    let mut column = vec![0.0f64; last as usize];
    let mut before = Vec::with_capacity(column.len());
    for i in 1..=m {
        let first_before = first;
        std::mem::swap(&mut column, &mut before);
        column.clear();
        first = ((ng * i - height).div_euclid(mg) + 1).clamp(0, n);
        last = ceil(ng * i + height, mg).min(n + 1);
        if last <= first {
            return 1.0;
        }
        let mut share = if first == 0 { 0.0 } else { 1.0 };
        for j in first..last {
            let left = before.get((j - first_before) as usize).copied().unwrap_or(1.0);
            share = (left * i as f64 + share * j as f64) / (i + j) as f64;
            column.push(share);
        }
    }
    column.last().copied().unwrap_or(1.0)
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}
