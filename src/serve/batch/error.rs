//! Why a batch stopped. What it has done so far stays and is taken up again, unless the input changed.

use std::path::PathBuf;

use crate::base::canonical::CanonicalError;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::FileError;
use crate::data::import::error::DataError;
use crate::data::write::WriteError;
use crate::serve::error::ServeError;

#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("data row {row}: {source}")]
    Row { row: u64, source: ServeError },
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error("cancelled after {rows} rows; they are kept in {folder}", folder = folder.display())]
    Cancelled { rows: u64, folder: PathBuf },
    #[error("another run is writing {folder}", folder = folder.display())]
    Busy { folder: PathBuf },
    #[error("{path} changed while it was read: its scores would be of no one file", path = path.display())]
    InputChanged { path: PathBuf },
    #[error("{path}: {what}; the finished batch was altered", path = path.display())]
    Altered { path: PathBuf, what: String },
    #[error("the id column {column:?} has the name of a column of scores")]
    ColumnName { column: String },
    #[error("a batch needs chunks of at least one row")]
    NoChunk,
    #[error("the finished batch could not be put on record: {0}")]
    Unrecorded(Failure),
    #[error("the batch's own description: {0}")]
    Form(#[from] CanonicalError),
}

impl Fact for BatchError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(inner) => inner.code(),
            Self::Unrecorded(inner) => inner.code(),
            Self::Data(inner) => inner.code(),
            Self::Write(inner) => inner.code(),
            Self::Row { source, .. } => source.code(),
            Self::Serve(inner) => inner.code(),
            Self::Cancelled { .. } => "batch.cancelled",
            Self::Busy { .. } => "batch.busy",
            Self::InputChanged { .. } => "batch.input_changed",
            Self::Altered { .. } => "batch.altered",
            Self::ColumnName { .. } => "batch.column_name",
            Self::NoChunk => "batch.no_chunk",
            Self::Form(_) => "batch.form",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Unrecorded(inner) => inner.class(),
            Self::Data(inner) => inner.class(),
            Self::Write(inner) => inner.class(),
            Self::Row { source, .. } => source.class(),
            Self::Serve(inner) => inner.class(),
            Self::Busy { .. } => Class::Unavailable,
            Self::InputChanged { .. } => Class::DataRefused,
            Self::Altered { .. } => Class::Integrity,
            Self::ColumnName { .. } | Self::NoChunk => Class::Usage,
            Self::File(inner) => inner.class(),
            Self::Cancelled { .. } | Self::Form(_) => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::File(inner) => inner.next_step(),
            Self::Unrecorded(inner) => inner.next_step(),
            Self::Data(inner) => inner.next_step(),
            Self::Write(inner) => inner.next_step(),
            Self::Row { source, .. } => source.next_step(),
            Self::Serve(inner) => inner.next_step(),
            Self::Cancelled { .. } => Some("Run the same command again to go on from there.".into()),
            Self::Busy { .. } => Some("Wait for it, or end it and run the same command again.".into()),
            Self::InputChanged { .. } => Some("Run again once nothing writes to the file.".into()),
            Self::Altered { .. } => Some("Remove the folder and run the same command again.".into()),
            Self::ColumnName { .. } => {
                Some("Rename the id column in the contract; keep its name as an alias.".into())
            }
            _ => None,
        }
    }
}
