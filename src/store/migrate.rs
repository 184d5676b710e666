//! How a store file came to have the tables it has: numbered steps, each one transaction with its number.
//! A step that fails leaves the file as it was. Steps are never edited, only added.

use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::rows::meta::{COMMITS, SCHEMA, STORE_ID};
use crate::store::tables::{
    ALIAS_HISTORY, ALIASES, DATASETS, EXPERIMENT_NAMES, EXPERIMENTS, LOG_CHECKPOINTS, LOG_NODES, LOG_RECORDS,
    METRICS, POLICIES, RUNS, RUNS_BY_START, SIGNATURES, StoreName, TRUST, VERSIONS,
};
use crate::store::views::{Rows, WriteView};

/// A step from schema `number - 1` to `number`.
pub struct Migration {
    pub number: u64,
    pub run: fn(&WriteView) -> Result<(), StoreError>,
}

const LEDGER: &[Migration] = &[Migration {
    number: 1,
    run: |view| {
        view.create_tables(&[VERSIONS, ALIASES, ALIAS_HISTORY, SIGNATURES, POLICIES, TRUST])?;
        view.create_tables(&[LOG_RECORDS, LOG_NODES, LOG_CHECKPOINTS])
    },
}];

const LAB: &[Migration] = &[Migration {
    number: 1,
    run: |view| view.create_tables(&[EXPERIMENTS, EXPERIMENT_NAMES, RUNS, RUNS_BY_START, METRICS, DATASETS]),
}];

pub fn list_migrations(store: StoreName) -> &'static [Migration] {
    match store {
        StoreName::Ledger => LEDGER,
        StoreName::Lab => LAB,
    }
}

/// Makes a new file say whose it is, with no table of business yet.
pub(in crate::store) fn found(file: &StoreFile, store_id: &str) -> Result<(), StoreError> {
    let view = file.begin_write()?;
    view.create_tables(&[file.store().meta()])?;
    view.put_meta(STORE_ID, store_id)?;
    view.put_meta(SCHEMA, "0")?;
    view.put_meta(COMMITS, "0")?;
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
        view.put_meta(SCHEMA, &step.number.to_string())?;
        count_commit(&view)?;
        view.commit()
    })
}

/// Raises the number of commits by one, as every commit does; answers the new number.
pub(in crate::store) fn count_commit(view: &WriteView) -> Result<u64, StoreError> {
    let commits = view.read_meta_number(COMMITS)? + 1;
    view.put_meta(COMMITS, &commits.to_string())?;
    Ok(commits)
}
