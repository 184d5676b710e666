//! The question that several nodes gain most by together: what each gains by itself, summed, and nothing from one
//! that the question does not suit. Touches no rows.

use crate::model::trees::{CODES_MAX, CodeColumn, CodeSet, Split};
use crate::train::trees::codes::Monotone;
use crate::train::trees::grow::gradients::{Packed, Sums};
use crate::train::trees::grow::histogram::{Bins, Histogram};
use crate::train::trees::grow::levels::{FEW_MAX, key};
use crate::train::trees::grow::split::Judge;

/// The column that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Of the table.
    pub number: u16,
    /// Among the columns offered.
    pub place: usize,
    pub described: CodeColumn,
    pub direction: Monotone,
}

/// A question found.
#[derive(Clone, Copy, Debug)]
pub struct Common {
    pub gain: f64,
    pub column: Column,
    pub split: Split,
    /// Added to the hessian of both sides of a node, for each of the node's own.
    lambda_share: f64,
}

/// A node and its sums by code of the column that is asked.
pub type Node<'a> = (&'a Judge<'a>, &'a Bins);

impl Common {
    /// What goes left of a node.
    pub fn left(&self, histogram: &Histogram) -> Packed {
        let bins = histogram.0[self.column.place].iter().take(self.column.described.codes);
        let left = bins.enumerate().filter(|(code, _)| self.split.is_left(*code as u8));
        left.fold(0, |sum: Packed, (_, &bin)| sum.wrapping_add(bin))
    }

    pub fn lambda(&self, judge: &Judge<'_>) -> f64 {
        self.lambda_share * judge.node.sums.hessian
    }
}

/// The column's best, if it gains anything.
pub fn question(nodes: &[Node<'_>], column: Column) -> Option<Common> {
    if column.described.ordered { up_to(nodes, column) } else { among(nodes, column) }
}

fn up_to(nodes: &[Node<'_>], column: Column) -> Option<Common> {
    let codes = column.described.codes;
    let some_missing = nodes.iter().any(|(_, bins)| bins[0] != 0);
    let mut best = (0.0, None);
    for missing_left in [false, true] {
        if missing_left && !some_missing {
            break;
        }
        // The last code has nothing on its right but missing cells that were sent there.
        let last = if some_missing && !missing_left { codes } else { codes - 1 };
        let mut gains = [0.0; CODES_MAX];
        for (judge, bins) in nodes {
            let mut left = if missing_left { bins[0] } else { 0 };
            let mut lefts = [0; CODES_MAX];
            for (sum, &bin) in lefts[1..last].iter_mut().zip(&bins[1..last]) {
                left = left.wrapping_add(bin);
                *sum = left;
            }
            judge.add_gains(column.direction, &lefts[1..last], &mut gains[1..last]);
        }
        for (code, &gain) in gains[..last].iter().enumerate().skip(1) {
            if gain > best.0 {
                best = (gain, Some((code as u8, missing_left)));
            }
        }
    }
    let (code, missing_left) = best.1?;
    let missing_left = if some_missing { missing_left } else { most_go_left(nodes, code) };
    let split = Split::UpTo { code, missing_left };
    Some(Common { gain: best.0, column, split, lambda_share: 0.0 })
}

/// Cells that are missing only later go where most rows went.
fn most_go_left(nodes: &[Node<'_>], code: u8) -> bool {
    let (mut left, mut all) = (0.0, 0.0);
    for (judge, bins) in nodes {
        let sum = bins[1..=usize::from(code)].iter().fold(0, |sum: Packed, bin| sum.wrapping_add(*bin));
        left += judge.units.sums(sum).hessian;
        all += judge.node.sums.hessian;
    }
    left > all - left
}

/// A level, and what share of all nodes' rows it has, by their hessian.
struct Level {
    code: u8,
    rows: f64,
    key: f64,
}

/// What sets of levels are judged by.
struct Rule {
    rows_min: f64,
    rows: f64,
    lambda_share: f64,
}

/// Levels are in the order of their gradients over all nodes; a set is taken from either end.
fn among(nodes: &[Node<'_>], column: Column) -> Option<Common> {
    let (first, _) = nodes.first()?;
    let params = first.params.levels;
    let rows: f64 = nodes.iter().map(|(judge, _)| judge.node.rows as f64).sum();
    let hessian: f64 = nodes.iter().map(|(judge, _)| judge.node.sums.hessian).sum();
    let mut levels = Vec::new();
    for code in 0..column.described.codes {
        let packed = nodes.iter().fold(0, |sum: Packed, (_, bins)| sum.wrapping_add(bins[code]));
        let sums: Sums = first.units.sums(packed);
        if packed != 0 {
            levels.push(Level {
                code: code as u8,
                rows: sums.hessian / hessian * rows,
                key: key(sums, &params),
            });
        }
    }
    let few = levels.len() <= FEW_MAX;
    if !few {
        levels.retain(|level| level.rows >= params.smoothing);
    }
    levels.sort_by(|a, b| a.key.total_cmp(&b.key).then(a.code.cmp(&b.code)));
    let (lambda, rows_min) = if few { (0.0, 1.0) } else { (params.lambda, params.rows_min as f64) };
    let rule = Rule { rows_min, rows, lambda_share: lambda / hessian };
    let most = params.set_max.min(levels.len().div_ceil(2));
    let mut best = (0.0, None);
    from_one_end(nodes, levels.iter().take(most), &rule, &mut best);
    from_one_end(nodes, levels.iter().rev().take(most), &rule, &mut best);
    let (gain, set) = best;
    Some(Common { gain, column, split: Split::Among(set?), lambda_share: rule.lambda_share })
}

fn from_one_end<'a>(
    nodes: &[Node<'_>],
    levels: impl Iterator<Item = &'a Level>,
    rule: &Rule,
    best: &mut (f64, Option<CodeSet>),
) {
    let mut lefts: Vec<Packed> = vec![0; nodes.len()];
    let (mut set, mut gone, mut judged) = (CodeSet::default(), 0.0, 0.0);
    for level in levels {
        set.insert(level.code);
        gone += level.rows;
        for (left, (_, bins)) in lefts.iter_mut().zip(nodes) {
            *left = left.wrapping_add(bins[usize::from(level.code)]);
        }
        if gone - judged < rule.rows_min {
            continue;
        }
        if rule.rows - gone < rule.rows_min {
            break;
        }
        judged = gone;
        let mut gain = 0.0;
        for ((judge, _), &left) in nodes.iter().zip(&lefts) {
            let more = rule.lambda_share * judge.node.sums.hessian;
            gain += judge.gain_of(Monotone::Free, left, more).unwrap_or(0.0);
        }
        if gain > best.0 {
            *best = (gain, Some(set));
        }
    }
}
