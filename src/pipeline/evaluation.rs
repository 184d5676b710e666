//! How good a model is on rows it never saw, and the cut-off its policy asks for.
//! Draws nothing and judges nothing; the gate does that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::base::limits;
use crate::config::project::Project;
use crate::decide::policy::{CutoffSource, Policy};
use crate::evaluate::intervals::{BootstrapPlan, Interval, bootstrap};
use crate::evaluate::metrics::{Metrics, THRESHOLD_KEYS, figures_at};
use crate::evaluate::ranked::{Confusion, Step};
use crate::evaluate::scores::Scores;
use crate::evaluate::thresholds::choose;
use crate::model::calibrate::Calibration;
use crate::pipeline::fitting::Judged;
use crate::pipeline::parts::TestScores;
use crate::registry::gate::{POLICY_PREFIX, RawGates};
use crate::train::fit::FittedFamily;

/// Where figures that need a threshold are taken, beside the policy's cut-off.
pub(super) const THRESHOLD_PLAIN: f64 = 0.5;

/// What is known of a candidate, as the release keeps it: figures on the test part, and the gates
/// that were in force when it was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Those that need a threshold are there twice: at one half, and as `policy.…` at the cut-off.
    pub metrics: BTreeMap<String, f64>,
    /// At the policy's cut-off.
    pub intervals: BTreeMap<String, Interval>,
    pub cutoff: f64,
    /// How the test part scored, highest first, so that another cut-off can be judged: figures alone,
    /// no rows of anybody.
    pub steps: Vec<ScoreStep>,
    pub best_epoch: Option<usize>,
    /// Why this family and these settings, where they were searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked: Option<String>,
    pub gates: RawGates,
}

/// Rows of the test part that scored alike: probability, positives, negatives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreStep(f64, u32, u32);

impl Evaluation {
    /// Rows of the test part.
    pub fn rows(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(step.1) + u64::from(step.2)).sum()
    }

    /// The figures as a policy with this cut-off has them.
    pub fn metrics_at(&self, cutoff: f64) -> BTreeMap<String, f64> {
        let mut metrics = self.metrics.clone();
        if cutoff != self.cutoff {
            let step = |s: &ScoreStep| Step { probability: s.0, positives: s.1, negatives: s.2 };
            let steps: Vec<Step> = self.steps.iter().map(step).collect();
            metrics.extend(at_policy(figures_at(&Confusion::at(&steps, cutoff), cutoff)));
        }
        metrics
    }
}

/// Scores that differ by less than a ten-thousandth of the rows' ranks are kept as one step; the step
/// carries its lowest probability, so at a cut-off between two scores of a step none of it is flagged.
fn thin(steps: &[Step], rows: u64) -> Vec<ScoreStep> {
    let least = rows / limits::EVALUATION_STEPS_MAX as u64;
    let mut kept: Vec<ScoreStep> = Vec::new();
    for step in steps {
        match kept.last_mut() {
            Some(last) if u64::from(last.1) + u64::from(last.2) < least => {
                *last = ScoreStep(step.probability, last.1 + step.positives, last.2 + step.negatives);
            }
            _ => kept.push(ScoreStep(step.probability, step.positives, step.negatives)),
        }
    }
    kept
}

fn at_policy(figures: BTreeMap<String, f64>) -> impl Iterator<Item = (String, f64)> {
    figures.into_iter().map(|(key, value)| (policy_key(&key), value))
}

/// The probability the policy's figures lead to on rows the family was not fitted on.
pub fn choose_cutoff(policy: &Policy, judged: &Judged, calibration: &Calibration) -> Result<f64, Failure> {
    match policy.cutoff_source() {
        CutoffSource::Written(value) => Ok(value),
        CutoffSource::Scores(rule) => {
            let probabilities = judged.probabilities(calibration);
            Ok(choose(&Scores::check(&judged.labels, &probabilities)?, &rule)?.threshold)
        }
    }
}

pub fn evaluate(
    project: &Project,
    test: &TestScores<'_>,
    (fitted, judged, picked): (&FittedFamily, &Judged, Option<String>),
    cutoff: f64,
) -> Result<Evaluation, Failure> {
    let scores = Scores::check(test.labels, &test.probabilities)?;
    let mut metrics = Metrics::of(&scores, THRESHOLD_PLAIN)?.to_map();
    metrics.extend(at_policy(figures_at(&Confusion::at(scores.steps(), cutoff), cutoff)));
    metrics.extend(judged.cross_figures(&judged.calibration(project.params.calibration.method))?);
    let plan = BootstrapPlan::seeded(project.params.seed);
    let intervals = bootstrap(&scores, cutoff, &plan)?;
    let depends = |key: &String| THRESHOLD_KEYS.contains(&key.as_str());
    let named =
        |(key, interval): (String, Interval)| (if depends(&key) { policy_key(&key) } else { key }, interval);
    Ok(Evaluation {
        metrics,
        intervals: intervals.into_iter().map(named).collect(),
        cutoff,
        steps: thin(scores.steps(), scores.rows()),
        picked,
        best_epoch: fitted.best_epoch,
        gates: project.gates.raw().clone(),
    })
}

fn policy_key(key: &str) -> String {
    format!("{POLICY_PREFIX}{key}")
}
