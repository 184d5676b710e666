//! One run of a chain as its page shows it: what started it, how each step went, and what it left.
//! Never says whether it may be stopped or done again; the use cases do, and the page offers what makes sense.

use serde::Serialize;

use crate::app::chains::ChainRunRow;
use crate::http::pages::chains::cause::{cause, took};
use crate::http::pages::chains::marks::{Mark, of_ending, of_status, of_step};
use crate::http::pages::chains::picture::{Picture, draw};
use crate::http::pages::chains::view::{StepLine, address_of, address_of_run, step_line};
use crate::http::pages::text::Texts;
use crate::http::pages::words::{moment, spoken};
use crate::schedule::chain_run::{AlertKind, Attempt, ChainRun, Status, StepRun, StepState};
use crate::schedule::definition::Step;

/// Something that came of a run, and where it is looked at.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Left {
    pub label: String,
    pub value: String,
    pub address: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AttemptLine {
    pub number: u32,
    pub mark: Mark,
    pub started: String,
    pub took: Option<String>,
    pub said: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct StepView {
    pub id: String,
    pub line: StepLine,
    pub mark: Mark,
    /// What it waits for, or when it is tried again.
    pub note: Option<String>,
    /// The run whose outcome this is.
    pub carried: Option<String>,
    pub attempts: Vec<AttemptLine>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct RunView {
    pub id: String,
    pub project: String,
    pub chain: String,
    pub chain_address: String,
    pub mark: Mark,
    pub cause: String,
    /// The run that this one came of.
    pub cause_address: Option<String>,
    pub started: String,
    pub planned: Option<String>,
    pub ended: Option<String>,
    pub took: Option<String>,
    pub deadline: Option<String>,
    pub finish_by: Option<String>,
    pub cancelled: Option<String>,
    /// What was told of it: that it is late, that a step took too long.
    pub told: Vec<String>,
    pub picture: Picture,
    pub steps: Vec<StepView>,
    pub left: Vec<Left>,
    pub may_cancel: bool,
    pub may_rerun: bool,
}

pub fn run_view(texts: &Texts, row: &ChainRunRow) -> RunView {
    let run = &row.run;
    let (cause, cause_address) = cause(texts, &run.trigger);
    let steps: Vec<Step> = run.steps.iter().map(|step| step.step.clone()).collect();
    let mark =
        |step: &Step| run.find(&step.name).map_or_else(Mark::default, |run| of_step(texts, &run.state));
    let cancelled = run.cancel.as_ref().map(|cancel| {
        let when = moment(texts, cancel.at_ms);
        texts.fill("chains.by_when", &[("by", &cancel.by), ("when", &when)])
    });
    RunView {
        id: run.id.clone(),
        project: row.project.clone(),
        chain: run.chain.clone(),
        chain_address: address_of(&row.project, &run.chain),
        mark: of_status(texts, run.status()),
        cause,
        cause_address,
        started: moment(texts, run.started_ms),
        planned: run.planned_ms.map(|at_ms| moment(texts, at_ms)),
        ended: run.ended.map(|ended| moment(texts, ended.at_ms)),
        took: run.ended.map(|ended| took(texts, ended.at_ms.saturating_sub(run.started_ms))),
        deadline: run.deadline_ms.map(|at_ms| moment(texts, at_ms)),
        finish_by: run.finish_by_ms.map(|at_ms| moment(texts, at_ms)),
        cancelled,
        told: run.alerted.iter().map(|kind| told(texts, kind)).collect(),
        picture: draw(&steps, mark),
        steps: run.steps.iter().enumerate().map(|(at, step)| step_view(texts, at, step)).collect(),
        left: row.facts.iter().map(|(name, value)| left(texts, &row.project, (name, value))).collect(),
        may_cancel: run.ended.is_none() && run.cancel.is_none(),
        may_rerun: may_rerun(run),
    }
}

fn may_rerun(run: &ChainRun) -> bool {
    run.ended.is_some_and(|ended| matches!(ended.status, Status::Failed | Status::Cancelled))
}

fn told(texts: &Texts, kind: &AlertKind) -> String {
    match kind {
        AlertKind::Deadline => texts.say("chains.told.deadline"),
        AlertKind::FinishBy => texts.say("chains.told.finish_by"),
        AlertKind::StepTimeout { step } => texts.fill("chains.told.step_timeout", &[("step", step)]),
    }
}

fn step_view(texts: &Texts, at: usize, run: &StepRun) -> StepView {
    StepView {
        id: format!("step-{}", at + 1),
        line: step_line(texts, &run.step),
        mark: of_step(texts, &run.state),
        note: note(texts, &run.state),
        carried: run.carried_from.as_deref().map(address_of_run),
        attempts: run.attempts.iter().map(|attempt| attempt_line(texts, attempt)).collect(),
    }
}

fn note(texts: &Texts, state: &StepState) -> Option<String> {
    let at = |at_ms: &i64| moment(texts, *at_ms);
    match state {
        StepState::Waiting { what, until_ms } => {
            Some(texts.fill("steps.waits_for", &[("what", what), ("until", &at(until_ms))]))
        }
        StepState::Retrying { at_ms } => Some(texts.fill("steps.tried_again", &[("when", &at(at_ms))])),
        _ => None,
    }
}

fn attempt_line(texts: &Texts, attempt: &Attempt) -> AttemptLine {
    let (mark, said) = of_ending(texts, attempt.ending.as_ref());
    AttemptLine {
        number: attempt.number,
        mark,
        started: moment(texts, attempt.started_ms),
        took: attempt.ended_ms.map(|ended_ms| took(texts, ended_ms.saturating_sub(attempt.started_ms))),
        said,
    }
}

/// What a fact is called by its name up to the first dot; behind it is the step it is of.
fn left(texts: &Texts, project: &str, (name, value): (&str, &str)) -> Left {
    let (kind, _) = name.split_once('.').unwrap_or((name, ""));
    let label = match kind {
        "train_run" => texts.say("chains.left.train_run"),
        "version" => texts.say("chains.left.version"),
        "report" => texts.say("chains.left.report"),
        "proposal" => texts.say("chains.left.proposal"),
        "batch" => texts.say("chains.left.batch"),
        other => spoken(other),
    };
    let address = match kind {
        "report" => Some(format!("/monitoring/{project}/{value}")),
        "proposal" => Some(format!("/approvals/{value}")),
        _ => None,
    };
    let value = match kind {
        "version" => texts.fill("chains.left.version_of", &[("model", project), ("version", value)]),
        _ => value.to_string(),
    };
    Left { label, value, address }
}
