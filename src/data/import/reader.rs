//! Reads a file in chunks of checked rows; what breaks the contract is set aside with its reasons.
//! Memory is bounded by one chunk, whatever the file's size.

use std::path::{Path, PathBuf};

use crate::base::limits;
use crate::data::cell::{CellFault, Parsed, RawCell, Spelling, Value};
use crate::data::contract::Contract;
use crate::data::finding::{Finding, FindingLog, Severity};
use crate::data::import::columns::{ColumnPlan, PlannedColumn};
use crate::data::import::error::DataError;
use crate::data::import::report::{Format, ImportReport};
use crate::data::import::source::{Manner, OpenedSource, Source};
use crate::data::spelling::Decimal;
use crate::data::table::{ContentHasher, Kind, Table, TableBuilder};

/// What the rows are for: scoring needs no outcome, training does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Training,
    Scoring,
}

/// Consecutive rows of a file. Every row is either in the table or among the rejected.
#[derive(Debug)]
pub struct Chunk {
    /// Number of the first row (data rows count from 1) and how many rows the chunk covers.
    pub first_row: u64,
    pub rows_read: u64,
    /// The rows that keep the contract; columns in the contract's order under its names.
    pub table: Table,
    /// The file's row number of each row of the table.
    pub row_numbers: Vec<u64>,
    /// For each row of the table, the columns in which a default stands in for a missing cell.
    pub defaulted: Vec<Vec<String>>,
    pub rejected: Vec<RejectedRow>,
}

/// A row that broke its contract, as the file had it: personal data included, so it goes into the quarantine file only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    pub row: u64,
    /// Column and raw text; contract columns by the contract's name.
    pub cells: Vec<(String, String)>,
    pub findings: Vec<Finding>,
}

/// What is to be said of a row that went into the table.
#[derive(Default)]
struct GoodRow {
    defaulted: Vec<String>,
    warnings: Vec<Finding>,
}

pub struct Reader {
    path: PathBuf,
    source: Source,
    manner: Manner,
    spelling: Spelling,
    plan: ColumnPlan,
    unread: Vec<String>,
    rows_read: u64,
    rows_defaulted: u64,
    rejected_rows: Vec<u64>,
    skipped: u64,
    log: FindingLog,
    hasher: ContentHasher,
}

impl Reader {
    pub fn open(path: &Path, contract: &Contract, purpose: Purpose) -> Result<Self, DataError> {
        let opened = OpenedSource::open(path, Some(contract))?;
        let plan = ColumnPlan::new(path, &opened.header, contract, purpose)?;
        let mut log = FindingLog::default();
        plan.findings().for_each(|finding| log.add(&finding));
        let hasher = ContentHasher::new(plan.columns.iter().map(name_and_kind));
        Ok(Self {
            path: path.to_path_buf(),
            source: opened.source,
            manner: opened.manner,
            spelling: opened.manner.spelling(),
            plan,
            unread: opened.unread,
            rows_read: 0,
            rows_defaulted: 0,
            rejected_rows: Vec::new(),
            skipped: 0,
            log,
            hasher,
        })
    }

    /// The columns every chunk's table has.
    pub fn columns(&self) -> Vec<(String, Kind)> {
        self.plan.columns.iter().map(|c| (c.rule.name().to_string(), c.rule.kind())).collect()
    }

    /// The file's columns, contract columns by the contract's name: the cells of a rejected row.
    pub fn file_columns(&self) -> &[String] {
        &self.plan.file_names
    }

    /// Passes over rows that an earlier, interrupted reading has dealt with. Answers how many there were.
    pub fn skip_rows(&mut self, rows: u64) -> Result<u64, DataError> {
        let mut skipped = 0;
        while skipped < rows && self.advance()? {
            skipped += 1;
        }
        self.skipped += skipped;
        Ok(skipped)
    }

    /// The next rows, at most `max_rows` good and bad together; `None` at the end.
    pub fn next_chunk(&mut self, max_rows: usize) -> Result<Option<Chunk>, DataError> {
        let mut builder = TableBuilder::new(self.plan.columns.iter().map(name_and_kind));
        let mut chunk = Chunk {
            first_row: self.rows_read + 1,
            rows_read: 0,
            table: Table::default(),
            row_numbers: Vec::new(),
            defaulted: Vec::new(),
            rejected: Vec::new(),
        };
        while chunk.rows_read < max_rows as u64 && self.advance()? {
            chunk.rows_read += 1;
            match self.read_row(&mut builder) {
                Ok(good) => {
                    self.rows_defaulted += u64::from(!good.defaulted.is_empty());
                    good.warnings.iter().for_each(|finding| self.log.add(finding));
                    chunk.row_numbers.push(self.rows_read);
                    chunk.defaulted.push(good.defaulted);
                }
                Err(rejected) => {
                    self.rejected_rows.push(rejected.row);
                    rejected.findings.iter().for_each(|finding| self.log.add(finding));
                    chunk.rejected.push(rejected);
                }
            }
        }
        chunk.table = builder.finish();
        self.hasher.add(&chunk.table);
        Ok((chunk.rows_read > 0).then_some(chunk))
    }

    fn advance(&mut self) -> Result<bool, DataError> {
        if !self.source.advance()? {
            return Ok(false);
        }
        self.rows_read += 1;
        if self.rows_read > limits::ROWS_MAX as u64 {
            return Err(DataError::TooManyRows { path: self.path.clone(), max: limits::ROWS_MAX });
        }
        Ok(true)
    }

    /// Adds the current row to the table, or says why not.
    fn read_row(&self, builder: &mut TableBuilder) -> Result<GoodRow, RejectedRow> {
        let mut findings: Vec<Finding> = self.check_width().into_iter().collect();
        let mut cells: Vec<Parsed<'_>> = Vec::with_capacity(self.plan.columns.len());
        let mut good = GoodRow::default();
        // Cells of a row of another width may stand under the wrong names.
        let columns = if findings.is_empty() { self.plan.columns.as_slice() } else { &[] };
        for column in columns {
            match self.read_cell(column) {
                Ok(parsed) => {
                    if parsed.defaulted {
                        good.defaulted.push(column.rule.name().to_string());
                    }
                    cells.push(parsed);
                }
                Err(finding) if column.lenient => {
                    cells.push(Parsed { value: Value::Missing, defaulted: false });
                    if finding.rule != CellFault::Required.rule() {
                        good.warnings.push(Finding { severity: Severity::Warning, ..finding });
                    }
                }
                Err(finding) => findings.push(finding),
            }
        }
        if !findings.is_empty() {
            return Err(RejectedRow { row: self.rows_read, cells: self.raw_cells(), findings });
        }
        builder.push_row(cells.iter().map(|parsed| parsed.value.as_cell()));
        Ok(good)
    }

    fn read_cell<'a>(&'a self, column: &'a PlannedColumn) -> Result<Parsed<'a>, Finding> {
        let finding =
            |fault: &CellFault, raw: &RawCell<'_>| column.rule.finding(fault, Some(self.rows_read), raw);
        let raw = match self.source.cell(column.at) {
            Ok(raw) => raw,
            Err(fault) => {
                return Err(finding(&fault, &RawCell::Text(self.source.shown(column.at).into())));
            }
        };
        column.rule.parse(raw, self.spelling).map_err(|fault| {
            // The raw cell was given away; a broken one is read again, a good one never is.
            let raw = self.source.cell(column.at).unwrap_or(RawCell::Missing);
            finding(&fault, &raw)
        })
    }

    fn check_width(&self) -> Option<Finding> {
        let (found, expected) = (self.source.width()?, self.plan.file_names.len());
        (found != expected).then(|| Finding {
            row: Some(self.rows_read),
            column: None,
            rule: "record".to_string(),
            value: None,
            severity: Severity::Critical,
            message: format!("the row has {found} cells where the header has {expected}"),
        })
    }

    fn raw_cells(&self) -> Vec<(String, String)> {
        let width = self.source.width().unwrap_or(self.plan.file_names.len());
        let name = |at: usize| match self.plan.file_names.get(at) {
            Some(name) => name.clone(),
            None => format!("(column {})", at + 1),
        };
        (0..width).map(|at| (name(at), self.source.shown(at))).collect()
    }

    /// What the reading found so far. The digest covers the rows that were delivered, not those skipped.
    pub fn into_report(self) -> ImportReport {
        let rows_rejected = self.rejected_rows.len() as u64;
        let text = self.manner.text;
        ImportReport {
            format: if text.is_some() { Format::Csv } else { Format::Parquet },
            compressed: self.manner.compressed,
            encoding: text.map(|t| t.encoding),
            separator: text.map(|t| t.separator),
            decimal_comma: text.map(|t| t.decimal == Decimal::Comma),
            rows_read: self.rows_read - self.skipped,
            rows_good: self.rows_read - self.skipped - rows_rejected,
            rows_rejected,
            rows_defaulted: self.rows_defaulted,
            unknown_columns: [self.plan.unknown, self.unread].concat(),
            findings: self.log.first().to_vec(),
            counts: self.log.counts(),
            content_digest: self.hasher.finish(),
            rejected_rows: self.rejected_rows,
        }
    }
}

fn name_and_kind(column: &PlannedColumn) -> (&str, Kind) {
    (column.rule.name(), column.rule.kind())
}
