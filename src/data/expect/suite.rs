//! `expectations.toml`: as it is written, and as it is once every rule fits the contract.
//! Unknown types, keys and columns are refused with the nearest name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact, nearest};
use crate::base::limits;
use crate::data::contract::{ColumnSpec, Contract, Role};
use crate::data::expect::aggregates::{self, AggregateRule};
use crate::data::expect::arguments::Arguments;
use crate::data::expect::pairs::{self, PairRule};
use crate::data::expect::table::{self, SAME_ROWS, TableRule};
use crate::data::expect::values::{self, ValueRule};
use crate::data::finding::Severity;

/// The file: tables named `expect`, of the rows as they come, and `expect_processed`, of the rows once encoded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSuite {
    #[serde(default)]
    pub expect: Vec<RawExpectation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect_processed: Vec<RawExpectation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawExpectation {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// The share of rows that must pass; of row-wise expectations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mostly: Option<f64>,
    #[serde(default)]
    pub severity: Severity,
    /// The rule's own arguments, checked by `check`.
    #[serde(flatten)]
    pub arguments: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExpectError {
    #[error("{what}: {kind:?} is not an expectation{}", hint(.nearest))]
    UnknownType { what: String, kind: String, nearest: Option<String> },
    #[error("{place}: unknown key {key:?}{}", hint(.nearest))]
    UnknownKey { place: String, key: String, nearest: Option<String> },
    #[error("{place}: {key:?} must be {wanted}")]
    Argument { place: String, key: String, wanted: &'static str },
    #[error("{place}: the contract has no column {column:?}{}", hint(.nearest))]
    UnknownColumn { place: String, column: String, nearest: Option<String> },
    #[error("{place}: column {column:?} is of no field of recipe.toml, nor the target{}", hint(.nearest))]
    UnknownField { place: String, column: String, nearest: Option<String> },
    #[error("{place}: column {column:?} has the role `ignored` and is never read")]
    IgnoredColumn { place: String, column: String },
    #[error("{place}: does not apply to column {column:?} of kind {kind}")]
    DoesNotApply { place: String, column: String, kind: &'static str },
    #[error("{place}: {source}")]
    Regex { place: String, source: regex_lite::Error },
    #[error("{found} expectations; at most {max} are allowed", max = limits::EXPECTATIONS_MAX)]
    TooMany { found: usize },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |name| format!("; the nearest is {name:?}"))
}

impl Fact for ExpectError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownType { .. } => "expect.unknown_type",
            Self::UnknownKey { .. } => "expect.unknown_key",
            Self::Argument { .. } => "expect.argument",
            Self::UnknownColumn { .. } => "expect.unknown_column",
            Self::UnknownField { .. } => "expect.unknown_field",
            Self::IgnoredColumn { .. } => "expect.ignored_column",
            Self::DoesNotApply { .. } => "expect.does_not_apply",
            Self::Regex { .. } => "expect.regex",
            Self::TooMany { .. } => "expect.too_many",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some("Correct expectations.toml.".into())
    }
}

/// Expectations that fit the contract.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    pub(super) expectations: Vec<Expectation>,
}

#[derive(Clone, Debug)]
pub struct Expectation {
    pub(super) kind: &'static str,
    pub(super) columns: Vec<String>,
    /// Columns whose values identify a person are never quoted.
    pub(super) hidden: BTreeSet<String>,
    pub(super) severity: Severity,
    pub(super) mostly: f64,
    pub(super) rule: Rule,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    Value(ValueRule),
    Aggregate(AggregateRule),
    Table(TableRule),
    Pair(PairRule),
}

impl RawSuite {
    pub fn check(self, contract: &Contract) -> Result<Suite, ExpectError> {
        let found = self.expect.len();
        if found > limits::EXPECTATIONS_MAX {
            return Err(ExpectError::TooMany { found });
        }
        let find = |place: &str, name: &str| find_column(place, name, contract);
        let numbered = self.expect.into_iter().enumerate();
        let one = |(at, raw): (usize, RawExpectation)| {
            let what = format!("expectation {}", at + 1);
            if raw.kind == SAME_ROWS {
                let (kind, nearest) = (raw.kind, Some("row_count_between".to_string()));
                return Err(ExpectError::UnknownType { what, kind, nearest });
            }
            raw.check(&what, &find)
        };
        Ok(Suite { expectations: numbered.map(one).collect::<Result<_, _>>()? })
    }
}

/// Finds what is known of a column; the first argument is how an error names the expectation.
pub(super) type FindColumn<'a> = &'a dyn Fn(&str, &str) -> Result<ColumnSpec, ExpectError>;

impl RawExpectation {
    pub(super) fn check(self, what: &str, find: FindColumn<'_>) -> Result<Expectation, ExpectError> {
        let kind = find_type(what, &self.kind)?;
        let place = format!("{what} ({kind})");
        let mut arguments = Arguments::new(place.clone(), self.arguments);
        let mostly = self.mostly.unwrap_or(1.0);
        let row_wise = values::TYPES.contains(&kind) || pairs::TYPES.contains(&kind);
        if !(mostly > 0.0 && mostly <= 1.0) || (self.mostly.is_some() && !row_wise) {
            return Err(arguments.bad("mostly", "above 0 and at most 1, in a row-wise expectation"));
        }
        let names = match (self.column, self.columns) {
            (Some(_), Some(_)) => return Err(arguments.bad("column", "given alone, without `columns`")),
            (Some(one), None) => vec![one],
            (None, Some(several)) => several,
            (None, None) => Vec::new(),
        };
        let specs: Vec<ColumnSpec> = names.iter().map(|name| find(&place, name)).collect::<Result<_, _>>()?;
        let rule = parse_rule(kind, &place, &specs.iter().collect::<Vec<_>>(), &mut arguments)?;
        arguments.finish()?;
        let hidden = specs.iter().filter(|s| s.role == Role::Pii).map(|s| s.name.clone()).collect();
        let columns = specs.into_iter().map(|spec| spec.name).collect();
        Ok(Expectation { kind, columns, hidden, severity: self.severity, mostly, rule })
    }
}

fn find_type(what: &str, kind: &str) -> Result<&'static str, ExpectError> {
    let all =
        || [&values::TYPES[..], &aggregates::TYPES, &table::TYPES, &pairs::TYPES, &[SAME_ROWS]].concat();
    match all().into_iter().find(|known| *known == kind) {
        Some(known) => Ok(known),
        None => {
            let near = nearest(kind, all()).map(String::from);
            Err(ExpectError::UnknownType { what: what.to_string(), kind: kind.to_string(), nearest: near })
        }
    }
}

fn find_column(place: &str, name: &str, contract: &Contract) -> Result<ColumnSpec, ExpectError> {
    match contract.find(name) {
        Some(spec) if spec.role == Role::Ignored => {
            Err(ExpectError::IgnoredColumn { place: place.to_string(), column: name.to_string() })
        }
        Some(spec) => Ok(spec.clone()),
        None => {
            let near = nearest(name, contract.columns().iter().map(|c| c.name.as_str()));
            let (place, nearest) = (place.to_string(), near.map(String::from));
            Err(ExpectError::UnknownColumn { place, column: name.to_string(), nearest })
        }
    }
}

fn parse_rule(
    kind: &'static str,
    place: &str,
    specs: &[&ColumnSpec],
    arguments: &mut Arguments,
) -> Result<Rule, ExpectError> {
    let refuse = |spec: &ColumnSpec| ExpectError::DoesNotApply {
        place: place.to_string(),
        column: spec.name.clone(),
        kind: spec.kind.as_str(),
    };
    if table::TYPES.contains(&kind) || kind == SAME_ROWS {
        if !specs.is_empty() {
            return Err(arguments.bad("column", "absent: the expectation is of the whole table"));
        }
        return table::parse(kind, arguments).map(Rule::Table);
    }
    if pairs::TYPES.contains(&kind) {
        let rule = pairs::parse(kind, specs, arguments)?;
        let unfit = specs.iter().find(|spec| !rule.applies_to(spec.kind));
        return unfit.map_or(Ok(Rule::Pair(rule)), |spec| Err(refuse(spec)));
    }
    let [spec] = specs else { return Err(arguments.bad("column", "the name of one column")) };
    if values::TYPES.contains(&kind) {
        let rule = values::parse(kind, spec.kind, arguments)?;
        if rule.applies_to(spec.kind) { Ok(Rule::Value(rule)) } else { Err(refuse(spec)) }
    } else {
        let rule = aggregates::parse(kind, spec.kind, arguments)?;
        if rule.applies_to(spec.kind) { Ok(Rule::Aggregate(rule)) } else { Err(refuse(spec)) }
    }
}
