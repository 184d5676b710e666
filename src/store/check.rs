//! The check of a whole home: both files page by page, every row of every table, the log's tree, every blob.
//! Reports all it finds and repairs nothing of its own; opening a file may rebuild the engine's bookkeeping.

pub mod answers;
pub mod proposals;

use std::collections::BTreeSet;
use std::path::Path;

use crate::base::digest::Digest;
use crate::base::limits;
use crate::ledger::leaf::leaf_hash;
use crate::ledger::tree::{Frontier, Nodes};
use crate::store::blobs::Blobs;
use crate::store::check::answers::check_answers;
use crate::store::check::proposals::check_proposals;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::home::Home;
use crate::store::migrate;
use crate::store::open::{check_owner, open_journal, take_in};
use crate::store::rows;
use crate::store::rows::Row;
use crate::store::rows::lab::{
    ExperimentNameRow, ExperimentRow, OpenTrainingRow, RunBlobRow, RunOrderRow, RunPlaceRow, RunRow,
};
use crate::store::rows::log::{CheckpointRow, RecordRow};
use crate::store::tables::StoreName;
use crate::store::views::{Direction, Framed, Lab, Ledger, ReadView, Rows, Span};
use crate::store::witness::Witness;
use crate::tracking::run::Run;

/// What a check saw. A home is sound if there is no finding.
#[derive(Debug, Default)]
pub struct CheckReport {
    pub rows: u64,
    pub blobs: u64,
    /// At most `CHECK_FINDINGS_MAX`; `found` counts all.
    pub findings: Vec<StoreError>,
    pub found: u64,
}

impl CheckReport {
    fn add(&mut self, finding: StoreError) {
        self.found += 1;
        if self.findings.len() < limits::CHECK_FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn keep<T>(&mut self, answer: Result<T, StoreError>) -> Option<T> {
        answer.map_err(|error| self.add(error)).ok()
    }
}

/// The blobs that a model.json names, or why its bytes are none. What a blob means is the caller's to know.
pub type Expand<'e> = dyn Fn(&[u8]) -> Result<Vec<Digest>, String> + 'e;

/// The blobs that the rows of a file name.
#[derive(Default)]
struct Named {
    required: BTreeSet<Digest>,
    /// Those of the required ones that name blobs in turn.
    models: BTreeSet<Digest>,
}

/// Checks the home at `path`, which no process may hold. An error means that no check was possible.
/// `expand` is asked for what the verified model.json of each version names, which must exist as well.
pub fn check_home(path: &Path, expand: &Expand) -> Result<CheckReport, StoreError> {
    let home = Home::open(path)?;
    let mut report = CheckReport::default();
    let blobs = Blobs::new(&home.blobs(), &home.staging());
    let mut required = BTreeSet::new();
    for store in [StoreName::Ledger, StoreName::Lab] {
        let checked = check_file(&home, store, &mut report);
        let named = report.keep(checked).unwrap_or_default();
        required.extend(named.required);
        required.extend(list_inner(&blobs, &named.models, expand, &mut report));
    }
    let checked = check_blobs(&blobs, &required, &mut report);
    report.keep(checked);
    Ok(report)
}

fn check_file(home: &Home, store: StoreName, report: &mut CheckReport) -> Result<Named, StoreError> {
    let file = StoreFile::open(store, &home.store_file(store))?;
    if file.repaired() {
        let why =
            "its free-page bookkeeping was damaged and has been rebuilt; no row was touched".to_string();
        report.add(StoreError::CorruptFile { store, why });
    }
    let witness = Witness::new(&home.run(), store, &home.identity().store_id);
    report.keep(check_owner(&home.identity().store_id, &file));
    let mut journal = open_journal(home, store)?;
    report.keep(take_in(&file, journal.as_mut(), &witness));
    migrate::bring_up(&file, migrate::list_migrations(store))?;
    file.read(|view| {
        check_tables(view, report)?;
        match store {
            StoreName::Ledger => {
                let checked = check_log(&Ledger(view), report);
                report.keep(checked);
                let checked = check_answers(&Ledger(view), report);
                report.keep(checked);
                let checked = check_proposals(&Ledger(view), report);
                report.keep(checked);
                list_named(&Ledger(view))
            }
            StoreName::Lab => {
                let checked = check_indexes(view, report);
                report.keep(checked);
                Ok(Named { required: Lab(view).list_required()?, models: BTreeSet::new() })
            }
        }
    })
}

fn check_tables(view: &ReadView, report: &mut CheckReport) -> Result<(), StoreError> {
    let store = view.store();
    let known = rows::list_tables(store);
    for name in view.list_table_names()? {
        if !known.iter().any(|(table, _)| table.name == name) {
            report.add(StoreError::CorruptFile { store, why: format!("it has an unknown table, {name:?}") });
        }
    }
    for (table, decode) in known {
        let visited = view.visit(table, &Span::all(), Direction::Forward, &mut |key, framed| {
            report.rows += 1;
            report.keep(decode(key, framed));
            Ok(true)
        });
        report.keep(visited);
    }
    Ok(())
}

/// The tree again from the records: every stored node and every gap is seen.
fn check_log(ledger: &Ledger<&ReadView>, report: &mut CheckReport) -> Result<(), StoreError> {
    let (mut frontier, nodes) = (Frontier::default(), ledger.nodes_in_order());
    let mut sizes = BTreeSet::new();
    ledger.0.each(&Span::all(), &mut |row: CheckpointRow| {
        sizes.insert(row.size);
        Ok(())
    })?;
    ledger.0.each(&Span::all(), &mut |row: RecordRow| {
        let corrupt = |why: String| StoreError::corrupt(RecordRow::TABLE, &row.key(), why);
        if row.seq != frontier.size() {
            return Err(corrupt(format!("record {} should come here", frontier.size())));
        }
        for node in frontier.append(leaf_hash(&row.header)) {
            if nodes.find_node(node.level, node.index)? != Some(node.hash) {
                report.add(corrupt(format!(
                    "its tree node {}/{} is not the stored one",
                    node.level, node.index
                )));
            }
        }
        Ok(())
    })?;
    if sizes.last().copied().unwrap_or(0) != frontier.size() {
        let why = format!("{} records are not covered by the last checkpoint", frontier.size());
        report.add(StoreError::CorruptFile { store: StoreName::Ledger, why });
    }
    Ok(())
}

/// Every entry of an index leads to a row, and every row has its entry.
fn check_indexes(view: &ReadView, report: &mut CheckReport) -> Result<(), StoreError> {
    view.each(&Span::all(), &mut |row: RunOrderRow| {
        expect::<RunRow>(view, &RunRow::key_of(&row.run_id), report)
    })?;
    view.each(&Span::all(), &mut |row: RunPlaceRow| {
        expect::<RunRow>(view, &RunRow::key_of(&row.run_id), report)
    })?;
    view.each(&Span::all(), &mut |row: OpenTrainingRow| {
        expect::<RunRow>(view, &RunRow::key_of(&row.run_id), report)
    })?;
    view.each(&Span::all(), &mut |row: RunRow| check_places(view, &Run::from(row), report))?;
    view.each(&Span::all(), &mut |row: ExperimentNameRow| {
        expect::<ExperimentRow>(view, &ExperimentRow::key_of(row.number), report)
    })?;
    view.each(&Span::all(), &mut |row: ExperimentRow| {
        expect::<ExperimentNameRow>(view, &ExperimentNameRow::key_of(&row.name), report)
    })
}

/// A run is found wherever it is looked for.
fn check_places(view: &ReadView, run: &Run, report: &mut CheckReport) -> Result<(), StoreError> {
    let place = RunOrderRow { start_time: run.start_time, run_id: run.run_id.clone() };
    expect::<RunOrderRow>(view, &place.key(), report)?;
    for place in RunPlaceRow::all_of(run) {
        expect::<RunPlaceRow>(view, &place.key(), report)?;
    }
    for artifact in &run.artifacts {
        expect::<RunBlobRow>(view, &RunBlobRow::key_of(&artifact.digest), report)?;
    }
    if run.status.is_open() {
        expect::<OpenTrainingRow>(view, &OpenTrainingRow::key_of(&run.run_id), report)?;
    }
    Ok(())
}

fn expect<R: Row>(view: &ReadView, key: &[u8], report: &mut CheckReport) -> Result<(), StoreError> {
    if view.find_framed(R::TABLE, key)?.is_none() {
        report.add(StoreError::corrupt(R::TABLE, key, "the row is missing though another names it"));
    }
    Ok(())
}

fn list_named(ledger: &Ledger<&ReadView>) -> Result<Named, StoreError> {
    let mut models = BTreeSet::new();
    ledger.each_version(&mut |row| {
        models.insert(row.model);
        Ok(())
    })?;
    Ok(Named { required: ledger.list_referenced()?, models })
}

/// The blobs that models name, as far as their bytes can be read.
fn list_inner(
    blobs: &Blobs,
    models: &BTreeSet<Digest>,
    expand: &Expand,
    report: &mut CheckReport,
) -> BTreeSet<Digest> {
    let mut inner = BTreeSet::new();
    for model in models {
        match blobs.read(model, limits::MANIFEST_BYTES_MAX) {
            Ok(bytes) => {
                let expanded = expand(&bytes).map_err(|why| StoreError::CorruptBlob { digest: *model, why });
                inner.extend(report.keep(expanded).unwrap_or_default());
            }
            // Said once, when every blob is looked at.
            Err(StoreError::NoBlob { .. } | StoreError::CorruptBlob { .. }) => {}
            Err(error) => report.add(error),
        }
    }
    inner
}

fn check_blobs(
    blobs: &Blobs,
    required: &BTreeSet<Digest>,
    report: &mut CheckReport,
) -> Result<(), StoreError> {
    let listing = blobs.list()?;
    for path in listing.strangers {
        report.add(StoreError::CorruptHome { path, why: "it is no blob".to_string() });
    }
    for digest in &listing.digests {
        report.blobs += 1;
        report.keep(blobs.open_path(digest));
    }
    for digest in required.difference(&listing.digests) {
        report.add(StoreError::NoBlob { digest: *digest });
    }
    Ok(())
}
