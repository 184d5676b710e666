//! How a run goes on, what came of it, and the wish that it stop.
//! What a finished run says of itself stands in its row and its artifacts; nothing of it is lost with a restart.

use serde_json::Value;

use crate::app::home::App;
use crate::app::registry::VersionRow;
use crate::app::runs::{self, find_unasked};
use crate::app::training::desk::Live;
use crate::app::training::ending::{
    DETAILS_TAG, END_TAG, ERROR_TAG, EXIT_CODE_TAG, Ending, NEXT_STEP_TAG, close, end_lost, is_over,
};
use crate::app::training::error::TrainingError;
use crate::app::training::registering::{
    EVALUATION_ARTIFACT, MODEL_TAG, POLICY_TAG, REUSED_TAG, SECONDS_METRIC,
};
use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Failure};
use crate::base::limits;
use crate::pipeline::evaluation::Evaluation;
use crate::security::actor::Act;
use crate::tracking::run::{Run, RunStatus};

/// A run as it stands now.
pub struct Progress {
    pub run: Run,
    /// How many wait before it, where it waits.
    pub position: Option<u64>,
    pub live: Option<Live>,
    pub failure: Option<Ending>,
    pub trained: Option<Trained>,
}

/// What a training led to.
pub struct Trained {
    pub version: VersionRow,
    pub policy: Digest,
    pub reused: bool,
    pub evaluation: Evaluation,
    pub train_seconds: f64,
}

pub fn progress(app: &App, id: &str) -> Result<Progress, Failure> {
    app.may(Act::ReadRuns)?;
    end_lost(app)?;
    standing_of(app, runs::find(app, id)?)
}

/// Asks a run to stop: one that waits is closed at once, one that is under way hears of it through its worker.
pub fn cancel(app: &App, id: &str) -> Result<Progress, Failure> {
    app.may(Act::Train)?;
    end_lost(app)?;
    let run = find_unasked(app, id)?;
    let ended = |run: &Run| TrainingError::Ended { id: run.run_id.to_string(), status: run.status.as_str() };
    if is_over(&run) {
        return Err(ended(&run).into());
    }
    let run_id = run.run_id.clone();
    // In one transaction, so that no worker claims in between what is cancelled here.
    let waited = app.store.write_lab(move |lab| {
        let waits = lab.find_order(&run_id)?.is_some_and(|order| order.claim.is_none());
        if waits {
            lab.remove_order(&run_id)?;
        }
        Ok::<_, Failure>(waits)
    })?;
    if waited {
        close(app, &run.run_id, Ending::cancelled())?;
    } else if !app.desk.cancel(&run.run_id) {
        let now = find_unasked(app, run.run_id.as_str())?;
        return Err(ended(&now).into());
    }
    standing_of(app, find_unasked(app, run.run_id.as_str())?)
}

fn standing_of(app: &App, run: Run) -> Result<Progress, Failure> {
    let position = match run.status {
        RunStatus::Scheduled => {
            let orders = app.store.read_lab(|lab| lab.list_orders())?;
            orders.iter().position(|order| order.run_id == run.run_id).map(|before| before as u64)
        }
        _ => None,
    };
    let live = app.desk.find(&run.run_id);
    let failure = matches!(run.status, RunStatus::Failed | RunStatus::Killed).then(|| ending_of(&run));
    let trained = if run.status == RunStatus::Finished { trained_of(app, &run)? } else { None };
    Ok(Progress { run, position, live, failure, trained })
}

/// Why a run ended, read back from its tags; one that lost its process left only the word for it.
fn ending_of(run: &Run) -> Ending {
    let tag = |name: &str| run.tags.get(name).cloned();
    let end = tag(END_TAG).unwrap_or_else(|| "unknown".into());
    let message = tag(ERROR_TAG).unwrap_or_else(|| match end.as_str() {
        "interrupted" => "the program that had the run ended before the run did".into(),
        _ => "the run failed".into(),
    });
    let again = "Run the same command again; training starts afresh and gives the same model.";
    let interrupted = (end == "interrupted").then(|| again.to_string());
    Ending {
        status: run.status,
        message,
        exit_code: tag(EXIT_CODE_TAG).and_then(|text| text.parse().ok()).unwrap_or(Class::Failed.exit_code()),
        next_step: tag(NEXT_STEP_TAG).or(interrupted),
        details: tag(DETAILS_TAG).and_then(|text| serde_json::from_str::<Value>(&text).ok()),
        end: if end.contains('.') { end } else { format!("run.{end}") },
    }
}

/// Nothing where the run is of an earlier program, or was closed by the opening of its home.
fn trained_of(app: &App, run: &Run) -> Result<Option<Trained>, Failure> {
    let parts = || {
        let (name, number) = run.tags.get(MODEL_TAG)?.rsplit_once('@')?;
        let number: u64 = number.parse().ok()?;
        let policy: Digest = run.tags.get(POLICY_TAG)?.parse().ok()?;
        let seconds = run.metrics.get(SECONDS_METRIC)?.value;
        let evaluation = run.artifacts.iter().find(|artifact| artifact.path == EVALUATION_ARTIFACT)?;
        Some((name.to_string(), number, policy, seconds, evaluation.digest))
    };
    let Some((name, number, policy, train_seconds, evaluation)) = parts() else { return Ok(None) };
    let Some(version) = app.store.read_ledger(|ledger| ledger.find_version(&name, number))? else {
        return Ok(None);
    };
    let bytes = app.store.blobs().read(&evaluation, limits::MANIFEST_BYTES_MAX)?;
    let reused = run.tags.get(REUSED_TAG).is_some_and(|text| text == "true");
    Ok(Some(Trained { version, policy, reused, evaluation: canonical::parse(&bytes)?, train_seconds }))
}
