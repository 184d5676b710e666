//! Whether a candidate may follow what is in production: its figures on the same rows may not be worse than a tolerance.
//! Never promotes anything; a gate reads the verdict.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::evaluate::compare::paired::{Difference, compare};
use crate::evaluate::intervals::{BootstrapPlan, IntervalError};
use crate::evaluate::scores::Scores;

/// How much worse each figure may be; what is not named is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brier: Option<f64>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProductionError {
    #[error("the tolerance of {metric} is {value}: it must be finite and not negative")]
    Tolerance { metric: &'static str, value: f64 },
    #[error("no tolerance is given: nothing would be judged")]
    Nothing,
    #[error("production and candidate were scored on different rows: row {row} has another outcome")]
    OtherRows { row: usize },
    #[error(transparent)]
    Interval(#[from] IntervalError),
}

impl Fact for ProductionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Tolerance { .. } => "evaluate.tolerance",
            Self::Nothing => "evaluate.no_tolerance",
            Self::OtherRows { .. } => "evaluate.other_rows",
            Self::Interval(bad) => bad.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::OtherRows { .. } => Class::Failed,
            Self::Tolerance { .. } | Self::Nothing => Class::Usage,
            Self::Interval(bad) => bad.class(),
        }
    }
}

/// How sure it is that a figure did not fall beyond its tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The whole interval is within the tolerance.
    Holds,
    /// The difference itself is within it, but its interval reaches beyond.
    HoldsUncertainly,
    /// The difference is beyond it, though chance alone might do that.
    FallsUncertainly,
    /// The whole interval is beyond it.
    Falls,
}

impl Standing {
    /// Whether the difference that was measured is within its tolerance.
    pub fn holds(self) -> bool {
        matches!(self, Self::Holds | Self::HoldsUncertainly)
    }
}

/// One figure of both on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    pub metric: String,
    pub production: f64,
    pub candidate: f64,
    /// How much worse the candidate is; below 0 where it is better.
    pub worse_by: f64,
    pub worse_low: f64,
    pub worse_high: f64,
    pub tolerance: f64,
    pub standing: Standing,
}

/// All figures that were to be judged, and the worst of their standings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    pub standing: Standing,
    pub rows: u64,
    pub level: f64,
    pub rounds: usize,
    pub judged: Vec<Judged>,
}

impl Tolerance {
    fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = [("auc", self.auc), ("log_loss", self.log_loss), ("brier", self.brier)];
        all.into_iter().filter_map(|(metric, value)| Some((metric, value?)))
    }

    pub fn check(&self) -> Result<(), ProductionError> {
        match self.named().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((metric, value)) => Err(ProductionError::Tolerance { metric, value }),
            None if self.named().next().is_none() => Err(ProductionError::Nothing),
            None => Ok(()),
        }
    }
}

/// Both are scores of the same rows in the same order.
pub fn judge(
    production: &Scores<'_>,
    candidate: &Scores<'_>,
    tolerance: &Tolerance,
    plan: &BootstrapPlan,
) -> Result<Verdict, ProductionError> {
    tolerance.check()?;
    check_rows(production.labels(), candidate.labels())?;
    let differences = compare(production, candidate, plan)?;
    let find = |metric: &str| differences.iter().find(|d| d.metric == metric);
    let judged: Vec<Judged> =
        tolerance.named().filter_map(|(metric, allowed)| Some(one(find(metric)?, allowed))).collect();
    Ok(Verdict {
        standing: judged.iter().map(|j| j.standing).max().unwrap_or(Standing::Holds),
        rows: production.rows(),
        level: plan.level,
        rounds: plan.rounds,
        judged,
    })
}

fn check_rows(production: &[bool], candidate: &[bool]) -> Result<(), ProductionError> {
    let shared = production.len().min(candidate.len());
    let differs = production.iter().zip(candidate).position(|(one, other)| one != other);
    match differs.or((production.len() != candidate.len()).then_some(shared)) {
        Some(row) => Err(ProductionError::OtherRows { row }),
        None => Ok(()),
    }
}

fn one(found: &Difference, tolerance: f64) -> Judged {
    // Of the figures that are compared, only of the AUC more is better.
    let (worse_by, worse_low, worse_high) = if found.metric == "auc" {
        // Less it, and not its negative: no difference is 0 and never -0.
        (0.0 - found.difference, 0.0 - found.high, 0.0 - found.low)
    } else {
        (found.difference, found.low, found.high)
    };
    let standing = match (worse_by <= tolerance, worse_low > tolerance, worse_high > tolerance) {
        (true, _, false) => Standing::Holds,
        (true, _, true) => Standing::HoldsUncertainly,
        (false, true, _) => Standing::Falls,
        (false, false, _) => Standing::FallsUncertainly,
    };
    Judged {
        metric: found.metric.to_string(),
        production: found.first,
        candidate: found.other,
        worse_by,
        worse_low,
        worse_high,
        tolerance,
        standing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    fn sample(rows: usize, noise: f64) -> (Vec<bool>, Vec<f64>) {
        let mut random = Random::new(5, "production");
        let labels: Vec<bool> = (0..rows).map(|_| random.unit() < 0.25).collect();
        let score = |&label: &bool| {
            let margin = if label { 1.0 } else { -1.0 } + noise * random.normal();
            1.0 / (1.0 + (-margin).exp())
        };
        let scores = labels.iter().map(score).collect();
        (labels, scores)
    }

    fn verdict(noises: [f64; 2], auc: f64) -> Verdict {
        let [(labels, one), (_, other)] = noises.map(|noise| sample(1_500, noise));
        let (one, other) = (Scores::check(&labels, &one).unwrap(), Scores::check(&labels, &other).unwrap());
        let tolerance = Tolerance { auc: Some(auc), ..Tolerance::default() };
        judge(&one, &other, &tolerance, &BootstrapPlan::seeded(1)).unwrap()
    }

    #[test]
    fn a_fall_within_the_tolerance_holds_and_one_beyond_it_falls() {
        let fallen = verdict([1.0, 1.8], 0.02);
        assert_eq!(fallen.standing, Standing::Falls, "{fallen:?}");
        assert!(
            fallen.judged[0].worse_low > 0.02 && fallen.judged[0].candidate < fallen.judged[0].production
        );
        assert_eq!(verdict([1.8, 1.0], 0.0).standing, Standing::Holds);
        assert_eq!(verdict([1.0, 1.8], 0.5).standing, Standing::Holds);
    }

    #[test]
    fn an_interval_that_reaches_beyond_the_tolerance_is_uncertain_on_either_side() {
        let measured = verdict([1.0, 1.8], 0.0).judged[0].worse_by;
        assert_eq!(verdict([1.0, 1.8], measured + 1e-6).standing, Standing::HoldsUncertainly);
        assert_eq!(verdict([1.0, 1.8], measured - 1e-6).standing, Standing::FallsUncertainly);
        assert!(Standing::HoldsUncertainly.holds() && !Standing::FallsUncertainly.holds());
    }

    #[test]
    fn more_log_loss_is_worse_and_the_worst_figure_is_the_verdict() {
        let [(labels, one), (_, other)] = [1.0, 1.8].map(|noise| sample(1_500, noise));
        let (one, other) = (Scores::check(&labels, &one).unwrap(), Scores::check(&labels, &other).unwrap());
        let tolerance = Tolerance { auc: Some(0.9), log_loss: Some(0.001), brier: None };
        let found = judge(&one, &other, &tolerance, &BootstrapPlan::seeded(1)).unwrap();
        let standings: Vec<_> = found.judged.iter().map(|j| (j.metric.as_str(), j.standing)).collect();
        assert_eq!(standings, [("auc", Standing::Holds), ("log_loss", Standing::Falls)]);
        assert_eq!(found.standing, Standing::Falls);
    }

    #[test]
    fn other_rows_and_tolerances_that_are_none_are_refused() {
        let one = Scores::check(&[true, false, true], &[0.9, 0.1, 0.8]).unwrap();
        let other = Scores::check(&[true, false, false], &[0.9, 0.1, 0.8]).unwrap();
        let shorter = Scores::check(&[true, false], &[0.9, 0.1]).unwrap();
        let code = |other: &Scores<'_>, tolerance: Tolerance| {
            judge(&one, other, &tolerance, &BootstrapPlan::seeded(1)).unwrap_err().code()
        };
        let good = Tolerance { auc: Some(0.0), ..Tolerance::default() };
        assert_eq!([code(&other, good), code(&shorter, good)], ["evaluate.other_rows"; 2]);
        assert_eq!(code(&one, Tolerance::default()), "evaluate.no_tolerance");
        for bad in [-0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(code(&one, Tolerance { brier: Some(bad), ..good }), "evaluate.tolerance");
        }
    }
}
