//! Chains as their pages show them: all of them by project, and one with its steps and its past runs.
//! Never says what is due; the use cases do.

use serde::Serialize;

use crate::app::chains::projects::Applied;
use crate::app::chains::runs::ChainState;
use crate::app::chains::{ChainRunRow, ProjectRow};
use crate::http::pages::chains::cause::{Planned, cause, planned, starts, took};
use crate::http::pages::chains::marks::{Mark, never_run, of_status, paused};
use crate::http::pages::chains::picture::{Picture, draw};
use crate::http::pages::text::Texts;
use crate::http::pages::words::{days_ago, grouped, moment};
use crate::schedule::definition::{Kind, Rule, Step};
use crate::schedule::duration::duration_text;

/// A run as a list shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RunLine {
    pub address: String,
    pub mark: Mark,
    pub cause: String,
    pub started: String,
    pub ago: String,
    /// Nothing while it is under way.
    pub took: Option<String>,
}

/// A start that waits for the run before it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QueueLine {
    pub cause: String,
    pub planned: Option<Planned>,
}

/// One chain as it stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainLine {
    /// Unique on a page, for what refers to it.
    pub id: String,
    pub address: String,
    pub project: String,
    pub chain: String,
    pub mark: Mark,
    pub is_paused: bool,
    /// Who paused it and when; the schedule itself where nobody did.
    pub paused: Option<String>,
    pub next: Vec<Planned>,
    pub starts: Vec<String>,
    pub last: Option<RunLine>,
    pub queue: Vec<QueueLine>,
    pub is_open: bool,
    /// Planned starts that were passed over so far.
    pub skipped: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ProjectView {
    pub id: String,
    pub name: String,
    pub applied: String,
    pub chains: Vec<ChainLine>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainsView {
    pub projects: Vec<ProjectView>,
}

/// A step as the schedule has it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StepLine {
    pub name: String,
    pub runs: String,
    pub after: Option<String>,
    /// When it begins, where that is not after success.
    pub when: Option<String>,
    pub tries: Option<String>,
    pub timeout: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ChainView {
    pub line: ChainLine,
    pub picture: Picture,
    pub steps: Vec<StepLine>,
    pub runs: Vec<RunLine>,
    /// The address of the next page.
    pub next: Option<String>,
}

pub fn run_line(texts: &Texts, row: &ChainRunRow, now_ms: i64) -> RunLine {
    let run = &row.run;
    RunLine {
        address: address_of_run(&run.id),
        mark: of_status(texts, run.status()),
        cause: cause(texts, &run.trigger).0,
        started: moment(texts, run.started_ms),
        ago: days_ago(texts, now_ms, run.started_ms),
        took: run.ended.map(|ended| took(texts, ended.at_ms.saturating_sub(run.started_ms))),
    }
}

pub fn address_of_run(id: &str) -> String {
    format!("/chain-runs/{id}")
}

pub fn address_of(project: &str, chain: &str) -> String {
    format!("/chains/{project}/{chain}")
}

pub fn chain_line(texts: &Texts, state: &ChainState, now_ms: i64) -> ChainLine {
    let (project, chain) = (&state.project, &state.chain);
    let open = state.last.as_ref().filter(|last| last.run.ended.is_none());
    let mark = match (open, state.paused, &state.last) {
        (Some(open), ..) => of_status(texts, open.run.status()),
        (None, true, _) => paused(texts),
        (None, false, Some(last)) => of_status(texts, last.run.status()),
        (None, false, None) => never_run(texts),
    };
    let queue = state.row.queued.iter().map(|start| QueueLine {
        cause: cause(texts, &start.trigger).0,
        planned: start.planned_ms.map(|at_ms| planned(texts, chain, at_ms)),
    });
    ChainLine {
        id: format!("chain-{project}-{}", chain.name),
        address: address_of(project, &chain.name),
        project: project.clone(),
        chain: chain.name.clone(),
        mark,
        is_paused: state.paused,
        paused: state.paused.then(|| paused_by(texts, state)),
        next: state.next_ms.iter().map(|at_ms| planned(texts, chain, *at_ms)).collect(),
        starts: starts(texts, chain),
        last: state.last.as_ref().map(|row| run_line(texts, row, now_ms)),
        queue: queue.collect(),
        is_open: open.is_some(),
        skipped: (state.row.skipped > 0).then(|| grouped(&state.row.skipped.to_string())),
    }
}

fn paused_by(texts: &Texts, state: &ChainState) -> String {
    match &state.row.pause {
        Some(pause) => {
            let when = moment(texts, pause.at_ms);
            texts.fill("chains.paused_by", &[("by", &pause.by), ("when", &when)])
        }
        None => texts.say("chains.paused_from_start"),
    }
}

pub fn chains_view(texts: &Texts, projects: &[Applied], states: &[ChainState], now_ms: i64) -> ChainsView {
    let of = |row: &ProjectRow| -> Vec<ChainLine> {
        let own = states.iter().filter(|state| state.project == row.name);
        own.map(|state| chain_line(texts, state, now_ms)).collect()
    };
    let view = |applied: &Applied| {
        let row = &applied.row;
        let when = moment(texts, row.applied_ms);
        ProjectView {
            id: format!("project-{}", row.name),
            name: row.name.clone(),
            applied: texts.fill("chains.applied", &[("by", &row.applied_by), ("when", &when)]),
            chains: of(row),
        }
    };
    ChainsView { projects: projects.iter().map(view).collect() }
}

pub fn chain_view(
    texts: &Texts,
    state: &ChainState,
    runs: &[ChainRunRow],
    next: Option<String>,
    now_ms: i64,
) -> ChainView {
    let steps = &state.chain.steps;
    let kind = |step: &Step| Mark { tone: "other", shape: "none", word: runs_word(texts, step) };
    ChainView {
        line: chain_line(texts, state, now_ms),
        picture: draw(steps, kind),
        steps: steps.iter().map(|step| step_line(texts, step)).collect(),
        runs: runs.iter().map(|row| run_line(texts, row, now_ms)).collect(),
        next,
    }
}

/// What a step does.
pub fn runs_word(texts: &Texts, step: &Step) -> String {
    texts.say(match step.run {
        Kind::Train => "steps.run.train",
        Kind::Gate => "steps.run.gate",
        Kind::Stage => "steps.run.stage",
        Kind::Promote => "steps.run.promote",
        Kind::Batch => "steps.run.batch",
        Kind::Monitor => "steps.run.monitor",
        Kind::Notify => "steps.run.notify",
    })
}

pub fn step_line(texts: &Texts, step: &Step) -> StepLine {
    let when = match step.when {
        Rule::AllSuccess => None,
        Rule::AllDone => Some("steps.when.all_done"),
        Rule::OneFailed => Some("steps.when.one_failed"),
        Rule::NoneFailed => Some("steps.when.none_failed"),
    };
    let tries = || texts.fill("steps.tries", &[("count", &(step.retries + 1).to_string())]);
    let timeout = duration_text(step.timeout_ms);
    StepLine {
        name: step.name.clone(),
        runs: runs_word(texts, step),
        after: (!step.after.is_empty())
            .then(|| texts.fill("steps.after", &[("steps", &step.after.join(", "))])),
        when: when.map(|key| texts.say(key)),
        tries: (step.retries > 0).then(tries),
        timeout: texts.fill("steps.timeout", &[("length", &timeout)]),
    }
}
