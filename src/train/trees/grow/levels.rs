//! Splits of a column of levels: a set goes left, found by putting the levels in order of their gradients.
//! Levels that the node has not seen go right, with the missing cell where that was not seen either.

use crate::model::trees::{CodeSet, Split};
use crate::train::trees::grow::gradients::{Packed, Sums};
use crate::train::trees::grow::split::{Asked, Found, Judge, score};
use crate::train::trees::params::LevelParams;

/// So few levels leave little to choose from, and are judged as plain bins.
pub(super) const FEW_MAX: usize = 4;

struct Level {
    code: u8,
    packed: Packed,
    key: f64,
}

pub fn best(judge: &Judge<'_>, asked: &Asked<'_>) -> Option<Found> {
    let seen = asked.bins[..asked.column.codes].iter().enumerate().filter(|(_, bin)| **bin != 0);
    let mut levels: Vec<Level> = seen.map(|(code, &packed)| level(judge, code as u8, packed)).collect();
    let mut best = Best { score: f64::NEG_INFINITY, found: None };
    let params = judge.params.levels;
    let few = levels.len() <= FEW_MAX;
    if !few {
        levels.retain(|level| rows(judge, judge.units.sums(level.packed)) >= params.smoothing);
    }
    let rule = if few { LevelParams { lambda: 0.0, rows_min: 1, ..params } } else { params };
    levels.sort_by(|a, b| a.key.total_cmp(&b.key).then(a.code.cmp(&b.code)));
    from_one_end(judge, levels.iter(), (levels.len(), &rule), &mut best);
    from_one_end(judge, levels.iter().rev(), (levels.len(), &rule), &mut best);
    let (left, set) = best.found?;
    Some(Found { gain: judge.gain(best.score)?, column: asked.place, split: Split::Among(set), left })
}

/// The codes of a column of levels in one order, by rising gradient.
#[derive(Clone, Debug)]
pub struct Ranked(Vec<u8>);

impl Ranked {
    /// By the sums of the judged node; a level of few rows, or of none, stands near the middle.
    pub fn of(judge: &Judge<'_>, bins: &[Packed]) -> Self {
        let node = judge.node;
        // So many rows' worth of the node's hessian.
        let smoothing = judge.params.levels.smoothing * node.sums.hessian / node.rows.max(1) as f64;
        let key = |&packed: &Packed| {
            let sums = judge.units.sums(packed);
            sums.gradient / (sums.hessian + smoothing)
        };
        let mut keyed: Vec<(u8, f64)> = (0..=u8::MAX).zip(bins.iter().map(key)).collect();
        keyed.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        Self(keyed.into_iter().map(|(code, _)| code).collect())
    }
}

/// The best split of an order that was made before; a level that this node has not seen goes by its place in it.
pub fn best_in(judge: &Judge<'_>, asked: &Asked<'_>, ranked: &Ranked) -> Option<Found> {
    let lambda = judge.params.lambda + judge.params.levels.lambda;
    let mut best: Option<(f64, usize, Packed)> = None;
    let mut left: Packed = 0;
    for (place, &code) in ranked.0.iter().enumerate() {
        let bin = asked.bins[usize::from(code)];
        if bin == 0 {
            continue;
        }
        left = left.wrapping_add(bin);
        let (l, r) = (judge.units.sums(left), judge.rest(left));
        if r.hessian < judge.hessian_min {
            break;
        }
        if l.hessian < judge.hessian_min {
            continue;
        }
        let both = score(l, lambda, judge.node.bounds) + score(r, lambda, judge.node.bounds);
        if best.is_none_or(|(most, ..)| both > most) {
            best = Some((both, place, left));
        }
    }
    let (both, place, left) = best?;
    let set = ranked.0[..=place].iter().copied().collect();
    Some(Found { gain: judge.gain(both)?, column: asked.place, split: Split::Among(set), left })
}

fn level(judge: &Judge<'_>, code: u8, packed: Packed) -> Level {
    let sums = judge.units.sums(packed);
    Level { code, packed, key: key(sums, &judge.params.levels) }
}

/// What levels are put in order by.
pub(super) fn key(sums: Sums, params: &LevelParams) -> f64 {
    sums.gradient / (sums.hessian + params.smoothing)
}

/// Rows by their share of the node's hessian.
fn rows(judge: &Judge<'_>, sums: Sums) -> f64 {
    sums.hessian / judge.node.sums.hessian * judge.node.rows as f64
}

fn from_one_end<'a>(
    judge: &Judge<'_>,
    levels: impl Iterator<Item = &'a Level> + Clone,
    (count, params): (usize, &LevelParams),
    best: &mut Best,
) {
    let (mut left, mut judged): (Packed, Packed) = (0, 0);
    for (place, level) in levels.clone().take(params.set_max.min(count.div_ceil(2))).enumerate() {
        left = left.wrapping_add(level.packed);
        let gained = rows(judge, judge.units.sums(left.wrapping_sub(judged)));
        if gained < params.rows_min as f64 {
            continue;
        }
        if rows(judge, judge.rest(left)) < params.rows_min as f64 {
            break;
        }
        judged = left;
        best.take(judge, params.lambda, left, || {
            levels.clone().take(place + 1).map(|level| level.code).collect()
        });
    }
}

struct Best {
    score: f64,
    found: Option<(Packed, CodeSet)>,
}

impl Best {
    fn take(&mut self, judge: &Judge<'_>, lambda: f64, left: Packed, set: impl Fn() -> CodeSet) {
        let (l, r) = (judge.units.sums(left), judge.rest(left));
        if l.hessian < judge.hessian_min || r.hessian < judge.hessian_min {
            return;
        }
        let lambda = judge.params.lambda + lambda;
        let both = score(l, lambda, judge.node.bounds) + score(r, lambda, judge.node.bounds);
        if both > self.score {
            *self = Self { score: both, found: Some((left, set())) };
        }
    }
}

impl FromIterator<u8> for CodeSet {
    fn from_iter<T: IntoIterator<Item = u8>>(codes: T) -> Self {
        let mut set = Self::default();
        codes.into_iter().for_each(|code| set.insert(code));
        set
    }
}
