//! What starts now: planned starts, files in the inbox, commits, drift, outcomes, and what waits for a run before it.
//! Each cause has its key, and the run it begins is written together with it: nothing starts twice, nothing is lost.

use std::collections::BTreeSet;

use crate::app::chains::projects::{self, Applied};
use crate::app::chains::{ChainRow, ChainRunRow, commits, inbox};
use crate::app::home::App;
use crate::app::watch;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::schedule::chain_run::{ChainRun, Trigger, TriggerKind};
use crate::schedule::definition::{Chain, Kind, TriggerOn};
use crate::schedule::due::{Admission, admit, due, planned_key};
use crate::schedule::limits;
use crate::schedule::trigger::{self, Start};
use crate::store::rows::chains::QueuedStart;

/// The chain as it is kept; one that was never seen begins now, and makes up for nothing before.
pub(in crate::app::chains) fn row_of(app: &App, project: &str, chain: &Chain) -> Result<ChainRow, Failure> {
    let known = app.store.read_lab(|lab| lab.find_chain(project, &chain.name))?;
    Ok(known.unwrap_or_else(|| ChainRow {
        project: project.to_string(),
        chain: chain.name.clone(),
        dealt_ms: app.now().millis(),
        pause: None,
        inboxes: Default::default(),
        commits: Default::default(),
        outcomes_then: 0,
        last_run: None,
        skipped: 0,
        queued: Vec::new(),
    }))
}

pub(in crate::app::chains) fn is_paused(chain: &Chain, row: &ChainRow) -> bool {
    row.pause.as_ref().map_or(chain.paused, |pause| pause.paused)
}

/// Begins what is due of every chain of a project.
pub(in crate::app::chains) fn begin_due(app: &App, applied: &Applied) -> Result<(), Failure> {
    applied.schedule()?.chains().iter().try_for_each(|chain| begin_due_of(app, applied, chain))
}

fn begin_due_of(app: &App, applied: &Applied, chain: &Chain) -> Result<(), Failure> {
    let before = app.store.read_lab(|lab| lab.find_chain(&applied.row.name, &chain.name))?;
    let mut row = row_of(app, &applied.row.name, chain)?;
    let (now, paused) = (app.now().millis(), is_paused(chain, &row));
    let seen = if paused { Vec::new() } else { commits::look(app, chain, &mut row)? };
    let found = due(chain, row.dealt_ms, now, paused);
    row.dealt_ms = found.dealt_ms;
    row.skipped = row.skipped.saturating_add(found.skipped);
    let planned = found.starts.iter().map(|start| QueuedStart {
        key: planned_key(&chain.name, start.planned_ms),
        planned_ms: Some(start.planned_ms),
        trigger: Trigger { kind: start.kind, by: None, from: None },
    });
    let mut wanted: Vec<QueuedStart> = planned.collect();
    if !paused {
        wanted.extend(triggered(app, chain, &mut row)?);
    }
    wanted.extend(seen.iter().map(|commit| queued(TriggerKind::Git, commit.start.clone())));
    let begun = admit_all(app, chain, &mut row, wanted)?;
    commits::deal_with(&mut row, seen, begun.as_ref(), now);
    if let Some(start) = begun {
        begin(app, applied, chain, row, start)?;
    } else if before.as_ref() != Some(&row) {
        app.store.write_lab(move |lab| lab.put_chain(&row))?;
    }
    Ok(())
}

/// Which of these begins now, if any; what may wait is put in line.
fn admit_all(
    app: &App,
    chain: &Chain,
    row: &mut ChainRow,
    wanted: Vec<QueuedStart>,
) -> Result<Option<QueuedStart>, Failure> {
    let project = row.project.clone();
    let is_new = |key: &str| -> Result<bool, Failure> {
        Ok(app.store.read_lab(|lab| lab.find_chain_start(&project, key))?.is_none())
    };
    let mut runs = app.store.read_lab(|lab| lab.count_open_runs(&project, &chain.name))? > 0;
    let mut begun = None;
    while !runs && !row.queued.is_empty() {
        let first = row.queued.remove(0);
        if is_new(&first.key)? {
            (begun, runs) = (Some(first), true);
        }
    }
    for start in wanted {
        let known = row.queued.iter().any(|other| other.key == start.key);
        if known || !is_new(&start.key)? {
            continue;
        }
        let waiting: Vec<TriggerKind> = row.queued.iter().map(|start| start.trigger.kind).collect();
        match admit(chain.overlap, start.trigger.kind, runs, &waiting) {
            Admission::Start => (begun, runs) = (Some(start), true),
            Admission::Queue => row.queued.push(start),
            Admission::Skip => row.skipped += u64::from(start.planned_ms.is_some()),
        }
    }
    Ok(begun)
}

/// Writes a run that begins together with its cause; its steps are begun by the beat.
pub(in crate::app::chains) fn begin(
    app: &App,
    applied: &Applied,
    chain: &Chain,
    mut row: ChainRow,
    start: QueuedStart,
) -> Result<ChainRunRow, Failure> {
    let (id, now) = (RunId::draw().to_string(), app.now().millis());
    let run = ChainRun::begin(chain, id.clone(), start.trigger, start.planned_ms, now);
    row.last_run = Some(id);
    row.outcomes_then = watch::outcomes::count_known(app, &row.project)?;
    let begun = ChainRunRow {
        project: row.project.clone(),
        config: applied.row.digest,
        run,
        facts: Default::default(),
    };
    let (kept, key) = (begun.clone(), start.key);
    app.store.write_lab(move |lab| {
        lab.put_chain(&row)?;
        lab.put_chain_run_new(&kept, &key)
    })?;
    Ok(begun)
}

/// What starts the chain besides its hour.
fn triggered(app: &App, chain: &Chain, row: &mut ChainRow) -> Result<Vec<QueuedStart>, Failure> {
    let mut starts = Vec::new();
    for (place, on) in chain.triggers.iter().enumerate() {
        let (kind, found) = match on {
            TriggerOn::File { path, settle_ms } => {
                let listing = inbox::list(app, &row.project)?;
                let keys = trigger::keys(&chain.name, path, &listing);
                let started = app.store.read_lab(|lab| lab.list_started(&row.project, keys))?;
                let seen = row.inboxes.entry(place.to_string()).or_default();
                let now = app.now().millis();
                let look = seen.look((&chain.name, path, *settle_ms), &listing, &started, now);
                (TriggerKind::File, look.starts)
            }
            TriggerOn::Drift { at } => {
                let (release, days) = watch::trends::drift_days(app, &row.project)?;
                let start = release
                    .and_then(|release| trigger::drift_start(&chain.name, *at, &release.to_hex(), &days));
                (TriggerKind::Drift, start.into_iter().collect())
            }
            TriggerOn::Volume { outcomes } => {
                let known = watch::outcomes::count_known(app, &row.project)?;
                let start = trigger::volume_start(&chain.name, *outcomes, row.outcomes_then, known);
                (TriggerKind::Volume, start.into_iter().collect())
            }
            // Looked at before; and what is put in line when another chain's run ends.
            TriggerOn::Git { .. } | TriggerOn::Chain { .. } => continue,
        };
        starts.extend(found.into_iter().map(|start| queued(kind, start)));
    }
    let mut seen = BTreeSet::new();
    starts.retain(|start| seen.insert(start.key.clone()));
    Ok(starts)
}

/// Puts a start in the line of the first chain of a project that trains; a project without one starts nothing.
pub(in crate::app) fn put_in_line(
    app: &App,
    project: &str,
    kind: TriggerKind,
    start: Start,
) -> Result<(), Failure> {
    // A beat writes the same row: one that read it before and wrote it after would lose this start.
    let _turn = app.hands.turn();
    let Some(row) = app.store.read_lab(|lab| lab.find_project(project))? else { return Ok(()) };
    let applied = projects::find(app, &row.name)?;
    let trains = |chain: &&Chain| chain.steps.iter().any(|step| step.run == Kind::Train);
    let Some(chain) = applied.schedule()?.chains().iter().find(trains) else { return Ok(()) };
    let mut row = row_of(app, project, chain)?;
    let key = format!("{}/{}", chain.name, start.key);
    let known = app.store.read_lab(|lab| lab.find_chain_start(project, &key))?.is_some();
    let has_room = row.queued.len() < limits::QUEUED_STARTS_MAX;
    if known || !has_room || is_paused(chain, &row) || row.queued.iter().any(|other| other.key == key) {
        return Ok(());
    }
    row.queued.push(queued(kind, Start { key, ..start }));
    app.store.write_lab(move |lab| lab.put_chain(&row))?;
    Ok(())
}

pub(in crate::app::chains) fn queued(kind: TriggerKind, start: Start) -> QueuedStart {
    let trigger = Trigger { kind, by: None, from: Some(start.from) };
    QueuedStart { key: start.key, planned_ms: None, trigger }
}
