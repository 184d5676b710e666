//! One JSON object as a table of one row, by the same cell rules as a file.
//! Strict: every wrong field is named at once, and no field is silently passed over.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use serde::Serialize;

use crate::base::fact::{Class, Fact, nearest};
use crate::base::limits;
use crate::data::cell::{CellRule, Parsed, RawCell, Spelling};
use crate::data::contract::{Contract, Role};
use crate::data::finding::shown;
use crate::data::spelling::Decimal;
use crate::data::table::{Kind, Table};

#[derive(Clone, Debug, PartialEq)]
pub struct ParsedRow {
    /// Feature and id columns in the contract's order.
    pub table: Table,
    /// Columns in which the contract's default stands in for a missing field.
    pub defaulted: Vec<String>,
}

/// What is wrong with one field. `code` is stable: `required`, `type`, `min`, `unknown_field`, ...
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) of the field.
    pub pointer: String,
    pub code: &'static str,
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum RowError {
    #[error("the row is {bytes} bytes; at most {max} are read", max = limits::ROW_JSON_BYTES_MAX)]
    TooLong { bytes: usize },
    #[error("the JSON is nested deeper than {max} levels", max = limits::JSON_DEPTH_MAX)]
    TooDeep,
    // The parser's own message can quote the text, which may be a person's.
    #[error("the row is not one JSON object: it breaks off or is wrong at line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("the key {key:?} stands twice in the JSON object")]
    DuplicateKey { key: String },
    #[error("{}", list(.0))]
    Fields(Vec<FieldError>),
}

fn list(fields: &[FieldError]) -> String {
    let one = |f: &FieldError| format!("{}: {}", f.pointer, f.message);
    fields.iter().map(one).collect::<Vec<_>>().join("; ")
}

impl Fact for RowError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "row.too_long",
            Self::TooDeep => "row.too_deep",
            Self::Syntax { .. } => "row.syntax",
            Self::DuplicateKey { .. } => "row.duplicate_key",
            Self::Fields(_) => "row.fields",
        }
    }

    fn class(&self) -> Class {
        Class::DataRefused
    }

    fn next_step(&self) -> Option<String> {
        Some("Send one flat JSON object with the fields of the model's contract.".into())
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Fields(fields) => Some(serde_json::json!({ "errors": fields })),
            Self::DuplicateKey { key } => {
                let message = "the key stands twice".to_string();
                let twice = FieldError { pointer: pointer(key), code: "duplicate_key", message };
                Some(serde_json::json!({ "errors": [twice] }))
            }
            _ => None,
        }
    }
}

/// Reads one row; for many rows keep a `RowParser`.
pub fn parse_row(contract: &Contract, text: &str) -> Result<ParsedRow, RowError> {
    RowParser::new(contract).parse(text)
}

/// A contract made ready for rows: features and ids are inputs, nothing else is.
pub struct RowParser {
    rules: Vec<CellRule>,
    closed: Vec<bool>,
    /// Every name and alias of an input, and the place of its rule. Looked up only: its order reaches nothing.
    inputs: HashMap<String, usize>,
    /// For each rule, and for the beginning before all, the place of the rule whose field last came behind it: senders
    /// keep to an order of their own. Only asked first; what it says is looked at.
    followers: Vec<AtomicUsize>,
    /// Names of the contract that are no inputs.
    others: Vec<String>,
}

const FEW_FIELDS: usize = 48;

const HOW: Spelling = Spelling { decimal: Decimal::Point, missing_words: false };

impl RowParser {
    pub fn new(contract: &Contract) -> Self {
        let (inputs, followers) = (HashMap::new(), vec![]);
        let mut parser = Self { rules: vec![], closed: vec![], inputs, followers, others: vec![] };
        for spec in contract.columns() {
            let names = std::iter::once(&spec.name).chain(&spec.aliases).cloned();
            match CellRule::new(spec) {
                Ok(rule) if matches!(spec.role, Role::Feature | Role::Id) => {
                    parser.inputs.extend(names.map(|name| (name, parser.rules.len())));
                    parser.rules.push(rule);
                    parser.closed.push(spec.levels.is_some());
                }
                _ => parser.others.extend(names),
            }
        }
        parser.followers = (0..=parser.rules.len()).map(AtomicUsize::new).collect();
        parser
    }

    pub fn parse(&self, text: &str) -> Result<ParsedRow, RowError> {
        let object = parse_object(text)?;
        self.check_object(&object).map_err(|error| match find_twice(&object) {
            // Where a key stands twice, one of the two was refused; that is the whole fault.
            Some(key) => RowError::DuplicateKey { key: shown(key) },
            None => error,
        })
    }

    fn check_object(&self, object: &[(Cow<'_, str>, JsonCell<'_>)]) -> Result<ParsedRow, RowError> {
        let mut next = 0;
        let mut errors = Vec::new();
        let mut given: Vec<Given<'_>> = self.rules.iter().map(|_| Given::default()).collect();
        for (key, value) in object {
            if errors.len() >= limits::FINDINGS_SHOWN_MAX {
                errors.push(and_more());
                return Err(RowError::Fields(errors));
            }
            let place = self.find_place(key, next);
            match place.and_then(|at| given.get_mut(at).map(|slot| (at, slot))) {
                None => errors.push(self.unknown(key)),
                Some((at, slot)) => {
                    let read = self.read(at, key, value, slot.key);
                    let cell = read.map_err(|error| errors.push(error)).ok();
                    *slot = Given { key: Some(key), cell };
                    next = at + 1;
                }
            }
        }
        self.check_cells(given, errors)
    }

    /// The rule of a key, where the key before it belongs to rule `after - 1`. The contract's own order is what is
    /// expected at first.
    fn find_place(&self, key: &str, after: usize) -> Option<usize> {
        let follower = self.followers.get(after)?;
        let likely = follower.load(Ordering::Relaxed);
        if self.rules.get(likely).is_some_and(|rule| rule.name() == key) {
            return Some(likely);
        }
        let found = self.inputs.get(key).copied();
        if let Some(place) = found {
            follower.store(place, Ordering::Relaxed);
        }
        found
    }

    fn read<'a>(
        &self,
        at: usize,
        key: &str,
        value: &'a JsonCell<'_>,
        earlier: Option<&str>,
    ) -> Result<RawCell<'a>, FieldError> {
        let refuse = |code, message| Err(FieldError { pointer: pointer(key), code, message });
        if let Some(other) = earlier {
            return refuse("duplicate_field", format!("{key:?} and {other:?} are the same field"));
        }
        let (kind, closed) = (self.rules[at].kind(), self.closed[at]);
        match value {
            JsonCell::Null => Ok(RawCell::Missing),
            JsonCell::Text(text) => Ok(RawCell::Text(Cow::Borrowed(text))),
            JsonCell::Boolean(b) if kind == Kind::Boolean => Ok(RawCell::Boolean(*b)),
            // A number is a level only where the contract lists it as one.
            JsonCell::Integer(i) if kind != Kind::Text || closed => Ok(RawCell::Integer(*i)),
            JsonCell::Number(x) if kind != Kind::Text || closed => Ok(RawCell::Number(*x)),
            _ => refuse("type", format!("{key:?} is not {}", expected(kind))),
        }
    }

    fn unknown(&self, key: &str) -> FieldError {
        let pointer = pointer(key);
        if self.others.iter().any(|name| name == key) {
            let message = format!("{key:?} is not an input of the model");
            return FieldError { pointer, code: "not_an_input", message };
        }
        let mut known: Vec<&str> = self.inputs.keys().map(String::as_str).collect();
        known.sort_unstable();
        let near = nearest(key, known);
        let hint = near.map_or(String::new(), |n| format!("; the nearest is {n:?}"));
        let message = format!("{:?} is not a field of the contract{hint}", shown(key));
        FieldError { pointer, code: "unknown_field", message }
    }

    fn check_cells(&self, given: Vec<Given<'_>>, mut errors: Vec<FieldError>) -> Result<ParsedRow, RowError> {
        let mut cells: Vec<Parsed<'_>> = Vec::with_capacity(given.len());
        for (rule, Given { key, cell }) in self.rules.iter().zip(given) {
            let raw = match (key, cell) {
                (_, Some(raw)) => raw,
                (None, None) => RawCell::Missing,
                // Sent and already refused: it is not missing on top of that.
                (Some(_), None) => continue,
            };
            match rule.parse(raw, HOW) {
                Ok(parsed) => cells.push(parsed),
                Err(fault) => {
                    let key = key.unwrap_or(rule.name());
                    let message = format!("{key:?} {fault}");
                    errors.push(FieldError { pointer: pointer(key), code: fault.rule(), message });
                }
            }
        }
        if !errors.is_empty() {
            errors.sort_by(|a, b| a.pointer.cmp(&b.pointer));
            return Err(RowError::Fields(errors));
        }
        let columns = self.rules.iter().zip(&cells);
        let table = Table::of_row(
            columns.map(|(rule, cell)| (rule.name().clone(), rule.kind(), cell.value.as_cell())),
        );
        let served = self.rules.iter().zip(&cells).filter(|(_, parsed)| parsed.defaulted);
        let defaulted = served.map(|(rule, _)| rule.name().to_string()).collect();
        Ok(ParsedRow { table, defaulted })
    }
}

/// What the object says of one input: nothing, a cell, or (a key without a cell) something refused.
#[derive(Default)]
struct Given<'a> {
    key: Option<&'a str>,
    cell: Option<RawCell<'a>>,
}

/// Stands behind the faults that are named.
fn and_more() -> FieldError {
    let message = format!("there may be more: at most {} faults are named", limits::FINDINGS_SHOWN_MAX);
    FieldError { pointer: String::new(), code: "more", message }
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Boolean => "true or false",
        Kind::Date => "a date (YYYY-MM-DD)",
        Kind::Text => "a text",
    }
}

/// A key that is longer than any column's name is told by its beginning: an answer must not grow with what was sent.
fn pointer(key: &str) -> String {
    let key: String = key.chars().take(limits::COLUMN_NAME_CHARS_MAX).collect();
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A value of a flat object, borrowed from its text where that has no escapes; anything nested is only known to
/// be that.
enum JsonCell<'a> {
    Null,
    Boolean(bool),
    Integer(i128),
    Number(f64),
    Text(Cow<'a, str>),
    Nested,
}

fn parse_object(text: &str) -> Result<Vec<(Cow<'_, str>, JsonCell<'_>)>, RowError> {
    if text.len() as u64 > limits::ROW_JSON_BYTES_MAX {
        return Err(RowError::TooLong { bytes: text.len() });
    }
    if depth_of(text) > limits::JSON_DEPTH_MAX {
        return Err(RowError::TooDeep);
    }
    let JsonObject(fields) = serde_json::from_str(text)
        .map_err(|e: serde_json::Error| RowError::Syntax { line: e.line(), column: e.column() })?;
    Ok(fields)
}

/// A key that stands twice. A row of usual size is cheaper to compare with itself than to hash.
fn find_twice<'a>(fields: &'a [(Cow<'_, str>, JsonCell<'_>)]) -> Option<&'a str> {
    if fields.len() <= FEW_FIELDS {
        let twice =
            fields.iter().enumerate().find(|(at, (key, _))| fields[..*at].iter().any(|f| f.0 == *key));
        return twice.map(|(_, (key, _))| key.as_ref());
    }
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().map(|(key, _)| key.as_ref()).find(|key| !seen.insert(*key))
}

/// Deepest nesting of brackets outside of strings, or more where even that is within the limit.
fn depth_of(text: &str) -> usize {
    // Few brackets cannot be deep; counting them is cheap.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if brackets <= limits::JSON_DEPTH_MAX {
        return brackets;
    }
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

struct JsonObject<'a>(Vec<(Cow<'a, str>, JsonCell<'a>)>);

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = JsonObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object with a value for each field")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject<'de>, A::Error> {
        let mut fields = Vec::with_capacity(32);
        while let Some((Key(key), value)) = map.next_entry::<Key<'de>, JsonCell<'de>>()? {
            fields.push((key, value));
        }
        Ok(JsonObject(fields))
    }
}

/// A key, borrowed where it can be; serde's own `Cow` never borrows.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(key.to_string())))
    }
}

impl<'de> Deserialize<'de> for JsonCell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = JsonCell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<JsonCell<'de>, E> {
        Ok(JsonCell::Text(Cow::Owned(value.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonCell<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(JsonCell::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonCell<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(JsonCell::Nested)
    }
}

#[cfg(test)]
mod tests;
