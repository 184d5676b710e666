//! Conditions as PMML predicates. A predicate on a missing value is unknown, so only `isMissing` ever takes one.

use crate::model::export::conditions::Condition;
use crate::model::export::fields::{FieldText, number};
use crate::model::export::pmml::xml::Element;

/// One predicate that is true where one of the conditions holds; none where there is none.
pub fn predicate(field: &FieldText, held: &[Condition<'_>]) -> Option<Element> {
    let mut found: Vec<Element> = held.iter().map(|condition| one(field, condition)).collect();
    if found.len() > 1 { Some(compound("or", found)) } else { found.pop() }
}

fn one(field: &FieldText, condition: &Condition<'_>) -> Element {
    match condition {
        Condition::Missing => simple(field, "isMissing", None),
        Condition::Within(None, None) => simple(field, "isNotMissing", None),
        Condition::Within(Some(after), None) => simple(field, "greaterThan", Some(&number(*after))),
        Condition::Within(None, Some(to)) => simple(field, "lessOrEqual", Some(&number(*to))),
        Condition::Within(Some(after), Some(to)) => {
            let above = simple(field, "greaterThan", Some(&number(*after)));
            compound("and", vec![above, simple(field, "lessOrEqual", Some(&number(*to)))])
        }
        Condition::OneOf(levels) => among(field, levels, ("isIn", "equal", "or")),
        Condition::NoneOf(levels) if levels.is_empty() => simple(field, "isNotMissing", None),
        Condition::NoneOf(levels) => among(field, levels, ("isNotIn", "notEqual", "and")),
    }
}

fn simple(field: &FieldText, operator: &str, value: Option<&str>) -> Element {
    let predicate = Element::new("SimplePredicate").with("field", &field.name).with("operator", operator);
    match value {
        Some(value) => predicate.with("value", value),
        None => predicate,
    }
}

fn compound(operator: &str, parts: Vec<Element>) -> Element {
    let start = Element::new("CompoundPredicate").with("booleanOperator", operator);
    parts.into_iter().fold(start, Element::holding)
}

fn among(field: &FieldText, levels: &[&str], (set, each, join): (&str, &str, &str)) -> Element {
    if let [level] = levels {
        return simple(field, each, Some(level));
    }
    // An array's own quoting leaves open what a backslash or outer blanks mean: such levels stand one by one.
    let doubtful = |level: &&str| level.contains(['"', '\\']) || level.trim() != *level;
    if levels.iter().any(doubtful) {
        let parts = levels.iter().map(|level| simple(field, each, Some(level))).collect();
        return compound(join, parts);
    }
    let quoted: Vec<String> = levels.iter().map(|level| format!("\"{level}\"")).collect();
    let array = Element::new("Array").with("type", "string").with("n", &levels.len().to_string());
    let start = Element::new("SimpleSetPredicate").with("field", &field.name).with("booleanOperator", set);
    start.holding(array.saying(&quoted.join(" ")))
}
