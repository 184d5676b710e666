//! Which threshold to use, by cost, share, F-score or profit, with the sweep that shows what the others would give.
//! A candidate is a probability that was seen; ties go to the highest threshold, which flags the fewest rows.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::evaluate::ranked::Confusion;
use crate::evaluate::scores::Scores;
use crate::evaluate::thresholds::profit::{Amounts, AmountsError};

pub mod profit;

/// What makes a threshold the best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The lowest total cost: of each positive that is missed and each negative that is flagged.
    Cost { missed_positive: f64, flagged_negative: f64 },
    /// The largest share of rows predicted positive that is not above this one.
    Rate { at_most: f64 },
    /// The highest F-score; recall counts `beta` times as much as precision.
    FBeta { beta: f64 },
    /// The highest profit.
    Profit(Amounts),
}

#[derive(Debug, thiserror::Error)]
pub enum ThresholdError {
    #[error("the cost {name} is {value}: costs are finite and not negative, and one must be above 0")]
    Cost { name: &'static str, value: f64 },
    #[error("at_most is {value}: a share of rows lies between 0 and 1")]
    Rate { value: f64 },
    #[error("beta is {value}: it must be finite and above 0")]
    Beta { value: f64 },
    #[error(transparent)]
    Amounts(#[from] AmountsError),
}

impl Fact for ThresholdError {
    fn code(&self) -> &'static str {
        match self {
            Self::Cost { .. } => "evaluate.threshold_cost",
            Self::Rate { .. } => "evaluate.threshold_rate",
            Self::Beta { .. } => "evaluate.threshold_beta",
            Self::Amounts(bad) => bad.code(),
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

impl Rule {
    pub fn check(&self) -> Result<(), ThresholdError> {
        match *self {
            Self::Cost { missed_positive, flagged_negative } => {
                check_costs(missed_positive, flagged_negative)
            }
            Self::Rate { at_most } if !(0.0..=1.0).contains(&at_most) => {
                Err(ThresholdError::Rate { value: at_most })
            }
            Self::FBeta { beta } if !(beta.is_finite() && beta > 0.0) => {
                Err(ThresholdError::Beta { value: beta })
            }
            Self::Profit(amounts) => Ok(amounts.check()?),
            Self::Rate { .. } | Self::FBeta { .. } => Ok(()),
        }
    }

    /// What the rule looks at: a total cost, a share of rows, an F-score or a profit.
    pub fn value(&self, counts: &Confusion) -> f64 {
        match *self {
            Self::Cost { missed_positive, flagged_negative } => {
                missed_positive * counts.false_negatives as f64
                    + flagged_negative * counts.false_positives as f64
            }
            Self::Rate { .. } => flagged_share(counts),
            Self::FBeta { beta } => counts.f_beta(beta),
            Self::Profit(amounts) => amounts.profit(counts),
        }
    }

    fn prefers(&self, value: f64, to: f64) -> bool {
        match *self {
            Self::Cost { .. } => value < to,
            Self::Rate { at_most } => value > to && value <= at_most,
            Self::FBeta { .. } | Self::Profit(_) => value > to,
        }
    }
}

fn check_costs(missed_positive: f64, flagged_negative: f64) -> Result<(), ThresholdError> {
    for (name, value) in [("missed_positive", missed_positive), ("flagged_negative", flagged_negative)] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(ThresholdError::Cost { name, value });
        }
    }
    if missed_positive == 0.0 && flagged_negative == 0.0 {
        return Err(ThresholdError::Cost { name: "missed_positive", value: missed_positive });
    }
    Ok(())
}

fn flagged_share(counts: &Confusion) -> f64 {
    counts.flagged() as f64 / counts.rows() as f64
}

/// A candidate and what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepPoint {
    pub threshold: f64,
    /// Cost, share, F-score or profit, as the rule has it.
    pub value: f64,
    /// Share of rows predicted positive.
    pub flagged: f64,
}

/// The best threshold of its rule on the given scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub rule: Rule,
    /// A probability at or above it is predicted positive; just above the highest score if nothing is to be flagged.
    pub threshold: f64,
    pub value: f64,
    pub confusion: Confusion,
    /// At most `SWEEP_POINTS_MAX` candidates from the highest threshold down, the chosen one among them.
    pub sweep: Vec<SweepPoint>,
}

pub fn choose(scores: &Scores<'_>, rule: &Rule) -> Result<Choice, ThresholdError> {
    rule.check()?;
    let mut best = (0, none_flagged(scores), rule.value(&none_flagged(scores).1));
    for (index, candidate) in candidates(scores).enumerate() {
        let value = rule.value(&candidate.1);
        if rule.prefers(value, best.2) {
            best = (index, candidate, value);
        }
    }
    let (index, (threshold, confusion), value) = best;
    Ok(Choice { rule: *rule, threshold, value, confusion, sweep: sweep(scores, rule, index) })
}

/// Nothing flagged, then every distinct probability from the highest down.
fn candidates(scores: &Scores<'_>) -> impl Iterator<Item = (f64, Confusion)> {
    let start = none_flagged(scores);
    let mut counts = start.1;
    let lower = scores.steps().iter().map(move |step| {
        let (positives, negatives) = (u64::from(step.positives), u64::from(step.negatives));
        counts.true_positives += positives;
        counts.false_negatives -= positives;
        counts.false_positives += negatives;
        counts.true_negatives -= negatives;
        (step.probability, counts)
    });
    std::iter::once(start).chain(lower)
}

fn none_flagged(scores: &Scores<'_>) -> (f64, Confusion) {
    let highest = scores.steps().first().map_or(1.0, |step| step.probability);
    let counts = Confusion {
        false_negatives: scores.positives(),
        true_negatives: scores.negatives(),
        ..Confusion::default()
    };
    (highest.next_up(), counts)
}

fn sweep(scores: &Scores<'_>, rule: &Rule, chosen: usize) -> Vec<SweepPoint> {
    let last = scores.steps().len();
    // One place is left for the chosen candidate and one for the last.
    let stride = (last + 1).div_ceil(limits::SWEEP_POINTS_MAX - 2);
    candidates(scores)
        .enumerate()
        .filter(|(index, _)| index % stride == 0 || *index == chosen || *index == last)
        .map(|(_, (threshold, counts))| SweepPoint {
            threshold,
            value: rule.value(&counts),
            flagged: flagged_share(&counts),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 6] = [true, false, true, false, false, false];
    const PROBABILITIES: [f64; 6] = [0.9, 0.7, 0.6, 0.6, 0.2, 0.1];

    fn chosen(rule: Rule) -> (f64, f64) {
        let choice = choose(&Scores::check(&LABELS, &PROBABILITIES).unwrap(), &rule).unwrap();
        (choice.threshold, choice.value)
    }

    fn cost(missed_positive: f64, flagged_negative: f64) -> Rule {
        Rule::Cost { missed_positive, flagged_negative }
    }

    #[test]
    fn a_dear_miss_lowers_the_threshold_and_a_dear_refusal_raises_it() {
        assert_eq!(chosen(cost(5.0, 1.0)), (0.6, 2.0));
        assert_eq!(chosen(cost(1.0, 1.0)), (0.9, 1.0));
        let (threshold, value) = chosen(cost(0.0, 1.0));
        assert!(threshold > 0.9 && value == 0.0);
    }

    #[test]
    fn a_tie_goes_to_the_highest_threshold() {
        // 0.9 misses one positive (2.0); 0.6 flags two negatives (2.0).
        assert_eq!(chosen(cost(2.0, 1.0)), (0.9, 2.0));
    }

    #[test]
    fn a_share_is_never_exceeded_even_where_scores_tie() {
        assert_eq!(chosen(Rule::Rate { at_most: 0.5 }), (0.7, 2.0 / 6.0));
        assert_eq!(chosen(Rule::Rate { at_most: 4.0 / 6.0 }), (0.6, 4.0 / 6.0));
        let (threshold, value) = chosen(Rule::Rate { at_most: 0.1 });
        assert!(threshold > 0.9 && value == 0.0);
    }

    #[test]
    fn the_best_f_score_is_found() {
        assert_eq!(chosen(Rule::FBeta { beta: 2.0 }), (0.6, 10.0 / 12.0));
    }

    #[test]
    fn rules_outside_their_bounds_are_refused() {
        for bad in [cost(-1.0, 1.0), cost(f64::NAN, 1.0), cost(0.0, 0.0), cost(1.0, f64::INFINITY)] {
            assert_eq!(bad.check().unwrap_err().code(), "evaluate.threshold_cost");
        }
        assert!(Rule::Rate { at_most: 1.1 }.check().is_err());
        assert!(Rule::FBeta { beta: 0.0 }.check().is_err());
    }

    #[test]
    fn a_long_sweep_is_bounded_and_holds_the_choice_and_both_ends() {
        let labels: Vec<bool> = (0..5_000).map(|i| i % 7 == 0 || i > 4_000).collect();
        let probabilities: Vec<f64> = (0..5_000).map(|i| f64::from(i) / 5_000.0).collect();
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let choice = choose(&scores, &cost(3.0, 1.0)).unwrap();
        assert!(choice.sweep.len() <= limits::SWEEP_POINTS_MAX);
        assert!(choice.sweep.iter().any(|p| p.threshold == choice.threshold && p.value == choice.value));
        assert_eq!((choice.sweep[0].flagged, choice.sweep.last().unwrap().flagged), (0.0, 1.0));
        assert!(choice.sweep.windows(2).all(|w| w[0].threshold > w[1].threshold));
    }

    #[test]
    fn a_rule_is_written_as_one_table() {
        let rule: Rule = serde_json::from_str(r#"{"by":"f_beta","beta":2.0}"#).unwrap();
        assert_eq!(rule, Rule::FBeta { beta: 2.0 });
        assert!(serde_json::from_str::<Rule>(r#"{"by":"rate","at_most":0.1,"more":1}"#).is_err());
        let amounts =
            r#""flagged_positive":-1.0,"flagged_negative":-1.0,"passed_positive":-9.0,"passed_negative":2.0"#;
        let text = format!(r#"{{"by":"profit",{amounts}}}"#);
        let rule: Rule = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&rule).unwrap(), text);
        assert!(serde_json::from_str::<Rule>(&format!(r#"{{"by":"profit",{amounts},"more":1}}"#)).is_err());
    }
}
