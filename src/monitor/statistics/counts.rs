//! Statistics of two lists of counts in the same order: chi-square, two proportions, Jensen and Shannon's distance,
//! and the effect sizes that stand beside a p-value.
//! Never knows what is counted. Where a side has no rows there is no statistic.

use crate::monitor::statistics::Tested;
use crate::monitor::statistics::psi::rows;
use crate::monitor::statistics::tails::{chi_square_tail, normal_two_sided};

/// Pearson's test of the current counts against the reference's shares. The statistic is infinite where a row is in a
/// level that the reference does not have.
pub fn chi_square(reference: &[u64], current: &[u64]) -> Option<Tested> {
    let (of, at) = both(reference, current)?;
    let scale = at / of;
    let mut statistic = 0.0;
    let mut levels = 0usize;
    for (&reference, &current) in reference.iter().zip(current).filter(|(r, c)| **r > 0 || **c > 0) {
        levels += 1;
        let expected = reference as f64 * scale;
        statistic += (current as f64 - expected).powi(2) / expected;
    }
    Some(Tested { statistic, p_value: chi_square_tail(statistic, levels.saturating_sub(1)) })
}

/// Cramer's V of the table of side by level: 0 where the shares are equal, 1 where the sides share no level.
pub fn cramers_v(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (of, at) = both(reference, current)?;
    let all = of + at;
    let mut sum = 0.0;
    for (&reference, &current) in reference.iter().zip(current).filter(|(r, c)| **r > 0 || **c > 0) {
        let level = reference as f64 + current as f64;
        let expected = level * of / all;
        // The other side's expected count misses its own by as much.
        let gap = (reference as f64 - expected).powi(2);
        sum += gap / expected + gap / (level * at / all);
    }
    Some((sum / all).sqrt().min(1.0))
}

/// Whether two shares differ, by the pooled normal test. No difference at all where everything or nothing is a hit.
pub fn two_proportions(hits: [u64; 2], rows: [u64; 2]) -> Option<Tested> {
    let [n1, n2] = rows.map(|n| n as f64);
    if n1 <= 0.0 || n2 <= 0.0 {
        return None;
    }
    let [h1, h2] = hits.map(|h| h as f64);
    let pooled = (h1 + h2) / (n1 + n2);
    let spread = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    let statistic = if spread > 0.0 { (h1 / n1 - h2 / n2) / spread } else { 0.0 };
    Some(Tested { statistic, p_value: normal_two_sided(statistic) })
}

/// The square root of the divergence, with natural logarithms: between 0 and 0.8326.
pub fn jensen_shannon(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (of, at) = both(reference, current)?;
    let entropy = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).ln() } else { 0.0 };
    let mut sum = 0.0;
    for (&reference, &current) in reference.iter().zip(current) {
        let (p, q) = (reference as f64 / of, current as f64 / at);
        let middle = (p + q) / 2.0;
        sum += entropy(p, middle) + entropy(q, middle);
    }
    // Rounding can leave it just below 0.
    Some((sum.max(0.0) / 2.0).sqrt())
}

/// The Jensen-Shannon distance that chance alone gives where nothing has changed, as the root of its mean square.
pub fn jensen_shannon_of_chance(levels: usize, rows: [u64; 2]) -> f64 {
    let [of, at] = rows.map(|n| n as f64);
    (levels.saturating_sub(1) as f64 / 8.0 * (1.0 / of + 1.0 / at)).sqrt()
}

pub(in crate::monitor::statistics) fn both(reference: &[u64], current: &[u64]) -> Option<(f64, f64)> {
    let (of, at) = (rows(reference), rows(current));
    (of > 0.0 && at > 0.0).then_some((of, at))
}
