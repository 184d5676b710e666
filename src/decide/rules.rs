//! Rules before the score: one condition on one field each, checked against the contract.
//! Never sees a score; a comparison with a missing cell never holds.

use serde::{Deserialize, Serialize};

use crate::base::clock::parse_iso_date;
use crate::base::fact::{Class, Fact, nearest};
use crate::base::limits;
use crate::data::contract::{ColumnSpec, Contract, Role};
use crate::data::table::{Cell, Column, Kind, Table};

/// One rule, as policy.toml and the signed policy write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub id: String,
    pub when: Condition,
    pub outcome: String,
    /// The key of the text a person reads.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub field: String,
    pub op: Op,
    /// Absent for `missing` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Operand>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">")]
    Above,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "missing")]
    Missing,
}

/// What a cell is compared with. Dates are ISO text, booleans true and false.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Operand {
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Operand>),
}

#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("rule {id:?}: the contract has no field {field:?} that a scoring reads")]
    NoField { id: String, field: String, near: Option<String> },
    #[error("rule {id:?}: {field:?} has the role {role:?}; rules may use features and ids only")]
    Role { id: String, field: String, role: Role },
    #[error("rule {id:?}: {what} on {field:?}, which is of kind {kind}", kind = kind.as_str())]
    Mismatch { id: String, field: String, kind: Kind, what: &'static str },
    #[error("rule {id:?} lists {found} values; 1 to {max} are allowed")]
    Values { id: String, found: usize, max: usize },
}

impl Fact for RuleError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoField { .. } => "rule.no_field",
            Self::Role { .. } => "rule.role",
            Self::Mismatch { .. } => "rule.mismatch",
            Self::Values { .. } => "rule.values",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoField { near: Some(near), .. } => Some(format!("Did you mean {near:?}?")),
            _ => Some("Correct the rule in policy.toml.".into()),
        }
    }
}

impl Rule {
    /// Holds the rule against what the contract says of its field.
    pub fn check(&self, contract: &Contract) -> Result<(), RuleError> {
        let field = &self.when.field;
        let Some(column) = contract.find(field) else {
            let near = nearest(field, contract.columns().iter().map(|c| c.name.as_str())).map(String::from);
            return Err(RuleError::NoField { id: self.id.clone(), field: field.clone(), near });
        };
        if !matches!(column.role, Role::Feature | Role::Id) {
            return Err(RuleError::Role { id: self.id.clone(), field: field.clone(), role: column.role });
        }
        self.check_operand(column)
    }

    fn check_operand(&self, column: &ColumnSpec) -> Result<(), RuleError> {
        let ordered = matches!(self.when.op, Op::Below | Op::AtMost | Op::Above | Op::AtLeast);
        match (self.when.op, &self.when.value) {
            (Op::Missing, None) => Ok(()),
            (Op::Missing, Some(_)) => Err(self.mismatch(column.kind, "`missing` takes no value")),
            (_, None) => Err(self.mismatch(column.kind, "no value")),
            (Op::In, Some(Operand::List(values))) => self.check_list(column.kind, values),
            (Op::In, Some(_)) => Err(self.mismatch(column.kind, "`in` without a list")),
            (_, Some(Operand::List(_))) => Err(self.mismatch(column.kind, "a list without `in`")),
            _ if ordered && matches!(column.kind, Kind::Text | Kind::Boolean) => {
                Err(self.mismatch(column.kind, "an order"))
            }
            (_, Some(value)) => self.check_single(column.kind, value),
        }
    }

    fn check_list(&self, kind: Kind, values: &[Operand]) -> Result<(), RuleError> {
        let (found, max) = (values.len(), limits::RULE_VALUES_MAX);
        if found == 0 || found > max {
            return Err(RuleError::Values { id: self.id.clone(), found, max });
        }
        values.iter().try_for_each(|value| self.check_single(kind, value))
    }

    fn check_single(&self, kind: Kind, value: &Operand) -> Result<(), RuleError> {
        let fits = match kind {
            Kind::Text => matches!(value, Operand::Text(_)),
            _ => value.as_number(kind).is_some_and(f64::is_finite),
        };
        if fits { Ok(()) } else { Err(self.mismatch(kind, "a value of another kind")) }
    }

    fn mismatch(&self, kind: Kind, what: &'static str) -> RuleError {
        RuleError::Mismatch { id: self.id.clone(), field: self.when.field.clone(), kind, what }
    }

    fn holds(&self, table: &Table, row: usize) -> Result<bool, RuleError> {
        let Some(column) = table.find_column(&self.when.field) else {
            let field = self.when.field.clone();
            return Err(RuleError::NoField { id: self.id.clone(), field, near: None });
        };
        match column.cell(row) {
            Cell::Missing => Ok(self.when.op == Op::Missing),
            cell if self.when.op == Op::Missing => Ok(cell == Cell::Missing),
            cell => self.compare(column, cell),
        }
    }

    fn compare(&self, column: &Column, cell: Cell<'_>) -> Result<bool, RuleError> {
        let equal = |value: &Operand| match (cell, value) {
            (Cell::Text(text), Operand::Text(wanted)) => Some(text == wanted),
            (Cell::Number(x), value) => value.as_number(column.kind).map(|wanted| x == wanted),
            _ => None,
        };
        let ordered = |holds: fn(f64, f64) -> bool| match (cell, &self.when.value) {
            (Cell::Number(x), Some(value)) => value.as_number(column.kind).map(|limit| holds(x, limit)),
            _ => None,
        };
        let single = self.when.value.as_ref();
        let held = match self.when.op {
            Op::Equal => single.and_then(equal),
            Op::NotEqual => single.and_then(equal).map(|same| !same),
            Op::Below => ordered(|x, limit| x < limit),
            Op::AtMost => ordered(|x, limit| x <= limit),
            Op::Above => ordered(|x, limit| x > limit),
            Op::AtLeast => ordered(|x, limit| x >= limit),
            Op::In => match single {
                Some(Operand::List(values)) => Some(values.iter().any(|v| equal(v) == Some(true))),
                _ => None,
            },
            Op::Missing => Some(false),
        };
        held.ok_or_else(|| self.mismatch(column.kind, "a value that does not compare"))
    }
}

impl Operand {
    /// The value as a column of this kind holds it.
    fn as_number(&self, kind: Kind) -> Option<f64> {
        match (kind, self) {
            (Kind::Integer | Kind::Number, Self::Number(x)) => Some(*x),
            (Kind::Boolean, Self::Flag(flag)) => Some(f64::from(u8::from(*flag))),
            (Kind::Date, Self::Text(text)) => parse_iso_date(text),
            _ => None,
        }
    }
}

/// The rules that hold for a row, in the policy's order.
pub fn hits<'a>(rules: &'a [Rule], table: &Table, row: usize) -> Result<Vec<&'a Rule>, RuleError> {
    let mut hits = Vec::new();
    for rule in rules {
        if rule.holds(table, row)? {
            hits.push(rule);
        }
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::contract::RawContract;
    use crate::data::table::{MISSING, TextValues, Values};
    use serde_json::json;

    fn contract() -> Contract {
        let column = |name: &str, kind: &str, role: &str| json!({"name": name, "kind": kind, "role": role});
        let columns = json!({"columns": [
            column("age", "integer", "feature"), column("since", "date", "feature"),
            column("owner", "boolean", "feature"), column("purpose", "text", "feature"),
            column("sex", "text", "protected"), column("bad", "boolean", "target"),
        ]});
        serde_json::from_value::<RawContract>(columns).unwrap().check().unwrap()
    }

    fn table() -> Table {
        let number = |name: &str, kind, x: Vec<f64>| Column {
            name: name.into(),
            kind,
            values: Values::Number(x.into()),
        };
        let text = TextValues { levels: vec!["car".into()].into(), codes: vec![0, MISSING].into() };
        Table::new(vec![
            number("age", Kind::Integer, vec![30.0, f64::NAN]),
            number("since", Kind::Date, vec![parse_iso_date("2020-05-01").unwrap(), f64::NAN]),
            number("owner", Kind::Boolean, vec![1.0, f64::NAN]),
            Column { name: "purpose".into(), kind: Kind::Text, values: Values::Text(text) },
        ])
        .unwrap()
    }

    fn rule(field: &str, op: &str, value: serde_json::Value) -> Rule {
        let mut when = json!({"field": field, "op": op});
        if !value.is_null() {
            when["value"] = value;
        }
        serde_json::from_value(json!({"id": "r", "when": when, "outcome": "decline", "reason": "rule.r"}))
            .unwrap()
    }

    fn holds(field: &str, op: &str, value: serde_json::Value, row: usize) -> bool {
        let rule = rule(field, op, value);
        rule.check(&contract()).unwrap();
        hits(&[rule], &table(), row).unwrap().len() == 1
    }

    #[test]
    fn each_operator_says_what_it_says() {
        for (op, below, equal, above) in [
            ("==", false, true, false),
            ("!=", true, false, true),
            ("<", false, false, true),
            ("<=", false, true, true),
            (">", true, false, false),
            (">=", true, true, false),
        ] {
            let found = [29, 30, 31].map(|limit| holds("age", op, json!(limit), 0));
            assert_eq!(found, [below, equal, above], "{op}");
        }
        assert!(holds("since", "<", json!("2020-05-02"), 0));
        assert!(!holds("since", "<", json!("2020-05-01"), 0));
        assert!(holds("owner", "==", json!(true), 0));
        assert!(holds("purpose", "in", json!(["house", "car"]), 0));
        assert!(!holds("purpose", "in", json!(["house"]), 0));
        assert!(holds("age", "in", json!([30.0, 40]), 0));
    }

    #[test]
    fn a_missing_cell_meets_only_the_rule_for_missing_cells() {
        for op in ["==", "!=", "<", "<=", ">", ">="] {
            assert!(!holds("age", op, json!(30), 1), "{op}");
        }
        assert!(!holds("purpose", "!=", json!("car"), 1));
        assert!(holds("purpose", "missing", json!(null), 1));
        assert!(holds("age", "missing", json!(null), 1));
        assert!(!holds("age", "missing", json!(null), 0));
    }

    #[test]
    fn a_rule_that_does_not_fit_its_field_is_refused_by_name() {
        let code =
            |field: &str, op: &str, value| rule(field, op, value).check(&contract()).unwrap_err().code();
        assert_eq!(code("agee", "<", json!(1)), "rule.no_field");
        assert_eq!(code("sex", "==", json!("f")), "rule.role");
        assert_eq!(code("bad", "==", json!(true)), "rule.role");
        assert_eq!(code("age", "<", json!("young")), "rule.mismatch");
        assert_eq!(code("age", "<", json!(null)), "rule.mismatch");
        assert_eq!(code("age", "missing", json!(1)), "rule.mismatch");
        assert_eq!(code("age", "==", json!([1])), "rule.mismatch");
        assert_eq!(code("age", "in", json!(1)), "rule.mismatch");
        assert_eq!(code("age", "in", json!([])), "rule.values");
        assert_eq!(code("purpose", "<", json!("car")), "rule.mismatch");
        assert_eq!(code("since", "<", json!("2020-02-30")), "rule.mismatch");
        assert_eq!(code("owner", "==", json!(1)), "rule.mismatch");
    }

    #[test]
    fn a_table_without_the_field_is_an_error_and_no_miss() {
        let only_age = Table::new(vec![table().columns()[0].clone()]).unwrap();
        assert!(hits(&[rule("purpose", "missing", json!(null))], &only_age, 0).is_err());
    }
}
