//! A Parquet file as a stream of rows, a bounded batch of them decoded at a time.
//! Only types that a table has a counterpart for; the Arrow schema hidden in the file is not trusted.

use std::borrow::Cow;
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, Decimal128Array, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::base::limits;
use crate::data::cell::RawCell;
use crate::data::import::error::DataError;

pub struct ParquetFile {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    batch: Vec<Decoded>,
    rows: usize,
    /// The current row of the batch, counted from 1; 0 before the first.
    at: usize,
}

/// Names of the columns that are read, and of those whose type has no counterpart and that nobody needs.
pub struct ParquetHeader {
    pub columns: Vec<String>,
    pub unread: Vec<String>,
}

impl ParquetFile {
    /// Opens the file; a column that is `needed` and has no counterpart in a table is an error.
    pub fn open(path: &Path, needed: &dyn Fn(&str) -> bool) -> Result<(Self, ParquetHeader), DataError> {
        let file = File::open(path).map_err(DataError::io(path))?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = contain(path, || ParquetRecordBatchReaderBuilder::try_new_with_options(file, options))?;
        check_size(path, &builder)?;
        let mut header = ParquetHeader { columns: Vec::new(), unread: Vec::new() };
        let mut roots = Vec::new();
        for (at, field) in builder.schema().fields().iter().enumerate() {
            if is_supported(field.data_type()) {
                header.columns.push(field.name().clone());
                roots.push(at);
            } else if needed(field.name()) {
                let (column, found) = (field.name().clone(), field.data_type().to_string());
                return Err(DataError::UnsupportedType { path: path.to_path_buf(), column, found });
            } else {
                header.unread.push(field.name().clone());
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let builder = builder.with_projection(mask).with_batch_size(limits::PARQUET_BATCH_ROWS);
        let batches = contain(path, || builder.build())?;
        Ok((Self { path: path.to_path_buf(), batches, batch: Vec::new(), rows: 0, at: 0 }, header))
    }

    /// Goes to the next row; false at the end.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        self.at += 1;
        while self.at > self.rows {
            let batches = &mut self.batches;
            let next = contain(&self.path, || match batches.next() {
                Some(batch) => decode_batch(&batch?).map(Some),
                None => Ok(None),
            })?;
            let Some((rows, batch)) = next else { return Ok(false) };
            (self.rows, self.batch, self.at) = (rows, batch, 1);
        }
        Ok(true)
    }

    pub fn cell(&self, at: usize) -> RawCell<'_> {
        match (self.batch.get(at), self.at.checked_sub(1)) {
            (Some(column), Some(row)) => column.cell(row),
            _ => RawCell::Missing,
        }
    }
}

/// The decoder panics on some damaged files; here that is an error like any other.
fn contain<T>(path: &Path, work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, DataError> {
    let broken = |source| DataError::Parquet { path: path.to_path_buf(), source };
    // After a panic the reader is not asked again: the error ends the reading.
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(broken),
        Err(_) => Err(broken(ParquetError::General("the file is damaged".into()))),
    }
}

fn decode_batch(batch: &RecordBatch) -> Result<(usize, Vec<Decoded>), ParquetError> {
    let columns: Option<Vec<Decoded>> = batch.columns().iter().map(|c| decode(c.as_ref())).collect();
    let columns = columns.ok_or_else(|| ParquetError::General("a column changed its type".into()))?;
    Ok((batch.num_rows(), columns))
}

fn check_size(path: &Path, builder: &ParquetRecordBatchReaderBuilder<File>) -> Result<(), DataError> {
    let metadata = builder.metadata();
    if metadata.file_metadata().num_rows() > limits::ROWS_MAX as i64 {
        return Err(DataError::TooManyRows { path: path.to_path_buf(), max: limits::ROWS_MAX });
    }
    let bytes: i128 = metadata.row_groups().iter().map(|group| i128::from(group.total_byte_size())).sum();
    let largest = metadata.row_groups().iter().map(|group| group.total_byte_size()).max().unwrap_or(0);
    for (found, max) in
        [(bytes, limits::IMPORT_BYTES_MAX), (i128::from(largest), limits::PARQUET_GROUP_BYTES_MAX)]
    {
        if found > i128::from(max) {
            return Err(DataError::TooLarge { path: path.to_path_buf(), max });
        }
    }
    Ok(())
}

fn is_supported(kind: &DataType) -> bool {
    kind.is_integer()
        || kind.is_floating()
        || matches!(
            kind,
            DataType::Boolean
                | DataType::Utf8
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Decimal128(..)
                | DataType::Null
        )
}

/// One column of the current batch in our kinds.
enum Decoded {
    Absent,
    Integer(Vec<Option<i128>>),
    Number(Vec<Option<f64>>),
    Boolean(BooleanArray),
    Date(Vec<Option<f64>>),
    Text(StringArray),
    Decimal(Vec<Option<String>>),
}

impl Decoded {
    fn cell(&self, row: usize) -> RawCell<'_> {
        let found = match self {
            Self::Absent => None,
            Self::Integer(values) => values.get(row).copied().flatten().map(RawCell::Integer),
            Self::Number(values) => values.get(row).copied().flatten().map(RawCell::Number),
            Self::Date(values) => values.get(row).copied().flatten().map(RawCell::Date),
            Self::Boolean(array) => (!array.is_null(row)).then(|| RawCell::Boolean(array.value(row))),
            Self::Text(array) => {
                (!array.is_null(row)).then(|| RawCell::Text(Cow::Borrowed(array.value(row))))
            }
            Self::Decimal(values) => {
                values.get(row).and_then(Option::as_deref).map(|text| RawCell::Text(Cow::Borrowed(text)))
            }
        };
        found.unwrap_or(RawCell::Missing)
    }
}

fn decode(array: &dyn Array) -> Option<Decoded> {
    match array.data_type() {
        DataType::Null => Some(Decoded::Absent),
        DataType::Int8 => integers::<Int8Type>(array),
        DataType::Int16 => integers::<Int16Type>(array),
        DataType::Int32 => integers::<Int32Type>(array),
        DataType::Int64 => integers::<Int64Type>(array),
        DataType::UInt8 => integers::<UInt8Type>(array),
        DataType::UInt16 => integers::<UInt16Type>(array),
        DataType::UInt32 => integers::<UInt32Type>(array),
        DataType::UInt64 => integers::<UInt64Type>(array),
        DataType::Float16 => map::<Float16Type, _>(array, |x| x.to_f64()).map(Decoded::Number),
        DataType::Float32 => map::<Float32Type, _>(array, f64::from).map(Decoded::Number),
        DataType::Float64 => map::<Float64Type, _>(array, |x| x).map(Decoded::Number),
        DataType::Date32 => map::<Date32Type, _>(array, f64::from).map(Decoded::Date),
        DataType::Timestamp(unit, _) => timestamps(array, unit),
        DataType::Boolean => array.as_any().downcast_ref::<BooleanArray>().cloned().map(Decoded::Boolean),
        DataType::Utf8 => array.as_any().downcast_ref::<StringArray>().cloned().map(Decoded::Text),
        DataType::Decimal128(..) => {
            let array = array.as_any().downcast_ref::<Decimal128Array>()?;
            let text = |row| (!array.is_null(row)).then(|| array.value_as_string(row));
            Some(Decoded::Decimal((0..array.len()).map(text).collect()))
        }
        _ => None,
    }
}

fn map<T: ArrowPrimitiveType, O>(array: &dyn Array, to: impl Fn(T::Native) -> O) -> Option<Vec<Option<O>>> {
    let array = array.as_any().downcast_ref::<PrimitiveArray<T>>()?;
    Some(array.iter().map(|value| value.map(&to)).collect())
}

fn integers<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<Decoded>
where
    T::Native: Into<i128>,
{
    map::<T, i128>(array, Into::into).map(Decoded::Integer)
}

fn timestamps(array: &dyn Array, unit: &TimeUnit) -> Option<Decoded> {
    const DAY_SECONDS: i64 = 86_400;
    let days = |per_second: i64| move |value: i64| value.div_euclid(DAY_SECONDS * per_second) as f64;
    let dates = match unit {
        TimeUnit::Second => map::<TimestampSecondType, _>(array, days(1)),
        TimeUnit::Millisecond => map::<TimestampMillisecondType, _>(array, days(1_000)),
        TimeUnit::Microsecond => map::<TimestampMicrosecondType, _>(array, days(1_000_000)),
        TimeUnit::Nanosecond => map::<TimestampNanosecondType, _>(array, days(1_000_000_000)),
    };
    dates.map(Decoded::Date)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{Int32Builder, ListBuilder};
    use arrow_array::{
        ArrayRef, Date32Array, Float32Array, Int16Array, TimestampMillisecondArray, UInt64Array,
    };
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, GzipLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    fn foreign(path: &Path, compression: Compression) {
        let mut list = ListBuilder::new(Int32Builder::new());
        (0..2).for_each(|_| list.append(true));
        let decimals =
            Decimal128Array::from(vec![Some(123_450), None]).with_precision_and_scale(12, 2).unwrap();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("small", Arc::new(Int16Array::from(vec![Some(-7), None]))),
            ("big", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
            ("half", Arc::new(Float32Array::from(vec![Some(0.5), None]))),
            ("money", Arc::new(decimals)),
            ("day", Arc::new(Date32Array::from(vec![Some(-1), None]))),
            ("time", Arc::new(TimestampMillisecondArray::from(vec![Some(-1), None]))),
            ("text", Arc::new(StringArray::from(vec![Some("Köln"), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("nested", Arc::new(list.finish())),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn files_of_other_programs_are_read_by_their_types() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        for compression in
            [Compression::SNAPPY, Compression::GZIP(GzipLevel::default()), Compression::UNCOMPRESSED]
        {
            foreign(&path, compression);
            let (mut file, header) = ParquetFile::open(&path, &|_| false).unwrap();
            assert_eq!(header.columns, ["small", "big", "half", "money", "day", "time", "text", "flag"]);
            assert_eq!(header.unread, ["nested"]);
            assert!(file.advance().unwrap());
            let cells: Vec<RawCell<'_>> = (0..8).map(|at| file.cell(at)).collect();
            let expected = [
                RawCell::Integer(-7),
                RawCell::Integer(i128::from(u64::MAX)),
                RawCell::Number(0.5),
                RawCell::Text("1234.50".into()),
                RawCell::Date(-1.0),
                RawCell::Date(-1.0),
                RawCell::Text("Köln".into()),
                RawCell::Boolean(true),
            ];
            assert_eq!(cells, expected);
            assert!(file.advance().unwrap());
            assert!((0..8).all(|at| file.cell(at) == RawCell::Missing));
            assert!(!file.advance().unwrap());
        }
        let error = ParquetFile::open(&path, &|name| name == "nested").err().unwrap();
        assert!(matches!(error, DataError::UnsupportedType { column, .. } if column == "nested"));
    }
}
