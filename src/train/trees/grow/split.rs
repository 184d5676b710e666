//! The best split of one node, from its histogram: of an ordered column here, of levels in `levels`.
//! Touches no rows.

use crate::model::trees::{CodeColumn, Split};
use crate::train::trees::codes::Monotone;
use crate::train::trees::grow::gradients::{Packed, Sums, Units};
use crate::train::trees::grow::histogram::Bins;
use crate::train::trees::grow::levels;
use crate::train::trees::params::GrowParams;

/// Where the value of a node, and of all below it, must lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub low: f64,
    pub high: f64,
}

impl Bounds {
    pub const NONE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    pub fn held(&self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }

    /// Of the left and the right child, when the column rises or falls with the margin.
    pub fn parted(&self, direction: Monotone, left: f64, right: f64) -> (Self, Self) {
        let middle = (left + right) / 2.0;
        match direction {
            Monotone::Free => (*self, *self),
            Monotone::Rising => (Self { high: middle, ..*self }, Self { low: middle, ..*self }),
            Monotone::Falling => (Self { low: middle, ..*self }, Self { high: middle, ..*self }),
        }
    }
}

/// What is known of a node when it looks for its split.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub packed: Packed,
    pub sums: Sums,
    pub rows: usize,
    pub bounds: Bounds,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    pub gain: f64,
    /// Of the table.
    pub column: u16,
    pub split: Split,
    pub left: Packed,
}

/// One column of the node.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub place: u16,
    pub column: CodeColumn,
    pub direction: Monotone,
    pub bins: &'a Bins,
}

/// How splits of this node are judged.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    pub params: &'a GrowParams,
    pub units: Units,
    pub node: Node,
    /// What a side's hessian must reach: rows are counted by their share of it until the rows are really parted.
    pub hessian_min: f64,
    /// What the node scores unsplit, with the least gain on top.
    floor: f64,
}

impl<'a> Judge<'a> {
    pub fn new(params: &'a GrowParams, units: Units, node: Node) -> Self {
        let share = params.rows_min as f64 / node.rows.max(1) as f64;
        let hessian_min = params.hessian_min.max(node.sums.hessian * share * (1.0 - 1e-9));
        let floor = score(node.sums, params.lambda, node.bounds) + params.gain_min;
        Self { params, units, node, hessian_min, floor: floor * (1.0 + 1e-9) + 1e-9 }
    }

    /// The column's best split, if it gains anything.
    pub fn best(&self, asked: &Asked<'_>) -> Option<Found> {
        if !asked.column.ordered {
            levels::best(self, asked)
        } else if asked.direction == Monotone::Free && self.node.bounds.is_none() {
            let lambda = self.params.lambda;
            self.scan(asked, |left, right| {
                let (l, r) = (left.hessian + lambda, right.hessian + lambda);
                (left.gradient * left.gradient * r + right.gradient * right.gradient * l) / (l * r)
            })
        } else {
            self.scan(asked, |left, right| self.bounded(asked.direction, left, right, self.params.lambda))
        }
    }

    /// Of two sides whose values must keep to the bounds and the direction.
    fn bounded(&self, direction: Monotone, left: Sums, right: Sums, lambda: f64) -> f64 {
        let bounds = self.node.bounds;
        let (l, r) = (value(left, lambda, bounds), value(right, lambda, bounds));
        let against = match direction {
            Monotone::Free => false,
            Monotone::Rising => l > r,
            Monotone::Falling => l < r,
        };
        if against { f64::NEG_INFINITY } else { score(left, lambda, bounds) + score(right, lambda, bounds) }
    }

    /// By so much on the left, with `more` added to the hessian of both sides; none where they may not be parted so.
    pub fn gain_of(&self, direction: Monotone, left: Packed, more: f64) -> Option<f64> {
        let (l, r) = (self.units.sums(left), self.rest(left));
        if l.hessian < self.hessian_min || r.hessian < self.hessian_min {
            return None;
        }
        self.gain(self.bounded(direction, l, r, self.params.lambda + more))
    }

    /// Adds what is gained by each of these on the left, as `gain_of` says, and nothing where that says none.
    pub fn add_gains(&self, direction: Monotone, lefts: &[Packed], gains: &mut [f64]) {
        if direction != Monotone::Free || !self.node.bounds.is_none() {
            for (gain, &left) in gains.iter_mut().zip(lefts) {
                *gain += self.gain_of(direction, left, 0.0).unwrap_or(0.0);
            }
            return;
        }
        let lambda = self.params.lambda;
        for (gain, &left) in gains.iter_mut().zip(lefts) {
            let (l, r) = (self.units.sums(left), self.rest(left));
            let (lh, rh) = (l.hessian + lambda, r.hessian + lambda);
            let score = (l.gradient * l.gradient * rh + r.gradient * r.gradient * lh) / (lh * rh);
            let enough = l.hessian.min(r.hessian) >= self.hessian_min;
            *gain += if enough { (score - self.floor).max(0.0) } else { 0.0 };
        }
    }

    pub fn gain(&self, score: f64) -> Option<f64> {
        (score > self.floor).then_some(score - self.floor)
    }

    pub fn rest(&self, left: Packed) -> Sums {
        self.units.sums(self.node.packed.wrapping_sub(left))
    }

    #[inline(always)]
    fn scan(&self, asked: &Asked<'_>, judged: impl Fn(Sums, Sums) -> f64) -> Option<Found> {
        let mut best = (self.floor, None);
        let missing = asked.bins[0];
        for missing_left in [false, true] {
            if missing_left && missing == 0 {
                break;
            }
            let mut left: Packed = if missing_left { missing } else { 0 };
            // The last code has nothing on its right but missing cells that were sent there.
            let last = if missing_left || missing == 0 { asked.column.codes - 1 } else { asked.column.codes };
            for (code, &bin) in asked.bins[..last].iter().enumerate().skip(1) {
                if bin == 0 {
                    continue;
                }
                left = left.wrapping_add(bin);
                let (l, r) = (self.units.sums(left), self.rest(left));
                if r.hessian < self.hessian_min {
                    break;
                }
                if l.hessian < self.hessian_min {
                    continue;
                }
                let score = judged(l, r);
                if score > best.0 {
                    best = (score, Some((code as u8, missing_left, left)));
                }
            }
        }
        let (code, missing_left, left) = best.1?;
        // Cells that are missing only later go where most rows went.
        let missing_left =
            if missing == 0 { self.units.sums(left).hessian > self.rest(left).hessian } else { missing_left };
        let split = Split::UpTo { code, missing_left };
        Some(Found { gain: self.gain(best.0)?, column: asked.place, split, left })
    }
}

/// The value that suits these sums best within the bounds.
pub fn value(sums: Sums, lambda: f64, bounds: Bounds) -> f64 {
    let hessian = sums.hessian + lambda;
    let free = if hessian > 0.0 { -sums.gradient / hessian } else { 0.0 };
    bounds.held(free)
}

/// Twice what that value takes off the loss, to second order.
pub fn score(sums: Sums, lambda: f64, bounds: Bounds) -> f64 {
    let value = value(sums, lambda, bounds);
    -(2.0 * sums.gradient + (sums.hessian + lambda) * value) * value
}
