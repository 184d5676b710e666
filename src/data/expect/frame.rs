//! What expectations are held against: columns by name, whether they lie in a table or are made when asked for.
//! Judges nothing.

use std::borrow::Cow;

use crate::data::table::{Column, Table};

pub trait Frame {
    fn rows(&self) -> usize;
    fn names(&self) -> Vec<&str>;
    fn column(&self, name: &str) -> Option<Cow<'_, Column>>;
}

impl Frame for Table {
    fn rows(&self) -> usize {
        self.rows()
    }

    fn names(&self) -> Vec<&str> {
        self.columns().iter().map(|column| column.name.as_str()).collect()
    }

    fn column(&self, name: &str) -> Option<Cow<'_, Column>> {
        self.find_column(name).map(Cow::Borrowed)
    }
}
