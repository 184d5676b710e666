//! A CSV file as a stream of records of bounded size.
//! Knows separators and encodings; knows nothing of the contract.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::base::limits;
use crate::data::cell::{CellFault, RawCell};
use crate::data::import::bytes::{Encoding, TextFile, open_text};
use crate::data::import::error::DataError;

const BUFFER_BYTES: usize = 1 << 16;

pub struct CsvFile {
    path: PathBuf,
    reader: csv::Reader<BoundedRecord>,
    record: csv::ByteRecord,
    encoding: Encoding,
    row: u64,
}

impl CsvFile {
    /// Opens the file and reads its header.
    pub fn open(path: &Path, text: &TextFile, separator: u8) -> Result<(Self, Vec<String>), DataError> {
        let input = BoundedRecord { input: open_text(path, text)?, since: 0, exceeded: false };
        let reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(input);
        let record = csv::ByteRecord::new();
        let mut file = Self { path: path.to_path_buf(), reader, record, encoding: text.encoding, row: 0 };
        file.next_record()?;
        let word = |cell| text.encoding.decode(cell).unwrap_or_else(|| String::from_utf8_lossy(cell));
        let header = file.record.iter().map(|cell| word(cell).trim().to_string()).collect();
        Ok((file, header))
    }

    /// Goes to the next data row; false at the end.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        self.row += 1;
        self.next_record()
    }

    fn next_record(&mut self) -> Result<bool, DataError> {
        self.reader.get_mut().since = 0;
        match self.reader.read_byte_record(&mut self.record) {
            Ok(more) => Ok(more),
            Err(_) if self.reader.get_ref().exceeded => {
                Err(DataError::RecordTooLong { path: self.path.clone(), row: self.row })
            }
            Err(error) => {
                let (path, row) = (self.path.clone(), self.row);
                Err(DataError::Damaged { path, row, source: error.into() })
            }
        }
    }

    /// Cells in the current record.
    pub fn width(&self) -> usize {
        self.record.len()
    }

    pub fn cell(&self, at: usize) -> Result<RawCell<'_>, CellFault> {
        match self.record.get(at) {
            None | Some([]) => Ok(RawCell::Missing),
            Some(bytes) => self.encoding.decode(bytes).map(RawCell::Text).ok_or(CellFault::Encoding),
        }
    }

    /// The cell for people to see, whatever its bytes are.
    pub fn shown(&self, at: usize) -> Cow<'_, str> {
        let bytes = self.record.get(at).unwrap_or_default();
        self.encoding.decode(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes))
    }
}

/// Stops a record that does not end: an open quotation mark would otherwise take the whole file into memory.
struct BoundedRecord {
    input: Box<dyn Read + Send>,
    since: usize,
    exceeded: bool,
}

impl Read for BoundedRecord {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since > limits::RECORD_BYTES_MAX {
            self.exceeded = true;
            return Err(io::Error::other("record too long"));
        }
        let n = self.input.read(buffer)?;
        self.since += n;
        Ok(n)
    }
}
