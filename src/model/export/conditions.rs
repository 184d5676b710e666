//! Sets of codes as conditions on the raw value, the same for every export: each holds for exactly those codes.
//! Writes no language.

use crate::model::export::fields::{FieldText, FieldValues};

/// One of these holds for a value of the set, and none for another.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<'a> {
    Missing,
    /// Present, above the first (where there is one) and up to the second.
    Within(Option<f64>, Option<f64>),
    OneOf(Vec<&'a str>),
    /// Present and none of these.
    NoneOf(Vec<&'a str>),
}

/// Empty where the set has no code of this field.
pub fn conditions(field: &FieldText, has: impl Fn(u8) -> bool) -> Vec<Condition<'_>> {
    let mut found = Vec::new();
    if has(0) {
        found.push(Condition::Missing);
    }
    match &field.values {
        FieldValues::Cuts(cuts) => intervals(cuts, has, &mut found),
        FieldValues::Levels { levels, other } => {
            let fallback = if *other { u8::try_from(levels.len() + 1).unwrap_or(u8::MAX) } else { 0 };
            let among = |wanted: bool| -> Vec<&str> {
                let named = (1..=u8::MAX).zip(levels).filter(|(code, _)| has(*code) == wanted);
                named.map(|(_, level)| level.as_str()).collect()
            };
            if has(fallback) {
                found.push(Condition::NoneOf(among(false)));
            } else {
                let levels = among(true);
                if !levels.is_empty() {
                    found.push(Condition::OneOf(levels));
                }
            }
        }
    }
    found
}

fn intervals(cuts: &[f64], has: impl Fn(u8) -> bool, found: &mut Vec<Condition<'_>>) {
    let last = cuts.len() + 1;
    let holds = |code: usize| u8::try_from(code).is_ok_and(&has);
    let mut code = 1;
    while code <= last {
        if !holds(code) {
            code += 1;
            continue;
        }
        let from = code;
        while code < last && holds(code + 1) {
            code += 1;
        }
        let after = if from > 1 { cuts.get(from - 2).copied() } else { None };
        found.push(Condition::Within(after, cuts.get(code - 1).copied()));
        code += 1;
    }
}
