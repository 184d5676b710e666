//! The whole way from a checked table to a candidate: each line is one room's work, and nothing is computed here.

use crate::base::{cancel::CancelFlag, fact::Failure, progress::Progress};
use crate::config::project::Project;
use crate::data::table::Table;
use crate::features::fit::fit;
use crate::pipeline::artifacts::draw_artifacts;
use crate::pipeline::candidate::{Candidate, pack};
use crate::pipeline::evaluation::{Evaluation, choose_cutoff, evaluate};
use crate::pipeline::parts::Parts;
use crate::pipeline::processed::check_processed;
use crate::train::fit::fit_family;

/// Trains, calibrates, evaluates and packs one model. Same project, table and seed: same bytes.
pub fn train(
    project: &Project,
    table: Table,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Candidate, Failure> {
    progress.stage("encoding", 0);
    let rows = Parts::divide(project, table)?;
    let recipe = fit(&project.recipe, project.params.family.form(), &rows.train.table)?;
    let parts = rows.encode(&recipe)?;
    let expected = check_processed(project, &parts, &recipe)?;
    let fitted = fit_family(&project.params, &recipe, &parts.examples(), cancel, progress)?;
    let model = parts.calibrated(recipe, &fitted)?;
    let cutoff = choose_cutoff(&project.policy, &parts.valid(), &model)?;
    let policy = project.policy.resolve(cutoff, None)?;
    let model = parts.with_accepted_reference(model, &policy)?;
    progress.stage("evaluating", 0);
    cancel.check()?;
    let test = parts.score(&model)?;
    let evaluation: Evaluation = evaluate(project, &test, &fitted, cutoff)?;
    let mut artifacts = expected.artifacts()?;
    artifacts.extend(draw_artifacts(project, &model, &parts, &test, (&fitted, &evaluation))?);
    progress.stage("packing", 0);
    pack(project, &parts, &model, evaluation, artifacts)
}
