//! Invented rows as a table and as a file: one column at a time, the same bytes for the same rows.
//! Draws nothing.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::data::table::{Column, Kind, MISSING, Table, TextValues, UnevenColumns, Values};
use crate::data::write::{CsvSink, WriteError};
use crate::demo::draw::Draw;

/// The seed of the demos and of the committed samples.
pub const SEED_DEFAULT: u64 = 7;

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("a demo of {rows} rows was asked for; 1 to {max} can be made")]
    Rows { rows: usize, max: usize },
    #[error("there is no demo project {name:?}; there are {known}")]
    Unknown { name: String, known: String },
    #[error("the demo's table does not hold together")]
    Uneven(#[from] UnevenColumns),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Fact for DemoError {
    fn code(&self) -> &'static str {
        match self {
            Self::Rows { .. } => "demo.rows",
            Self::Unknown { .. } => "demo.unknown_project",
            Self::Uneven(_) => "demo.uneven_columns",
            Self::Write(inner) => inner.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Rows { .. } | Self::Unknown { .. } => Class::Usage,
            Self::Uneven(_) => Class::Failed,
            Self::Write(inner) => inner.class(),
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Write(inner) => inner.next_step(),
            Self::Unknown { .. } => Some("Name one of them with --project.".into()),
            Self::Rows { .. } | Self::Uneven(_) => None,
        }
    }
}

/// Draws so many rows, one after the other; `purpose` names the stream of numbers.
pub fn draw_rows<R>(
    rows: usize,
    seed: u64,
    purpose: &str,
    mut row: impl FnMut(&mut Draw, usize) -> R,
) -> Result<Vec<R>, DemoError> {
    if rows == 0 || rows > limits::ROWS_MAX {
        return Err(DemoError::Rows { rows, max: limits::ROWS_MAX });
    }
    let mut draw = Draw::new(seed, purpose);
    Ok((0..rows).map(|place| row(&mut draw, place)).collect())
}

/// Writes a table as CSV: the same bytes for the same table.
pub fn write_csv(path: &Path, table: &Table) -> Result<(), DemoError> {
    let columns = table.columns().iter().map(|column| (column.name.to_string(), column.kind)).collect();
    let mut sink = CsvSink::create(path, columns)?;
    sink.write(table)?;
    sink.finish()?;
    Ok(())
}

/// A column of numbers; NaN is a missing cell.
pub fn numbers<R>(name: &str, kind: Kind, rows: &[R], value: impl Fn(&R) -> f64) -> Column {
    Column { name: name.into(), kind, values: Values::Number(rows.iter().map(value).collect()) }
}

/// A column of whole numbers that are never missing.
pub fn counts<R>(name: &str, rows: &[R], value: impl Fn(&R) -> f64) -> Column {
    numbers(name, Kind::Integer, rows, value)
}

pub fn texts<R>(name: &str, rows: &[R], value: impl Fn(&R) -> Option<String>) -> Column {
    let mut text = TextValues::default();
    let mut places: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows {
        let code = value(row).map_or(MISSING, |level| {
            *places.entry(level).or_insert_with_key(|level| {
                text.levels.push(level.clone());
                (text.levels.len() - 1) as u32
            })
        });
        text.codes.push(code);
    }
    Column { name: name.into(), kind: Kind::Text, values: Values::Text(text) }
}

/// A column of words that are never missing.
pub fn words<R>(name: &str, rows: &[R], value: impl Fn(&R) -> &'static str) -> Column {
    texts(name, rows, |row| Some(value(row).to_string()))
}

/// `Yes` and `No`, as most of these files have it.
pub fn yes_no(flag: bool) -> &'static str {
    if flag { "Yes" } else { "No" }
}
