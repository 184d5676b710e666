//! What a column is for, guessed from its name, its values and its signal. When in doubt it is no feature.

use crate::data::contract::Role;
use crate::data::contract::protected::{find_characteristic, words_of};
use crate::data::infer::kind::Census;
use crate::data::leak::LeakSuspicion;
use crate::data::table::Kind;

/// What is known of a column when its role is guessed.
pub struct Evidence<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub census: &'a Census<'a>,
    /// Rows of the sample.
    pub rows: usize,
    pub suspicion: Option<&'a LeakSuspicion>,
    /// Characteristics that the law protects are kept apart.
    pub protect: bool,
}

const PERSON: [&str; 14] = [
    "surname",
    "firstname",
    "lastname",
    "forename",
    "name",
    "email",
    "mail",
    "phone",
    "mobile",
    "address",
    "street",
    "ssn",
    "iban",
    "passport",
];
const KEY: [&str; 5] = ["id", "uuid", "key", "number", "no"];
/// Text with more levels is no category.
const LEVELS_MAX: usize = 1_000;
/// A name of a person needs as many values before it is believed to be one.
const PERSON_LEVELS_MIN: usize = 100;

pub fn guess_role(evidence: &Evidence<'_>) -> (Role, String) {
    let words = words_of(evidence.name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let distinct = evidence.census.len();
    let present: usize = evidence.census.values().sum();
    let said = |role, reason: &str| (role, reason.to_string());
    if distinct <= 1 {
        return said(Role::Ignored, "it has no two different values");
    }
    if evidence.kind == Kind::Text && distinct >= PERSON_LEVELS_MIN && has(&PERSON) {
        return said(Role::Pii, "its name and its many values say that it identifies a person");
    }
    let unique = distinct as f64 >= 0.95 * present as f64;
    if has(&KEY) && evidence.kind != Kind::Date && (unique || (has(&KEY[..3]) && 2 * distinct > present)) {
        return match is_row_counter(evidence, distinct) && !has(&KEY[..3]) {
            true => said(Role::Ignored, "it counts the rows"),
            false => said(Role::Id, "it is named like a key and its values hardly repeat"),
        };
    }
    if is_row_counter(evidence, distinct) {
        return said(Role::Ignored, "it counts the rows");
    }
    if let Some(suspicion) = evidence.suspicion {
        return (Role::Leak, format!("suspicious {}", suspicion.message()));
    }
    if evidence.kind == Kind::Date {
        return said(Role::Ignored, "a date is no feature; it can split the rows by time");
    }
    if evidence.kind == Kind::Integer && words.last().is_some_and(|word| word == "year") {
        return said(Role::Ignored, "a year is a time; later rows have years no model has seen");
    }
    if evidence.kind == Kind::Text && (distinct > LEVELS_MAX || distinct * 20 > present) {
        return (Role::Ignored, format!("free text: {distinct} different values in {present} rows"));
    }
    if let Some(found) = find_characteristic(evidence.name).filter(|_| evidence.protect) {
        return (Role::Protected, format!("its name is that of a protected characteristic ({})", found.word));
    }
    said(Role::Feature, "nothing speaks against it")
}

/// Whole numbers without gap or repetition: a spreadsheet's row numbers.
fn is_row_counter(evidence: &Evidence<'_>, distinct: usize) -> bool {
    if evidence.kind != Kind::Integer || distinct < evidence.rows || evidence.rows < 20 {
        return false;
    }
    let numbers = evidence.census.keys().filter_map(|text| text.parse::<i64>().ok());
    let (min, max) = numbers.fold((i64::MAX, i64::MIN), |(low, high), n| (low.min(n), high.max(n)));
    (0..=1).contains(&min) && max.checked_sub(min).is_some_and(|span| span < 2 * distinct as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::infer::kind::take_census;
    use crate::data::leak::judge;

    #[test]
    fn roles_follow_from_names_and_values() {
        let many: Vec<String> = (0..400).map(|n| format!("{}", 7_000 + n * 13)).collect();
        let counter: Vec<String> = (1..=400).map(|n| n.to_string()).collect();
        let few: Vec<String> = (0..400).map(|n| format!("{}", n % 7)).collect();
        let role = |name: &str, kind, values: &[String]| {
            let census = take_census(values.iter().map(String::as_str));
            let suspicion = judge(name, false, None);
            let suspicion = suspicion.as_ref();
            guess_role(&Evidence { name, kind, census: &census, rows: 400, suspicion, protect: true }).0
        };
        assert_eq!(role("CustomerId", Kind::Integer, &many), Role::Id);
        assert_eq!(role("RowNumber", Kind::Integer, &counter), Role::Ignored);
        assert_eq!(role("income", Kind::Integer, &many), Role::Feature);
        assert_eq!(role("Surname", Kind::Text, &many), Role::Pii);
        assert_eq!(role("emp_title", Kind::Text, &many), Role::Ignored);
        assert_eq!(role("telephone", Kind::Text, &few), Role::Feature);
        assert_eq!(role("Age", Kind::Integer, &few), Role::Protected);
        assert_eq!(role("issue_d", Kind::Date, &many), Role::Ignored);
        assert_eq!(role("last_pymnt_amnt", Kind::Number, &few), Role::Leak);
        assert_eq!(role("grade", Kind::Text, &few), Role::Feature);
        assert_eq!(role("grade", Kind::Text, &few[..1]), Role::Ignored);
    }
}
