//! Distributions over the one seeded generator, for invented data only.
//! Uses no function whose last digit could matter: what is drawn is rounded before anyone sees it.

use crate::base::rng::Random;

/// Most events one Poisson draw may count.
const COUNT_MAX: u32 = 60;

pub struct Draw(Random);

impl Draw {
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self(Random::new(seed, purpose))
    }

    /// Uniform between two bounds.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.unit()
    }

    pub fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        mean + deviation * self.0.normal()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.unit() < probability
    }

    /// Poisson, by counting uniform factors until their product is below e^-mean.
    pub fn count(&mut self, mean: f64) -> f64 {
        let floor = (-mean).exp();
        let mut product = self.0.unit();
        let mut count = 0;
        while product > floor && count < COUNT_MAX {
            product *= self.0.unit();
            count += 1;
        }
        f64::from(count)
    }

    /// One of a list, each as likely as the next; the list must not be empty.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.0.below(items.len())]
    }

    /// One of a list by weight; the list must not be empty.
    pub fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> f64) -> &'a T {
        let total: f64 = items.iter().map(&weight).sum();
        let mut left = self.between(0.0, total);
        for item in items {
            left -= weight(item);
            if left < 0.0 {
                return item;
            }
        }
        &items[items.len() - 1]
    }
}

/// The nearest multiple of 1/`parts`: two decimals are 100 parts.
pub fn round_to(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

pub fn sigmoid(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_the_mean_they_were_asked_for() {
        let mut draw = Draw::new(3, "count");
        let sum: f64 = (0..20_000).map(|_| draw.count(0.8)).sum();
        assert!((sum / 20_000.0 - 0.8).abs() < 0.03, "{sum}");
    }

    #[test]
    fn a_weighted_choice_follows_its_weights() {
        let mut draw = Draw::new(3, "weighted");
        let items = [("rare", 1.0), ("common", 3.0), ("never", 0.0)];
        let picked: Vec<&str> = (0..20_000).map(|_| draw.weighted(&items, |i| i.1).0).collect();
        let share = picked.iter().filter(|name| **name == "common").count() as f64 / 20_000.0;
        assert!((share - 0.75).abs() < 0.02, "{share}");
        assert!(!picked.contains(&"never"));
    }

    #[test]
    fn rounding_leaves_nothing_below_the_last_place() {
        assert_eq!(round_to(12.345_678, 100.0).to_string(), "12.35");
        assert_eq!(round_to(1_237.0, 0.01), 1_200.0);
    }
}
