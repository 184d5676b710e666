//! A whole file as one table, for training. The rows that break the contract go to the caller as they come.
//! The only place that holds all rows at once, and it is told how many that may be.

use std::path::Path;

use crate::base::limits;
use crate::data::contract::Contract;
use crate::data::import::error::DataError;
use crate::data::import::reader::{Purpose, Reader, RejectedRow};
use crate::data::import::report::ImportReport;
use crate::data::table::{Table, TableBuilder};

/// Reads the good rows into one table. More than `max_rows` rows, good and bad, are an error.
pub fn read_table(
    path: &Path,
    contract: &Contract,
    purpose: Purpose,
    max_rows: usize,
) -> Result<(Table, ImportReport), DataError> {
    let reader = Reader::open(path, contract, purpose)?;
    collect_rows(reader, path, max_rows, |_| Ok(()))
}

/// Reads the good rows of an opened file into one table and hands over each rejected one.
pub fn collect_rows<E: From<DataError>>(
    mut reader: Reader,
    path: &Path,
    max_rows: usize,
    mut rejected: impl FnMut(RejectedRow) -> Result<(), E>,
) -> Result<(Table, ImportReport), E> {
    let columns = reader.columns();
    let mut builder = TableBuilder::new(columns.iter().map(|(name, kind)| (name.as_str(), *kind)));
    while let Some(chunk) = reader.next_chunk(limits::BATCH_CHUNK_ROWS)? {
        if chunk.first_row + chunk.rows_read > max_rows as u64 + 1 {
            return Err(DataError::TooManyRows { path: path.to_path_buf(), max: max_rows }.into());
        }
        for row in 0..chunk.table.rows() {
            builder.push_row(chunk.table.columns().iter().map(|column| column.cell(row)));
        }
        chunk.rejected.into_iter().try_for_each(&mut rejected)?;
    }
    Ok((builder.finish(), reader.into_report()))
}
