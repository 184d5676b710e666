//! Charts of what fields do: over many rows, along one field, and in one decision.
//! Never shows who a row is.

use crate::evaluate::charts::svg::At;

pub mod dependence;
pub mod swarm;
pub mod waterfall;

/// Points of one row of a chart, moved up and down from `middle` by turns where they would lie on each other, by at
/// most `reach`. Depends on the order of points alone, so a drawing is the same every time.
fn packed(xs: &[f64], middle: f64, reach: f64) -> Vec<At> {
    const COLUMN: f64 = 3.0;
    let column = |x: f64| (x / COLUMN).round() as i64;
    let mut counts: std::collections::BTreeMap<i64, usize> = std::collections::BTreeMap::new();
    xs.iter().for_each(|&x| *counts.entry(column(x)).or_default() += 1);
    let fullest = counts.values().copied().max().unwrap_or(1);
    let step = (2.0 * reach / fullest as f64).min(COLUMN);
    counts.values_mut().for_each(|count| *count = 0);
    let place = |&x: &f64| {
        let before = counts.entry(column(x)).or_default();
        let side = if before.is_multiple_of(2) { 1.0 } else { -1.0 };
        let away = before.div_ceil(2) as f64 * step;
        *before += 1;
        (x, middle + side * away.min(reach))
    };
    xs.iter().map(place).collect()
}
