//! What a worker asks for and says: a run that is due, its data, how it goes, the candidate, the end.
//! Believes nothing of a candidate but its digests, and never a worker that was given up.

use std::io::Read;
use std::path::PathBuf;

use crate::app::home::App;
use crate::app::training::OrderRow;
use crate::app::training::ending::{Ending, close, end_lost, find_run};
use crate::app::training::error::TrainingError;
use crate::app::training::registering::{Worked, register};
use crate::app::training::trials;
use crate::app::training::uploads::take_in;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::pipeline::child::events::Event;
use crate::security::actor::{Act, Actor, Role};
use crate::store::rows::lab::Claim;
use crate::store::views::LabWrite;
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::{Run, RunStatus};

/// The first run that waits, or this one if it does; from now on it is the worker's.
pub fn claim(app: &App, worker: &str, only: Option<&RunId>) -> Result<Option<OrderRow>, Failure> {
    app.may(Act::Work)?;
    let worker = Actor::new(worker, Role::Worker)?.name().to_string();
    end_lost(app)?;
    let only = only.cloned();
    let is_due = move |order: &OrderRow| {
        order.claim.is_none() && only.as_ref().is_none_or(|only| *only == order.run_id)
    };
    // A worker asks often; only what is due is worth a transaction.
    if !app.store.read_lab(|lab| lab.list_orders())?.iter().any(&is_due) {
        return Ok(None);
    }
    let now = app.now().millis();
    let claimed = app.store.write_lab(move |lab| {
        let Some(mut order) = lab.list_orders()?.into_iter().find(&is_due) else { return Ok(None) };
        order.claim = Some(Claim { worker: worker.clone(), claimed_ms: now });
        let mut run = find_run(lab, &order.run_id)?;
        run.status = RunStatus::Running;
        lab.put_order(&order)?;
        lab.put_run(&run)?;
        Ok::<_, Failure>(Some(order))
    })?;
    if let Some(order) = &claimed {
        app.desk.begin(&order.run_id, app.elapsed_ms());
    }
    Ok(claimed)
}

/// The order of a run that is with a worker still.
fn at_work(app: &App, run_id: &RunId) -> Result<OrderRow, Failure> {
    app.may(Act::Work)?;
    end_lost(app)?;
    let gone = || TrainingError::NotAtWork { id: run_id.to_string() };
    app.desk.hear(run_id, &[], app.elapsed_ms()).ok_or_else(gone)?;
    let order = app.store.read_lab(|lab| lab.find_order(run_id))?;
    Ok(order.filter(|order| order.claim.is_some()).ok_or_else(gone)?)
}

/// Where the run's data is, verified now.
pub fn data(app: &App, run_id: &RunId) -> Result<PathBuf, Failure> {
    let order = at_work(app, run_id)?;
    Ok(app.store.blobs().open_path(&order.parquet)?)
}

/// Takes down what a run's child said; answers whether it is to stop.
pub fn hear(app: &App, run_id: &RunId, events: &[Event]) -> Result<bool, Failure> {
    at_work(app, run_id)?;
    let now = app.now().millis();
    let point = |event: &Event| match event {
        Event::Metric { key, step, value } => {
            Some((key.clone(), MetricPoint { value: *value, timestamp: now, step: *step }))
        }
        _ => None,
    };
    let points: Vec<(String, MetricPoint)> = events.iter().filter_map(point).collect();
    if !points.is_empty() {
        let id = run_id.clone();
        app.store.write_lab(move |lab| {
            let mut run = find_run(lab, &id)?;
            log_points(lab, &mut run, &points)?;
            Ok::<_, Failure>(lab.put_run(&run)?)
        })?;
    }
    trials::log(app, run_id, events)?;
    let gone = || TrainingError::NotAtWork { id: run_id.to_string() };
    Ok(app.desk.hear(run_id, events, app.elapsed_ms()).ok_or_else(gone)?)
}

/// Each point goes into its metric's history, and the latest into the run itself.
pub(in crate::app) fn log_points(
    lab: &LabWrite<'_>,
    run: &mut Run,
    points: &[(String, MetricPoint)],
) -> Result<(), Failure> {
    for (key, point) in points {
        lab.add_metric(&run.run_id, key, point)?;
        run.log_metric(key, *point)?;
    }
    Ok(())
}

/// One file of a run's candidate; what has another digest than its name is not kept.
pub fn candidate_file(app: &App, run_id: &RunId, named: Digest, body: &mut dyn Read) -> Result<u64, Failure> {
    at_work(app, run_id)?;
    let folder = app.run_staging(run_id);
    files::create_folder(&folder)?;
    let held = std::fs::read_dir(&folder).map_err(files::at(&folder))?.count();
    if held >= limits::CANDIDATE_FILES_MAX {
        return Err(TrainingError::ManyFiles.into());
    }
    let path = folder.join(named.to_hex());
    let (bytes, found) = take_in(body, &path, limits::BLOB_BYTES_MAX)?;
    if found != named {
        let _ = std::fs::remove_file(&path);
        return Err(TrainingError::OtherBytes { named, found }.into());
    }
    Ok(bytes)
}

/// The end of a run whose candidate is whole: registered, or failed with what is wrong with it.
pub fn finish(app: &App, run_id: &RunId, worked: Worked) -> Result<(), Failure> {
    let order = at_work(app, run_id)?;
    let gone = || TrainingError::NotAtWork { id: run_id.to_string() };
    let is_cancelled = app.desk.finish(run_id).ok_or_else(gone)?;
    let registered =
        if is_cancelled { Err(TrainingError::Cancelled.into()) } else { register(app, &order, &worked) };
    match registered {
        Ok(()) => {
            app.desk.forget(run_id);
            Ok(files::remove_folder(&app.run_staging(run_id))?)
        }
        Err(error) => {
            // What failed first is what a person must hear; a run that cannot be closed now is
            // tried again, or closed when the home is opened again.
            let _ = close(app, run_id, Ending::of(&error));
            Err(error)
        }
    }
}

/// The end of a run that failed at the worker.
pub fn fail(app: &App, run_id: &RunId, event: Event) -> Result<(), Failure> {
    at_work(app, run_id)?;
    let Event::Failed { code, exit_code, message, next_step, details } = event else {
        return Err(TrainingError::NoFailure.into());
    };
    let status = crate::app::training::ending::status_of(&code);
    close(app, run_id, Ending { status, end: code, message, exit_code, next_step, details })
}
