//! What the decisions came to: how many of each outcome, how many were approved and went bad, what that earned.
//! Never knows a currency, and never guesses what a declined case would have brought.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::evaluate::thresholds::profit::AMOUNT_MAX;
use crate::monitor::estimate::{Estimate, Share, Z_95};
use crate::monitor::performance::{Figure, Known};

/// Kinds of outcome in one report.
pub const OUTCOMES_MAX: usize = 32;

/// What one approved case brings if it stays good, and if it goes bad (a loss is negative).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gains {
    pub good: f64,
    pub bad: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Business {
    pub decided: u64,
    /// In the order they were given in.
    pub outcomes: Vec<(String, u64)>,
    pub approval_rate: Figure,
    /// Of those approved whose outcome is known.
    pub bad_rate_of_approved: Figure,
    /// What the approved cases with a known outcome brought, and within what it would lie if their bad rate had come out
    /// otherwise by chance. Nothing where no amounts are given.
    pub profit: Option<Figure>,
    /// What the probabilities promised of these same cases, and within what it would come if they were right.
    pub profit_expected: Option<Figure>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum BusinessError {
    #[error("the decisions have {found} kinds of outcome; at most {max} are counted")]
    Outcomes { found: usize, max: usize },
    #[error("the outcome {outcome:?} is counted twice")]
    Twice { outcome: String },
    #[error("{outcome:?}: {known} outcomes are known of {decided} decisions")]
    MoreThanDecided { outcome: String, known: u64, decided: u64 },
    #[error("known outcome {row}: {probability} is not a probability")]
    NotAProbability { row: usize, probability: f64 },
    #[error("the gain of a {what} case is {value}: amounts are finite and at most {max} either way")]
    Amount { what: &'static str, value: f64, max: f64 },
}

impl Fact for BusinessError {
    fn code(&self) -> &'static str {
        match self {
            Self::Outcomes { .. } => "monitor.business_outcomes",
            Self::Twice { .. } => "monitor.business_outcome_twice",
            Self::MoreThanDecided { .. } => "monitor.more_than_decided",
            Self::NotAProbability { .. } => "monitor.not_a_probability",
            Self::Amount { .. } => "monitor.business_amount",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Outcomes { .. } => Class::DataRefused,
            Self::Amount { .. } => Class::Usage,
            Self::MoreThanDecided { .. } => Class::Integrity,
            Self::Twice { .. } | Self::NotAProbability { .. } => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Amount { .. } => Some("Correct the amount in monitor.toml.".into()),
            Self::MoreThanDecided { .. } => Some("Run `tallystick store check`.".into()),
            _ => None,
        }
    }
}

impl Gains {
    pub fn check(&self) -> Result<(), BusinessError> {
        // Not so for a NaN.
        let is_amount = |value: f64| value.abs() <= AMOUNT_MAX;
        match [("good", self.good), ("bad", self.bad)].into_iter().find(|(_, value)| !is_amount(*value)) {
            Some((what, value)) => Err(BusinessError::Amount { what, value, max: AMOUNT_MAX }),
            None => Ok(()),
        }
    }

    /// So many cases of a bad rate.
    fn of(&self, cases: u64, bad_rate: f64) -> f64 {
        cases as f64 * (self.good + bad_rate * (self.bad - self.good))
    }

    /// A lower bad rate brings more where bad cases cost: the ends may change places.
    fn figure(&self, name: &str, cases: u64, rate: Option<Estimate>) -> Figure {
        let profit = rate.map(|rate| {
            let (one, other) = (self.of(cases, rate.low), self.of(cases, rate.high));
            Estimate { value: self.of(cases, rate.value), low: one.min(other), high: one.max(other) }
        });
        Figure::of(name, profit, cases)
    }
}

/// `outcomes` counts all decisions, known or not; `approved` says which outcomes are an approval.
pub fn measure(
    outcomes: &[(String, u64)],
    known: &[Known],
    approved: impl Fn(&str) -> bool,
    gains: Option<&Gains>,
) -> Result<Business, BusinessError> {
    gains.map_or(Ok(()), Gains::check)?;
    check_outcomes(outcomes, known)?;
    let decided: u64 = outcomes.iter().map(|(_, count)| count).sum();
    let count = outcomes.iter().filter(|(outcome, _)| approved(outcome)).map(|(_, count)| count).sum();
    let approvals = Share { count, of: decided };
    let taken: Vec<&Known> = known.iter().filter(|known| approved(&known.outcome)).collect();
    let mut bad = Share::default();
    taken.iter().for_each(|known| bad.add(known.bad));
    let rate = bad.estimate(Z_95);
    Ok(Business {
        decided,
        outcomes: outcomes.to_vec(),
        approval_rate: Figure::of("approval_rate", approvals.estimate(Z_95), decided),
        bad_rate_of_approved: Figure::of("bad_rate_of_approved", rate, bad.of),
        profit: gains.map(|gains| gains.figure("profit", bad.of, rate)),
        profit_expected: gains.map(|gains| gains.figure("profit_expected", bad.of, promised(&taken))),
    })
}

fn check_outcomes(outcomes: &[(String, u64)], known: &[Known]) -> Result<(), BusinessError> {
    if outcomes.len() > OUTCOMES_MAX {
        return Err(BusinessError::Outcomes { found: outcomes.len(), max: OUTCOMES_MAX });
    }
    let mut left: BTreeMap<&str, u64> = BTreeMap::new();
    for (outcome, count) in outcomes {
        if left.insert(outcome, *count).is_some() {
            return Err(BusinessError::Twice { outcome: outcome.clone() });
        }
    }
    for (row, case) in known.iter().enumerate() {
        let probability = case.probability;
        if !(0.0..=1.0).contains(&probability) {
            return Err(BusinessError::NotAProbability { row, probability });
        }
        match left.get_mut(case.outcome.as_str()) {
            Some(left) if *left > 0 => *left -= 1,
            _ => return Err(more_than_decided(outcomes, known, &case.outcome)),
        }
    }
    Ok(())
}

fn more_than_decided(outcomes: &[(String, u64)], known: &[Known], outcome: &str) -> BusinessError {
    let decided = outcomes.iter().find(|(name, _)| name == outcome).map_or(0, |(_, count)| *count);
    let known = known.iter().filter(|case| case.outcome == outcome).count() as u64;
    BusinessError::MoreThanDecided { outcome: outcome.into(), known, decided }
}

/// The bad rate that the probabilities foretell, and how far chance would carry the real one from it if they were right.
fn promised(taken: &[&Known]) -> Option<Estimate> {
    if taken.is_empty() {
        return None;
    }
    let (cases, sum) = (taken.len() as f64, taken.iter().map(|known| known.probability).sum::<f64>());
    let spread: f64 = taken.iter().map(|known| known.probability * (1.0 - known.probability)).sum();
    let (value, reach) = (sum / cases, Z_95 * spread.sqrt() / cases);
    Some(Estimate { value, low: (value - reach).max(0.0), high: (value + reach).min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(outcome: &str, probability: f64, bad: bool) -> Known {
        Known { decided_ms: 0, probability, bad, outcome: outcome.into(), groups: Default::default() }
    }

    fn outcomes() -> Vec<(String, u64)> {
        [("approve", 60), ("refer", 15), ("decline", 25)].map(|(name, count)| (name.into(), count)).into()
    }

    /// Forty approved at 0.1, of whom eight went bad, and two that were declined.
    fn known() -> Vec<Known> {
        let mut known: Vec<Known> = (0..40).map(|row| case("approve", 0.1, row < 8)).collect();
        known.extend([case("decline", 0.9, true), case("decline", 0.8, false)]);
        known
    }

    const GAINS: Gains = Gains { good: 100.0, bad: -400.0 };

    #[test]
    fn rates_and_profit_are_what_a_hand_reckons() {
        let found = measure(&outcomes(), &known(), |outcome| outcome == "approve", Some(&GAINS)).unwrap();
        assert_eq!((found.decided, found.outcomes[1].clone()), (100, ("refer".to_string(), 15)));
        assert_eq!((found.approval_rate.value, found.approval_rate.n), (Some(0.6), 100));
        assert_eq!((found.bad_rate_of_approved.value, found.bad_rate_of_approved.n), (Some(0.2), 40));
        let (profit, expected) = (found.profit.unwrap(), found.profit_expected.unwrap());
        // 32 x 100 less 8 x 400; promised: 36 x 100 less 4 x 400.
        assert!(profit.value.unwrap().abs() < 1e-9 && (expected.value.unwrap() - 2_000.0).abs() < 1e-9);
        // Poisson's binomial: 40 x 0.1 x 0.9 bad cases squared, 500 apart each.
        let reach = Z_95 * 3.6f64.sqrt() * 500.0;
        assert!((expected.high.unwrap() - 2_000.0 - reach).abs() < 1e-9);
        assert!((expected.low.unwrap() - 2_000.0 + reach).abs() < 1e-9);
        // Wilson for 8 of 40: 0.1050 to 0.3476, 20,000 apart from 4,000 down.
        assert!((profit.high.unwrap() - (4_000.0 - 20_000.0 * 0.105_000)).abs() < 0.5, "{profit:?}");
        assert!((profit.low.unwrap() - (4_000.0 - 20_000.0 * 0.347_573)).abs() < 0.5, "{profit:?}");
    }

    #[test]
    fn without_decisions_without_outcomes_and_without_amounts_there_are_no_figures() {
        let found = measure(&outcomes(), &[], |outcome| outcome == "approve", Some(&GAINS)).unwrap();
        assert_eq!((found.bad_rate_of_approved.value, found.bad_rate_of_approved.n), (None, 0));
        assert_eq!((found.profit.unwrap().value, found.profit_expected.unwrap().value), (None, None));
        let none = measure(&[], &[], |_| true, None).unwrap();
        assert_eq!((none.decided, none.approval_rate.value, none.profit), (0, None, None));
    }

    #[test]
    fn counts_and_amounts_that_cannot_be_are_refused_by_name() {
        let refused = |outcomes: &[(String, u64)], known: &[Known], gains: Option<&Gains>| {
            measure(outcomes, known, |_| true, gains).unwrap_err().code()
        };
        let twice = [outcomes(), outcomes()].concat();
        assert_eq!(refused(&twice, &[], None), "monitor.business_outcome_twice");
        let many: Vec<(String, u64)> = (0..=OUTCOMES_MAX).map(|i| (i.to_string(), 1)).collect();
        assert_eq!(refused(&many, &[], None), "monitor.business_outcomes");
        assert_eq!(
            refused(&outcomes(), &vec![case("refer", 0.5, true); 16], None),
            "monitor.more_than_decided"
        );
        assert_eq!(refused(&outcomes(), &[case("lost", 0.5, true)], None), "monitor.more_than_decided");
        assert_eq!(refused(&outcomes(), &[case("refer", f64::NAN, true)], None), "monitor.not_a_probability");
        for bad in [f64::NAN, f64::INFINITY, -1e16] {
            let gains = Gains { bad, ..GAINS };
            assert_eq!(refused(&outcomes(), &[], Some(&gains)), "monitor.business_amount");
        }
    }
}
