//! Statistics of two samples of numbers that were sorted once: distinct values, Wasserstein's distance, the spread.
//! Never sees a missing or infinite number.

use std::f64::consts::PI;

/// The sample's finite numbers in rising order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    pub fn of(numbers: &[f64]) -> Self {
        let mut finite: Vec<f64> = numbers.iter().copied().filter(|x| x.is_finite()).collect();
        finite.sort_unstable_by(f64::total_cmp);
        Self(finite)
    }

    pub fn numbers(&self) -> &[f64] {
        &self.0
    }

    pub fn rows(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn mean(&self) -> Option<f64> {
        let mean = self.0.iter().sum::<f64>() / self.0.len() as f64;
        mean.is_finite().then_some(mean)
    }

    /// The standard deviation of these rows (not an estimate of others').
    pub fn deviation(&self) -> Option<f64> {
        let mean = self.mean()?;
        let squares: f64 = self.0.iter().map(|x| (x - mean).powi(2)).sum();
        Some((squares / self.0.len() as f64).sqrt()).filter(|x| x.is_finite())
    }
}

/// The distinct numbers of both samples with the rows of each, rising; nothing where there are more than `most`.
pub fn distinct(reference: &Sorted, current: &Sorted, most: usize) -> Option<Vec<(f64, [u64; 2])>> {
    let mut found: Vec<(f64, [u64; 2])> = Vec::new();
    for run in Merged::of(reference, current) {
        if found.len() == most {
            return None;
        }
        found.push((run.value, run.rows));
    }
    Some(found)
}

/// The area between the two distribution functions. Nothing where a sample is empty or the area is beyond a float.
pub fn wasserstein(reference: &Sorted, current: &Sorted) -> Option<f64> {
    let (n1, n2) = (reference.rows() as f64, current.rows() as f64);
    let mut area = 0.0;
    let mut gap = 0.0;
    let mut below: Option<f64> = None;
    let mut seen = [0u64; 2];
    for run in Merged::of(reference, current) {
        if let Some(below) = below {
            area += gap * (run.value - below);
        }
        seen = [seen[0] + run.rows[0], seen[1] + run.rows[1]];
        gap = (seen[0] as f64 / n1 - seen[1] as f64 / n2).abs();
        below = Some(run.value);
    }
    Some(area).filter(|area| area.is_finite() && n1 > 0.0 && n2 > 0.0)
}

/// Wasserstein's distance that chance alone gives on average, were both samples drawn from `reference`.
pub fn wasserstein_of_chance(reference: &Sorted, current_rows: u64) -> f64 {
    let n = reference.rows() as f64;
    let steps = reference.0.windows(2).enumerate();
    let area: f64 = steps
        .filter_map(|(at, pair)| {
            let share = (at + 1) as f64 / n;
            let [low, high] = pair else { return None };
            Some((share * (1.0 - share)).sqrt() * (high - low))
        })
        .sum();
    area * (2.0 / PI * (1.0 / n + 1.0 / current_rows as f64)).sqrt()
}

/// A value and the rows of each sample that have it.
#[derive(Clone, Copy, Debug)]
pub(in crate::monitor::statistics) struct Run {
    pub(in crate::monitor::statistics) value: f64,
    pub(in crate::monitor::statistics) rows: [u64; 2],
}

/// The distinct values of two sorted samples, rising.
pub(in crate::monitor::statistics) struct Merged<'a> {
    left: [&'a [f64]; 2],
}

impl<'a> Merged<'a> {
    pub(in crate::monitor::statistics) fn of(reference: &'a Sorted, current: &'a Sorted) -> Self {
        Self { left: [&reference.0, &current.0] }
    }
}

impl Iterator for Merged<'_> {
    type Item = Run;

    fn next(&mut self) -> Option<Run> {
        let value = match self.left.map(<[f64]>::first) {
            [Some(&a), Some(&b)] => a.min(b),
            [one, other] => *one.or(other)?,
        };
        let rows = self.left.each_mut().map(|left| {
            let same = left.iter().take_while(|x| **x == value).count();
            *left = left.get(same..).unwrap_or_default();
            same as u64
        });
        Some(Run { value, rows })
    }
}
