//! How a run ends that made no version: closed in one transaction with why, and off the queue.
//! A run whose version is registered has not failed, whatever came after.

use serde_json::Value;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::training::error::TrainingError;
use crate::base::fact::{Fact, Failure};
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::store::views::LabWrite;
use crate::tracking::run::{Run, RunStatus};

pub const END_TAG: &str = "tallystick.end";
pub const ERROR_TAG: &str = "tallystick.error";
pub const EXIT_CODE_TAG: &str = "tallystick.exit_code";
pub const NEXT_STEP_TAG: &str = "tallystick.next_step";
pub const DETAILS_TAG: &str = "tallystick.details";

/// Why a run ended, as the run keeps it.
#[derive(Clone, Debug)]
pub struct Ending {
    pub status: RunStatus,
    /// What the tag says; a failure's code.
    pub end: String,
    pub message: String,
    pub exit_code: u8,
    pub next_step: Option<String>,
    pub details: Option<Value>,
}

impl Ending {
    pub fn of(error: &Failure) -> Self {
        Self {
            status: status_of(error.code()),
            end: error.code().to_string(),
            message: error.to_string(),
            exit_code: error.class().exit_code(),
            next_step: error.next_step(),
            details: error.details(),
        }
    }

    pub fn cancelled() -> Self {
        Self::of(&TrainingError::Cancelled.into())
    }

    pub fn worker_lost() -> Self {
        let lost = TrainingError::WorkerLost;
        Self {
            status: RunStatus::Failed,
            end: "worker_lost".into(),
            message: lost.to_string(),
            exit_code: lost.class().exit_code(),
            next_step: lost.next_step(),
            details: None,
        }
    }

    fn write(&self, run: &mut Run, now_ms: i64) -> Result<(), Failure> {
        run.set_tag(END_TAG, &self.end)?;
        run.set_tag(ERROR_TAG, &self.message)?;
        run.set_tag(EXIT_CODE_TAG, &self.exit_code.to_string())?;
        if let Some(step) = &self.next_step {
            run.set_tag(NEXT_STEP_TAG, step)?;
        }
        // Cut, it would be no JSON any more.
        let details = self.details.as_ref().map(Value::to_string);
        if let Some(text) = details.filter(|text| text.chars().count() <= limits::RUN_TAG_VALUE_CHARS_MAX) {
            run.set_tag(DETAILS_TAG, &text)?;
        }
        run.finish(self.status, now_ms);
        Ok(())
    }
}

/// Somebody wanted the run to stop, or the worker was told to.
pub fn status_of(code: &str) -> RunStatus {
    match code {
        "run.cancelled" | "run.stopped" => RunStatus::Killed,
        _ => RunStatus::Failed,
    }
}

pub(in crate::app) fn find_run(lab: &LabWrite<'_>, run_id: &RunId) -> Result<Run, Failure> {
    Ok(lab.find_run(run_id)?.ok_or_else(|| UseCaseError::NoRun { id: run_id.to_string() })?)
}

pub(in crate::app) fn is_over(run: &Run) -> bool {
    !matches!(run.status, RunStatus::Running | RunStatus::Scheduled)
}

/// Closes a run and forgets what it had in hand; one that is closed already stays as it is.
pub(in crate::app) fn close(app: &App, run_id: &RunId, mut ending: Ending) -> Result<(), Failure> {
    match app.is_registered(run_id) {
        Ok(true) => ending.status = RunStatus::Finished,
        Ok(false) => {}
        Err(error) => {
            app.desk.give_up(run_id);
            return Err(error);
        }
    }
    let (id, now) = (run_id.clone(), app.now().millis());
    let closed = app.store.write_lab(move |lab| {
        lab.remove_order(&id)?;
        let mut run = find_run(lab, &id)?;
        if !is_over(&run) {
            ending.write(&mut run, now)?;
            lab.put_run(&run)?;
        }
        Ok::<_, Failure>(())
    });
    match closed {
        Ok(()) => {
            app.desk.forget(run_id);
            Ok(files::remove_folder(&app.run_staging(run_id))?)
        }
        Err(error) => {
            app.desk.give_up(run_id);
            Err(error)
        }
    }
}

/// Closes every run whose worker was not heard of for too long.
pub fn end_lost(app: &App) -> Result<(), Failure> {
    app.desk.list_lost(app.elapsed_ms()).iter().try_for_each(|run| close(app, run, Ending::worker_lost()))
}
