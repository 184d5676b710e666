//! Reading runs: the newest, one, its metrics' histories, its artifacts.
//! Never changes a run.

use crate::app::error::UseCaseError;
use crate::app::find::only_one;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::security::actor::Act;
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::Run;

pub fn list(app: &App, limit: usize) -> Result<Vec<Run>, Failure> {
    app.may(Act::ReadRuns)?;
    Ok(app.store.read_lab(|lab| lab.list_runs(limit))?)
}

/// The runs after one of them, in the order of `list`.
pub fn list_after(app: &App, after: Option<&RunId>, limit: usize) -> Result<Vec<Run>, Failure> {
    app.may(Act::ReadRuns)?;
    let Some(after) = after else { return list(app, limit) };
    let missing = || UseCaseError::NoRun { id: after.to_string() };
    let last = app.store.read_lab(|lab| lab.find_run(after))?.ok_or_else(missing)?;
    Ok(app.store.read_lab(|lab| lab.list_runs_after(&last, limit))?)
}

/// A run by its id, or by the beginning of an id that no other recent run shares.
pub fn find(app: &App, id: &str) -> Result<Run, Failure> {
    app.may(Act::ReadRuns)?;
    find_unasked(app, id)
}

/// The same for a use case that has asked already whether this person may.
pub(in crate::app) fn find_unasked(app: &App, id: &str) -> Result<Run, Failure> {
    let missing = || UseCaseError::NoRun { id: id.to_string() };
    if let Ok(whole) = RunId::try_from(id.to_string()) {
        return Ok(app.store.read_lab(|lab| lab.find_run(&whole))?.ok_or_else(missing)?);
    }
    let mut matching = app.store.read_lab(|lab| lab.list_runs(limits::LIST_MAX))?;
    matching.retain(|run| run.run_id.as_str().starts_with(id));
    only_one(matching, id, missing())
}

pub fn metric_history(app: &App, id: &str, key: &str) -> Result<Vec<MetricPoint>, Failure> {
    let run = find(app, id)?;
    let points =
        app.store.read_lab(|lab| lab.list_metric_history(&run.run_id, key, limits::METRIC_POINTS_MAX))?;
    if points.is_empty() {
        let id = run.run_id.to_string();
        return Err(UseCaseError::NoMetric { id, key: key.to_string() }.into());
    }
    Ok(points)
}

pub fn artifact(app: &App, id: &str, path: &str) -> Result<Vec<u8>, Failure> {
    let run = find(app, id)?;
    let known = run.artifacts.iter().find(|artifact| artifact.path == path);
    let artifact = known.ok_or_else(|| UseCaseError::NoArtifact {
        id: run.run_id.to_string(),
        path: path.to_string(),
        known: run.artifacts.iter().map(|a| a.path.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    Ok(app.store.blobs().read(&artifact.digest, limits::BLOB_BYTES_MAX)?)
}
