//! Tables to files, piece by piece: Parquet for ourselves, CSV for people. A file appears when it is finished.
//! The same rows give the same bytes, however they were cut into pieces.

pub mod records;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::base::fact::{Class, Fact};
use crate::base::files::{FileError, PendingFile};
use crate::base::limits;
use crate::data::spelling::{date_text, number_text};
use crate::data::table::{Cell, Column, Kind, Table, TableBuilder, TextValues, Values};

/// Rows of persons: for the owner of the file only.
const MODE: u32 = 0o600;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{}: {source}", path.display())]
    Parquet { path: PathBuf, source: ParquetError },
    #[error("{}: {source}", path.display())]
    Arrow { path: PathBuf, source: ArrowError },
    #[error("{}: {source}", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{}: the piece's columns are not the file's columns", path.display())]
    OtherColumns { path: PathBuf },
}

impl Fact for WriteError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(_) => "data.write.file",
            Self::Parquet { .. } | Self::Arrow { .. } => "data.write.parquet",
            Self::Csv { .. } => "data.write.csv",
            Self::OtherColumns { .. } => "data.write.other_columns",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            _ => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some("Check that the folder exists, can be written and has room.".into())
    }
}

fn has_columns(table: &Table, columns: &[(String, Kind)]) -> bool {
    table.columns().len() == columns.len()
        && table.columns().iter().zip(columns).all(|(c, (name, kind))| c.name == *name && c.kind == *kind)
}

/// Writes one Parquet file: zstd, fixed row groups, no statistics (they would repeat single cells in clear).
pub struct ParquetSink {
    path: PathBuf,
    columns: Vec<(String, Kind)>,
    schema: Arc<Schema>,
    writer: ArrowWriter<PendingFile>,
    waiting: TableBuilder,
}

impl ParquetSink {
    pub fn create(path: &Path, columns: Vec<(String, Kind)>) -> Result<Self, WriteError> {
        let field = |(name, kind): &(String, Kind)| Field::new(name, arrow_type(*kind), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let file = PendingFile::create(path, MODE)?;
        let options = ArrowWriterOptions::new().with_properties(properties()).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), options)
            .map_err(|source| WriteError::Parquet { path: path.to_path_buf(), source })?;
        let waiting = builder_of(&columns);
        Ok(Self { path: path.to_path_buf(), columns, schema, writer, waiting })
    }

    pub fn write(&mut self, piece: &Table) -> Result<(), WriteError> {
        if !has_columns(piece, &self.columns) {
            return Err(WriteError::OtherColumns { path: self.path.clone() });
        }
        for row in 0..piece.rows() {
            self.waiting.push_row(piece.columns().iter().map(|column| column.cell(row)));
            if self.waiting.rows() == limits::PARQUET_BATCH_ROWS {
                self.write_waiting()?;
            }
        }
        Ok(())
    }

    /// Always whole batches but for the last, so that pages do not depend on the pieces.
    fn write_waiting(&mut self) -> Result<(), WriteError> {
        let table = std::mem::replace(&mut self.waiting, builder_of(&self.columns)).finish();
        let arrays = table.columns().iter().map(arrow_column).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|source| WriteError::Arrow { path: self.path.clone(), source })?;
        self.writer.write(&batch).map_err(|source| WriteError::Parquet { path: self.path.clone(), source })
    }

    pub fn finish(mut self) -> Result<(), WriteError> {
        if self.waiting.rows() > 0 {
            self.write_waiting()?;
        }
        let file = self.writer.into_inner();
        file.map_err(|source| WriteError::Parquet { path: self.path, source })?.finish()?;
        Ok(())
    }
}

/// Writes a whole table as Parquet.
pub fn write_parquet(path: &Path, table: &Table) -> Result<(), WriteError> {
    let columns = table.columns().iter().map(|c| (c.name.to_string(), c.kind)).collect();
    let mut sink = ParquetSink::create(path, columns)?;
    sink.write(table)?;
    sink.finish()
}

fn builder_of(columns: &[(String, Kind)]) -> TableBuilder {
    TableBuilder::new(columns.iter().map(|(name, kind)| (name.as_str(), *kind)))
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by("tallystick".to_string())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(limits::PARQUET_GROUP_ROWS))
        .set_max_row_group_bytes(None)
        .set_statistics_enabled(EnabledStatistics::None)
        .build()
}

fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Date => DataType::Date32,
        Kind::Text => DataType::Utf8,
    }
}

fn arrow_column(column: &Column) -> ArrayRef {
    match &column.values {
        Values::Text(text) => Arc::new(arrow_text(text)),
        Values::Number(values) => {
            let present = values.iter().map(|x| (!x.is_nan()).then_some(*x));
            match column.kind {
                Kind::Integer => Arc::new(present.map(|x| x.map(|x| x as i64)).collect::<Int64Array>()),
                Kind::Boolean => Arc::new(present.map(|x| x.map(|x| x != 0.0)).collect::<BooleanArray>()),
                Kind::Date => Arc::new(present.map(|x| x.map(|x| x as i32)).collect::<Date32Array>()),
                Kind::Number | Kind::Text => Arc::new(present.collect::<Float64Array>()),
            }
        }
    }
}

fn arrow_text(text: &TextValues) -> StringArray {
    (0..text.codes.len()).map(|row| text.get(row)).collect()
}

/// Writes CSV records (comma, quotes where needed, `\n`) under a header.
pub struct RecordSink {
    path: PathBuf,
    writer: csv::Writer<PendingFile>,
    records: u64,
}

impl RecordSink {
    pub fn create<'a>(path: &Path, header: impl IntoIterator<Item = &'a str>) -> Result<Self, WriteError> {
        let writer = csv::WriterBuilder::new().flexible(false).from_writer(PendingFile::create(path, MODE)?);
        let mut sink = Self { path: path.to_path_buf(), writer, records: 0 };
        sink.write_fields(header)?;
        Ok(sink)
    }

    pub fn write<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> Result<(), WriteError> {
        self.write_fields(cells)?;
        self.records += 1;
        Ok(())
    }

    fn write_fields<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) -> Result<(), WriteError> {
        let broken = |source| WriteError::Csv { path: self.path.clone(), source };
        for cell in cells {
            self.writer.write_field(cell.as_ref()).map_err(broken)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(broken)
    }

    /// Makes the file appear; answers the number of records under the header.
    pub fn finish(self) -> Result<u64, WriteError> {
        let file = self.writer.into_inner().map_err(|e| {
            let source = csv::Error::from(e.into_error());
            WriteError::Csv { path: self.path, source }
        })?;
        file.finish()?;
        Ok(self.records)
    }
}

/// Writes tables as CSV that reads back as the same tables.
pub struct CsvSink {
    columns: Vec<(String, Kind)>,
    records: RecordSink,
}

impl CsvSink {
    pub fn create(path: &Path, columns: Vec<(String, Kind)>) -> Result<Self, WriteError> {
        let records = RecordSink::create(path, columns.iter().map(|(name, _)| name.as_str()))?;
        Ok(Self { columns, records })
    }

    pub fn write(&mut self, piece: &Table) -> Result<(), WriteError> {
        if !has_columns(piece, &self.columns) {
            return Err(WriteError::OtherColumns { path: self.records.path.clone() });
        }
        (0..piece.rows()).try_for_each(|row| {
            self.records.write(piece.columns().iter().map(|column| cell_text(column, row)))
        })
    }

    pub fn finish(self) -> Result<u64, WriteError> {
        self.records.finish()
    }
}

/// A cell in its one spelling; a missing cell is the empty text.
pub fn cell_text(column: &Column, row: usize) -> String {
    match (column.cell(row), column.kind) {
        (Cell::Missing, _) => String::new(),
        (Cell::Text(text), _) => text.to_string(),
        (Cell::Number(x), Kind::Boolean) => (x != 0.0).to_string(),
        (Cell::Number(x), Kind::Date) => date_text(x),
        (Cell::Number(x), _) => number_text(x),
    }
}
