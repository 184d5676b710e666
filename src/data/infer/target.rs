//! Which column is the outcome and which of its values is the positive one, where nobody said.

use crate::data::contract::protected::words_of;
use crate::data::infer::kind::Census;

/// Words that name an outcome, the clearest first.
const NAMES: [&str; 15] = [
    "target",
    "label",
    "outcome",
    "default",
    "defaulted",
    "bad",
    "churn",
    "exited",
    "attrition",
    "completion",
    "completed",
    "approved",
    "converted",
    "response",
    "status",
];

/// Values that are the positive one of two, the clearest first.
const POSITIVE: [&str; 8] = ["true", "yes", "y", "bad", "default", "charged off", "churned", "approved"];

/// The column of two values that is named like an outcome, or else the last column if it has two values.
pub fn guess_target(header: &[String], censuses: &[Census<'_>]) -> Option<(usize, String)> {
    let binary: Vec<usize> =
        (0..header.len()).filter(|at| censuses.get(*at).is_some_and(|c| c.len() == 2)).collect();
    for name in NAMES {
        let found = binary.iter().find(|at| words_of(&header[**at]).iter().any(|word| word == name));
        if let Some(at) = found {
            return Some((*at, format!("two values, and named like an outcome ({name})")));
        }
    }
    let last = binary.last().filter(|at| **at + 1 == header.len())?;
    Some((*last, "two values, in the last column".to_string()))
}

/// One of two values: a word for yes, or else the rarer.
pub fn guess_positive(census: &Census<'_>) -> Option<(String, String)> {
    if census.len() != 2 {
        return None;
    }
    for word in POSITIVE {
        if let Some(value) = census.keys().find(|value| value.eq_ignore_ascii_case(word)) {
            return Some((value.to_string(), "the word for yes".to_string()));
        }
    }
    if census.contains_key("0") && census.contains_key("1") {
        return Some(("1".to_string(), "one against zero".to_string()));
    }
    let (rarer, _) = census.iter().min_by_key(|(_, rows)| **rows)?;
    Some((rarer.to_string(), "the rarer of two values".to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::infer::kind::take_census;

    #[test]
    fn the_outcome_is_found_by_name_before_place() {
        let header = ["sex", "LoanStatus", "y"].map(String::from);
        let two = take_census(["a", "b", "b"].into_iter());
        let three = take_census(["a", "b", "c"].into_iter());
        let found =
            |censuses: [&Census<'_>; 3]| guess_target(&header, &censuses.map(Clone::clone)).map(|(at, _)| at);
        assert_eq!(found([&two, &two, &two]), Some(1));
        assert_eq!(found([&two, &three, &two]), Some(2));
        assert_eq!(found([&two, &three, &three]), None);
        assert_eq!(guess_positive(&two).unwrap().0, "a");
        let yes = take_census(["Yes", "Yes", "No"].into_iter());
        assert_eq!(guess_positive(&yes).unwrap().0, "Yes");
        let codes = take_census(["1", "1", "2"].into_iter());
        assert_eq!(guess_positive(&codes).unwrap().0, "2");
    }
}
