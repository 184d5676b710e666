//! Is this data fit to train on: contract, expectations, leak guard, in this order, before anything begins.
//! Bad rows halt the flow, or are set aside where somebody has named a place for them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::config::project::Project;
use crate::data::contract::Role;
use crate::data::expect::report::{FailingRow, SuiteReport};
use crate::data::finding::{Finding, FindingCount};
use crate::data::import::reader::{Purpose, Reader};
use crate::data::import::report::ImportReport;
use crate::data::import::whole::collect_rows;
use crate::data::leak::{LeakLevel, LeakSuspicion, guard};
use crate::data::quarantine::{Quarantine, reject_row};
use crate::data::table::{Cell, Kind, Table};

/// What a validation saw of data that passed it.
#[derive(Debug)]
pub struct Validated {
    pub report: ImportReport,
    pub suite: SuiteReport,
    /// Rows set aside, by the contract or by an expectation.
    pub set_aside: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadyError {
    #[error("{}: {rejected} of {rows} rows break the contract; {first}", path.display())]
    Contract {
        path: PathBuf,
        rejected: u64,
        rows: u64,
        first: String,
        findings: Vec<Finding>,
        counts: Vec<FindingCount>,
    },
    #[error("{}: {failed} critical expectation(s) failed; {first}", path.display())]
    Expectations { path: PathBuf, failed: usize, first: String, report: Box<SuiteReport> },
    #[error(
        "{} critical expectation(s) of the encoded rows failed; {}",
        .0.failed_critical,
        .0.first_failure().unwrap_or_default()
    )]
    Processed(Box<SuiteReport>),
    #[error("a feature knows the outcome: {}", messages(.0))]
    Leak(Vec<LeakSuspicion>),
    #[error("{} has no row {row}", path.display())]
    NoRow { path: PathBuf, row: u64 },
}

fn messages(suspicions: &[LeakSuspicion]) -> String {
    suspicions.iter().map(LeakSuspicion::message).collect::<Vec<_>>().join("; ")
}

impl Fact for ReadyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Contract { .. } => "data.contract",
            Self::Expectations { .. } => "data.expectations",
            Self::Processed(_) => "data.expectations_processed",
            Self::Leak(_) => "data.leak",
            Self::NoRow { .. } => "data.no_row",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoRow { .. } => Class::Usage,
            _ => Class::DataRefused,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Contract { .. } | Self::Expectations { .. } => Some(
                "Correct the data, or set bad rows aside: `tallystick data import DIR FILE --quarantine OUT.csv`."
                    .into(),
            ),
            Self::Processed(_) => Some(
                "Correct recipe.toml or the data; [[expect_processed]] in expectations.toml says what was expected of it."
                    .into(),
            ),
            Self::Leak(_) => Some(
                "Take the column out of recipe.toml; or, if it is honest, say why in a [[leak_waiver]] of project.toml."
                    .into(),
            ),
            Self::NoRow { .. } => None,
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Contract { findings, counts, .. } => Some(json!({"findings": findings, "counts": counts})),
            Self::Expectations { report, .. } => Some(json!({"suite": report})),
            Self::Processed(report) => Some(json!({"suite": report})),
            Self::Leak(suspicions) => Some(json!({ "leaks": suspicions })),
            Self::NoRow { .. } => None,
        }
    }
}

/// Reads a file and holds it against contract and expectations.
pub fn validate(project: &Project, path: &Path, aside: Option<&Path>) -> Result<(Table, Validated), Failure> {
    let reader = Reader::open(path, &project.contract, Purpose::Training)?;
    let mut quarantine =
        aside.map(|to| Quarantine::create(to, reader.file_columns(), &project.contract)).transpose()?;
    let (table, report) = collect_rows(reader, path, limits::ROWS_MAX, |row| -> Result<(), Failure> {
        quarantine.as_mut().map_or(Ok(()), |q| q.add(&row))?;
        Ok(())
    })?;
    if aside.is_none() && report.has_critical() {
        return Err(broken_contract(path, report).into());
    }
    let number = |row: usize| report.row_number(row);
    let mut suite = project.suite.validate_numbered(&table, &number);
    let mut kept = table;
    let mut set_aside = report.rows_rejected;
    if let (false, Some(quarantine)) = (suite.success, quarantine.as_mut()) {
        for failing in &suite.failing_rows {
            let findings = failing.findings.clone();
            quarantine.add(&reject_row(&kept, failing.row, number(failing.row), findings))?;
        }
        set_aside += suite.failing_rows.len() as u64;
        kept = without(&kept, &suite.failing_rows);
        suite = project.suite.validate(&kept);
    }
    if !suite.success {
        return Err(failed_expectations(path, suite).into());
    }
    if let Some(quarantine) = quarantine {
        quarantine.finish()?;
    }
    Ok((kept, Validated { report, suite, set_aside }))
}

fn without(table: &Table, failing: &[FailingRow]) -> Table {
    let out: BTreeSet<usize> = failing.iter().map(|f| f.row).collect();
    let rows: Vec<usize> = (0..table.rows()).filter(|row| !out.contains(row)).collect();
    table.select(&rows)
}

pub(super) fn broken_contract(path: &Path, report: ImportReport) -> ReadyError {
    ReadyError::Contract {
        path: path.to_path_buf(),
        rejected: report.rows_rejected,
        rows: report.rows_read,
        first: report.findings.first().map_or_else(String::new, Finding::text),
        findings: report.findings,
        counts: report.counts,
    }
}

pub(super) fn failed_expectations(path: &Path, report: SuiteReport) -> ReadyError {
    let first = report.first_failure().unwrap_or_default();
    ReadyError::Expectations {
        path: path.to_path_buf(),
        failed: report.failed_critical,
        first,
        report: Box::new(report),
    }
}

/// Refuses features that know the outcome, unless somebody answers for them in project.toml; answers
/// which columns somebody does answer for.
pub fn refuse_leaks(project: &Project, table: &Table) -> Result<Vec<String>, Failure> {
    let is_waived = |s: &LeakSuspicion| project.settings.leak_waivers.iter().any(|w| w.column == s.column);
    let (waived, refused): (Vec<_>, Vec<_>) = find_leaks(project, table)?.into_iter().partition(is_waived);
    if refused.is_empty() {
        Ok(waived.into_iter().map(|s| s.column).collect())
    } else {
        Err(ReadyError::Leak(refused).into())
    }
}

/// What is only suspect, by its name alone, halts nothing.
fn find_leaks(project: &Project, table: &Table) -> Result<Vec<LeakSuspicion>, Failure> {
    let features: Vec<String> = project.recipe.features().iter().map(|f| f.field.clone()).collect();
    let mut found = guard(&project.contract, &features, table, &project.settings.positive)?;
    found.retain(|suspicion| suspicion.level == LeakLevel::Refuse);
    Ok(found)
}

/// One row of a file as the JSON that a scoring takes.
pub fn row_as_json(project: &Project, path: &Path, number: u64) -> Result<Value, Failure> {
    let mut reader = Reader::open(path, &project.contract, Purpose::Scoring)?;
    let missing = || ReadyError::NoRow { path: path.to_path_buf(), row: number };
    let before = number.checked_sub(1).ok_or_else(missing)?;
    reader.skip_rows(before)?;
    let chunk = reader.next_chunk(1)?.filter(|chunk| chunk.rows_read > 0).ok_or_else(missing)?;
    if let Some(rejected) = chunk.rejected.first() {
        return Err(ReadyError::Contract {
            path: path.to_path_buf(),
            rejected: 1,
            rows: 1,
            first: rejected.findings.first().map_or_else(String::new, Finding::text),
            findings: rejected.findings.clone(),
            counts: Vec::new(),
        }
        .into());
    }
    let mut row = serde_json::Map::new();
    for column in chunk.table.columns() {
        let role = project.contract.find(&column.name).map(|spec| spec.role);
        if !matches!(role, Some(Role::Feature | Role::Id)) {
            continue;
        }
        let value = match (column.cell(0), column.kind) {
            (Cell::Missing, _) => continue,
            (Cell::Number(x), Kind::Boolean) => json!(x != 0.0),
            (Cell::Number(x), Kind::Date) => json!(crate::base::clock::iso_date(x)),
            (Cell::Number(x), Kind::Integer) => json!(x as i64),
            (Cell::Number(x), _) => json!(x),
            (Cell::Text(text), _) => json!(text),
        };
        row.insert(column.name.to_string(), value);
    }
    Ok(Value::Object(row))
}
