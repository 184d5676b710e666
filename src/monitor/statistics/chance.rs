//! How likely chance alone is to make two lists of counts differ as much, for bins of any size, rare ones too.
//! Never leans on the chi-square where bins are sparse, nor on the stability index, whose own tail is heavier than that.

use crate::monitor::statistics::counts::both;
use crate::monitor::statistics::exact::two_shares;
use crate::monitor::statistics::tails::chi_square_tail;

/// Rows that a bin is expected to have on either side, below which it is put together with others.
const EXPECTED_ROWS_MIN: f64 = 5.0;

/// Two tests at half the rate each: all bins together by the chi-square of two samples, the sparse ones as one bin; and
/// each bin alone, exactly, at a share of the rate, so that a rare level that appears is not lost among the common.
pub fn p_value_of_counts(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (of, at) = both(reference, current)?;
    let bins: Vec<(u64, u64)> =
        reference.iter().copied().zip(current.iter().copied()).filter(|(r, c)| *r > 0 || *c > 0).collect();
    let rows = [of as u64, at as u64];
    let alone = bins.iter().map(|&(r, c)| two_shares([r, c], rows)).fold(1.0, f64::min);
    let together = together(&bins, [of, at]);
    Some((2.0 * together.min(bins.len() as f64 * alone)).min(1.0))
}

fn together(bins: &[(u64, u64)], [of, at]: [f64; 2]) -> f64 {
    let least = of.min(at) / (of + at);
    let mut pooled = (0.0, 0.0);
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(bins.len());
    for &(r, c) in bins {
        let (r, c) = (r as f64, c as f64);
        if (r + c) * least < EXPECTED_ROWS_MIN {
            pooled = (pooled.0 + r, pooled.1 + c)
        } else {
            kept.push((r, c))
        }
    }
    if (pooled.0 + pooled.1) * least >= EXPECTED_ROWS_MIN {
        kept.push(pooled);
    } else if let Some(smallest) = kept.iter_mut().min_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1))) {
        *smallest = (smallest.0 + pooled.0, smallest.1 + pooled.1);
    }
    let statistic: f64 = kept
        .iter()
        .map(|(r, c)| {
            let expected = (r + c) * of / (of + at);
            // The other side's count misses its own expectation by as much.
            (r - expected).powi(2) * (1.0 / expected + 1.0 / (r + c - expected))
        })
        .sum();
    chi_square_tail(statistic, kept.len().saturating_sub(1))
}
