//! CSV records as bytes in memory, for files that grow by appending and are cut back after a crash,
//! and the way from such a finished file to Parquet. Never opens a file for appending itself.

use std::path::Path;

use crate::base::files::at;
use crate::base::limits;
use crate::data::table::{Cell, Kind, TableBuilder};
use crate::data::write::{ParquetSink, WriteError};

/// Records (comma, quotes where needed, `\n`) that wait to be appended.
pub struct RecordBuffer(csv::Writer<Vec<u8>>);

impl Default for RecordBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl RecordBuffer {
    pub fn new() -> Self {
        Self(csv::WriterBuilder::new().flexible(true).from_writer(Vec::new()))
    }

    pub fn write<T: AsRef<str>>(
        &mut self,
        cells: impl IntoIterator<Item = T>,
        path: &Path,
    ) -> Result<(), WriteError> {
        let broken = |source| WriteError::Csv { path: path.to_path_buf(), source };
        for cell in cells {
            self.0.write_field(cell.as_ref()).map_err(broken)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(broken)
    }

    /// The bytes so far, to be appended to `path`.
    pub fn into_bytes(self, path: &Path) -> Result<Vec<u8>, WriteError> {
        self.0.into_inner().map_err(|e| {
            let source = csv::Error::from(e.into_error());
            WriteError::Csv { path: path.to_path_buf(), source }
        })
    }
}

/// Rewrites records that this program wrote, under a header, as Parquet with these columns.
pub fn records_to_parquet(from: &Path, to: &Path, columns: &[(String, Kind)]) -> Result<(), WriteError> {
    let broken = |source| WriteError::Csv { path: from.to_path_buf(), source };
    let file = std::fs::File::open(from).map_err(at(from))?;
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(file);
    let mut sink = ParquetSink::create(to, columns.to_vec())?;
    let mut record = csv::StringRecord::new();
    let mut table = builder_of(columns);
    while reader.read_record(&mut record).map_err(broken)? {
        table.push_row(columns.iter().zip(&record).map(|((_, kind), text)| cell_of(*kind, text)));
        if table.rows() == limits::PARQUET_BATCH_ROWS {
            sink.write(&std::mem::replace(&mut table, builder_of(columns)).finish())?;
        }
    }
    sink.write(&table.finish())?;
    sink.finish()
}

fn builder_of(columns: &[(String, Kind)]) -> TableBuilder {
    TableBuilder::new(columns.iter().map(|(name, kind)| (name.as_str(), *kind)))
}

/// The cell whose one spelling (`write::cell_text`) this is.
fn cell_of(kind: Kind, text: &str) -> Cell<'_> {
    let number = match kind {
        _ if text.is_empty() => None,
        Kind::Text => return Cell::Text(text),
        Kind::Integer | Kind::Number => text.parse().ok(),
        Kind::Boolean => text.parse().ok().map(|flag: bool| f64::from(u8::from(flag))),
        Kind::Date => crate::base::clock::parse_iso_date(text),
    };
    number.map_or(Cell::Missing, Cell::Number)
}

/// The records of a file's bytes, header and all, for tests of rooms that may not name the csv crate.
#[cfg(test)]
pub(crate) fn read_records(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(bytes);
    reader.records().map(|record| record.unwrap().iter().map(String::from).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Table;
    use crate::data::write::{cell_text, write_parquet};

    #[test]
    fn records_become_the_parquet_file_their_table_would_be() {
        let columns: Vec<(String, Kind)> = [
            ("n", Kind::Number),
            ("i", Kind::Integer),
            ("b", Kind::Boolean),
            ("d", Kind::Date),
            ("t", Kind::Text),
        ]
        .map(|(name, kind)| (name.to_string(), kind))
        .to_vec();
        let mut table = builder_of(&columns);
        for n in 0..5_000 {
            let x = f64::from(n);
            let text = ["NA", "a,\"b\"\nc", " x "][n as usize % 3];
            table.push_row([
                Cell::Number(0.1 * x - 1e300 * f64::from(n % 2)),
                Cell::Number(x),
                Cell::Number(f64::from(n % 2)),
                Cell::Number(x - 900.0),
                Cell::Text(text),
            ]);
        }
        table.push_row([Cell::Missing; 5]);
        let table: Table = table.finish();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut records = RecordBuffer::new();
        records.write(columns.iter().map(|(name, _)| name), &path("x.csv")).unwrap();
        for row in 0..table.rows() {
            records.write(table.columns().iter().map(|c| cell_text(c, row)), &path("x.csv")).unwrap();
        }
        std::fs::write(path("x.csv"), records.into_bytes(&path("x.csv")).unwrap()).unwrap();
        records_to_parquet(&path("x.csv"), &path("x.parquet"), &columns).unwrap();
        write_parquet(&path("y.parquet"), &table).unwrap();
        assert_eq!(std::fs::read(path("x.parquet")).unwrap(), std::fs::read(path("y.parquet")).unwrap());
    }
}
