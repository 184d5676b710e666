//! Densities of counts by Loader's saddle-point form: what cancels is taken out before the logarithm, so that they
//! keep nearly every digit for large counts too, which differences of log-gammas do not.
//! Never sums: tails are those of `tails` and `exact`.

use std::f64::consts::TAU;

/// `ln z! - ln(sqrt(2 pi z) (z / e)^z)`: what Stirling's formula leaves out. `z` must be above 0.
pub(in crate::monitor::statistics) fn stirling_error(z: f64) -> f64 {
    let (mut z, mut error) = (z, 0.0);
    // The series is good to the last digit from 16 on; below, one step up at a time.
    while z < 16.0 {
        error += (z + 0.5) * (1.0 / z).ln_1p() - 1.0;
        z += 1.0;
    }
    let square = z * z;
    let series = 1.0 / 1_260.0 - (1.0 / 1_680.0 - 1.0 / (1_188.0 * square)) / square;
    error + (1.0 / 12.0 - (1.0 / 360.0 - series / square) / square) / z
}

/// `x ln(x / mean) + mean - x`, which is 0 where they are equal. Both must be above 0.
fn deviance(x: f64, mean: f64) -> f64 {
    let gap = x - mean;
    if gap.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - gap;
    }
    // Near each other the two parts cancel; the series of the logarithm is summed without its first term.
    let ratio = gap / (x + mean);
    let (mut sum, mut power) = (gap * ratio, 2.0 * x * ratio);
    for odd in 1..1_000 {
        power *= ratio * ratio;
        let next = sum + power / f64::from(2 * odd + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// `x^a e^-x / Gamma(a + 1)`. Both must be above 0.
pub(in crate::monitor::statistics) fn poisson(a: f64, x: f64) -> f64 {
    (-stirling_error(a) - deviance(a, x)).exp() / (TAU * a).sqrt()
}

/// The chance of `hits` among `draws` whose chance is `p` each; `hits` is a whole number of at most `draws`.
pub(in crate::monitor::statistics) fn binomial(hits: f64, draws: f64, p: f64) -> f64 {
    let misses = draws - hits;
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { hits == 0.0 } else { misses == 0.0 };
        return if certain { 1.0 } else { 0.0 };
    }
    if hits <= 0.0 {
        return (draws * (-p).ln_1p()).exp();
    }
    if misses <= 0.0 {
        return (draws * p.ln()).exp();
    }
    let errors = stirling_error(draws) - stirling_error(hits) - stirling_error(misses);
    let gaps = deviance(hits, draws * p) + deviance(misses, draws * (1.0 - p));
    (errors - gaps).exp() * (draws / (TAU * hits * misses)).sqrt()
}
