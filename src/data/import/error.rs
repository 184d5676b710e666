//! What makes a whole file unreadable. What is wrong with one row is a `Finding`, never an error.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::fact::{Class, Fact};
use crate::base::files::FileError;
use crate::base::limits;

#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: there is no table in the file: no header, or no rows", path.display())]
    Empty { path: PathBuf },
    #[error("{}: the file is {what}, not CSV or Parquet", path.display())]
    NotATable { path: PathBuf, what: &'static str },
    #[error("{}: the data are damaged or cut off near data row {row}: {source}", path.display())]
    Damaged { path: PathBuf, row: u64, source: io::Error },
    #[error("{}: more than {max} bytes once decompressed", path.display())]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{}: more than {max} data rows", path.display())]
    TooManyRows { path: PathBuf, max: usize },
    #[error("{}: {found} columns; at most {max} are read", path.display())]
    TooManyColumns { path: PathBuf, found: usize, max: usize },
    #[error(
        "{}: data row {row} is longer than {max} bytes; probably a quotation mark is not closed",
        path.display(),
        max = limits::RECORD_BYTES_MAX
    )]
    RecordTooLong { path: PathBuf, row: u64 },
    #[error("{}: the header names column {column:?} twice", path.display())]
    DuplicateColumn { path: PathBuf, column: String },
    #[error("{}: columns {first:?} and {second:?} are both the contract's column {column:?}", path.display())]
    TwoNames { path: PathBuf, column: String, first: String, second: String },
    #[error("{}: the header lacks {}", path.display(), list_missing(.missing))]
    MissingColumns { path: PathBuf, missing: Vec<MissingColumn> },
    #[error("{}: no column of the contract is in the file", path.display())]
    NothingKnown { path: PathBuf },
    #[error("{}: column {column:?} has the type {found}, which has no counterpart in a table", path.display())]
    UnsupportedType { path: PathBuf, column: String, found: String },
    #[error("{}: not readable as Parquet: {source}", path.display())]
    Parquet { path: PathBuf, source: parquet::errors::ParquetError },
}

/// A column the contract needs and the header lacks, with the header's word that was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn {
    pub column: String,
    pub nearest: Option<String>,
}

fn list_missing(missing: &[MissingColumn]) -> String {
    let one = |m: &MissingColumn| match &m.nearest {
        Some(near) => format!("column {:?} (is {near:?} meant?)", m.column),
        None => format!("column {:?}", m.column),
    };
    missing.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl DataError {
    /// Names the file in an I/O error of the operating system.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::File(FileError::Io { path: path.to_path_buf(), source })
    }
}

impl Fact for DataError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(e) if e.is_not_found() => "data.no_such_file",
            Self::File(_) => "data.file",
            Self::Empty { .. } => "data.empty",
            Self::NotATable { .. } => "data.not_a_table",
            Self::Damaged { .. } => "data.damaged",
            Self::TooLarge { .. } => "data.too_large",
            Self::TooManyRows { .. } => "data.too_many_rows",
            Self::TooManyColumns { .. } => "data.too_many_columns",
            Self::RecordTooLong { .. } => "data.record_too_long",
            Self::DuplicateColumn { .. } => "data.duplicate_column",
            Self::TwoNames { .. } => "data.two_names",
            Self::MissingColumns { .. } => "data.missing_column",
            Self::NothingKnown { .. } => "data.nothing_known",
            Self::UnsupportedType { .. } => "data.unsupported_type",
            Self::Parquet { .. } => "data.parquet",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::File(e) => e.class(),
            _ => Class::DataRefused,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::File(e) if e.is_not_found() => "Check the path.",
            Self::File(_) => return None,
            Self::Empty { .. } | Self::NotATable { .. } => "Export the table as CSV (UTF-8) or Parquet.",
            Self::Damaged { .. } | Self::Parquet { .. } => "Copy or export the file again.",
            Self::TooLarge { .. } | Self::TooManyRows { .. } => "Split the file into smaller ones.",
            Self::TooManyColumns { .. } => "Check the separator, or drop columns.",
            Self::RecordTooLong { .. } => "Close the quotation mark in that row.",
            Self::DuplicateColumn { .. } | Self::TwoNames { .. } => "Rename or drop one of the two columns.",
            Self::MissingColumns { .. } | Self::NothingKnown { .. } => {
                "Rename the column in the file, or add its name to the `aliases` of the contract's column."
            }
            Self::UnsupportedType { .. } => {
                "Write the column as text, number, boolean or date, or give it the role `ignored`."
            }
        };
        Some(step.to_string())
    }
}
