//! What kind of values a column of texts holds, with the cast and the spellings of missing it needs.
//! A column is a number only if every present value is; one stray word makes it text.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::contract::Cast;
use crate::data::spelling::{self, Decimal, WHOLE_MAX, is_missing_word};
use crate::data::table::Kind;

#[derive(Clone, Debug, PartialEq)]
pub struct KindGuess {
    pub kind: Kind,
    pub cast: Option<Cast>,
    /// Spellings of missing beside those that are always known.
    pub missing: Vec<String>,
    pub reason: String,
}

/// Distinct texts of a column with their rows; the empty text is left out.
pub type Census<'a> = BTreeMap<&'a str, usize>;

pub fn take_census<'a>(cells: impl Iterator<Item = &'a str>) -> Census<'a> {
    let mut census = Census::new();
    cells.filter(|cell| !cell.is_empty()).for_each(|cell| *census.entry(cell).or_insert(0) += 1);
    census
}

pub fn guess_kind(census: &Census<'_>, decimal: Decimal) -> KindGuess {
    let fit = |kind, cast, reason, fits| Fit { kind, cast, reason, fits };
    let number = |text: &str| spelling::number(text, decimal).is_some();
    let percent = |text: &str| spelling::percent(text, decimal).is_some();
    let date = |text: &str| spelling::date(text).is_some();
    let month = |text: &str| spelling::month_year(text).is_some();
    let fits = [
        fit(Kind::Boolean, None, "only true and false", &is_truth_word),
        fit(Kind::Integer, None, "only whole numbers", &is_whole),
        fit(Kind::Number, None, "only numbers", &number),
        fit(Kind::Number, Some(Cast::Percent), "numbers with a percent sign", &percent),
        fit(Kind::Date, None, "only ISO dates", &date),
        fit(Kind::Date, Some(Cast::MonthYear), "only months such as Dec-2011", &month),
    ];
    for Fit { kind, cast, reason, fits } in fits {
        let Some(missing) = find_placeholders(census, fits) else { continue };
        if kind != Kind::Date && census.keys().any(|text| has_leading_zero(text)) {
            return text_guess(census, "leading zeros would be lost in a number");
        }
        let reason = with_placeholders(reason, &missing);
        return KindGuess { kind, cast, missing, reason };
    }
    guess_unit(census, decimal).unwrap_or_else(|| text_guess(census, "words"))
}

/// A kind and what its texts look like.
struct Fit<'a> {
    kind: Kind,
    cast: Option<Cast>,
    reason: &'static str,
    fits: &'a dyn Fn(&str) -> bool,
}

/// The spellings of missing that remain where all else fits; `None` where something else remains or nothing fits.
fn find_placeholders(census: &Census<'_>, fit: &dyn Fn(&str) -> bool) -> Option<Vec<String>> {
    let (fitting, rest): (Vec<&str>, Vec<&str>) = census.keys().copied().partition(|text| fit(text));
    let strange: Vec<&str> = rest.into_iter().filter(|text| !is_missing_word(text)).collect();
    let all_known = strange.iter().all(|text| is_placeholder(text));
    (!fitting.is_empty() && all_known).then(|| strange.into_iter().map(String::from).collect())
}

fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 9] =
        ["?", "-", "--", ".", "*", "unknown", "missing", "not available", "not applicable"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn with_placeholders(reason: &str, missing: &[String]) -> String {
    if missing.is_empty() {
        return reason.to_string();
    }
    let quoted: Vec<String> = missing.iter().map(|m| format!("{m:?}")).collect();
    format!("{reason}, and {} for a missing one", quoted.join(", "))
}

fn is_truth_word(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn is_whole(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|i| (i as f64).abs() < WHOLE_MAX)
}

/// `0421` is a code, not a number; `0` and `0.5` are numbers.
fn has_leading_zero(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit())
}

/// `36 months`, `60 months`: numbers with one unit behind them.
fn guess_unit(census: &Census<'_>, decimal: Decimal) -> Option<KindGuess> {
    let mut units = BTreeSet::new();
    let mut whole = true;
    for text in census.keys().filter(|text| !is_missing_word(text)) {
        let (head, unit) = text.split_once(' ')?;
        spelling::number(head, decimal)?;
        whole &= is_whole(head);
        units.insert(unit.trim().trim_end_matches('s'));
    }
    let unit = units.first().filter(|unit| units.len() == 1 && unit.chars().all(char::is_alphabetic))?;
    let kind = if whole { Kind::Integer } else { Kind::Number };
    let reason = format!("numbers with the unit {unit:?}");
    Some(KindGuess { kind, cast: Some(Cast::FirstNumber), missing: Vec::new(), reason })
}

fn text_guess(census: &Census<'_>, reason: &str) -> KindGuess {
    // `None` and `no` may be answers; these are not.
    const WORDS: [&str; 11] = ["NA", "N/A", "n/a", "nan", "NaN", "NULL", "null", "#N/A", "<NA>", "?", "-"];
    let found = WORDS.iter().filter(|word| census.contains_key(**word));
    let missing: Vec<String> = found.map(|word| word.to_string()).collect();
    let reason = with_placeholders(reason, &missing);
    KindGuess { kind: Kind::Text, cast: None, missing, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(texts: &[&str]) -> (Kind, Option<Cast>, Vec<String>) {
        let guess = guess_kind(&take_census(texts.iter().copied()), Decimal::Point);
        (guess.kind, guess.cast, guess.missing)
    }

    #[test]
    fn kinds_are_guessed_from_all_values() {
        let none: Vec<String> = vec![];
        assert_eq!(guess(&["1", "-2", "", "NA"]), (Kind::Integer, None, none.clone()));
        assert_eq!(guess(&["1", "2.5", "?"]), (Kind::Number, None, vec!["?".to_string()]));
        assert_eq!(guess(&["1.5%", "12 %"]), (Kind::Number, Some(Cast::Percent), none.clone()));
        assert_eq!(guess(&["2020-01-01", "2020-01-01 10:00"]), (Kind::Date, None, none.clone()));
        assert_eq!(guess(&["Dec-2011", "Jan-2012"]), (Kind::Date, Some(Cast::MonthYear), none.clone()));
        assert_eq!(
            guess(&["36 months", "60 months", "1 month"]),
            (Kind::Integer, Some(Cast::FirstNumber), none.clone())
        );
        assert_eq!(guess(&["True", "false", ""]), (Kind::Boolean, None, none.clone()));
        assert_eq!(guess(&["Yes", "No"]), (Kind::Text, None, none.clone()));
        assert_eq!(guess(&["1", "2", "three"]), (Kind::Text, None, none.clone()));
        assert_eq!(guess(&["0421", "1234"]), (Kind::Text, None, none.clone()));
        assert_eq!(guess(&["0000", "x"]), (Kind::Text, None, none.clone()));
        assert_eq!(guess(&["99999999999999999999"]), (Kind::Number, None, none.clone()));
        assert_eq!(guess(&["", "NA"]), (Kind::Text, None, vec!["NA".to_string()]));
        assert_eq!(guess(&["a", "n/a", "None"]), (Kind::Text, None, vec!["n/a".to_string()]));
    }
}
