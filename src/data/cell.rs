//! One cell against its column's contract: missing, default, cast, type, range, levels.
//! Files and single rows pass through here alike; never knows where the cell came from.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::base::fact::nearest;
use crate::base::ids::FieldName;
use crate::base::limits;
use crate::data::contract::{Cast, ColumnSpec, Role};
use crate::data::finding::{Finding, HIDDEN, Severity, shown};
use crate::data::spelling::{self, Decimal};
use crate::data::table::{Cell, Kind};

/// A cell as its source has it: text from CSV, typed from Parquet and JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum RawCell<'a> {
    Missing,
    Text(Cow<'a, str>),
    Integer(i128),
    Number(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(f64),
}

impl RawCell<'_> {
    /// The text a person would have written for it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Text(text) => text.to_string(),
            Self::Integer(i) => i.to_string(),
            Self::Number(x) => spelling::number_text(*x),
            Self::Boolean(b) => b.to_string(),
            Self::Date(days) => spelling::date_text(*days),
        }
    }
}

/// How the source spells: its decimal sign, and whether words such as `NA` mean a missing cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spelling {
    pub decimal: Decimal,
    pub missing_words: bool,
}

/// A cell that keeps its contract.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Missing,
    Number(f64),
    Text(Cow<'a, str>),
}

impl Value<'_> {
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Self::Missing => Cell::Missing,
            Self::Number(x) => Cell::Number(*x),
            Self::Text(text) => Cell::Text(text),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<'a> {
    pub value: Value<'a>,
    /// The contract's default stands in for a missing cell.
    pub defaulted: bool,
}

/// Why a cell breaks its contract. Holds no value of the cell, so its message can be shown for any column.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CellFault {
    #[error("is not {article} {kind}", article = article(*.0), kind = .0.as_str())]
    NotA(Kind),
    #[error("is not a whole number")]
    NotWhole,
    #[error("is too large for an exact whole number (2^53)")]
    TooLarge,
    #[error("is beyond {max:e}, which no figure reaches", max = limits::NUMBER_MAGNITUDE_MAX)]
    Magnitude,
    #[error("is {bytes} bytes long; at most {max} are read", max = limits::CELL_BYTES_MAX)]
    TooLong { bytes: usize },
    #[error("holds a NUL byte")]
    Nul,
    #[error("is not valid UTF-8, which the rest of the file is")]
    Encoding,
    #[error("is missing, but the column is required")]
    Required,
    #[error("is below the minimum {0}")]
    Below(f64),
    #[error("is above the maximum {0}")]
    Above(f64),
    #[error("is not one of the {known} levels{}", hint(.nearest))]
    NotALevel { known: usize, nearest: Option<String> },
}

fn article(kind: Kind) -> &'static str {
    if kind == Kind::Integer { "an" } else { "a" }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |level| format!("; the nearest is {level:?}"))
}

impl CellFault {
    /// The stable name of the broken rule.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NotA(_) | Self::NotWhole | Self::TooLarge | Self::Magnitude => "type",
            Self::TooLong { .. } => "length",
            Self::Nul => "nul",
            Self::Encoding => "encoding",
            Self::Required => "required",
            Self::Below(_) => "min",
            Self::Above(_) => "max",
            Self::NotALevel { .. } => "levels",
        }
    }
}

/// A column's rules, made ready for many cells.
#[derive(Clone, Debug)]
pub struct CellRule {
    name: FieldName,
    kind: Kind,
    cast: Option<Cast>,
    required: bool,
    hidden: bool,
    min: f64,
    max: f64,
    levels: Option<BTreeSet<String>>,
    missing: BTreeSet<String>,
    missing_numbers: Vec<f64>,
    default: Option<Value<'static>>,
}

impl CellRule {
    /// Fails where the column's default breaks the column's own rules.
    pub fn new(spec: &ColumnSpec) -> Result<Self, CellFault> {
        let mut rule = Self {
            name: spec.name.as_str().into(),
            kind: spec.kind,
            cast: spec.cast,
            required: spec.required,
            hidden: spec.role == Role::Pii,
            min: spec.min.unwrap_or(f64::NEG_INFINITY),
            max: spec.max.unwrap_or(f64::INFINITY),
            levels: spec.levels.as_ref().map(|levels| levels.iter().cloned().collect()),
            missing: spec.missing.iter().map(|word| word.trim().to_string()).collect(),
            missing_numbers: Vec::new(),
            default: None,
        };
        rule.missing_numbers =
            spec.missing.iter().filter_map(|word| rule.spelled(word.trim(), Decimal::Point)).collect();
        if let Some(text) = &spec.default {
            rule.default = Some(rule.own_default(text)?);
        }
        Ok(rule)
    }

    pub fn name(&self) -> &FieldName {
        &self.name
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn own_default(&self, text: &str) -> Result<Value<'static>, CellFault> {
        let how = Spelling { decimal: Decimal::Point, missing_words: false };
        let parsed = self.parse(RawCell::Text(Cow::Borrowed(text)), how)?;
        match parsed.value {
            Value::Missing => Err(CellFault::Required),
            Value::Number(x) => Ok(Value::Number(x)),
            Value::Text(text) => Ok(Value::Text(Cow::Owned(text.into_owned()))),
        }
    }

    pub fn parse<'a>(&'a self, raw: RawCell<'a>, how: Spelling) -> Result<Parsed<'a>, CellFault> {
        let value = self.value(raw, how)?;
        match (&value, &self.default) {
            (Value::Missing, Some(default)) => Ok(Parsed { value: default.clone(), defaulted: true }),
            (Value::Missing, None) if self.required => Err(CellFault::Required),
            _ => self.check(&value).map(|()| Parsed { value, defaulted: false }),
        }
    }

    fn value<'a>(&self, raw: RawCell<'a>, how: Spelling) -> Result<Value<'a>, CellFault> {
        match raw {
            RawCell::Missing => Ok(Value::Missing),
            RawCell::Text(text) => self.text_value(text, how),
            _ if self.kind == Kind::Text => self.text_value(Cow::Owned(raw.to_text()), how),
            RawCell::Number(x) if x.is_nan() => Ok(Value::Missing),
            RawCell::Integer(i) if self.kind == Kind::Integer && is_inexact(i) => Err(CellFault::TooLarge),
            _ => self.number_value(self.typed(&raw).ok_or(CellFault::NotA(self.kind))?),
        }
    }

    fn text_value<'a>(&self, text: Cow<'a, str>, how: Spelling) -> Result<Value<'a>, CellFault> {
        if text.len() > limits::CELL_BYTES_MAX {
            return Err(CellFault::TooLong { bytes: text.len() });
        }
        if text.contains('\0') {
            return Err(CellFault::Nul);
        }
        let text = trimmed(text);
        if text.is_empty() || self.missing.contains(text.as_ref()) {
            return Ok(Value::Missing);
        }
        if self.kind == Kind::Text {
            return Ok(Value::Text(self.cast_text(text)));
        }
        match self.spelled(&text, how.decimal) {
            Some(_) if self.kind == Kind::Integer && text.parse().is_ok_and(is_inexact) => {
                Err(CellFault::TooLarge)
            }
            Some(value) => self.number_value(value),
            None if how.missing_words && spelling::is_missing_word(&text) => Ok(Value::Missing),
            None => Err(CellFault::NotA(self.kind)),
        }
    }

    fn cast_text<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        match self.cast {
            Some(Cast::Lowercase) => Cow::Owned(text.to_lowercase()),
            Some(Cast::Uppercase) => Cow::Owned(text.to_uppercase()),
            _ => text,
        }
    }

    fn spelled(&self, text: &str, decimal: Decimal) -> Option<f64> {
        match (self.kind, self.cast) {
            (Kind::Boolean, _) => spelling::boolean(text).map(f64::from),
            (Kind::Date, Some(Cast::MonthYear)) => spelling::month_year(text),
            (Kind::Date, _) => spelling::date(text),
            (Kind::Text, _) => None,
            (_, Some(Cast::Percent)) => spelling::percent(text, decimal),
            (_, Some(Cast::FirstNumber)) => spelling::first_number(text, decimal),
            _ => spelling::number(text, decimal),
        }
    }

    /// A typed cell is past its cast: a file of ours was cast when it was first read.
    fn typed(&self, raw: &RawCell<'_>) -> Option<f64> {
        match (self.kind, raw) {
            (Kind::Boolean, RawCell::Boolean(b)) => Some(f64::from(*b)),
            (Kind::Boolean, RawCell::Integer(i @ 0..=1)) => Some(*i as f64),
            (Kind::Boolean, RawCell::Number(x)) if *x == 0.0 || *x == 1.0 => Some(*x),
            (Kind::Date, RawCell::Date(days)) => Some(*days),
            (Kind::Integer | Kind::Number, RawCell::Integer(i)) => Some(*i as f64),
            (Kind::Integer | Kind::Number, RawCell::Number(x)) if x.is_finite() => Some(*x),
            _ => None,
        }
    }

    fn number_value(&self, value: f64) -> Result<Value<'static>, CellFault> {
        if self.missing_numbers.contains(&value) {
            return Ok(Value::Missing);
        }
        if self.kind == Kind::Integer && value.fract() != 0.0 {
            return Err(CellFault::NotWhole);
        }
        if self.kind == Kind::Integer && value.abs() > spelling::WHOLE_MAX {
            return Err(CellFault::TooLarge);
        }
        if value.abs() > limits::NUMBER_MAGNITUDE_MAX {
            return Err(CellFault::Magnitude);
        }
        Ok(Value::Number(value))
    }

    fn check(&self, value: &Value<'_>) -> Result<(), CellFault> {
        match (value, &self.levels) {
            (Value::Number(x), _) if *x < self.min => Err(CellFault::Below(self.min)),
            (Value::Number(x), _) if *x > self.max => Err(CellFault::Above(self.max)),
            (Value::Text(text), Some(levels)) if !levels.contains(text.as_ref()) => {
                let near = nearest(text, levels.iter().map(String::as_str)).map(String::from);
                Err(CellFault::NotALevel { known: levels.len(), nearest: near.filter(|_| !self.hidden) })
            }
            _ => Ok(()),
        }
    }

    /// The finding for a cell that broke a rule; a person's data stays out of it.
    pub fn finding(&self, fault: &CellFault, row: Option<u64>, raw: &RawCell<'_>) -> Finding {
        let value = match raw {
            RawCell::Missing => None,
            _ if self.hidden => Some(HIDDEN.to_string()),
            raw => Some(shown(&raw.to_text())),
        };
        let said = value.as_ref().map_or("the cell".to_string(), |v| format!("{v:?}"));
        Finding {
            row,
            column: Some(self.name.to_string()),
            rule: fault.rule().to_string(),
            value,
            severity: Severity::Critical,
            message: format!("{said} {fault}"),
        }
    }
}

/// Digits that a cell of 53 bits would silently change.
fn is_inexact(whole: i128) -> bool {
    whole.unsigned_abs() > spelling::WHOLE_MAX as u128
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: Kind) -> ColumnSpec {
        ColumnSpec::new("x", kind, Role::Feature)
    }

    const FILE: Spelling = Spelling { decimal: Decimal::Point, missing_words: true };

    fn read(spec: &ColumnSpec, text: &str) -> Result<Value<'static>, CellFault> {
        let rule = CellRule::new(spec).unwrap();
        let parsed = rule.parse(RawCell::Text(Cow::Borrowed(text)), FILE)?;
        Ok(match parsed.value {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Number(x) => Value::Number(x),
            Value::Missing => Value::Missing,
        })
    }

    #[test]
    fn every_rule_names_itself() {
        let bounded = ColumnSpec { min: Some(0.0), max: Some(9.0), required: true, ..spec(Kind::Integer) };
        let cases = [
            ("-1", "min"),
            ("10", "max"),
            ("1.5", "type"),
            ("abc", "type"),
            ("", "required"),
            ("NA", "required"),
        ];
        for (text, rule) in cases {
            assert_eq!(read(&bounded, text).unwrap_err().rule(), rule, "{text}");
        }
        let closed = ColumnSpec { levels: Some(vec!["RENT".into(), "OWN".into()]), ..spec(Kind::Text) };
        let fault = read(&closed, "RNT").unwrap_err();
        assert_eq!(fault, CellFault::NotALevel { known: 2, nearest: Some("RENT".into()) });
        assert_eq!(read(&spec(Kind::Text), "a\0b").unwrap_err().rule(), "nul");
        let long = "x".repeat(limits::CELL_BYTES_MAX + 1);
        assert_eq!(read(&spec(Kind::Text), &long).unwrap_err().rule(), "length");
    }

    #[test]
    fn missing_words_count_for_numbers_and_not_for_text() {
        assert_eq!(read(&spec(Kind::Number), "nan"), Ok(Value::Missing));
        assert_eq!(read(&spec(Kind::Text), "None"), Ok(Value::Text("None".into())));
        let declared = ColumnSpec { missing: vec!["?".into(), "-1".into()], ..spec(Kind::Number) };
        assert_eq!(read(&declared, " ? "), Ok(Value::Missing));
        assert_eq!(read(&declared, "-1.0"), Ok(Value::Missing));
        let rule = CellRule::new(&declared).unwrap();
        assert_eq!(rule.parse(RawCell::Integer(-1), FILE).unwrap().value, Value::Missing);
    }

    #[test]
    fn a_number_that_no_figure_reaches_is_refused_where_it_stands() {
        assert!(read(&spec(Kind::Number), "1e99").is_ok());
        assert_eq!(read(&spec(Kind::Number), "-1e300"), Err(CellFault::Magnitude));
    }

    #[test]
    fn a_whole_number_that_would_lose_a_digit_is_refused() {
        assert!(read(&spec(Kind::Integer), "9007199254740992").is_ok());
        assert_eq!(read(&spec(Kind::Integer), "9007199254740993"), Err(CellFault::TooLarge));
        let integer = spec(Kind::Integer);
        let rule = CellRule::new(&integer).unwrap();
        assert_eq!(rule.parse(RawCell::Integer(9007199254740993), FILE), Err(CellFault::TooLarge));
    }

    #[test]
    fn a_default_serves_a_missing_cell_and_must_keep_the_rules() {
        let with = ColumnSpec { default: Some("7".into()), max: Some(9.0), ..spec(Kind::Number) };
        let rule = CellRule::new(&with).unwrap();
        let parsed = rule.parse(RawCell::Missing, FILE).unwrap();
        assert_eq!(parsed, Parsed { value: Value::Number(7.0), defaulted: true });
        let bad = ColumnSpec { default: Some("70".into()), ..with };
        assert_eq!(CellRule::new(&bad).unwrap_err(), CellFault::Above(9.0));
    }

    #[test]
    fn a_finding_hides_what_identifies_a_person() {
        let secret = ColumnSpec { role: Role::Pii, ..spec(Kind::Integer) };
        let rule = CellRule::new(&secret).unwrap();
        let raw = RawCell::Text("Miller".into());
        let fault = rule.parse(raw.clone(), FILE).unwrap_err();
        let finding = rule.finding(&fault, Some(3), &raw);
        assert_eq!(finding.value.as_deref(), Some(HIDDEN));
        assert!(!finding.message.contains("Miller"));
    }
}
