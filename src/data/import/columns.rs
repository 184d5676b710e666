//! Which column of a file is which column of the contract, and which are neither.
//! Decides by names alone; never looks at a cell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::base::fact::nearest;
use crate::base::limits;
use crate::data::cell::CellRule;
use crate::data::contract::{ColumnSpec, Contract, Role};
use crate::data::finding::{Finding, Severity, shown};
use crate::data::import::error::{DataError, MissingColumn};
use crate::data::import::reader::Purpose;

/// A column of the table to be: where the file has it, and its rules.
pub struct PlannedColumn {
    pub at: usize,
    pub rule: CellRule,
    /// The purpose can do without the column: a broken cell is missing and no reason to refuse the row.
    pub lenient: bool,
}

pub struct ColumnPlan {
    /// In the contract's order; absent optional columns are left out.
    pub columns: Vec<PlannedColumn>,
    /// The file's columns, by the contract's name where it has one.
    pub file_names: Vec<String>,
    /// Columns the contract does not know.
    pub unknown: Vec<String>,
}

impl ColumnPlan {
    pub fn new(
        path: &Path,
        header: &[String],
        contract: &Contract,
        purpose: Purpose,
    ) -> Result<Self, DataError> {
        check_header(path, header)?;
        let (places, unknown) = place(path, header, contract)?;
        check_present(path, contract, purpose, &places, &unknown)?;
        let kept = contract.columns().iter().filter(|spec| spec.role != Role::Ignored);
        let plan = |spec: &ColumnSpec| {
            let at = *places.get(spec.name.as_str())?;
            let lenient = purpose == Purpose::Scoring && !is_needed(spec.role, purpose);
            // A checked contract's rules hold together, so none is dropped here.
            Some(PlannedColumn { at, rule: CellRule::new(spec).ok()?, lenient })
        };
        let columns: Vec<PlannedColumn> = kept.filter_map(plan).collect();
        if columns.is_empty() {
            return Err(DataError::NothingKnown { path: path.to_path_buf() });
        }
        let canonical = |(at, word): (usize, &String)| match contract.find_by_any_name(word) {
            Some(spec) => spec.name.clone(),
            None if word.is_empty() => format!("(column {})", at + 1),
            None => word.clone(),
        };
        let file_names = header.iter().enumerate().map(canonical).collect();
        Ok(Self { columns, file_names, unknown })
    }

    /// One warning a column that the contract does not know.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        self.unknown.iter().map(|column| Finding {
            row: None,
            column: Some(column.clone()),
            rule: "unknown_column".to_string(),
            value: None,
            severity: Severity::Warning,
            message: format!("column {:?} is not in the contract and is left out", shown(column)),
        })
    }
}

/// Refuses too many columns and two of one name. A trailing separator makes nameless columns;
/// more than one of those is no ambiguity.
pub fn check_header(path: &Path, header: &[String]) -> Result<(), DataError> {
    if header.len() > limits::COLUMNS_MAX {
        let (path, found) = (path.to_path_buf(), header.len());
        return Err(DataError::TooManyColumns { path, found, max: limits::COLUMNS_MAX });
    }
    let mut seen = BTreeSet::new();
    match header.iter().find(|word| !word.is_empty() && !seen.insert(*word)) {
        Some(word) => Err(DataError::DuplicateColumn { path: path.to_path_buf(), column: word.clone() }),
        None => Ok(()),
    }
}

type Places<'a> = BTreeMap<&'a str, usize>;

fn place<'a>(
    path: &Path,
    header: &[String],
    contract: &'a Contract,
) -> Result<(Places<'a>, Vec<String>), DataError> {
    let mut places = Places::new();
    let mut unknown = Vec::new();
    for (at, word) in header.iter().enumerate() {
        let Some(spec) = contract.find_by_any_name(word) else {
            unknown.push(if word.is_empty() { format!("(column {})", at + 1) } else { word.clone() });
            continue;
        };
        if let Some(earlier) = places.insert(&spec.name, at) {
            let first = header.get(earlier).cloned().unwrap_or_default();
            let (path, column, second) = (path.to_path_buf(), spec.name.clone(), word.clone());
            return Err(DataError::TwoNames { path, column, first, second });
        }
    }
    Ok((places, unknown))
}

fn check_present(
    path: &Path,
    contract: &Contract,
    purpose: Purpose,
    places: &Places<'_>,
    unknown: &[String],
) -> Result<(), DataError> {
    let absent = contract.columns().iter().filter(|spec| !places.contains_key(spec.name.as_str()));
    let missing: Vec<MissingColumn> = absent
        .filter_map(|spec| {
            let near = find_meant(spec, unknown);
            // A column that may be absent is missed only where the header has it in another spelling.
            let misspelt = spec.role != Role::Ignored
                && near.as_ref().is_some_and(|word| names(spec).any(|name| plain(name) == plain(word)));
            let wanted = is_needed(spec.role, purpose) || misspelt;
            wanted.then(|| MissingColumn { column: spec.name.clone(), nearest: near })
        })
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(DataError::MissingColumns { path: path.to_path_buf(), missing })
    }
}

fn is_needed(role: Role, purpose: Purpose) -> bool {
    match role {
        Role::Feature | Role::Id => true,
        Role::Target | Role::Protected | Role::Split => purpose == Purpose::Training,
        Role::Leak | Role::Pii | Role::Ignored => false,
    }
}

fn names(spec: &ColumnSpec) -> impl Iterator<Item = &String> {
    std::iter::once(&spec.name).chain(&spec.aliases)
}

/// A word without its case and separators.
fn plain(word: &str) -> String {
    word.to_lowercase().replace([' ', '-', '.'], "_")
}

/// The unknown word of the header that was probably meant.
fn find_meant(spec: &ColumnSpec, unknown: &[String]) -> Option<String> {
    let known: Vec<(String, &String)> = unknown.iter().map(|word| (plain(word), word)).collect();
    names(spec).find_map(|name| {
        let near = nearest(&plain(name), known.iter().map(|(word, _)| word.as_str()))?;
        known.iter().find(|(word, _)| word == near).map(|(_, original)| (*original).clone())
    })
}
