//! The bins that a report shows of a field: all where they are few, else the commonest and one for the rest; for
//! numbers without bins, tenths of the reference.
//! Never what a statistic is reckoned from.

use crate::monitor::drift::{BinShare, share};
use crate::monitor::limits::DRIFT_BINS_SHOWN_MAX;
use crate::monitor::statistics::sorted::Sorted;

const TENTHS: usize = 10;

/// Shares by bin in the order given; of the three lists, what goes beyond the shortest is left out.
pub(in crate::monitor::drift) fn shown(bins: &[String], reference: &[u64], current: &[u64]) -> Vec<BinShare> {
    let total = |counts: &[u64]| counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
    let (of, at) = (total(reference), total(current));
    let pairs = reference.iter().zip(current);
    let mut all: Vec<BinShare> = bins
        .iter()
        .zip(pairs)
        .map(|(bin, (r, c))| BinShare { bin: bin.clone(), reference: share(*r, of), current: share(*c, at) })
        .collect();
    if all.len() <= DRIFT_BINS_SHOWN_MAX {
        return all;
    }
    let larger = |bin: &BinShare| bin.reference.max(bin.current);
    let mut sizes: Vec<f64> = all.iter().map(larger).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let least = sizes.get(DRIFT_BINS_SHOWN_MAX - 2).copied().unwrap_or(0.0);
    let mut rest = BinShare { bin: String::new(), reference: 0.0, current: 0.0 };
    let (mut kept, mut folded) = (0, 0);
    all.retain(|bin| {
        let keep = larger(bin) >= least && kept + 1 < DRIFT_BINS_SHOWN_MAX;
        if keep {
            kept += 1;
        } else {
            folded += 1;
            rest.reference += bin.reference;
            rest.current += bin.current;
        }
        keep
    });
    rest.bin = format!("{folded} rarer");
    all.push(rest);
    all
}

/// At most ten bins with about as many rows of the reference each; what lies beyond its ends is in the outer ones.
pub(in crate::monitor::drift) fn tenths(reference: &Sorted, current: &Sorted) -> Vec<BinShare> {
    let numbers = reference.numbers();
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Vec::new() };
    let cut =
        |tenth: usize| numbers.get((numbers.len() * tenth / TENTHS).max(1) - 1).copied().unwrap_or(*last);
    let mut edges: Vec<f64> = (1..TENTHS).map(cut).filter(|edge| edge < last).collect();
    edges.dedup();
    let mut bins = Vec::with_capacity(edges.len() + 1);
    let (mut low, mut below) = (*first, [0usize; 2]);
    for (at, high) in edges.iter().chain([last]).enumerate() {
        let is_last = at == edges.len();
        let upto = [reference, current].map(|sample| match is_last {
            true => sample.numbers().len(),
            false => sample.numbers().partition_point(|x| x <= high),
        });
        let part = |side: usize, sample: &Sorted| share((upto[side] - below[side]) as u64, sample.rows());
        let bin = format!("{low} to {high}");
        bins.push(BinShare { bin, reference: part(0, reference), current: part(1, current) });
        (low, below) = (*high, upto);
    }
    bins
}
