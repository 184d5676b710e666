//! What a cut-off earns: amounts for each of the four outcomes, the profit at every candidate, and the best of them.
//! Never knows a currency or a policy; amounts are numbers and a loss is a negative one.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::evaluate::importance::effects::{Cell, csv_line};
use crate::evaluate::ranked::{Confusion, split_evenly};
use crate::evaluate::scores::Scores;
use crate::evaluate::thresholds::{candidates, none_flagged};

/// What one row brings. A positive is what the model looks for (a default); flagged is at or above the threshold
/// (refused, where positives are bad).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    pub flagged_positive: f64,
    pub flagged_negative: f64,
    pub passed_positive: f64,
    pub passed_negative: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum AmountsError {
    #[error("the amount {name} is {value}: amounts are finite and at most {max} either way")]
    Amount { name: &'static str, value: f64, max: f64 },
    #[error("flagging a row never changes what it brings: no threshold can be chosen by profit")]
    NoDifference,
}

impl Fact for AmountsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Amount { .. } => "evaluate.profit_amount",
            Self::NoDifference => "evaluate.profit_no_difference",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

/// The largest amount of one row: sums over all rows stay far from what a float can hold.
pub const AMOUNT_MAX: f64 = 1e15;

/// Not so for a NaN.
fn is_amount(value: f64) -> bool {
    value.abs() <= AMOUNT_MAX
}

impl Amounts {
    pub fn check(&self) -> Result<(), AmountsError> {
        let named = [
            ("flagged_positive", self.flagged_positive),
            ("flagged_negative", self.flagged_negative),
            ("passed_positive", self.passed_positive),
            ("passed_negative", self.passed_negative),
        ];
        match named.into_iter().find(|(_, value)| !is_amount(*value)) {
            Some((name, value)) => Err(AmountsError::Amount { name, value, max: AMOUNT_MAX }),
            None if self.flagged_positive == self.passed_positive
                && self.flagged_negative == self.passed_negative =>
            {
                Err(AmountsError::NoDifference)
            }
            None => Ok(()),
        }
    }

    pub fn profit(&self, counts: &Confusion) -> f64 {
        let (from_flagged, from_passed) = self.parts(counts);
        from_flagged + from_passed
    }

    /// What flagged rows bring, and those that pass.
    fn parts(&self, counts: &Confusion) -> (f64, f64) {
        let from_flagged = self.flagged_positive * counts.true_positives as f64
            + self.flagged_negative * counts.false_positives as f64;
        let from_passed = self.passed_positive * counts.false_negatives as f64
            + self.passed_negative * counts.true_negatives as f64;
        (from_flagged, from_passed)
    }
}

/// A candidate and what it brings, in all and by outcome.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfitPoint {
    pub threshold: f64,
    /// Share of rows at or above the threshold.
    pub flagged: f64,
    pub confusion: Confusion,
    /// What flagged rows bring, and those that pass; they sum to the profit.
    pub from_flagged: f64,
    pub from_passed: f64,
    pub profit: f64,
    pub profit_per_row: f64,
}

/// The profit over all thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfitCurve {
    pub amounts: Amounts,
    pub rows: u64,
    /// No candidate brings more; of several that bring as much, the highest threshold.
    pub best: ProfitPoint,
    pub flag_none: ProfitPoint,
    pub flag_all: ProfitPoint,
    /// From the highest threshold down: at most `SWEEP_POINTS_MAX`, the best and both ends among them.
    pub points: Vec<ProfitPoint>,
}

/// Over every distinct probability, and flagging nothing.
pub fn profit(scores: &Scores<'_>, amounts: &Amounts) -> Result<ProfitCurve, AmountsError> {
    amounts.check()?;
    let point = |(threshold, counts): (f64, Confusion)| point_at(amounts, threshold, &counts);
    let all = || candidates(scores).map(point);
    let last = scores.steps().len();
    // There is always the candidate that flags nothing.
    let flag_none = point(none_flagged(scores));
    let (mut best, mut place, mut flag_all) = (flag_none, 0, flag_none);
    for (index, candidate) in all().enumerate() {
        if candidate.profit > best.profit {
            (best, place) = (candidate, index);
        }
        flag_all = candidate;
    }
    let stride = (last + 1).div_ceil(limits::SWEEP_POINTS_MAX - 2);
    let points = all()
        .enumerate()
        .filter(|(index, _)| index % stride == 0 || *index == place || *index == last)
        .map(|(_, candidate)| candidate)
        .collect();
    Ok(ProfitCurve { amounts: *amounts, rows: scores.rows(), best, flag_none, flag_all, points })
}

fn point_at(amounts: &Amounts, threshold: f64, counts: &Confusion) -> ProfitPoint {
    let (from_flagged, from_passed) = amounts.parts(counts);
    let profit = from_flagged + from_passed;
    ProfitPoint {
        threshold,
        flagged: counts.flagged() as f64 / counts.rows() as f64,
        confusion: *counts,
        from_flagged,
        from_passed,
        profit,
        profit_per_row: profit / counts.rows() as f64,
    }
}

/// The point at any threshold, on the grid or not.
pub fn profit_at(
    scores: &Scores<'_>,
    amounts: &Amounts,
    threshold: f64,
) -> Result<ProfitPoint, AmountsError> {
    amounts.check()?;
    Ok(point_at(amounts, threshold, &Confusion::at(scores.steps(), threshold)))
}

/// Parts of a cost-benefit table.
const COST_BENEFIT_PARTS: u64 = 20;

/// The cost-benefit table: what flagging the highest 5 %, 10 %, ... of rows brings, each part rounded to where
/// rows of one probability end. Strictly rising shares; the last flags all.
pub fn cost_benefit(scores: &Scores<'_>, amounts: &Amounts) -> Result<Vec<ProfitPoint>, AmountsError> {
    amounts.check()?;
    let mut wanted: Vec<u64> =
        split_evenly(scores.rows(), COST_BENEFIT_PARTS).into_iter().map(|range| range.end).collect();
    wanted.reverse();
    let mut table = Vec::new();
    for (threshold, counts) in candidates(scores) {
        let reached = wanted.last().is_some_and(|end| counts.flagged() >= *end);
        if counts.flagged() == 0 || reached {
            table.push(point_at(amounts, threshold, &counts));
        }
        while wanted.pop_if(|end| counts.flagged() >= *end).is_some() {}
    }
    Ok(table)
}

/// One line a point.
pub fn points_csv(points: &[ProfitPoint]) -> String {
    let mut text = String::from(
        "threshold,flagged,true_positives,false_positives,true_negatives,false_negatives,from_flagged,from_passed,profit,profit_per_row\r\n",
    );
    for point in points {
        let counts = &point.confusion;
        let counted =
            [counts.true_positives, counts.false_positives, counts.true_negatives, counts.false_negatives];
        let [tp, fp, tn, fn_] = counted.map(|count| count as f64);
        let ProfitPoint { threshold, flagged, from_flagged, from_passed, profit, profit_per_row, .. } =
            *point;
        let cells = [threshold, flagged, tp, fp, tn, fn_, from_flagged, from_passed, profit, profit_per_row];
        text.push_str(&csv_line(&cells.map(Cell::Number)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [bool; 6] = [true, false, true, false, false, false];
    const PROBABILITIES: [f64; 6] = [0.9, 0.7, 0.6, 0.6, 0.2, 0.1];
    /// A loan that is repaid earns 100, one that defaults loses 400; a refusal costs its paper.
    const LOAN: Amounts = Amounts {
        flagged_positive: -1.0,
        flagged_negative: -1.0,
        passed_positive: -400.0,
        passed_negative: 100.0,
    };

    #[test]
    fn the_best_cut_off_is_found_and_its_parts_sum_to_its_profit() {
        let curve = profit(&Scores::check(&LABELS, &PROBABILITIES).unwrap(), &LOAN).unwrap();
        assert_eq!((curve.best.threshold, curve.best.profit), (0.6, 196.0));
        assert_eq!((curve.best.from_flagged, curve.best.from_passed), (-4.0, 200.0));
        assert_eq!((curve.flag_none.profit, curve.flag_all.profit), (-400.0, -6.0));
        assert_eq!(curve.points.len(), 6);
    }

    #[test]
    fn a_tie_goes_to_the_highest_threshold() {
        let even = Amounts {
            flagged_positive: 1.0,
            flagged_negative: -1.0,
            passed_positive: 0.0,
            passed_negative: 0.0,
        };
        // 0.9 gains one; 0.6 gains one again after losing one at 0.7.
        let curve = profit(&Scores::check(&LABELS, &PROBABILITIES).unwrap(), &even).unwrap();
        assert_eq!((curve.best.threshold, curve.best.profit), (0.9, 1.0));
    }

    #[test]
    fn the_table_steps_through_all_rows_and_never_parts_equal_scores() {
        let labels: Vec<bool> = (0..1_000).map(|i| i % 9 == 0).collect();
        let probabilities: Vec<f64> = (0..1_000).map(|i| f64::from(i / 7) / 200.0).collect();
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let table = cost_benefit(&scores, &LOAN).unwrap();
        assert!(table.windows(2).all(|w| w[0].flagged < w[1].flagged));
        assert_eq!((table.len(), table[0].flagged, table.last().unwrap().flagged), (21, 0.0, 1.0));
        for row in &table {
            assert_eq!(*row, profit_at(&scores, &LOAN, row.threshold).unwrap());
        }
    }

    #[test]
    fn amounts_that_decide_nothing_or_are_none_are_refused() {
        let code = |amounts: Amounts| amounts.check().unwrap_err().code();
        assert_eq!(code(Amounts { flagged_negative: f64::NAN, ..LOAN }), "evaluate.profit_amount");
        assert_eq!(code(Amounts { passed_positive: 1e16, ..LOAN }), "evaluate.profit_amount");
        let idle = Amounts { flagged_positive: -400.0, flagged_negative: 100.0, ..LOAN };
        assert_eq!(code(idle), "evaluate.profit_no_difference");
    }
}
