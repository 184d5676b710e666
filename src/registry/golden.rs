//! Golden rows as a blob: synthetic rows with the margins the model gave when it was made.
//! Never draws a row; a copy of the model that gives other margins is not that model.

use serde::{Deserialize, Serialize};

use crate::data::table::{Cell, Column, Kind, Table, TableBuilder};

pub const FORMAT: &str = "tallystick.golden.v1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    pub format: String,
    pub fields: Vec<GoldenField>,
    pub rows: Vec<GoldenRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenField {
    pub field: String,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenRow {
    /// A cell a field, in the order of the fields.
    pub cells: Vec<GoldenCell>,
    pub margin: f64,
}

/// Null is missing; dates are days since 1970-01-01 and booleans 0 and 1, as in a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum GoldenCell {
    Missing(()),
    Number(f64),
    Text(String),
}

impl Golden {
    pub fn new(table: &Table, margins: &[f64]) -> Self {
        let field = |column: &Column| GoldenField { field: column.name.to_string(), kind: column.kind };
        let cell = |column: &Column, row| match column.cell(row) {
            Cell::Missing => GoldenCell::Missing(()),
            Cell::Number(x) => GoldenCell::Number(x),
            Cell::Text(text) => GoldenCell::Text(text.to_string()),
        };
        let row = |(row, margin): (usize, &f64)| GoldenRow {
            cells: table.columns().iter().map(|column| cell(column, row)).collect(),
            margin: *margin,
        };
        Self {
            format: FORMAT.to_string(),
            fields: table.columns().iter().map(field).collect(),
            rows: margins.iter().enumerate().map(row).collect(),
        }
    }

    /// The first row whose number of cells, or a cell's kind, is not what the fields say.
    pub fn find_uneven_row(&self) -> Option<usize> {
        let fits = |(field, cell): (&GoldenField, &GoldenCell)| match cell {
            GoldenCell::Missing(()) => true,
            GoldenCell::Number(_) => field.kind != Kind::Text,
            GoldenCell::Text(_) => field.kind == Kind::Text,
        };
        let even = |row: &GoldenRow| {
            row.cells.len() == self.fields.len() && self.fields.iter().zip(&row.cells).all(fits)
        };
        self.rows.iter().position(|row| !even(row))
    }

    pub fn to_table(&self) -> Table {
        let mut table = TableBuilder::new(self.fields.iter().map(|f| (f.field.as_str(), f.kind)));
        for row in &self.rows {
            table.push_row(row.cells.iter().map(|cell| match cell {
                GoldenCell::Missing(()) => Cell::Missing,
                GoldenCell::Number(x) => Cell::Number(*x),
                GoldenCell::Text(text) => Cell::Text(text),
            }));
        }
        table.finish()
    }
}

/// Equal to the bit, but for the sign of zero, which canonical JSON does not keep.
pub fn same_margin(one: f64, other: f64) -> bool {
    (one + 0.0).to_bits() == (other + 0.0).to_bits()
}
