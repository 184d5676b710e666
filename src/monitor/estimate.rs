//! A value with its interval: Wilson's of a share, Newcombe's of a difference, Katz's of a ratio, the normal one of a mean.
//! Never a width out of nothing: where nothing was counted there is no estimate.

use serde::{Deserialize, Serialize};

use crate::monitor::verdict::Verdict;

/// Two-sided 95 % of the normal distribution.
pub const Z_95: f64 = 1.959_963_984_540_054;
/// Figures that differ by less are one figure: four fifths reckoned in floats are still four fifths.
const ROUNDING: f64 = 1e-12;

/// What was found, and between what it would lie if chance alone were at work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Estimate {
    /// Known without doubt.
    pub fn exact(value: f64) -> Self {
        Self { value, low: value, high: value }
    }

    /// `self` less `other`, measured on different rows: the distances to either end add up as squares do (Newcombe 1998,
    /// method 10, where both are Wilson's; Zou and Donner 2008 for intervals in general).
    pub fn less(&self, other: &Self) -> Self {
        let value = self.value - other.value;
        let down = (self.value - self.low).hypot(other.high - other.value);
        let up = (self.high - self.value).hypot(other.value - other.low);
        Self { value, low: value - down, high: value + up }
    }

    /// How a lapse stands to its limit. Whatever chance alone may explain is no lapse; what is surely one is watched from
    /// half of the limit on.
    pub fn against(&self, limit: f64) -> Verdict {
        if self.low <= 0.0 {
            Verdict::Stable
        } else if self.value > limit + ROUNDING {
            Verdict::Shifted
        } else if self.value > limit / 2.0 + ROUNDING {
            Verdict::Watch
        } else {
            Verdict::Stable
        }
    }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub count: u64,
    pub of: u64,
}

impl Share {
    pub fn add(&mut self, counted: bool) {
        self.count += u64::from(counted);
        self.of += 1;
    }

    /// Nothing of nothing is 0 here; who must tell them apart asks `of`.
    pub fn value(&self) -> f64 {
        if self.of == 0 { 0.0 } else { self.count as f64 / self.of as f64 }
    }

    /// With Wilson's interval.
    pub fn estimate(&self, z: f64) -> Option<Estimate> {
        if self.of == 0 {
            return None;
        }
        let (value, n, z2) = (self.value(), self.of as f64, z * z);
        let centre = (value + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let reach = z / (1.0 + z2 / n) * (value * (1.0 - value) / n + z2 / (4.0 * n * n)).sqrt();
        // Rounding must not put an end beyond the value itself.
        let (low, high) = ((centre - reach).max(0.0), (centre + reach).min(1.0));
        Some(Estimate { value, low: low.min(value), high: high.max(value) })
    }

    /// `self` divided by `other`, with Katz's interval on the logarithm. The interval is nothing where either share is 0.
    pub fn ratio(&self, other: &Self, z: f64) -> Option<(f64, Option<(f64, f64)>)> {
        if self.of == 0 || other.count == 0 {
            return None;
        }
        let value = self.value() / other.value();
        if self.count == 0 {
            return Some((value, None));
        }
        let part = |share: &Self| 1.0 / share.count as f64 - 1.0 / share.of as f64;
        let reach = (z * (part(self) + part(other)).sqrt()).exp();
        Some((value, Some((value / reach, value * reach))))
    }
}

/// A running mean (Welford's), for the interval of an average.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mean {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Mean {
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut mean = Self::default();
        values.for_each(|value| mean.add(value));
        mean
    }

    fn add(&mut self, value: f64) {
        self.n += 1;
        let off = value - self.mean;
        self.mean += off / self.n as f64;
        self.squares += off * (value - self.mean);
    }

    /// The normal 95 % interval; nothing of fewer than two values.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.n < 2 {
            return None;
        }
        let n = self.n as f64;
        let reach = Z_95 * (self.squares / (n - 1.0) / n).sqrt();
        Some(Estimate { value: self.mean, low: self.mean - reach, high: self.mean + reach })
    }
}

/// How far intervals must reach so that all of `looks` comparisons hold together in 95 % of cases (Bonferroni): the
/// largest of many differences is large by being picked.
pub fn z_for(looks: u64) -> f64 {
    if looks <= 1 {
        return Z_95;
    }
    // Wichura's PPND7 (AS 241), its branch for tails below 0.075; good to seven figures down to e^-25.
    let tail = (0.025 / looks as f64).max(1e-10);
    let r = (-tail.ln()).sqrt() - 1.6;
    let above = ((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_39) * r + 1.423_437_277_7;
    above / ((0.120_211_329_75 * r + 0.737_001_642_5) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) -> bool {
        (found - wanted).abs() < 5e-5
    }

    #[test]
    fn intervals_of_shares_and_differences_are_the_published_ones() {
        // Newcombe 1998a, method 3 (81 of 263) and 1998b, method 10 (56 of 70 less 48 of 80).
        let wilson = Share { count: 81, of: 263 }.estimate(Z_95).unwrap();
        assert!(near(wilson.low, 0.2553) && near(wilson.high, 0.3662), "{wilson:?}");
        let [a, b] = [(56, 70), (48, 80)].map(|(count, of)| Share { count, of }.estimate(Z_95).unwrap());
        let difference = a.less(&b);
        assert!(near(difference.value, 0.2) && near(difference.low, 0.0524) && near(difference.high, 0.3339));
    }

    #[test]
    fn a_ratio_has_katz_interval_and_none_where_a_share_is_zero() {
        // 15 of 100 over 30 of 100: 0.5, standard error of the logarithm sqrt(1/15 - 1/100 + 1/30 - 1/100).
        let [few, many] = [15, 30].map(|count| Share { count, of: 100 });
        let (value, interval) = few.ratio(&many, Z_95).unwrap();
        let (low, high) = interval.unwrap();
        assert_eq!(value, 0.5);
        assert!(near(low, 0.28722) && near(high, 0.87041), "{low} {high}");
        let none = Share { count: 0, of: 10 };
        assert_eq!(none.ratio(&many, Z_95), Some((0.0, None)));
        assert_eq!(many.ratio(&none, Z_95), None);
    }

    #[test]
    fn more_comparisons_reach_further() {
        // scipy.stats.norm.isf(0.025 / looks)
        let wanted = [(1, 1.959_964), (2, 2.241_403), (3, 2.393_980), (10, 2.807_034), (1_225, 4.102_810)];
        for (looks, z) in wanted {
            assert!((z_for(looks) - z).abs() < 2e-6, "{looks}: {}", z_for(looks));
        }
    }

    #[test]
    fn a_mean_has_the_interval_of_its_standard_error() {
        let mean = Mean::of([1.0, 2.0, 3.0, 4.0].into_iter()).estimate().unwrap();
        assert_eq!(mean.value, 2.5);
        assert!((mean.high - 2.5 - Z_95 * (5.0f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert!(Mean::of([1.0].into_iter()).estimate().is_none());
    }

    #[test]
    fn what_chance_may_explain_is_stable_however_far_off() {
        let lapse = |value: f64, low: f64| Estimate { value, low, high: 1.0 }.against(0.2);
        assert_eq!(lapse(0.5, -0.1), Verdict::Stable);
        assert_eq!(lapse(0.21, 0.01), Verdict::Shifted);
        assert_eq!(lapse(1.0 - 0.8, 0.01), Verdict::Watch);
        assert_eq!(lapse(0.1, 0.01), Verdict::Stable);
    }
}
