//! Bins that must be worth the same for a column to keep to its trend. Fits nothing.

use crate::train::scorecard::binning::{BinKind, ColumnBins};
use crate::train::scorecard::params::Trend;

/// The group of each bin: as they are where the trend is kept, else with neighbours joined until their means keep it.
/// `groups` and `worths` are of each bin; groups number the bins without gaps, in order.
pub fn held_groups(bins: &ColumnBins, groups: &[usize], worths: &[f64]) -> Vec<usize> {
    let first = bins.bins.iter().position(|bin| bin.kind == BinKind::Values).unwrap_or(worths.len());
    let turn = (first..worths.len()).reduce(|most, at| {
        let higher =
            if bins.trend == Trend::Valley { worths[at] < worths[most] } else { worths[at] > worths[most] };
        if higher { at } else { most }
    });
    let turn = turn.unwrap_or(first);
    let parts: [(std::ops::Range<usize>, f64); 2] = match bins.trend {
        Trend::None | Trend::Auto => return groups.to_vec(),
        Trend::Rising => [(first..worths.len(), 1.0), (0..0, 1.0)],
        Trend::Falling => [(first..worths.len(), -1.0), (0..0, 1.0)],
        Trend::Peak => [(first..turn, 1.0), (turn..worths.len(), -1.0)],
        Trend::Valley => [(first..turn, -1.0), (turn..worths.len(), 1.0)],
    };
    // Whether a bin is of the group of the one before it.
    let mut joined: Vec<bool> =
        (0..groups.len()).map(|bin| bin > 0 && groups[bin] == groups[bin - 1]).collect();
    for (range, sign) in parts {
        let weights: Vec<(f64, f64)> = range
            .clone()
            .map(|bin| (bins.bins[bin].weight.max(f64::MIN_POSITIVE), sign * worths[bin]))
            .collect();
        for (start, length) in pools(&weights) {
            (start + 1..start + length).for_each(|at| joined[range.start + at] = true);
        }
    }
    let mut group = 0;
    let number = |(bin, joined): (usize, &bool)| {
        group += usize::from(bin > 0 && !joined);
        group
    };
    joined.iter().enumerate().map(number).collect()
}

/// Runs of (weight, value) whose weighted means rise: where they begin, and how long they are.
fn pools(values: &[(f64, f64)]) -> Vec<(usize, usize)> {
    let mut pools: Vec<(usize, usize, f64, f64)> = Vec::new();
    for (at, &(weight, value)) in values.iter().enumerate() {
        let mut open = (at, 1, weight, value);
        while let Some(last) = pools.pop_if(|last| last.3 > open.3) {
            let weight = last.2 + open.2;
            open = (last.0, last.1 + open.1, weight, (last.2 * last.3 + open.2 * open.3) / weight);
        }
        pools.push(open);
    }
    pools.into_iter().map(|(start, length, _, _)| (start, length)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::scorecard::binning::Bin;

    fn column(trend: Trend) -> ColumnBins {
        let bin = |kind| Bin { kind, codes: vec![], weight: 10.0, events: 5.0, rate: 0.5, woe: 0.0, iv: 0.0 };
        let kinds = [BinKind::Missing, BinKind::Values, BinKind::Values, BinKind::Values, BinKind::Values];
        ColumnBins { bin_of: vec![], bins: kinds.map(bin).to_vec(), iv: 1.0, trend, refusal: None }
    }

    #[test]
    fn neighbours_that_leave_the_trend_are_one_group_and_the_missing_bin_is_in_none() {
        let groups = |trend, worths: [f64; 5]| held_groups(&column(trend), &[0, 1, 2, 3, 4], &worths);
        let worths = [9.0, 1.0, 3.0, 2.0, 4.0];
        assert_eq!(groups(Trend::None, worths), [0, 1, 2, 3, 4]);
        assert_eq!(groups(Trend::Rising, worths), [0, 1, 2, 2, 3]);
        assert_eq!(groups(Trend::Falling, worths), [0, 1, 1, 1, 1]);
        assert_eq!(groups(Trend::Peak, [0.0, 1.0, 3.0, 2.0, 2.5]), [0, 1, 2, 3, 3]);
        assert_eq!(groups(Trend::Valley, [0.0, 3.0, 1.0, 2.0, 4.0]), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn groups_that_were_joined_stay_joined() {
        let found = held_groups(&column(Trend::Rising), &[0, 1, 1, 2, 3], &[0.0, 2.0, 2.0, 1.0, 5.0]);
        assert_eq!(found, [0, 1, 1, 1, 2]);
    }
}
