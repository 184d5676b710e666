//! What a person may ask of chains: start one, hold it, let it go on, stop a run, do it again, make up for past days;
//! and what has run so far.

use std::collections::BTreeSet;

use serde_json::json;

use crate::app::chains::error::ChainError;
use crate::app::chains::projects::{self, Applied};
use crate::app::chains::{ChainRow, ChainRunRow, starts};
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::ledger::leaf::Kind;
use crate::schedule::chain_run::{ChainRun, Status, Trigger, TriggerKind};
use crate::schedule::definition::Chain;
use crate::schedule::due::{backfill as planned_of, planned_key, upcoming};
use crate::schedule::limits::{BACKFILL_MAX, DAY_MS};
use crate::security::actor::Act;
use crate::store::rows::chains::{Pause, QueuedStart};
pub use crate::store::views::chains::ChainRunSpan;

/// One chain as it stands.
pub struct ChainState {
    pub project: String,
    pub chain: Chain,
    pub row: ChainRow,
    pub paused: bool,
    /// Planned starts that come next.
    pub next_ms: Vec<i64>,
    pub last: Option<ChainRunRow>,
}

/// How many planned starts are told ahead.
const AHEAD: usize = 3;

pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Waiting => "waiting",
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

pub fn states(app: &App) -> Result<Vec<ChainState>, Failure> {
    app.may(Act::ReadRuns)?;
    let mut states = Vec::new();
    for applied in projects::all(app)?.iter() {
        for chain in applied.schedule()?.chains() {
            states.push(state_of(app, applied, chain)?);
        }
    }
    Ok(states)
}

pub fn state(app: &App, project: &str, chain: &str) -> Result<ChainState, Failure> {
    app.may(Act::ReadRuns)?;
    let applied = projects::find(app, project)?;
    state_of(app, &applied, applied.chain(chain)?)
}

fn state_of(app: &App, applied: &Applied, chain: &Chain) -> Result<ChainState, Failure> {
    let row = starts::row_of(app, &applied.row.name, chain)?;
    let paused = starts::is_paused(chain, &row);
    let next_ms = if paused { Vec::new() } else { upcoming(chain, row.dealt_ms, app.now().millis(), AHEAD) };
    let last = match &row.last_run {
        Some(id) => app.store.read_lab(|lab| lab.find_chain_run(id))?,
        None => None,
    };
    Ok(ChainState { project: applied.row.name.clone(), chain: chain.clone(), row, paused, next_ms, last })
}

/// Runs of chains, the latest started first.
pub fn list(app: &App, wanted: &ChainRunSpan) -> Result<Vec<ChainRunRow>, Failure> {
    app.may(Act::ReadRuns)?;
    let wanted = ChainRunSpan { limit: wanted.limit.clamp(1, limits::LIST_MAX), ..wanted.clone() };
    Ok(app.store.read_lab(|lab| lab.list_chain_runs(&wanted))?)
}

pub fn show(app: &App, id: &str) -> Result<ChainRunRow, Failure> {
    app.may(Act::ReadRuns)?;
    find(app, id)
}

fn find(app: &App, id: &str) -> Result<ChainRunRow, Failure> {
    let found = app.store.read_lab(|lab| lab.find_chain_run(id))?;
    Ok(found.ok_or_else(|| ChainError::NoRun { id: id.to_string() })?)
}

/// Starts a chain now, once, whether it is held or not.
pub fn start(app: &App, project: &str, chain: &str) -> Result<ChainRunRow, Failure> {
    let actor = app.may(Act::RunSchedule)?;
    let _turn = app.hands.turn();
    let applied = projects::find(app, project)?;
    let chain = applied.chain(chain)?;
    let row = starts::row_of(app, project, chain)?;
    if let Some(open) = open_run(app, project, &chain.name)? {
        return Err(ChainError::StillRuns { chain: chain.name.clone(), id: open }.into());
    }
    let trigger = Trigger { kind: TriggerKind::Hand, by: Some(actor.name().to_string()), from: None };
    let key = format!("{}/hand/{}", chain.name, RunId::draw());
    let start = QueuedStart { key, planned_ms: None, trigger };
    record(app, project, &chain.name, json!({"started": chain.name}))?;
    starts::begin(app, &applied, chain, row, start)
}

fn open_run(app: &App, project: &str, chain: &str) -> Result<Option<String>, Failure> {
    let open = app.store.read_lab(|lab| lab.list_open_chain_runs())?;
    let of = open.into_iter().find(|row| row.project == project && row.run.chain == chain);
    Ok(of.map(|row| row.run.id))
}

/// Puts the planned starts of past days in line that have had no run.
pub fn backfill(app: &App, project: &str, chain: &str, days: (i64, i64)) -> Result<Vec<i64>, Failure> {
    let actor = app.may(Act::RunSchedule)?;
    let _turn = app.hands.turn();
    let applied = projects::find(app, project)?;
    let chain = applied.chain(chain)?;
    let mut row = starts::row_of(app, project, chain)?;
    let begin = format!("{}/planned/", chain.name);
    let keys = app.store.read_lab(|lab| lab.list_start_keys(project, &begin))?;
    let queued = row.queued.iter().map(|start| start.key.clone());
    let had: BTreeSet<i64> = keys
        .into_iter()
        .chain(queued)
        .filter_map(|key| key.strip_prefix(&begin).and_then(|text| text.parse().ok()))
        .collect();
    let now = app.now().millis();
    let end = days.1.saturating_add(DAY_MS - 1).min(now);
    let found = planned_of(chain, (days.0, end), &had, now)?;
    let by = Some(actor.name().to_string());
    for planned_ms in found.starts.iter().take(BACKFILL_MAX) {
        row.queued.push(QueuedStart {
            key: planned_key(&chain.name, *planned_ms),
            planned_ms: Some(*planned_ms),
            trigger: Trigger { kind: TriggerKind::Backfill, by: by.clone(), from: None },
        });
    }
    record(app, project, &chain.name, json!({"backfilled": found.starts.len()}))?;
    app.store.write_lab(move |lab| lab.put_chain(&row))?;
    Ok(found.starts)
}

/// Holds a chain, or lets it go on; what it misses meanwhile is not made up for.
pub fn pause(app: &App, project: &str, chain: &str, paused: bool) -> Result<ChainState, Failure> {
    let actor = app.may(Act::RunSchedule)?;
    let _turn = app.hands.turn();
    let applied = projects::find(app, project)?;
    let chain = applied.chain(chain)?;
    let mut row = starts::row_of(app, project, chain)?;
    if starts::is_paused(chain, &row) == paused {
        let what = if paused { "paused" } else { "going" };
        return Err(ChainError::Already { chain: chain.name.clone(), what }.into());
    }
    let now = app.now().millis();
    row.pause = Some(Pause { paused, by: actor.name().to_string(), at_ms: now });
    if !paused {
        row.dealt_ms = row.dealt_ms.max(now);
    }
    record(app, project, &chain.name, json!({"paused": paused}))?;
    app.store.write_lab(move |lab| lab.put_chain(&row))?;
    state_of(app, &applied, chain)
}

/// Asks a run to end; its steps are told at the next beat.
pub fn cancel(app: &App, id: &str) -> Result<ChainRunRow, Failure> {
    let actor = app.may(Act::RunSchedule)?;
    let _turn = app.hands.turn();
    let mut row = find(app, id)?;
    if row.run.ended.is_some() {
        let status = status_word(row.run.status());
        return Err(ChainError::Ended { id: id.to_string(), status }.into());
    }
    row.run.cancel(actor.name(), app.now().millis());
    record(app, &row.project, &row.run.chain, json!({"cancelled": id}))?;
    let kept = row.clone();
    app.store.write_lab(move |lab| lab.put_chain_run(&kept))?;
    Ok(row)
}

/// A new run from where an ended one failed, or from a step; what went well before is not done again.
pub fn rerun(app: &App, id: &str, from: Option<&str>) -> Result<ChainRunRow, Failure> {
    let actor = app.may(Act::RunSchedule)?;
    let _turn = app.hands.turn();
    let old = find(app, id)?;
    let applied = projects::find(app, &old.project)?;
    let chain = applied.chain(&old.run.chain)?;
    if let Some(open) = open_run(app, &old.project, &chain.name)? {
        return Err(ChainError::StillRuns { chain: chain.name.clone(), id: open }.into());
    }
    let (new, now) = (RunId::draw().to_string(), app.now().millis());
    let run: ChainRun = old.run.rerun(from, new.clone(), Some(actor.name().to_string()), now)?;
    let mut row = starts::row_of(app, &old.project, chain)?;
    row.last_run = Some(new.clone());
    let begun =
        ChainRunRow { project: old.project.clone(), config: applied.row.digest, run, facts: old.facts };
    record(app, &old.project, &chain.name, json!({"rerun": id}))?;
    let (kept, key) = (begun.clone(), format!("{}/rerun/{new}", chain.name));
    app.store.write_lab(move |lab| {
        lab.put_chain(&row)?;
        lab.put_chain_run_new(&kept, &key)
    })?;
    Ok(begun)
}

/// A person's word on a chain is an act like any other.
fn record(app: &App, project: &str, chain: &str, body: serde_json::Value) -> Result<(), Failure> {
    let actor = app.may(Act::RunSchedule)?;
    let entry = App::entry(&actor, Kind::ScheduleChanged, format!("chain/{project}/{chain}"), &body)?;
    let now = app.now();
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    Ok(())
}
