//! How good a model is on rows it never saw, and the cut-off its policy asks for.
//! Draws nothing and judges nothing; the gate does that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::decide::policy::{CutoffBy, Policy, PositiveIs};
use crate::evaluate::intervals::{BootstrapPlan, Interval, bootstrap};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::scores::Scores;
use crate::evaluate::thresholds::{Rule, choose};
use crate::model::trained::Model;
use crate::pipeline::parts::{TestScores, probabilities};
use crate::registry::gate::RawGates;
use crate::train::examples::Examples;
use crate::train::fit::FittedFamily;

/// What is known of a candidate, as the release keeps it: figures on the test part, and the gates
/// that were in force when it was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// At the policy's cut-off, on the test part.
    pub metrics: BTreeMap<String, f64>,
    pub intervals: BTreeMap<String, Interval>,
    pub cutoff: f64,
    pub best_epoch: Option<usize>,
    pub gates: RawGates,
}

/// The probability the policy's figures lead to on the validation part.
pub fn choose_cutoff(policy: &Policy, valid: &Examples<'_>, model: &Model) -> Result<f64, Failure> {
    let rule = match policy.cutoff() {
        CutoffBy::Value { value } => return Ok(value),
        CutoffBy::Cost { missed_bad, refused_good } => match policy.positive_is() {
            PositiveIs::Bad => Rule::Cost { missed_positive: missed_bad, flagged_negative: refused_good },
            PositiveIs::Good => Rule::Cost { missed_positive: refused_good, flagged_negative: missed_bad },
        },
        CutoffBy::Rate { rate } => Rule::Rate { at_most: rate },
    };
    let probabilities = probabilities(model, valid.matrix);
    let scores = Scores::check(valid.labels, &probabilities)?;
    Ok(choose(&scores, &rule)?.threshold)
}

pub fn evaluate(
    project: &Project,
    test: &TestScores<'_>,
    fitted: &FittedFamily,
    cutoff: f64,
) -> Result<Evaluation, Failure> {
    let scores = Scores::check(test.labels, &test.probabilities)?;
    Ok(Evaluation {
        metrics: Metrics::of(&scores, cutoff)?.to_map(),
        intervals: bootstrap(&scores, cutoff, &BootstrapPlan::seeded(project.params.seed))?,
        cutoff,
        best_epoch: fitted.best_epoch,
        gates: project.gates.raw(),
    })
}
