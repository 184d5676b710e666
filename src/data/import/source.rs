//! A file of rows, whatever its format: opened once its container and dialect are known.
//! Hands out raw cells; judges none of them.

use std::path::Path;

use crate::data::cell::{CellFault, RawCell, Spelling};
use crate::data::contract::{Contract, Role};
use crate::data::import::bytes::{Container, Encoding, find_container, scan_text};
use crate::data::import::csv_file::CsvFile;
use crate::data::import::dialect::{Known, find_dialect};
use crate::data::import::error::DataError;
use crate::data::import::parquet_file::ParquetFile;
use crate::data::spelling::Decimal;
use crate::data::table::Kind;

pub enum Source {
    Csv(CsvFile),
    Parquet(Box<ParquetFile>),
}

/// How a file was read; part of the import report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    pub compressed: bool,
    /// `None` for Parquet, which has no dialect.
    pub text: Option<TextManner>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextManner {
    pub encoding: Encoding,
    pub separator: char,
    pub decimal: Decimal,
}

pub struct OpenedSource {
    pub source: Source,
    pub manner: Manner,
    pub header: Vec<String>,
    /// Columns of types without a counterpart, which the contract does not need.
    pub unread: Vec<String>,
}

impl OpenedSource {
    /// Opens a file; a contract helps to tell a text's dialect and says which columns must be readable.
    pub fn open(path: &Path, contract: Option<&Contract>) -> Result<Self, DataError> {
        match find_container(path)? {
            Container::Parquet => Self::open_parquet(path, contract),
            Container::Plain => Self::open_csv(path, false, contract),
            Container::Gzip => Self::open_csv(path, true, contract),
        }
    }

    fn open_csv(path: &Path, compressed: bool, contract: Option<&Contract>) -> Result<Self, DataError> {
        let text = scan_text(path, compressed)?;
        let dialect = find_dialect(&text, &|word| known_by(contract, word));
        let (file, header) = CsvFile::open(path, &text, dialect.separator)?;
        let manner = TextManner {
            encoding: text.encoding,
            separator: char::from(dialect.separator),
            decimal: dialect.decimal,
        };
        let manner = Manner { compressed, text: Some(manner) };
        Ok(Self { source: Source::Csv(file), manner, header, unread: Vec::new() })
    }

    fn open_parquet(path: &Path, contract: Option<&Contract>) -> Result<Self, DataError> {
        let needed = |name: &str| {
            contract.is_some_and(|c| c.find_by_any_name(name).is_some_and(|spec| spec.role != Role::Ignored))
        };
        let (file, header) = ParquetFile::open(path, &needed)?;
        let manner = Manner { compressed: false, text: None };
        let source = Source::Parquet(Box::new(file));
        Ok(Self { source, manner, header: header.columns, unread: header.unread })
    }
}

fn known_by(contract: Option<&Contract>, word: &str) -> Known {
    match contract.and_then(|c| c.find_by_any_name(word)) {
        None => Known::Unknown,
        Some(spec) if matches!(spec.kind, Kind::Integer | Kind::Number) => Known::Numeric,
        Some(_) => Known::Other,
    }
}

impl Manner {
    /// Words such as `NA` mean the same in a text column of Parquet as in CSV.
    pub fn spelling(&self) -> Spelling {
        let decimal = self.text.map_or(Decimal::Point, |text| text.decimal);
        Spelling { decimal, missing_words: true }
    }
}

impl Source {
    /// Goes to the next row; false at the end.
    pub fn advance(&mut self) -> Result<bool, DataError> {
        match self {
            Self::Csv(file) => file.advance(),
            Self::Parquet(file) => file.advance(),
        }
    }

    /// Cells of the current row, where they can differ from the header's.
    pub fn width(&self) -> Option<usize> {
        match self {
            Self::Csv(file) => Some(file.width()),
            Self::Parquet(_) => None,
        }
    }

    pub fn cell(&self, at: usize) -> Result<RawCell<'_>, CellFault> {
        match self {
            Self::Csv(file) => file.cell(at),
            Self::Parquet(file) => Ok(file.cell(at)),
        }
    }

    /// The cell as text for people.
    pub fn shown(&self, at: usize) -> String {
        match self {
            Self::Csv(file) => file.shown(at).into_owned(),
            Self::Parquet(file) => file.cell(at).to_text(),
        }
    }
}
