//! Whether two shares differ, exactly, for rates so small that the normal test is wrong about them.
//! Never used where a table has more than two columns.

use crate::monitor::statistics::density::binomial;

/// Twice the smaller tail of the hypergeometric distribution, at most 1: the chance of hits at least as uneven where
/// all rows have one chance. `hits[i]` must not be above `rows[i]`.
pub fn two_shares(hits: [u64; 2], rows: [u64; 2]) -> f64 {
    let [of, at] = rows.map(|n| n as f64);
    let all = of + at;
    let hit = hits[0] as f64 + hits[1] as f64;
    if rows.contains(&0) || hit == 0.0 || hit == all {
        return 1.0;
    }
    let found = hits[1] as f64;
    let upward = found >= hit * at / all;
    // One law for both samples: its chance cancels, so the pooled one keeps every factor away from 0.
    let chance = hit / all;
    let density =
        binomial(found, at, chance) * binomial(hit - found, of, chance) / binomial(hit, all, chance);
    // From here outward each term follows from the one before.
    let (mut sum, mut term, mut k) = (0.0, density, found);
    while term > sum * f64::EPSILON {
        sum += term;
        term *= if upward {
            (hit - k) * (at - k) / ((k + 1.0) * (of - hit + k + 1.0))
        } else {
            k * (of - hit + k) / ((hit - k + 1.0) * (at - k + 1.0))
        };
        k += if upward { 1.0 } else { -1.0 };
    }
    (2.0 * sum).min(1.0)
}
