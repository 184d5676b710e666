//! Runs of chains in figures, for operators: counted at their ends, and how each chain stands when somebody looks.
//! Never changes a run; what is counted here is gone with the process, what is kept is in the rows.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::app::chains::projects;
use crate::app::chains::runs::status_word;
use crate::app::chains::starts::is_paused;
use crate::app::chains::{ChainRow, ChainRunRow};
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::{figures, limits};
use crate::schedule::chain_run::{AlertKind, Ending, Status, StepRun, StepState};
use crate::schedule::definition::Chain;
use crate::schedule::due::upcoming;
use crate::store::views::chains::ChainRunSpan;

/// Planned starts that are looked ahead for the longest time between two: a week of days and a weekend.
const AHEAD: usize = 8;

const ENDS: [Status; 3] = [Status::Succeeded, Status::Failed, Status::Cancelled];

type ChainName = (String, String);

/// What the runs of a chain have come to.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    succeeded_ms: Option<i64>,
    failing: bool,
}

/// Each chain is looked up once and kept up from then on.
#[derive(Default)]
pub struct Counted {
    pasts: Mutex<BTreeMap<ChainName, Past>>,
}

impl Counted {
    fn pasts(&self) -> MutexGuard<'_, BTreeMap<ChainName, Past>> {
        self.pasts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a chain in force stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainFigures {
    pub project: String,
    pub chain: String,
    pub is_late: bool,
    pub is_failing: bool,
    pub is_paused: bool,
    pub next_ms: Option<i64>,
    /// Between two of the next planned starts.
    pub longest_wait_ms: Option<i64>,
    pub succeeded_ms: Option<i64>,
    pub passed_over: u64,
    pub queued: usize,
}

/// Every chain in force, and how many runs are at work and wait for a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    pub chains: Vec<ChainFigures>,
    pub running: usize,
    pub waiting: usize,
}

pub(in crate::app) fn standing(app: &App) -> Result<Standing, Failure> {
    let now = app.now().millis();
    let open = app.store.read_lab(|lab| lab.list_open_chain_runs())?;
    let waiting = open.iter().filter(|row| row.run.status() == Status::Waiting).count();
    let mut standing = Standing { running: open.len() - waiting, waiting, chains: Vec::new() };
    for applied in projects::all(app)?.iter() {
        for chain in applied.schedule()?.chains() {
            let project = &applied.row.name;
            let row = app.store.read_lab(|lab| lab.find_chain(project, &chain.name))?;
            let past = past_of(app, project, &chain.name)?;
            let of = |open: &&ChainRunRow| open.run.chain == chain.name && open.project == *project;
            let figures = ChainFigures {
                is_late: open.iter().filter(of).any(is_late),
                is_failing: past.failing,
                succeeded_ms: past.succeeded_ms,
                ..planned(project, chain, row.as_ref(), now)
            };
            standing.chains.push(figures);
        }
    }
    Ok(standing)
}

fn planned(project: &str, chain: &Chain, row: Option<&ChainRow>, now: i64) -> ChainFigures {
    let is_paused = row.map_or(chain.paused, |row| is_paused(chain, row));
    // One that is not known yet begins at the next beat.
    let dealt_ms = row.map_or(now, |row| row.dealt_ms);
    let next = if is_paused { Vec::new() } else { upcoming(chain, dealt_ms, now, AHEAD) };
    let waits = next.iter().zip(next.iter().skip(1)).map(|(one, other)| other - one);
    ChainFigures {
        project: project.to_string(),
        chain: chain.name.clone(),
        is_late: false,
        is_failing: false,
        is_paused,
        next_ms: next.first().copied(),
        longest_wait_ms: waits.max(),
        succeeded_ms: None,
        passed_over: row.map_or(0, |row| row.skipped),
        queued: row.map_or(0, |row| row.queued.len()),
    }
}

/// Past its deadline or its time of day, whether or not anybody was told.
fn is_late(row: &ChainRunRow) -> bool {
    row.run.alerted.iter().any(|kind| matches!(kind, AlertKind::Deadline | AlertKind::FinishBy))
}

fn past_of(app: &App, project: &str, chain: &str) -> Result<Past, Failure> {
    let name = (project.to_string(), chain.to_string());
    // Held while the runs are read: an end that is noted meanwhile waits, and is not undone by an older look.
    let mut pasts = app.hands.counted.pasts();
    if let Some(past) = pasts.get(&name) {
        return Ok(*past);
    }
    let past = read_past(app, &name)?;
    if pasts.len() < limits::CHAINS_COUNTED_MAX {
        // A count that begins at nought is seen to rise by whoever asks now and then.
        ENDS.into_iter().for_each(|status| count_end(project, chain, status, 0));
        pasts.insert(name, past);
    }
    Ok(past)
}

fn read_past(app: &App, name: &ChainName) -> Result<Past, Failure> {
    let mut past = Past::default();
    let mut newest = None;
    // Most often the newest run is all that is needed.
    for limit in [1, limits::CHAIN_RUNS_LOOKED_BACK] {
        let wanted = ChainRunSpan { of: Some(name.clone()), after: None, limit };
        let rows = app.store.read_lab(|lab| lab.list_chain_runs(&wanted))?;
        let ended = || rows.iter().filter_map(|row| row.run.ended);
        newest = newest.or(ended().next().map(|end| end.status));
        past.succeeded_ms = ended().find(|end| end.status == Status::Succeeded).map(|end| end.at_ms);
        if past.succeeded_ms.is_some() || rows.len() < limit {
            break;
        }
    }
    past.failing = newest == Some(Status::Failed);
    Ok(past)
}

/// Counts what has come to an end between a run as it was and as it is kept now.
pub(in crate::app::chains) fn note(app: &App, before: &ChainRunRow, row: &ChainRunRow) {
    for (old, step) in before.run.steps.iter().zip(&row.run.steps) {
        count_step(old, step);
    }
    let Some(ended) = row.run.ended.filter(|_| before.run.ended.is_none()) else { return };
    let word = status_word(ended.status);
    metrics::histogram!(figures::CHAIN_SECONDS, "status" => word)
        .record(seconds(ended.at_ms - row.run.started_ms));
    let name = (row.project.clone(), row.run.chain.clone());
    let mut pasts = app.hands.counted.pasts();
    if !pasts.contains_key(&name) && pasts.len() >= limits::CHAINS_COUNTED_MAX {
        return count_end("other", "other", ended.status, 1);
    }
    count_end(&row.project, &row.run.chain, ended.status, 1);
    // One that nobody has looked at yet is looked up when somebody does.
    if let Some(past) = pasts.get_mut(&name) {
        past.failing = ended.status == Status::Failed;
        if ended.status == Status::Succeeded {
            past.succeeded_ms = Some(ended.at_ms);
        }
    }
}

fn count_end(project: &str, chain: &str, status: Status, by: u64) {
    let (project, chain, status) = (project.to_string(), chain.to_string(), status_word(status));
    metrics::counter!(figures::CHAIN_RUNS, "project" => project, "chain" => chain, "status" => status)
        .increment(by);
}

fn count_step(old: &StepRun, step: &StepRun) {
    let kind = step.step.run.as_str();
    let count = |ending| {
        metrics::counter!(figures::CHAIN_STEPS, "kind" => kind, "ending" => ending).increment(1);
    };
    let mut attempted = false;
    for (at, attempt) in step.attempts.iter().enumerate() {
        let open_before = old.attempts.get(at).is_none_or(|attempt| attempt.ending.is_none());
        let Some(ending) = attempt.ending.as_ref().filter(|_| open_before) else { continue };
        attempted = true;
        count(ending_word(ending));
        let lasted = attempt.ended_ms.unwrap_or(attempt.started_ms) - attempt.started_ms;
        metrics::histogram!(figures::CHAIN_STEP_SECONDS, "kind" => kind).record(seconds(lasted));
    }
    if !attempted && step.state.has_ended() && !old.state.has_ended() {
        count(match step.state {
            StepState::Skipped => "skipped",
            StepState::Cancelled => "cancelled",
            _ => "not_begun",
        });
    }
}

fn ending_word(ending: &Ending) -> &'static str {
    match ending {
        Ending::Succeeded { .. } => "succeeded",
        Ending::Skipped { .. } => "skipped",
        Ending::Failed { .. } => "failed",
        Ending::TimedOut => "timed_out",
        Ending::NoAnswer => "no_answer",
        Ending::Interrupted => "interrupted",
        Ending::Cancelled => "cancelled",
        Ending::Expired => "expired",
    }
}

/// A clock that was set back makes no time negative.
fn seconds(lasted_ms: i64) -> f64 {
    lasted_ms.max(0) as f64 / 1_000.0
}
