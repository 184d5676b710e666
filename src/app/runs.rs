//! Reading runs: the newest, one, its metrics' histories, its artifacts; several side by side.
//! Never changes a run.

use crate::app::error::UseCaseError;
use crate::app::find::only_one;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::security::actor::Act;
use crate::store::views::runs::RunSpan;
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::Run;

pub mod against;
pub mod compare;

/// Which runs a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this project.
    pub project: Option<String>,
    /// Of this experiment, by its name or number.
    pub experiment: Option<String>,
    /// Only those after this one, in the order of the list.
    pub after: Option<RunId>,
    pub limit: usize,
}

/// One page of a list, the latest started first.
pub struct Page {
    pub runs: Vec<Run>,
    /// The last run, if there may be more.
    pub next: Option<RunId>,
}

pub fn list(app: &App, limit: usize) -> Result<Vec<Run>, Failure> {
    Ok(page(app, &Filter { limit, ..Filter::default() })?.runs)
}

pub fn page(app: &App, filter: &Filter) -> Result<Page, Failure> {
    app.may(Act::ReadRuns)?;
    let experiment = filter.experiment.as_deref().map(|wanted| find_experiment(app, wanted)).transpose()?;
    let after = filter.after.as_ref().map(|after| find_whole(app, after)).transpose()?;
    let limit = filter.limit.clamp(1, limits::RUNS_LISTED_MAX);
    // The empty name stands for every project where places in lists are kept; as a project's it is none.
    if filter.project.as_deref() == Some("") {
        return Ok(Page { runs: Vec::new(), next: None });
    }
    let wanted = RunSpan { project: filter.project.clone(), experiment, after, limit };
    let runs = app.store.read_lab(|lab| lab.list_runs(&wanted))?;
    let next = runs.last().filter(|_| runs.len() == limit).map(|run| run.run_id.clone());
    Ok(Page { runs, next })
}

fn find_experiment(app: &App, wanted: &str) -> Result<String, Failure> {
    let found = app.store.read_lab(|lab| match lab.find_experiment(wanted)? {
        Some(by_number) => Ok(Some(by_number)),
        None => lab.find_experiment_by_name(wanted),
    })?;
    let missing = || UseCaseError::NoExperiment { wanted: wanted.to_string() };
    Ok(found.ok_or_else(missing)?.experiment_id)
}

fn find_whole(app: &App, id: &RunId) -> Result<Run, Failure> {
    let missing = || UseCaseError::NoRun { id: id.to_string() };
    Ok(app.store.read_lab(|lab| lab.find_run(id))?.ok_or_else(missing)?)
}

/// A run by its id, or by the beginning of an id that no other run shares.
pub fn find(app: &App, id: &str) -> Result<Run, Failure> {
    app.may(Act::ReadRuns)?;
    find_unasked(app, id)
}

/// The same for a use case that has asked already whether this person may.
pub(in crate::app) fn find_unasked(app: &App, id: &str) -> Result<Run, Failure> {
    let missing = || UseCaseError::NoRun { id: id.to_string() };
    if let Ok(whole) = RunId::try_from(id.to_string()) {
        return find_whole(app, &whole);
    }
    let matching = app.store.read_lab(|lab| lab.list_runs_beginning(id, limits::RUNS_NAMED_ALIKE_MAX))?;
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
