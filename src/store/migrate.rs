//! How a store file came to have the tables it has: numbered steps, each one transaction with its number.
//! A step that fails leaves the file as it was. Steps are never edited, only added.

use crate::base::digest::Digest;
use crate::base::limits;
use crate::ledger::tree::Frontier;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::rows::lab::{RunOrderRow, RunRow};
use crate::store::rows::log::NodesRow;
use crate::store::rows::meta::{COMMITS, SCHEMA, STORE_ID};
use crate::store::tables::{
    ALERTS, ALIAS_HISTORY, ALIASES, API_KEYS, CASES, CHAIN_RUNS, CHAIN_RUNS_BY_START, CHAIN_RUNS_OPEN,
    CHAIN_STARTS, CHAINS, COUNTERS, DATASETS, DECISION_IDS, DELIVERIES, EXPERIMENT_NAMES, EXPERIMENTS,
    IDEMPOTENCY, LOG_CHECKPOINTS, LOG_NODES, LOG_RECORDS, METRICS, MODEL_HOLDS, OUTCOMES, POLICIES, PROJECTS,
    PROPOSALS, REPORTS, RUN_BLOBS, RUN_QUEUE, RUNS, RUNS_BY_START, RUNS_LISTED, RUNS_OPEN, SIGNATURES,
    SUBJECT_KEYS, StoreName, TRENDS, TRUST, USERS, VERSIONS, WATCHED_DAYS,
};
use crate::store::value;
use crate::store::views::group::{Group, Writes};
use crate::store::views::{Direction, Lab, LabWrite, Rows, Span, WriteView};

/// A step from schema `number - 1` to `number`.
pub struct Migration {
    pub number: u64,
    pub run: fn(&WriteView) -> Result<(), StoreError>,
}

const LEDGER: &[Migration] = &[
    Migration {
        number: 1,
        run: |view| {
            view.create_tables(&[VERSIONS, ALIASES, ALIAS_HISTORY, SIGNATURES, POLICIES, TRUST])?;
            view.create_tables(&[LOG_RECORDS, LOG_NODES, LOG_CHECKPOINTS])
        },
    },
    // Decisions on record, and who may ask for them; the tree's nodes by the commit that completed them.
    Migration {
        number: 2,
        run: |view| {
            gather_nodes(&Group::new(view))?;
            view.create_tables(&[DECISION_IDS, CASES, SUBJECT_KEYS, IDEMPOTENCY, COUNTERS])?;
            view.create_tables(&[USERS, API_KEYS])
        },
    },
    // The cases of a commit share a row. Rows of one case read as before, so there is nothing to rewrite; the number
    // keeps older programs away.
    Migration { number: 3, run: |_| Ok(()) },
    // Proposals to promote, which wait for a second person, and what became of what was decided.
    Migration { number: 4, run: |view| view.create_tables(&[PROPOSALS, OUTCOMES]) },
    // Beside the file lies a journal, which older programs would not read.
    Migration { number: 5, run: |_| Ok(()) },
];

const LAB: &[Migration] = &[
    Migration {
        number: 1,
        run: |view| {
            view.create_tables(&[EXPERIMENTS, EXPERIMENT_NAMES, RUNS, RUNS_BY_START, METRICS, DATASETS])
        },
    },
    // Runs that wait for a worker, or are with one.
    Migration { number: 2, run: |view| view.create_tables(&[RUN_QUEUE]) },
    // What runs by itself, what is watched, and who is told.
    Migration {
        number: 3,
        run: |view| {
            view.create_tables(&[PROJECTS, CHAINS, CHAIN_RUNS, CHAIN_RUNS_BY_START, CHAIN_RUNS_OPEN])?;
            view.create_tables(&[
                CHAIN_STARTS,
                REPORTS,
                WATCHED_DAYS,
                TRENDS,
                MODEL_HOLDS,
                ALERTS,
                DELIVERIES,
            ])
        },
    },
    // Where the runs of a project or an experiment are, which have not ended, and which blobs they name: nobody looks
    // through all of them.
    Migration {
        number: 4,
        run: |view| {
            view.create_tables(&[RUNS_LISTED, RUNS_OPEN, RUN_BLOBS])?;
            list_runs(&Group::new(view))
        },
    },
    // Chains that commits start. Rows without them read as before; the number keeps older programs away.
    Migration { number: 5, run: |_| Ok(()) },
];

pub fn list_migrations(store: StoreName) -> &'static [Migration] {
    match store {
        StoreName::Ledger => LEDGER,
        StoreName::Lab => LAB,
    }
}

/// Nodes used to have a row each, under level (one byte) and index; now a commit's nodes share a row.
fn gather_nodes(view: &dyn Writes) -> Result<(), StoreError> {
    let (mut old, mut leaves) = (Vec::new(), Vec::new());
    view.visit(LOG_NODES, &Span::all(), Direction::Forward, &mut |key, framed| {
        let (_, payload) = value::open(LOG_NODES, key, framed)?;
        if key.first() == Some(&0) {
            let hash = payload.try_into().map_err(|_| StoreError::corrupt(LOG_NODES, key, "no hash"))?;
            leaves.push(Digest::from_bytes(hash));
        }
        old.push(key.to_vec());
        Ok(true)
    })?;
    old.iter().try_for_each(|key| view.remove_framed(LOG_NODES, key))?;
    let mut frontier = Frontier::default();
    for leaves in leaves.chunks(limits::WRITER_GROUP_MAX) {
        let first = frontier.size();
        let hashes = leaves.iter().flat_map(|leaf| frontier.append(*leaf)).map(|node| node.hash).collect();
        view.put_new(&NodesRow { first, hashes })?;
    }
    Ok(())
}

/// Runs used to be found by their start alone.
fn list_runs(view: &dyn Writes) -> Result<(), StoreError> {
    let mut ids = Vec::new();
    view.each(&Span::all(), &mut |row: RunOrderRow| {
        ids.push(row.run_id);
        Ok(())
    })?;
    let lab: LabWrite<'_> = Lab(view);
    for id in &ids {
        let missing = || StoreError::corrupt(RUNS, &RunRow::key_of(id), "the row is missing");
        lab.put_listed(&lab.find_run(id)?.ok_or_else(missing)?)?;
    }
    Ok(())
}

/// Makes a new file say whose it is, with no table of business yet.
pub(in crate::store) fn found(file: &StoreFile, store_id: &str) -> Result<(), StoreError> {
    let view = file.begin_write()?;
    view.create_tables(&[file.store().meta()])?;
    put_all_meta(&Group::new(&view), &[(STORE_ID, store_id), (SCHEMA, "0"), (COMMITS, "0")])?;
    view.commit()
}

/// Takes the steps a file has not taken yet.
pub(in crate::store) fn bring_up(file: &StoreFile, steps: &[Migration]) -> Result<(), StoreError> {
    let schema = file.read(|view| view.read_meta_number(SCHEMA))?;
    let known = steps.last().map_or(0, |step| step.number);
    if schema > known {
        let what = format!("the store {}", file.path().display());
        return Err(StoreError::Newer { what, found: schema, known });
    }
    steps.iter().filter(|step| step.number > schema).try_for_each(|step| take(file, step))
}

fn take(file: &StoreFile, step: &Migration) -> Result<(), StoreError> {
    crate::store::file::guard(file.store(), || {
        let view = file.begin_write()?;
        (step.run)(&view)?;
        let schema = step.number.to_string();
        record_step(&Group::new(&view), &schema)?;
        view.commit()
    })
}

fn put_all_meta(view: &dyn Writes, rows: &[(&str, &str)]) -> Result<(), StoreError> {
    rows.iter().try_for_each(|(name, text)| view.put_meta(name, text))
}

fn record_step(view: &dyn Writes, schema: &str) -> Result<(), StoreError> {
    view.put_meta(SCHEMA, schema)?;
    count_commit(view).map(drop)
}

/// Raises the number of commits by one, as every commit does; answers the new number.
pub(in crate::store) fn count_commit(view: &dyn Writes) -> Result<u64, StoreError> {
    let commits = view.read_meta_number(COMMITS)? + 1;
    view.put_meta(COMMITS, &commits.to_string())?;
    Ok(commits)
}
