//! The tails that p-values are read from: gamma, chi-square and normal.
//! Never a lower tail subtracted from one where the upper tail is small.

use crate::monitor::statistics::density::poisson;

/// Neither the series nor the fraction needs as many for any argument that counts of rows can give.
const TERMS_MAX: usize = 200_000;

/// The upper regularised incomplete gamma function; `a` must be above 0. 1 for an `x` of at most 0.
pub fn gamma_tail(a: f64, x: f64) -> f64 {
    if x.is_nan() || a.is_nan() || a <= 0.0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    let tail = if x < a + 1.0 { 1.0 - lower_series(a, x) } else { upper_fraction(a, x) };
    tail.clamp(0.0, 1.0)
}

fn lower_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut divisor) = (1.0, 1.0, a);
    for _ in 0..TERMS_MAX {
        divisor += 1.0;
        term *= x / divisor;
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    sum * poisson(a, x)
}

/// Legendre's continued fraction after Lentz.
fn upper_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / b);
    let mut fraction = d;
    for step in 1..=TERMS_MAX {
        let an = step as f64 * (a - step as f64);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b, TINY);
        c = nonzero(b + an / c, TINY);
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction * a * poisson(a, x)
}

fn nonzero(x: f64, least: f64) -> f64 {
    if x.abs() < least { least } else { x }
}

/// The chance that a chi-square of `freedom` degrees is at least `x`. With no freedom it is always 0.
pub fn chi_square_tail(x: f64, freedom: usize) -> f64 {
    if freedom == 0 {
        return if x > 0.0 { 0.0 } else { 1.0 };
    }
    gamma_tail(freedom as f64 / 2.0, x / 2.0)
}

/// The chance that a standard normal is at least as far from 0 as `z`, on either side.
pub fn normal_two_sided(z: f64) -> f64 {
    gamma_tail(0.5, 0.5 * z * z)
}
