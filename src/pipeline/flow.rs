//! The whole way from a checked table to a candidate: each line is one room's work, and nothing is computed here.

use crate::base::{cancel::CancelFlag, fact::Failure, progress::Progress};
use crate::config::project::Project;
use crate::data::table::Table;
use crate::model::trained::Model;
use crate::pipeline::artifacts::{Artifact, draw_artifacts};
use crate::pipeline::candidate::{Candidate, pack};
use crate::pipeline::evaluation::{Evaluation, choose_cutoff, evaluate};
use crate::pipeline::fitting::{Fitted, fit_chosen};
use crate::pipeline::parts::{EncodedParts, Parts};
use crate::pipeline::processed::check_processed;
use crate::pipeline::search::{Found, choose};
use crate::pipeline::sweep::sweep;

/// Trains, calibrates, evaluates and packs one model. Same project, table and seed: same bytes.
pub fn train(
    project: &Project,
    table: Table,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Candidate, Failure> {
    progress.stage("encoding", 0);
    let chosen = choose(project, &table, cancel, progress)?;
    let project = chosen.project.as_ref();
    let rows = Parts::divide(project, table)?;
    let expected = check_processed(project, &rows)?;
    let known = chosen.found.as_ref();
    let fitted = fit_chosen(project, &rows, known, (cancel, progress))?;
    let parts = rows.encode(&fitted.recipe)?;
    progress.stage("evaluating", 0);
    cancel.check()?;
    let Assessed { model, evaluation, swept } = assess(project, &parts, &fitted, known)?;
    let test = parts.score(&model)?;
    let mut artifacts = expected.artifacts()?;
    artifacts.extend(known.map(Found::artifact).transpose()?.into_iter().chain(swept));
    artifacts.extend(draw_artifacts(project, &model, &parts, &test, (&fitted.family, &evaluation))?);
    progress.stage("packing", 0);
    pack(project, &parts, &model, evaluation, artifacts)
}

/// A model that is whole, and how good it is.
pub struct Assessed {
    pub model: Model,
    pub evaluation: Evaluation,
    /// The proof that fields move it the asked way, where any was asked.
    pub swept: Option<Artifact>,
}

/// Calibrates what was fitted, finds the cut-off, and measures on the test part.
pub fn assess(
    project: &Project,
    parts: &EncodedParts<'_>,
    fitted: &Fitted,
    known: Option<&Found>,
) -> Result<Assessed, Failure> {
    let Fitted { recipe, family, judged } = fitted;
    let calibration = judged.calibration(project.params.calibration.method);
    let cutoff = choose_cutoff(&project.policy, judged, &calibration)?;
    let policy = project.policy.resolve(cutoff, None)?;
    let model = parts.model(recipe.clone(), family, calibration)?;
    let model = parts.with_accepted_reference(model, &policy)?;
    let swept = sweep(&model, &project.params.monotone, &parts.rows.test.table)?;
    let test = parts.score(&model)?;
    let evaluation = evaluate(project, &test, (family, judged, known.map(Found::why)), cutoff)?;
    Ok(Assessed { model, evaluation, swept })
}
