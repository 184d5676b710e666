//! One SELECT that scores a table: CASE expressions only, names quoted, texts escaped, NULL as the missing code.
//! Standard SQL (SQLite, PostgreSQL, Oracle, SQL Server; MySQL with ANSI_QUOTES); needs `EXP` and no more.

use crate::model::calibrate::Platt;
use crate::model::export::conditions::{Condition, conditions};
use crate::model::export::fields::{ExportError, FieldText, check_fields, check_text, number};
use crate::model::scorecard::Scorecard;
use crate::model::scorecard::points::{PointsTable, Scaling};
use crate::model::trees::{Branch, Child, Tree, Trees};

/// The table that is scored, and its columns that are passed through.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub table: String,
    pub keys: Vec<String>,
}

/// Databases overflow beyond `EXP(709)`.
const MARGIN_SIZE_MAX: f64 = 700.0;

/// Margin, probability and points of every row.
pub fn scorecard_sql(
    card: &Scorecard,
    fields: &[FieldText],
    (calibration, scaling): (&Platt, &Scaling),
    source: &Source,
) -> Result<String, ExportError> {
    check_fields(&card.columns, fields)?;
    let size = card.parts.iter().fold(card.intercept.abs(), |sum, part| {
        sum + part.woe.iter().fold(0.0, |most: f64, woe| most.max((part.coefficient * woe).abs()))
    });
    check_size(size, calibration)?;
    let table = PointsTable::of(card, scaling, calibration);
    let worths: Vec<Vec<f64>> =
        card.parts.iter().map(|part| part.woe.iter().map(|woe| part.coefficient * woe).collect()).collect();
    let inner = if scaling.whole() {
        format!("{} AS \"points\"", sum_of(card, fields, table.base, &table.parts))
    } else {
        String::new()
    };
    let margin = sum_of(card, fields, card.intercept, &worths);
    let line = table.line;
    let points = if scaling.whole() {
        "s.\"points\" AS \"points\"".to_owned()
    } else {
        format!("{} + {} * s.\"margin\" AS \"points\"", number(line.at_zero), signed(line.per_margin))
    };
    select(source, &margin, (&inner, &points), calibration)
}

/// Margin and probability of every row.
pub fn trees_sql(
    trees: &Trees,
    fields: &[FieldText],
    calibration: &Platt,
    source: &Source,
) -> Result<String, ExportError> {
    check_fields(&trees.columns, fields)?;
    let size = trees.trees.iter().fold(trees.base.abs(), |sum, tree| {
        sum + tree.leaves.iter().fold(0.0, |most: f64, leaf| most.max(leaf.value.abs()))
    });
    check_size(size, calibration)?;
    let mut margin = number(trees.base);
    for (number, tree) in trees.trees.iter().enumerate() {
        let start = if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
        margin.push_str("\n    + ");
        margin.push_str(&branch_case((number, tree), start, fields)?);
    }
    select(source, &margin, ("", ""), calibration)
}

fn check_size(margin: f64, calibration: &Platt) -> Result<(), ExportError> {
    let size = calibration.slope() * margin + calibration.intercept().abs();
    // A NaN is refused too.
    if size <= MARGIN_SIZE_MAX { Ok(()) } else { Err(ExportError::Margin { size, max: MARGIN_SIZE_MAX }) }
}

fn select(
    source: &Source,
    margin: &str,
    (inner, outer): (&str, &str),
    calibration: &Platt,
) -> Result<String, ExportError> {
    check_text(&source.table)?;
    source.keys.iter().try_for_each(|key| check_text(key))?;
    let mut written = Vec::new();
    for key in &source.keys {
        if written.contains(key) || ["margin", "probability", "points"].contains(&key.as_str()) {
            return Err(ExportError::Name { name: key.clone() });
        }
        written.push(key.clone());
    }
    let keys = |alias: &str| -> String {
        source.keys.iter().map(|key| format!("{alias}.{}, ", name(key))).collect()
    };
    let then = |text: &str| if text.is_empty() { String::new() } else { format!(",\n  {text}") };
    Ok(format!(
        "SELECT {}s.\"margin\" AS \"margin\",\n  1.0 / (1.0 + EXP(-({} * s.\"margin\" + {}))) AS \"probability\"{}\n\
         FROM (\n  SELECT {}{margin} AS \"margin\"{}\n  FROM {} t\n) s\n",
        keys("s"),
        number(calibration.slope()),
        signed(calibration.intercept()),
        then(outer),
        keys("t"),
        then(inner),
        name(&source.table),
    ))
}

fn sum_of(card: &Scorecard, fields: &[FieldText], start: f64, worths: &[Vec<f64>]) -> String {
    let mut sum = number(start);
    for (part, worths) in card.parts.iter().zip(worths) {
        let field = &fields[part.place];
        sum.push_str("\n    + CASE");
        for (bin, worth) in worths.iter().enumerate() {
            let of_bin =
                |code: u8| part.bin_of.get(usize::from(code)).is_some_and(|b| usize::from(*b) == bin);
            let held = conditions(field, of_bin);
            if !held.is_empty() {
                sum.push_str(&format!("\n      WHEN {} THEN {}", any_of(field, &held), number(*worth)));
            }
        }
        // The conditions leave nothing over; a value that compares with nothing must not turn the sum into NULL.
        let missing =
            part.bin_of.first().and_then(|bin| worths.get(usize::from(*bin))).copied().unwrap_or(0.0);
        sum.push_str(&format!("\n      ELSE {} END", number(missing)));
    }
    sum
}

/// Nested cases; a child that does not lie further down is refused, so that no loop is followed.
fn branch_case(
    (number_of, tree): (usize, &Tree),
    child: Child,
    fields: &[FieldText],
) -> Result<String, ExportError> {
    match child {
        Child::Leaf(leaf) => {
            let missing = ExportError::Tree { tree: number_of, branch: 0 };
            tree.leaves.get(leaf as usize).map(|leaf| signed(leaf.value)).ok_or(missing)
        }
        Child::Branch(at) => {
            let broken = || ExportError::Tree { tree: number_of, branch: at as usize };
            let Branch { column, split, left, right } = *tree.branches.get(at as usize).ok_or_else(broken)?;
            let field = fields.get(usize::from(column)).ok_or_else(broken)?;
            let down = |child: Child| !matches!(child, Child::Branch(next) if next <= at);
            if !down(left) || !down(right) {
                return Err(broken());
            }
            let held = conditions(field, |code| split.is_left(code));
            let left = branch_case((number_of, tree), left, fields)?;
            let right = branch_case((number_of, tree), right, fields)?;
            if held.is_empty() {
                return Ok(right);
            }
            Ok(format!("CASE WHEN {} THEN {left} ELSE {right} END", any_of(field, &held)))
        }
    }
}

fn any_of(field: &FieldText, held: &[Condition<'_>]) -> String {
    let texts: Vec<String> = held.iter().map(|condition| condition_text(field, condition)).collect();
    if texts.len() == 1 { texts.concat() } else { format!("({})", texts.join(" OR ")) }
}

fn condition_text(field: &FieldText, condition: &Condition<'_>) -> String {
    let value = format!("t.{}", name(&field.name));
    match condition {
        Condition::Missing => format!("{value} IS NULL"),
        Condition::Within(None, None) => format!("{value} IS NOT NULL"),
        Condition::Within(Some(after), None) => format!("{value} > {}", number(*after)),
        Condition::Within(None, Some(to)) => format!("{value} <= {}", number(*to)),
        Condition::Within(Some(after), Some(to)) => {
            format!("({value} > {} AND {value} <= {})", number(*after), number(*to))
        }
        Condition::OneOf(levels) => format!("{value} IN ({})", list(levels)),
        Condition::NoneOf(levels) if levels.is_empty() => format!("{value} IS NOT NULL"),
        Condition::NoneOf(levels) => format!("{value} NOT IN ({})", list(levels)),
    }
}

fn list(levels: &[&str]) -> String {
    let quoted: Vec<String> = levels.iter().map(|level| format!("'{}'", level.replace('\'', "''"))).collect();
    quoted.join(", ")
}

fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// In brackets where a sign would follow an operator: two minus signs begin a comment.
fn signed(value: f64) -> String {
    if value.is_sign_negative() { format!("({})", number(value)) } else { number(value) }
}
