//! The arguments of one expectation as its file writes them, taken one by one; what is left over is refused.
//! Knows kinds of values, not the rules that want them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::fact::nearest;
use crate::base::limits;
use crate::data::expect::range::{Range, ValueSet};
use crate::data::expect::suite::ExpectError;
use crate::data::spelling;
use crate::data::table::Kind;

pub struct Arguments {
    place: String,
    left: BTreeMap<String, Value>,
    known: Vec<&'static str>,
}

impl Arguments {
    /// `place` is how an error names the expectation, such as `expectation 3 (values_between)`.
    pub fn new(place: String, left: BTreeMap<String, Value>) -> Self {
        Self { place, left, known: vec!["type", "column", "columns", "mostly", "severity"] }
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.left.remove(key)
    }

    pub fn bad(&self, key: &str, wanted: &'static str) -> ExpectError {
        ExpectError::Argument { place: self.place.clone(), key: key.to_string(), wanted }
    }

    pub fn find_number(&mut self, key: &'static str) -> Result<Option<f64>, ExpectError> {
        self.find_bound(key, Kind::Number)
    }

    pub fn number(&mut self, key: &'static str) -> Result<f64, ExpectError> {
        self.find_number(key)?.ok_or_else(|| self.bad(key, "a number"))
    }

    pub fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, ExpectError> {
        match self.take(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.bad(key, "true or false")),
        }
    }

    /// A bound of a column's values: a number, or a date in a column of dates.
    fn find_bound(&mut self, key: &'static str, kind: Kind) -> Result<Option<f64>, ExpectError> {
        let (found, wanted) = match (self.take(key), kind) {
            (None, _) => return Ok(None),
            (Some(Value::String(text)), Kind::Date) => (spelling::date(&text), "a date (YYYY-MM-DD)"),
            (Some(_), Kind::Date) => (None, "a date (YYYY-MM-DD), in quotation marks"),
            (Some(value), _) => (value.as_f64().filter(|x| x.is_finite()), "a number"),
        };
        found.map(Some).ok_or_else(|| self.bad(key, wanted))
    }

    /// `min`, `max`, `strict_min`, `strict_max`, of which one bound at least is given.
    pub fn range(&mut self, kind: Kind) -> Result<Range, ExpectError> {
        let range = Range {
            min: self.find_bound("min", kind)?,
            max: self.find_bound("max", kind)?,
            strict_min: self.flag("strict_min", false)?,
            strict_max: self.flag("strict_max", false)?,
        };
        match (range.min, range.max) {
            (None, None) => Err(self.bad("min", "given, or `max`")),
            (Some(min), Some(max)) if min > max => Err(self.bad("min", "at most `max`")),
            _ => Ok(range),
        }
    }

    /// `values`: a list fit for the column's kind.
    pub fn values(&mut self, kind: Kind) -> Result<ValueSet, ExpectError> {
        let items = self.items()?;
        let set = match kind {
            Kind::Text => items.iter().map(text_of).collect::<Option<Vec<_>>>().map(ValueSet::of_texts),
            _ => {
                let numbers = items.iter().map(|v| number_of(v, kind)).collect::<Option<Vec<_>>>();
                numbers.map(ValueSet::of_numbers)
            }
        };
        set.ok_or_else(|| self.bad("values", "a list of values of the column's kind"))
    }

    /// `values`, each a set of its own.
    pub fn each_value(&mut self, kind: Kind) -> Result<Vec<ValueSet>, ExpectError> {
        let one = |item: &Value| match kind {
            Kind::Text => text_of(item).map(|text| ValueSet::of_texts([text])),
            _ => number_of(item, kind).map(|number| ValueSet::of_numbers([number])),
        };
        let sets: Option<Vec<ValueSet>> = self.items()?.iter().map(one).collect();
        sets.ok_or_else(|| self.bad("values", "a list of values of the column's kind"))
    }

    fn items(&mut self) -> Result<Vec<Value>, ExpectError> {
        match self.take("values") {
            Some(Value::Array(items)) if !items.is_empty() => Ok(items),
            _ => Err(self.bad("values", "a list with at least one value")),
        }
    }

    pub fn texts(&mut self, key: &'static str) -> Result<Vec<String>, ExpectError> {
        let items = match self.take(key) {
            Some(Value::Array(items)) if !items.is_empty() => items,
            _ => return Err(self.bad(key, "a list of texts")),
        };
        let texts: Option<Vec<String>> = items.iter().map(|v| v.as_str().map(String::from)).collect();
        texts.ok_or_else(|| self.bad(key, "a list of texts"))
    }

    /// `regex`, in linear-time syntax; it may match anywhere in the text.
    pub fn regex(&mut self) -> Result<regex_lite::Regex, ExpectError> {
        let Some(Value::String(pattern)) = self.take("regex") else {
            return Err(self.bad("regex", "a text"));
        };
        if pattern.len() > limits::REGEX_BYTES_MAX {
            return Err(self.bad("regex", "shorter"));
        }
        regex_lite::Regex::new(&pattern)
            .map_err(|source| ExpectError::Regex { place: self.place.clone(), source })
    }

    /// Refuses what no rule took.
    pub fn finish(self) -> Result<(), ExpectError> {
        match self.left.into_iter().next() {
            None => Ok(()),
            Some((key, _)) => {
                let near = nearest(&key, self.known).map(String::from);
                Err(ExpectError::UnknownKey { place: self.place, key, nearest: near })
            }
        }
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number_of(value: &Value, kind: Kind) -> Option<f64> {
    match (value, kind) {
        (Value::Bool(flag), Kind::Boolean) => Some(f64::from(*flag)),
        (Value::String(text), Kind::Date) => spelling::date(text),
        (Value::Number(number), Kind::Integer | Kind::Number) => number.as_f64(),
        _ => None,
    }
}
