//! A table in memory: typed columns of equal length, and the digest that names its content.
//! Never knows where it came from; missing is NaN in numbers and `MISSING` in text.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use crate::base::digest::{Digest, Hasher};
use crate::base::ids::FieldName;

/// What a column's values mean. Dates are days since 1970-01-01, booleans 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Integer,
    Number,
    Boolean,
    Date,
    Text,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Text => "text",
        }
    }

    fn tag(self) -> u8 {
        match self {
            Self::Integer => 1,
            Self::Number => 2,
            Self::Boolean => 3,
            Self::Date => 4,
            Self::Text => 5,
        }
    }
}

/// Many, or without a place of their own on the heap the one of a table of one row: such a table is made for each
/// answer.
pub type OneOrMany<T> = SmallVec<[T; 1]>;

/// The code of a missing text cell.
pub const MISSING: u32 = u32::MAX;

/// Text as codes into a list of distinct levels, in order of first appearance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextValues {
    pub levels: OneOrMany<String>,
    pub codes: OneOrMany<u32>,
}

impl TextValues {
    pub fn get(&self, row: usize) -> Option<&str> {
        self.levels.get(self.codes[row] as usize).map(String::as_str)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    Number(OneOrMany<f64>),
    Text(TextValues),
}

/// One cell, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Missing,
    Number(f64),
    Text(&'a str),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: FieldName,
    pub kind: Kind,
    pub values: Values,
}

impl Column {
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Number(v) => v.len(),
            Values::Text(t) => t.codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn cell(&self, row: usize) -> Cell<'_> {
        match &self.values {
            Values::Number(v) if v[row].is_nan() => Cell::Missing,
            Values::Number(v) => Cell::Number(v[row]),
            Values::Text(t) => t.get(row).map_or(Cell::Missing, Cell::Text),
        }
    }

    fn select(&self, rows: &[usize]) -> Self {
        let values = match &self.values {
            Values::Number(v) => Values::Number(rows.iter().map(|&r| v[r]).collect()),
            Values::Text(t) => Values::Text(TextValues {
                levels: t.levels.clone(),
                codes: rows.iter().map(|&r| t.codes[r]).collect(),
            }),
        };
        Self { name: self.name.clone(), kind: self.kind, values }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    rows: usize,
    columns: Vec<Column>,
}

#[derive(Debug, thiserror::Error)]
#[error("column {column:?} has {found} rows where the table has {expected}")]
pub struct UnevenColumns {
    column: String,
    found: usize,
    expected: usize,
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Result<Self, UnevenColumns> {
        let rows = columns.first().map_or(0, Column::len);
        match columns.iter().find(|c| c.len() != rows) {
            Some(c) => Err(UnevenColumns { column: c.name.to_string(), found: c.len(), expected: rows }),
            None => Ok(Self { rows, columns }),
        }
    }

    /// A table of one row: name, kind and cell of each column. A cell that does not fit its kind is missing.
    pub fn of_row<'a>(cells: impl Iterator<Item = (FieldName, Kind, Cell<'a>)>) -> Self {
        let column = |(name, kind, cell): (FieldName, Kind, Cell<'_>)| {
            let values = match (kind, cell) {
                (Kind::Text, Cell::Text(text)) => {
                    Values::Text(TextValues { levels: smallvec![text.to_string()], codes: smallvec![0] })
                }
                (Kind::Text, _) => {
                    Values::Text(TextValues { levels: SmallVec::new(), codes: smallvec![MISSING] })
                }
                (_, Cell::Number(x)) => Values::Number(smallvec![x]),
                _ => Values::Number(smallvec![f64::NAN]),
            };
            Column { name, kind, values }
        };
        Self { rows: 1, columns: cells.map(column).collect() }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn find_column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The place of a column, looked for first at `hint`: whoever needs many mostly needs them in their order.
    pub fn find_place(&self, name: &str, hint: usize) -> Option<usize> {
        match self.columns.get(hint) {
            Some(column) if column.name == name => Some(hint),
            _ => self.columns.iter().position(|column| column.name == name),
        }
    }

    /// The given rows in the given order.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self { rows: rows.len(), columns: self.columns.iter().map(|c| c.select(rows)).collect() }
    }

    /// Names the content: columns in order with name, kind and every cell; not how a file spelled them.
    pub fn content_digest(&self) -> Digest {
        let mut hasher = ContentHasher::new(self.columns.iter().map(|c| (c.name.as_str(), c.kind)));
        hasher.add(self);
        hasher.finish()
    }
}

/// The content digest of a table that arrives in pieces.
pub struct ContentHasher {
    rows: u64,
    columns: Vec<(Vec<u8>, Hasher)>,
}

impl ContentHasher {
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Kind)>) -> Self {
        let start = |(name, kind): (&str, Kind)| {
            let mut head = vec![kind.tag()];
            head.extend_from_slice(&(name.len() as u32).to_le_bytes());
            head.extend_from_slice(name.as_bytes());
            (head, Hasher::new())
        };
        Self { rows: 0, columns: columns.into_iter().map(start).collect() }
    }

    /// Adds the next rows; the columns must be those announced, in that order.
    pub fn add(&mut self, piece: &Table) {
        debug_assert_eq!(piece.columns.len(), self.columns.len());
        self.rows += piece.rows as u64;
        let mut bytes = Vec::new();
        for ((_, hasher), column) in self.columns.iter_mut().zip(&piece.columns) {
            for row in 0..piece.rows {
                add_cell(&mut bytes, column.cell(row));
                if bytes.len() >= HASH_BLOCK_BYTES {
                    hasher.update(&bytes);
                    bytes.clear();
                }
            }
            hasher.update(&bytes);
            bytes.clear();
        }
    }

    pub fn finish(self) -> Digest {
        let mut all = Hasher::new();
        all.update(b"tallystick.table.v1\n");
        all.update(&self.rows.to_le_bytes());
        for (head, cells) in self.columns {
            all.update(&head);
            all.update(cells.finish().as_bytes());
        }
        all.finish()
    }
}

/// Cells are hashed in blocks: one call a cell would cost more than the hash itself.
const HASH_BLOCK_BYTES: usize = 1 << 15;

fn add_cell(bytes: &mut Vec<u8>, cell: Cell<'_>) {
    match cell {
        Cell::Missing => bytes.push(0),
        Cell::Number(x) => {
            bytes.push(1);
            // Adding zero makes -0.0 and 0.0 one value.
            bytes.extend_from_slice(&(x + 0.0).to_bits().to_le_bytes());
        }
        Cell::Text(text) => {
            bytes.push(2);
            bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
}

/// A table that grows by rows; its columns are even by construction.
pub struct TableBuilder {
    rows: usize,
    columns: Vec<GrowingColumn>,
}

struct GrowingColumn {
    name: String,
    kind: Kind,
    numbers: Vec<f64>,
    text: TextValues,
    /// Looked up only, never iterated: its order cannot reach a result.
    index: HashMap<String, u32>,
}

impl TableBuilder {
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Kind)>) -> Self {
        let grow = |(name, kind): (&str, Kind)| GrowingColumn {
            name: name.to_string(),
            kind,
            numbers: Vec::new(),
            text: TextValues::default(),
            index: HashMap::new(),
        };
        Self { rows: 0, columns: columns.into_iter().map(grow).collect() }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds one row, a cell a column in order. A cell that does not fit its column's kind, or is absent, is missing.
    pub fn push_row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            column.push(cells.next().unwrap_or(Cell::Missing));
        }
        self.rows += 1;
    }

    pub fn finish(self) -> Table {
        Table { rows: self.rows, columns: self.columns.into_iter().map(GrowingColumn::finish).collect() }
    }
}

impl GrowingColumn {
    fn push(&mut self, cell: Cell<'_>) {
        match (self.kind, cell) {
            (Kind::Text, Cell::Text(text)) => {
                let code = self.code_of(text);
                self.text.codes.push(code);
            }
            (Kind::Text, _) => self.text.codes.push(MISSING),
            (_, Cell::Number(x)) => self.numbers.push(x),
            _ => self.numbers.push(f64::NAN),
        }
    }

    fn code_of(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.index.get(text) {
            return code;
        }
        let code = self.text.levels.len() as u32;
        self.text.levels.push(text.to_string());
        self.index.insert(text.to_string(), code);
        code
    }

    fn finish(self) -> Column {
        let values = match self.kind {
            Kind::Text => Values::Text(self.text),
            _ => Values::Number(self.numbers.into()),
        };
        Column { name: self.name.into(), kind: self.kind, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(numbers: Vec<f64>, levels: &[&str], codes: Vec<u32>) -> Table {
        let text = TextValues { levels: levels.iter().map(|s| s.to_string()).collect(), codes: codes.into() };
        Table::new(vec![
            Column { name: "x".into(), kind: Kind::Number, values: Values::Number(numbers.into()) },
            Column { name: "c".into(), kind: Kind::Text, values: Values::Text(text) },
        ])
        .unwrap()
    }

    #[test]
    fn the_digest_names_content_and_not_its_coding() {
        let one = table(vec![1.0, -0.0, f64::NAN], &["a", "b"], vec![0, 1, MISSING]);
        let other = table(vec![1.0, 0.0, f64::NAN], &["b", "a", "unused"], vec![1, 0, MISSING]);
        assert_eq!(one.content_digest(), other.content_digest());
        let changed = table(vec![1.0, 0.5, f64::NAN], &["a", "b"], vec![0, 1, MISSING]);
        assert_ne!(one.content_digest(), changed.content_digest());
    }

    #[test]
    fn a_table_in_pieces_has_the_digest_of_the_whole() {
        let whole = table(vec![1.0, 2.0, 3.0], &["a", "b"], vec![0, 1, 0]);
        let mut hasher = ContentHasher::new([("x", Kind::Number), ("c", Kind::Text)]);
        hasher.add(&whole.select(&[0]));
        hasher.add(&whole.select(&[1, 2]));
        assert_eq!(hasher.finish(), whole.content_digest());
    }

    #[test]
    fn columns_of_uneven_length_are_no_table() {
        let column = |name: &str, n| Column {
            name: name.into(),
            kind: Kind::Number,
            values: Values::Number(smallvec![0.0; n]),
        };
        assert!(Table::new(vec![column("a", 2), column("b", 3)]).is_err());
    }
}
