//! The population stability index over bins that the caller gives.
//! Never bins anything, and never lets an empty bin make it infinite.

/// An empty bin counts as this many rows, so that what it adds grows with what is known: a bin of which 20 live rows
/// see nothing is no news, one of which 20,000 see nothing is.
pub const EMPTY_BIN_ROWS: f64 = 0.5;

/// Of rows by bin of the two sides, in the same order. Nothing where a side has no rows.
pub fn psi(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (of, at) = (rows(reference), rows(current));
    if of <= 0.0 || at <= 0.0 {
        return None;
    }
    let bins = reference.iter().zip(current).filter(|(r, c)| **r > 0 || **c > 0);
    Some(
        bins.map(|(&reference, &current)| {
            let (first, second) = floored([reference as f64 / of, current as f64 / at], [of, at]);
            (second - first) * (second / first).ln()
        })
        .sum(),
    )
}

/// The shares with an empty one raised, but never above the other: a side of few rows tells nothing of a rare level.
fn floored([first, second]: [f64; 2], [of, at]: [f64; 2]) -> (f64, f64) {
    if first == 0.0 {
        ((EMPTY_BIN_ROWS / of).min(second), second)
    } else if second == 0.0 {
        (first, (EMPTY_BIN_ROWS / at).min(first))
    } else {
        (first, second)
    }
}

pub(in crate::monitor) fn rows(counts: &[u64]) -> f64 {
    counts.iter().map(|&count| count as f64).sum()
}
