//! The rows that were set aside, as a CSV a person can correct: number, key, rule, column, reason, then the raw row.
//! One line a row, so that good and bad add up to the input.

use std::path::Path;

use crate::data::contract::{Contract, Role};
use crate::data::finding::Finding;
use crate::data::import::reader::RejectedRow;
use crate::data::table::Table;
use crate::data::write::{RecordSink, WriteError, cell_text};

const OWN_COLUMNS: [&str; 5] =
    ["quarantine_row", "quarantine_key", "quarantine_rule", "quarantine_column", "quarantine_reason"];
/// Cells beyond the header's width.
const FURTHER: &str = "quarantine_further_cells";

/// The columns of a quarantine file, and a refused row as one of its records.
#[derive(Clone, Debug)]
pub struct QuarantineLayout {
    columns: Vec<String>,
    ids: Vec<String>,
}

impl QuarantineLayout {
    /// `file_columns` are the reader's.
    pub fn new(file_columns: &[String], contract: &Contract) -> Self {
        let ids = contract.with_role(Role::Id).map(|spec| spec.name.clone()).collect();
        Self { columns: file_columns.to_vec(), ids }
    }

    pub fn header(&self) -> impl Iterator<Item = &str> {
        OWN_COLUMNS.into_iter().chain(self.columns.iter().map(String::as_str)).chain([FURTHER])
    }

    pub fn record(&self, row: &RejectedRow) -> Vec<String> {
        let find = |name: &String| row.cells.iter().find(|(n, _)| n == name).map_or("", |(_, text)| text);
        let key: Vec<&str> = self.ids.iter().map(find).collect();
        let mut record = vec![
            row.row.to_string(),
            key.join("|"),
            join(&row.findings, |f| f.rule.clone()),
            join(&row.findings, |f| f.column.clone().unwrap_or_default()),
            join(&row.findings, |f| match &f.column {
                Some(column) => format!("{column}: {}", f.message),
                None => f.message.clone(),
            }),
        ];
        record.extend(self.columns.iter().map(|name| find(name).to_string()));
        let further = row.cells.iter().filter(|(name, _)| !self.columns.contains(name));
        let further: Vec<&str> = further.map(|(_, text)| text.as_str()).collect();
        record.push(further.join("|"));
        record
    }
}

pub struct Quarantine {
    layout: QuarantineLayout,
    sink: RecordSink,
}

impl Quarantine {
    /// `file_columns` are the reader's; the file appears with `finish`.
    pub fn create(path: &Path, file_columns: &[String], contract: &Contract) -> Result<Self, WriteError> {
        let layout = QuarantineLayout::new(file_columns, contract);
        let sink = RecordSink::create(path, layout.header())?;
        Ok(Self { layout, sink })
    }

    pub fn add(&mut self, row: &RejectedRow) -> Result<(), WriteError> {
        self.sink.write(self.layout.record(row))
    }

    /// Makes the file appear; answers the number of rows in it.
    pub fn finish(self) -> Result<u64, WriteError> {
        self.sink.finish()
    }
}

fn join(findings: &[Finding], part: impl Fn(&Finding) -> String) -> String {
    findings.iter().map(part).collect::<Vec<_>>().join("; ")
}

/// A row that kept its contract and broke an expectation; only columns that were read are left of it.
pub fn reject_row(table: &Table, table_row: usize, row: u64, findings: Vec<Finding>) -> RejectedRow {
    let cell = |column: &crate::data::table::Column| (column.name.to_string(), cell_text(column, table_row));
    RejectedRow { row, cells: table.columns().iter().map(cell).collect(), findings }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::contract::{ColumnSpec, RawContract};
    use crate::data::import::error::DataError;
    use crate::data::import::reader::{Purpose, Reader};
    use crate::data::import::whole::collect_rows;
    use crate::data::table::Kind;

    #[derive(Debug, thiserror::Error)]
    enum Either {
        #[error(transparent)]
        Data(#[from] DataError),
        #[error(transparent)]
        Write(#[from] WriteError),
    }

    #[test]
    fn good_and_quarantined_rows_add_up_to_the_input() {
        let folder = tempfile::tempdir().unwrap();
        let columns = vec![
            ColumnSpec::new("id", Kind::Text, Role::Id),
            ColumnSpec { min: Some(0.0), ..ColumnSpec::new("x", Kind::Number, Role::Feature) },
            ColumnSpec::new("bad", Kind::Boolean, Role::Target),
        ];
        let contract = RawContract { columns }.check().unwrap();
        let (input, output) = (folder.path().join("in.csv"), folder.path().join("bad.csv"));
        let row = |n: usize| match n {
            7 => "k7,-1,maybe,\"note; 7\"\n".to_string(),
            8 => "k8,1,0,a,b,c\n".to_string(),
            9 => "k9\n".to_string(),
            _ => format!("k{n},{n},{},n\n", n % 2),
        };
        let text: String = (0..1_000).map(row).collect();
        std::fs::write(&input, format!("id,x,bad,note\n{text}")).unwrap();
        let reader = Reader::open(&input, &contract, Purpose::Training).unwrap();
        let mut quarantine = Quarantine::create(&output, reader.file_columns(), &contract).unwrap();
        let (table, report) =
            collect_rows::<Either>(reader, &input, 1_000, |row| Ok(quarantine.add(&row)?)).unwrap();
        assert!(!output.exists());
        assert_eq!((table.rows() as u64, quarantine.finish().unwrap()), (997, report.rows_rejected));
        let lines = std::fs::read_to_string(&output).unwrap();
        let expected = "quarantine_row,quarantine_key,quarantine_rule,quarantine_column,quarantine_reason,id,x,bad,note,quarantine_further_cells
8,k7,min; type,x; bad,\"x: \"\"-1\"\" is below the minimum 0; bad: \"\"maybe\"\" is not a boolean\",k7,-1,maybe,note; 7,
9,k8,record,,the row has 6 cells where the header has 4,k8,1,0,a,b|c
10,k9,record,,the row has 1 cells where the header has 4,k9,,,,
";
        assert_eq!(lines, expected);
    }
}
