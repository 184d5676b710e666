//! What an import says of a file once it is read: how it was read, how many rows kept the contract, what broke.
//! Holds no row.

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::data::finding::{Finding, FindingCount, Severity};
use crate::data::import::bytes::Encoding;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    Parquet,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportReport {
    pub format: Format,
    pub compressed: bool,
    /// The three words of a CSV's dialect; absent for Parquet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_comma: Option<bool>,
    pub rows_read: u64,
    pub rows_good: u64,
    pub rows_rejected: u64,
    /// Good rows in which a default stood in for a missing cell.
    pub rows_defaulted: u64,
    pub unknown_columns: Vec<String>,
    /// The first findings in full; `counts` covers all of them.
    pub findings: Vec<Finding>,
    pub counts: Vec<FindingCount>,
    /// Of the good rows, in order.
    pub content_digest: Digest,
    /// Numbers of the rejected rows, ascending; what `row_number` needs.
    #[serde(skip)]
    pub rejected_rows: Vec<u64>,
}

impl ImportReport {
    pub fn has_critical(&self) -> bool {
        self.counts.iter().any(|count| count.severity == Severity::Critical)
    }

    /// The file's data row (from 1) that became row `table_row` (from 0) of the whole table.
    pub fn row_number(&self, table_row: usize) -> u64 {
        // Good rows before the i-th rejected one; it never falls with i, so the search may halve.
        let good_before =
            |i: usize| self.rejected_rows.get(i).map_or(u64::MAX, |r| r.saturating_sub(i as u64 + 1));
        let (mut low, mut high) = (0, self.rejected_rows.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if good_before(middle) <= table_row as u64 { low = middle + 1 } else { high = middle }
        }
        table_row as u64 + 1 + low as u64
    }
}
