//! How the odds of a model move when it learned on rows of one base rate and judges rows of another, because one class
//! was drawn more or less often. A closed form, exact by Bayes' rule as long as rows of each class were drawn alike.
//! Never looks at rows.

use crate::base::fact::{Class, Fact};

/// What is added to every log-odds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorShift(f64);

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}: a rate of positives lies above 0 and below 1, and a sampling rate above 0")]
pub struct BadRate {
    name: &'static str,
    value: f64,
}

impl Fact for BadRate {
    fn code(&self) -> &'static str {
        "model.prior_rate"
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

impl PriorShift {
    /// From the rate of positives among the rows it learned on to the rate where it is used.
    pub fn between(trained_rate: f64, true_rate: f64) -> Result<Self, BadRate> {
        for (name, value) in [("trained_rate", trained_rate), ("true_rate", true_rate)] {
            if !(value > 0.0 && value < 1.0) {
                return Err(BadRate { name, value });
            }
        }
        let log_odds = |rate: f64| (rate / (1.0 - rate)).ln();
        Ok(Self(log_odds(true_rate) - log_odds(trained_rate)))
    }

    /// From how often a row of each class was drawn: 0.5 for every second, 3 for three copies or a weight of 3.
    pub fn of_sampling(positive_rate: f64, negative_rate: f64) -> Result<Self, BadRate> {
        for (name, value) in [("positive_rate", positive_rate), ("negative_rate", negative_rate)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(BadRate { name, value });
            }
        }
        Ok(Self(negative_rate.ln() - positive_rate.ln()))
    }

    pub fn log_odds(self) -> f64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::calibrate::{Calibration, CalibrationKind, sigmoid};

    #[test]
    fn rates_before_and_after_and_the_sampling_between_them_give_one_shift() {
        // 100 positives of 1,000; every positive three times: 300 of 1,200.
        let by_rates = PriorShift::between(300.0 / 1_200.0, 0.1).unwrap();
        let by_sampling = PriorShift::of_sampling(3.0, 1.0).unwrap();
        assert!((by_rates.log_odds() - by_sampling.log_odds()).abs() < 1e-12);
        assert!((by_rates.log_odds() + 3f64.ln()).abs() < 1e-12);
        assert_eq!(PriorShift::between(0.2, 0.2).unwrap().log_odds(), 0.0);
    }

    #[test]
    fn after_oversampling_the_mean_is_the_true_base_rate_again() {
        let mut random = crate::base::rng::Random::new(4, "prior");
        let margins: Vec<f64> = (0..40_000).map(|_| 1.2 * random.normal() - 2.5).collect();
        let labels: Vec<bool> = margins.iter().map(|m| random.unit() < sigmoid(*m)).collect();
        let base_rate = labels.iter().filter(|&&l| l).count() as f64 / labels.len() as f64;
        let copies = |label: bool| if label { 5 } else { 1 };
        let (mut drawn_margins, mut drawn_labels) = (Vec::new(), Vec::new());
        for (&margin, &label) in margins.iter().zip(&labels) {
            for _ in 0..copies(label) {
                drawn_margins.push(margin);
                drawn_labels.push(label);
            }
        }
        for kind in CalibrationKind::ALL {
            let skewed = Calibration::fit(kind, &drawn_margins, &drawn_labels);
            let mean = |c: &Calibration| {
                margins.iter().map(|&m| c.probability(m)).sum::<f64>() / margins.len() as f64
            };
            assert!(mean(&skewed) > 2.0 * base_rate);
            let righted = skewed.moved(PriorShift::of_sampling(5.0, 1.0).unwrap()).unwrap();
            assert!((mean(&righted) / base_rate - 1.0).abs() < 0.02, "{} {base_rate}", mean(&righted));
        }
    }

    #[test]
    fn rates_that_are_none_are_refused_by_name() {
        for bad in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(PriorShift::between(0.5, bad).unwrap_err().name, "true_rate");
            assert_eq!(PriorShift::between(bad, 0.5).unwrap_err().name, "trained_rate");
        }
        assert!(
            PriorShift::of_sampling(0.0, 1.0).is_err()
                && PriorShift::of_sampling(1.0, f64::INFINITY).is_err()
        );
    }
}
