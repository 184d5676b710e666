//! Runs of chains: why each began, how its steps stand, what each attempt came to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::chains::ChainRunRow;
use crate::app::chains::runs::status_word;
use crate::base::clock::millis_to_text;
use crate::schedule::chain_run::{AlertKind, Attempt, Ending, StepRun, StepState, Trigger, TriggerKind};
use crate::schedule::picture;

/// Why a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TriggerView {
    /// `cron`, `catch_up`, `backfill`, `hand`, `file`, `git`, `drift`, `volume`, `chain` or `rerun`.
    #[schema(example = "hand")]
    pub kind: String,
    /// The person, where one asked for it.
    pub by: Option<String>,
    /// A file, a commit (with its reference and its repository), a day, a run: what it came of.
    pub from: Option<String>,
}

impl TriggerView {
    fn of(trigger: &Trigger) -> Self {
        let kind = match trigger.kind {
            TriggerKind::Cron => "cron",
            TriggerKind::CatchUp => "catch_up",
            TriggerKind::Backfill => "backfill",
            TriggerKind::Hand => "hand",
            TriggerKind::File => "file",
            TriggerKind::Git => "git",
            TriggerKind::Drift => "drift",
            TriggerKind::Volume => "volume",
            TriggerKind::Chain => "chain",
            TriggerKind::Rerun => "rerun",
        };
        Self { kind: kind.into(), by: trigger.by.clone(), from: trigger.from.clone() }
    }
}

/// A run of a chain, without its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainRunInfo {
    pub id: String,
    #[schema(example = "loan-default")]
    pub project: String,
    #[schema(example = "daily")]
    pub chain: String,
    /// `running`, `waiting` (for a person), `succeeded`, `failed` or `cancelled`.
    #[schema(example = "running")]
    pub status: String,
    pub trigger: TriggerView,
    /// The planned start, where it has one.
    pub planned: Option<String>,
    pub started: String,
    pub ended: Option<String>,
    pub steps_total: u64,
    pub steps_ended: u64,
    /// The steps that failed.
    pub failed: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainRunList {
    /// The latest started first.
    pub runs: Vec<ChainRunInfo>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A run of a chain with its steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChainRunView {
    #[serde(flatten)]
    pub info: ChainRunInfo,
    /// Of the project's files when it began.
    pub config: String,
    pub deadline: Option<String>,
    pub finish_by: Option<String>,
    /// Who asked it to end, and when.
    pub cancelled_by: Option<String>,
    pub cancelled: Option<String>,
    /// What was told of it: `deadline`, `finish_by`, `step_timeout: NAME`.
    pub alerted: Vec<String>,
    pub steps: Vec<StepRunView>,
    /// What came of the steps: a training run, a version, a report.
    pub facts: BTreeMap<String, String>,
    /// The steps as a tree of lines, each with how it stands.
    pub picture: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepRunView {
    pub name: String,
    /// What it runs.
    #[schema(example = "monitor")]
    pub run: String,
    /// `pending`, `running`, `stopping`, `retrying`, `waiting` (for a person), `succeeded`, `failed`, `skipped`,
    /// `upstream_failed` or `cancelled`.
    #[schema(example = "succeeded")]
    pub state: String,
    /// What a step that waits is waiting for.
    pub waits_for: Option<String>,
    /// Until when it waits, or when it is tried again: by the run's own clock, which a clock set back does not hold up.
    pub until: Option<String>,
    pub attempts: Vec<AttemptView>,
    /// The run whose outcome this is, where a later one did not repeat it.
    pub carried_from: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttemptView {
    pub number: u32,
    pub started: String,
    pub ended: Option<String>,
    /// `succeeded`, `skipped`, `failed`, `timed_out`, `no_answer`, `interrupted`, `cancelled` or `expired`.
    pub ending: Option<String>,
    /// What it said at its end.
    pub said: Option<String>,
    /// The code of what it failed by.
    pub code: Option<String>,
}

impl ChainRunInfo {
    pub fn of(row: &ChainRunRow) -> Self {
        let run = &row.run;
        let count =
            |wanted: fn(&StepRun) -> bool| run.steps.iter().filter(|step| wanted(step)).count() as u64;
        let failed = run.steps.iter().filter(|step| step.state == StepState::Failed);
        Self {
            id: run.id.clone(),
            project: row.project.clone(),
            chain: run.chain.clone(),
            status: status_word(run.status()).to_string(),
            trigger: TriggerView::of(&run.trigger),
            planned: run.planned_ms.map(millis_to_text),
            started: millis_to_text(run.started_ms),
            ended: run.ended.map(|ended| millis_to_text(ended.at_ms)),
            steps_total: run.steps.len() as u64,
            steps_ended: count(|step| step.state.has_ended()),
            failed: failed.map(|step| step.step.name.clone()).collect(),
        }
    }
}

impl ChainRunView {
    pub fn of(row: &ChainRunRow) -> Self {
        let run = &row.run;
        let steps: Vec<_> = run.steps.iter().map(|step| step.step.clone()).collect();
        let beside = |name: &str| run.find(name).map(|step| beside(&StepRunView::of(step)));
        Self {
            info: ChainRunInfo::of(row),
            config: row.config.to_hex(),
            deadline: run.deadline_ms.map(millis_to_text),
            finish_by: run.finish_by_ms.map(millis_to_text),
            cancelled_by: run.cancel.as_ref().map(|cancel| cancel.by.clone()),
            cancelled: run.cancel.as_ref().map(|cancel| millis_to_text(cancel.at_ms)),
            alerted: run.alerted.iter().map(alert_word).collect(),
            steps: run.steps.iter().map(StepRunView::of).collect(),
            facts: row.facts.clone(),
            picture: picture::text(&steps, |step| beside(&step.name)),
        }
    }
}

fn alert_word(kind: &AlertKind) -> String {
    match kind {
        AlertKind::Deadline => "deadline".into(),
        AlertKind::FinishBy => "finish_by".into(),
        AlertKind::StepTimeout { step } => format!("step_timeout: {step}"),
    }
}

/// How a step stands, and what it last said.
fn beside(step: &StepRunView) -> String {
    let state = step.state.replace('_', " ");
    let last = step.attempts.last().and_then(|attempt| attempt.said.as_deref());
    match (step.waits_for.as_deref(), last) {
        (Some(what), _) => format!("{state} for {what}"),
        (None, Some(said)) => format!("{state}, {said}"),
        (None, None) => state,
    }
}

impl StepRunView {
    pub fn of(run: &StepRun) -> Self {
        let (state, until_ms) = state_of(&run.state);
        let waits_for = match &run.state {
            StepState::Waiting { what, .. } => Some(what.clone()),
            _ => None,
        };
        Self {
            name: run.step.name.clone(),
            run: run.step.run.as_str().to_string(),
            state: state.to_string(),
            waits_for,
            until: until_ms.map(millis_to_text),
            attempts: run.attempts.iter().map(AttemptView::of).collect(),
            carried_from: run.carried_from.clone(),
        }
    }
}

fn state_of(state: &StepState) -> (&'static str, Option<i64>) {
    match state {
        StepState::Pending => ("pending", None),
        StepState::Running { .. } => ("running", None),
        StepState::Stopping { .. } => ("stopping", None),
        StepState::Retrying { at_ms } => ("retrying", Some(*at_ms)),
        StepState::Waiting { until_ms, .. } => ("waiting", Some(*until_ms)),
        StepState::Succeeded => ("succeeded", None),
        StepState::Failed => ("failed", None),
        StepState::Skipped => ("skipped", None),
        StepState::UpstreamFailed => ("upstream_failed", None),
        StepState::Cancelled => ("cancelled", None),
    }
}

impl AttemptView {
    fn of(attempt: &Attempt) -> Self {
        let (ending, said, code) = match &attempt.ending {
            None => (None, None, None),
            Some(Ending::Succeeded { said }) => (Some("succeeded"), Some(said), None),
            Some(Ending::Skipped { said }) => (Some("skipped"), Some(said), None),
            Some(Ending::Failed { code, sentence }) => (Some("failed"), Some(sentence), Some(code)),
            Some(Ending::TimedOut) => (Some("timed_out"), None, None),
            Some(Ending::NoAnswer) => (Some("no_answer"), None, None),
            Some(Ending::Interrupted) => (Some("interrupted"), None, None),
            Some(Ending::Cancelled) => (Some("cancelled"), None, None),
            Some(Ending::Expired) => (Some("expired"), None, None),
        };
        Self {
            number: attempt.number,
            started: millis_to_text(attempt.started_ms),
            ended: attempt.ended_ms.map(millis_to_text),
            ending: ending.map(str::to_string),
            said: said.cloned(),
            code: code.cloned(),
        }
    }
}

/// A new run of an ended one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RerunBody {
    /// The step to begin with; where it is absent, those that failed or were cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}
