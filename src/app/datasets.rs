//! Data sets as use cases: validated and kept as Parquet, or refused before anything is begun.
//! What a training reads has passed the contract, the expectations and the leak guard.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::app::error::UseCaseError;
use crate::app::find::only_one;
use crate::app::home::App;
use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::config::project::Project;
use crate::data::import::reader::Purpose;
use crate::data::import::whole::read_table;
use crate::data::table::Table;
use crate::data::write::write_parquet;
use crate::ledger::leaf::Kind;
use crate::pipeline::ready::{self, Validated};
use crate::security::actor::Act;
/// A kept set.
pub use crate::store::rows::lab::DatasetRow;

/// Which data a training reads.
pub enum DataSource {
    /// A file that was sent: where it lies, and what it was called where it came from.
    Sent { path: PathBuf, name: PathBuf },
    /// A kept set by its content digest, or the beginning of it.
    Known(String),
    /// The newest set of the project.
    Latest,
}

/// A kept data set that is fit for training.
pub struct ReadySet {
    pub row: DatasetRow,
    /// Columns the leak guard refuses and a waiver answers for.
    pub waived: Vec<String>,
}

pub struct Imported {
    pub row: DatasetRow,
    pub validated: Validated,
}

/// Validates a file and keeps it. Bad rows halt the import, or are set aside where a place is named.
pub fn import(app: &App, project: &Project, file: &Path, aside: Option<&Path>) -> Result<Imported, Failure> {
    app.may(Act::ImportData)?;
    let (table, validated) = ready::validate(project, file, aside)?;
    let row = keep(app, project, file, &table)?;
    Ok(Imported { row, validated })
}

fn keep(app: &App, project: &Project, file: &Path, table: &Table) -> Result<DatasetRow, Failure> {
    let content = table.content_digest();
    let name = project.settings.name.clone();
    let now = app.now();
    if let Some(mut row) = app.store.read_lab(|lab| lab.find_dataset(&name, &content))? {
        row.imported_ms = now.millis();
        let renewed = row.clone();
        app.store.write_lab(move |lab| lab.put_dataset(&renewed))?;
        return Ok(row);
    }
    let draft = app.store.home().staging().join(format!("{}.parquet", content.short()));
    write_parquet(&draft, table)?;
    let (parquet, _) = app.store.blobs().put_file(&draft)?;
    let _ = std::fs::remove_file(&draft);
    let source = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let row = DatasetRow {
        name,
        content,
        parquet,
        rows: table.rows() as u64,
        columns: table.columns().len() as u64,
        source_name: source,
        imported_ms: now.millis(),
        contract: canonical::digest_of(&project.contract)?,
    };
    let body = json!({"content": content, "parquet": parquet, "rows": row.rows});
    let entry =
        App::entry(&app.may(Act::ImportData)?, Kind::DataImported, format!("data/{}", row.name), &body)?;
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    let kept = row.clone();
    app.store.write_lab(move |lab| lab.put_dataset(&kept))?;
    Ok(row)
}

pub fn list(app: &App) -> Result<Vec<DatasetRow>, Failure> {
    app.may(Act::ReadRuns)?;
    all(app)
}

fn all(app: &App) -> Result<Vec<DatasetRow>, Failure> {
    let mut rows = Vec::new();
    app.store.read_lab(|lab| {
        lab.each_dataset(&mut |row| {
            rows.push(row);
            Ok(())
        })
    })?;
    Ok(rows)
}

/// The data of a training: imported where it is a file, and in every case checked as it is now, by
/// the project as it is now. A kept set that today's contract reads otherwise becomes another set.
pub fn make_ready(app: &App, project: &Project, source: &DataSource) -> Result<ReadySet, Failure> {
    let (file, path) = match source {
        DataSource::Sent { path, name } => (name.clone(), path.clone()),
        DataSource::Known(_) | DataSource::Latest => {
            let row = find(app, project, source)?;
            (PathBuf::from(&row.source_name), app.store.blobs().open_path(&row.parquet)?)
        }
    };
    let told = |failure| CalledAsSent::of(failure, &path, &file);
    let (table, _) = ready::validate(project, &path, None).map_err(told)?;
    let waived = ready::refuse_leaks(project, &table)?;
    Ok(ReadySet { row: keep(app, project, &file, &table)?, waived })
}

/// Validates a file that was sent and keeps it; bad rows halt the import.
pub fn import_sent(app: &App, project: &Project, path: &Path, name: &Path) -> Result<DatasetRow, Failure> {
    app.may(Act::ImportData)?;
    let told = |failure| CalledAsSent::of(failure, path, name);
    let (table, _) = ready::validate(project, path, None).map_err(told)?;
    keep(app, project, name, &table)
}

/// A failure about a file in the home, told under the name by which a person knows it.
#[derive(Debug)]
struct CalledAsSent {
    failure: Failure,
    path: String,
    name: String,
}

impl CalledAsSent {
    fn of(failure: Failure, path: &Path, name: &Path) -> Failure {
        Self { failure, path: path.display().to_string(), name: name.display().to_string() }.into()
    }
}

impl fmt::Display for CalledAsSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.to_string().replace(&self.path, &self.name))
    }
}

impl std::error::Error for CalledAsSent {}

impl Fact for CalledAsSent {
    fn code(&self) -> &'static str {
        self.failure.code()
    }

    fn class(&self) -> Class {
        self.failure.class()
    }

    fn next_step(&self) -> Option<String> {
        self.failure.next_step()
    }

    fn details(&self) -> Option<serde_json::Value> {
        self.failure.details()
    }
}

fn find(app: &App, project: &Project, source: &DataSource) -> Result<DatasetRow, Failure> {
    let name = &project.settings.name;
    let DataSource::Known(wanted) = source else {
        let last = app.store.read_lab(|lab| lab.find_dataset_last(name))?;
        let wanted = format!("the newest set of {name}");
        return Ok(last.ok_or(UseCaseError::NoDataset { wanted })?);
    };
    let mut matching = all(app)?;
    matching.retain(|row| row.name == *name && row.content.to_hex().starts_with(wanted));
    only_one(matching, wanted, UseCaseError::NoDataset { wanted: wanted.clone() })
}

/// One row of a file as the JSON that `predict` and `decide` take: the columns a scoring reads.
pub fn row_as_json(project: &Project, file: &Path, number: u64) -> Result<serde_json::Value, Failure> {
    ready::row_as_json(project, file, number)
}

/// Reads the exact table a run's child was given.
pub fn read_for_child(project: &Project, path: &Path, content: Digest) -> Result<Table, Failure> {
    let (table, _) = read_table(path, &project.contract, Purpose::Training, limits::ROWS_MAX)?;
    if table.content_digest() == content {
        Ok(table)
    } else {
        Err(UseCaseError::OtherData { content }.into())
    }
}
