//! Expectations of the table as a whole: how many rows, how many columns, and which.
//! Looks at no cell.

use std::collections::BTreeSet;

use crate::data::expect::aggregates::Observed;
use crate::data::expect::arguments::Arguments;
use crate::data::expect::frame::Frame;
use crate::data::expect::range::Range;
use crate::data::expect::suite::ExpectError;
use crate::data::table::Kind;

pub const TYPES: [&str; 4] =
    ["row_count_between", "column_count_between", "columns_match_set", "columns_exist"];
/// As many rows as there were before features were made; of processed rows only.
pub const SAME_ROWS: &str = "row_count_same";

#[derive(Clone, Debug, PartialEq)]
pub enum TableRule {
    RowCount(Range),
    ColumnCount(Range),
    /// Exactly these columns, in any order.
    Match(BTreeSet<String>),
    Exist(BTreeSet<String>),
}

pub fn parse(kind: &str, arguments: &mut Arguments) -> Result<TableRule, ExpectError> {
    Ok(match kind {
        "row_count_between" => TableRule::RowCount(arguments.range(Kind::Integer)?),
        // How many that is, is known when the rows are.
        SAME_ROWS => {
            let range = Range { min: None, max: Some(0.0), strict_min: false, strict_max: false };
            TableRule::RowCount(range)
        }
        "column_count_between" => TableRule::ColumnCount(arguments.range(Kind::Integer)?),
        "columns_match_set" => TableRule::Match(arguments.texts("names")?.into_iter().collect()),
        _ => TableRule::Exist(arguments.texts("names")?.into_iter().collect()),
    })
}

impl TableRule {
    pub fn evaluate(&self, frame: &dyn Frame) -> Observed {
        let names: BTreeSet<&str> = frame.names().into_iter().collect();
        let found = |wanted: &BTreeSet<String>| wanted.iter().filter(|n| names.contains(n.as_str())).count();
        match self {
            Self::RowCount(range) => {
                let value = frame.rows() as f64;
                Observed { value, success: range.contains(value) }
            }
            Self::ColumnCount(range) => {
                let value = names.len() as f64;
                Observed { value, success: range.contains(value) }
            }
            Self::Match(wanted) => {
                let value = found(wanted);
                Observed { value: value as f64, success: value == wanted.len() && value == names.len() }
            }
            Self::Exist(wanted) => {
                let value = found(wanted);
                Observed { value: value as f64, success: value == wanted.len() }
            }
        }
    }
}
