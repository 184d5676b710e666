//! The decision proper: a probability and the rules that hold give one named outcome.
//! Never explains it; reasons are found afterwards.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::decide::resolved::ResolvedPolicy;
use crate::decide::rules::Rule;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub outcome: String,
    /// Where the probability lies among the policy's bands, from 0; also where a rule decided.
    pub band: usize,
    pub by: DecidedBy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    Band,
    /// The rule of this id, the first of the policy that held.
    Rule(String),
    /// Neither: what was to score could not, and a person has to look.
    Fallback,
}

#[derive(Debug, thiserror::Error)]
#[error("{found} is not a probability; no band holds it")]
pub struct NotAProbability {
    found: f64,
}

impl Fact for NotAProbability {
    fn code(&self) -> &'static str {
        "decide.not_a_probability"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// The first rule that holds decides; where none does, the band of the probability.
pub fn decide(policy: &ResolvedPolicy, probability: f64, hits: &[&Rule]) -> Result<Outcome, NotAProbability> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(NotAProbability { found: probability });
    }
    let bands = &policy.object().bands;
    // Bands rise strictly and the last is open, so one of them holds.
    let band = bands.iter().take_while(|band| band.upto.is_some_and(|upto| probability >= upto)).count();
    let (outcome, by) = match hits.first() {
        Some(rule) => (rule.outcome.clone(), DecidedBy::Rule(rule.id.clone())),
        None => (bands[band].outcome.clone(), DecidedBy::Band),
    };
    Ok(Outcome { outcome, band, by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::policy::tests::{low_band, raw, resolved};

    fn decided(probability: f64) -> (String, usize) {
        let found = decide(&resolved(|_| ()), probability, &[]).unwrap();
        assert_eq!(found.by, DecidedBy::Band);
        (found.outcome, found.band)
    }

    #[test]
    fn a_band_ends_just_below_its_bound() {
        let low = low_band();
        for (probability, outcome, band) in [
            (0.0, "approve", 0),
            (low.next_down(), "approve", 0),
            (low, "refer", 1),
            (0.3_f64.next_down(), "refer", 1),
            (0.3, "decline", 2),
            (1.0, "decline", 2),
        ] {
            assert_eq!(decided(probability), (outcome.to_string(), band), "{probability}");
        }
    }

    #[test]
    fn what_is_no_probability_gets_no_outcome() {
        for bad in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
            assert!(decide(&resolved(|_| ()), bad, &[]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_rule_that_holds_decides_and_the_band_is_kept() {
        let policy = resolved(|_| ());
        let rules = raw().rule;
        let found = decide(&policy, 0.01, &[&rules[1], &rules[0]]).unwrap();
        assert_eq!(found.outcome, rules[1].outcome);
        assert_eq!(found.by, DecidedBy::Rule(rules[1].id.clone()));
        assert_eq!(found.band, 0);
    }
}
