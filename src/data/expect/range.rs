//! A range and a set of values as expectations use them. Missing cells are in neither.

use std::collections::BTreeSet;

use crate::data::table::Cell;

/// From `min` to `max`, ends included unless strict.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub strict_min: bool,
    pub strict_max: bool,
}

impl Range {
    pub fn contains(&self, x: f64) -> bool {
        let above = self.min.is_none_or(|min| if self.strict_min { x > min } else { x >= min });
        let below = self.max.is_none_or(|max| if self.strict_max { x < max } else { x <= max });
        above && below
    }
}

/// A cell's value as a key: numbers by their bits, zero having one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<'a> {
    Number(u64),
    Text(&'a str),
}

pub fn key_of<'a>(cell: Cell<'a>) -> Option<Key<'a>> {
    match cell {
        Cell::Missing => None,
        Cell::Number(x) => Some(Key::Number(number_key(x))),
        Cell::Text(text) => Some(Key::Text(text)),
    }
}

fn number_key(x: f64) -> u64 {
    (x + 0.0).to_bits()
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueSet {
    numbers: BTreeSet<u64>,
    texts: BTreeSet<String>,
}

impl ValueSet {
    pub fn of_numbers(numbers: impl IntoIterator<Item = f64>) -> Self {
        Self { numbers: numbers.into_iter().map(number_key).collect(), texts: BTreeSet::new() }
    }

    pub fn of_texts(texts: impl IntoIterator<Item = String>) -> Self {
        Self { numbers: BTreeSet::new(), texts: texts.into_iter().collect() }
    }

    pub fn contains(&self, key: Key<'_>) -> bool {
        match key {
            Key::Number(bits) => self.numbers.contains(&bits),
            Key::Text(text) => self.texts.contains(text),
        }
    }
}
