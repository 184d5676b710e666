//! How good a model is on rows it never saw, and the cut-off its policy asks for.
//! Draws nothing and judges nothing; the gate does that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::decide::policy::{CutoffSource, Policy};
use crate::evaluate::intervals::{BootstrapPlan, Interval, bootstrap};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::scores::Scores;
use crate::evaluate::thresholds::choose;
use crate::model::trained::Model;
use crate::pipeline::parts::{TestScores, probabilities};
use crate::registry::gate::{POLICY_PREFIX, RawGates};
use crate::train::examples::Examples;
use crate::train::fit::FittedFamily;

/// Where figures that need a threshold are taken, beside the policy's cut-off.
const THRESHOLD_PLAIN: f64 = 0.5;

/// Figures that depend on the threshold; at the policy's cut-off they carry its prefix.
const AT_THRESHOLD: [&str; 12] = [
    "threshold",
    "true_positives",
    "false_positives",
    "true_negatives",
    "false_negatives",
    "accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "f2",
    "mcc",
];

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
    pub best_epoch: Option<usize>,
    pub gates: RawGates,
}

/// The probability the policy's figures lead to on the validation part.
pub fn choose_cutoff(policy: &Policy, valid: &Examples<'_>, model: &Model) -> Result<f64, Failure> {
    match policy.cutoff_source() {
        CutoffSource::Written(value) => Ok(value),
        CutoffSource::Scores(rule) => {
            let probabilities = probabilities(model, valid.matrix);
            Ok(choose(&Scores::check(valid.labels, &probabilities)?, &rule)?.threshold)
        }
    }
}

pub fn evaluate(
    project: &Project,
    test: &TestScores<'_>,
    fitted: &FittedFamily,
    cutoff: f64,
) -> Result<Evaluation, Failure> {
    let scores = Scores::check(test.labels, &test.probabilities)?;
    let mut metrics = Metrics::of(&scores, THRESHOLD_PLAIN)?.to_map();
    let at_cutoff = Metrics::of(&scores, cutoff)?.to_map();
    let depends = |key: &String| AT_THRESHOLD.contains(&key.as_str());
    metrics.extend(at_cutoff.into_iter().filter(|(key, _)| depends(key)).map(|(k, v)| (policy_key(&k), v)));
    let plan = BootstrapPlan::seeded(project.params.seed);
    let intervals = bootstrap(&scores, cutoff, &plan)?;
    let named =
        |(key, interval): (String, Interval)| (if depends(&key) { policy_key(&key) } else { key }, interval);
    Ok(Evaluation {
        metrics,
        intervals: intervals.into_iter().map(named).collect(),
        cutoff,
        best_epoch: fitted.best_epoch,
        gates: project.gates.raw().clone(),
    })
}

fn policy_key(key: &str) -> String {
    format!("{POLICY_PREFIX}{key}")
}
