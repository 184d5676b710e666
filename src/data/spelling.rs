//! How a text spells a number, a boolean or a date, and the one spelling we write each in.
//! Strict: what could mean two things means nothing here.

use crate::base::clock::{iso_date, parse_iso_date};

/// The sign between the whole part of a number and its fraction, one for a whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decimal {
    #[default]
    Point,
    Comma,
}

impl Decimal {
    pub fn sign(self) -> u8 {
        match self {
            Self::Point => b'.',
            Self::Comma => b',',
        }
    }
}

/// Whole numbers up to here are exact in a table's cells.
pub const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A finite decimal number: digits, one decimal sign, an exponent; no thousands, no `nan`, no `inf`.
pub fn number(text: &str, decimal: Decimal) -> Option<f64> {
    if !is_number(text.as_bytes(), decimal.sign()) {
        return None;
    }
    let value: f64 = match decimal {
        Decimal::Point => text.parse().ok()?,
        Decimal::Comma => text.replace(',', ".").parse().ok()?,
    };
    value.is_finite().then_some(value)
}

fn is_number(bytes: &[u8], sign: u8) -> bool {
    let unsigned = bytes.strip_prefix(b"-").or_else(|| bytes.strip_prefix(b"+")).unwrap_or(bytes);
    let whole = digits(unsigned);
    let (_, rest) = unsigned.split_at(whole);
    let (fraction, rest) = match rest.split_first() {
        Some((&first, tail)) if first == sign => (digits(tail), &tail[digits(tail)..]),
        _ => (0, rest),
    };
    whole + fraction > 0 && is_exponent(rest)
}

fn is_exponent(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        None => true,
        Some((b'e' | b'E', tail)) => {
            let unsigned = tail.strip_prefix(b"-").or_else(|| tail.strip_prefix(b"+")).unwrap_or(tail);
            !unsigned.is_empty() && digits(unsigned) == unsigned.len()
        }
        Some(_) => false,
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// `13.5%` as 0.135. Without the sign a number is the fraction it says, so that what was cast once stays as it is.
pub fn percent(text: &str, decimal: Decimal) -> Option<f64> {
    match text.strip_suffix('%') {
        None => number(text, decimal),
        Some(head) => {
            let head = head.trim_end();
            number(head, decimal)?;
            // Shifting the decimal exponent in the text rounds once; dividing by 100 would round twice.
            let plain = head.replace(',', ".");
            if plain.contains(['e', 'E']) { None } else { format!("{plain}e-2").parse().ok() }
        }
    }
}

/// The first number of a text: `36 months` is 36, `< 1 year` is 1, `-3 dB` is -3.
pub fn first_number(text: &str, decimal: Decimal) -> Option<f64> {
    if let Some(value) = number(text, decimal) {
        return Some(value);
    }
    let bytes = text.as_bytes();
    let first = bytes.iter().position(u8::is_ascii_digit)?;
    let begins = |at: usize| at == 0 || bytes[at - 1] == b' ';
    let leads_with = |sign: u8, at: usize| at > 0 && bytes[at - 1] == sign && begins(at - 1);
    let mut end = first + digits(&bytes[first..]);
    let fraction_only = leads_with(decimal.sign(), first);
    if !fraction_only && bytes.get(end) == Some(&decimal.sign()) {
        let fraction = digits(&bytes[end + 1..]);
        end += if fraction > 0 { 1 + fraction } else { 0 };
    }
    let start = if fraction_only || leads_with(b'-', first) { first - 1 } else { first };
    number(text.get(start..end)?, decimal)
}

pub fn boolean(text: &str) -> Option<bool> {
    const TRUE: [&str; 5] = ["true", "yes", "y", "t", "1"];
    const FALSE: [&str; 5] = ["false", "no", "n", "f", "0"];
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match text {
        // What other programs make of a boolean column with gaps.
        "1.0" | "1,0" => Some(true),
        "0.0" | "0,0" => Some(false),
        _ if is_one_of(&TRUE) => Some(true),
        _ if is_one_of(&FALSE) => Some(false),
        _ => None,
    }
}

/// An ISO date, or the date part of an ISO date and time, as days since 1970-01-01.
pub fn date(text: &str) -> Option<f64> {
    let (day, rest) = text.split_at_checked(10)?;
    let b = day.as_bytes();
    let shape =
        b.iter().enumerate().all(|(i, c)| if i == 4 || i == 7 { *c == b'-' } else { c.is_ascii_digit() });
    if shape && is_time_of_day(rest) { parse_iso_date(day) } else { None }
}

fn is_time_of_day(rest: &str) -> bool {
    let Some(time) = rest.strip_prefix(['T', ' ']) else { return rest.is_empty() };
    let clock = time.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.')).count();
    let (clock, zone) = time.split_at(clock);
    let parts: Vec<&str> = clock.split(':').collect();
    let two = |part: &&str, max: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|n| n <= max);
    let seconds = |part: &&str| two(&part.split('.').next().unwrap_or(""), 60);
    let good_clock = match parts.as_slice() {
        [hour, minute] => two(hour, 23) && two(minute, 59),
        [hour, minute, second] => two(hour, 23) && two(minute, 59) && seconds(second),
        _ => false,
    };
    let offset = |z: &str| {
        z.strip_prefix(['+', '-']).is_some_and(|o| o.bytes().all(|b| b.is_ascii_digit() || b == b':'))
    };
    good_clock && (zone.is_empty() || zone == "Z" || zone == " UTC" || offset(zone))
}

/// `Dec-2011` as the first of that month; an ISO date stays what it is.
pub fn month_year(text: &str) -> Option<f64> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let Some((month, year)) = text.split_once(['-', ' ', '/']) else { return date(text) };
    match MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month)) {
        Some(at) if year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) => {
            parse_iso_date(&format!("{year}-{:02}-01", at + 1))
        }
        Some(_) => None,
        None => date(text),
    }
}

/// Words other programs write into an empty number, boolean or date. For text only an empty cell is missing.
pub fn is_missing_word(text: &str) -> bool {
    const WORDS: [&str; 8] = ["na", "n/a", "nan", "null", "none", "#n/a", "<na>", "nat"];
    (2..=4).contains(&text.len()) && WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The shortest text that reads back as the same number.
pub fn number_text(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_string()
    } else if (1e-5..1e17).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// A date's one spelling; a day count outside the calendar stays a number.
pub fn date_text(days: f64) -> String {
    iso_date(days).unwrap_or_else(|| number_text(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict_and_know_one_decimal_sign() {
        for (text, value) in [("36", 36.0), ("-1.5e3", -1500.0), (".5", 0.5), ("+7.", 7.0), ("0012", 12.0)] {
            assert_eq!(number(text, Decimal::Point), Some(value), "{text}");
        }
        for text in
            ["nan", "inf", "-infinity", "1e999", "1,5", "1 000", "", "-", ".", "e5", "1e", "0x1f", "1_0"]
        {
            assert_eq!(number(text, Decimal::Point), None, "{text}");
        }
        assert_eq!(number("1234,56", Decimal::Comma), Some(1234.56));
        for text in ["1.234", "1.234,56", "1,2,3"] {
            assert_eq!(number(text, Decimal::Comma), None, "{text}");
        }
    }

    #[test]
    fn a_percentage_is_rounded_once() {
        assert_eq!(percent("10.65%", Decimal::Point), Some(0.1065));
        assert_eq!(percent("13,5 %", Decimal::Comma), Some(0.135));
        assert_eq!(percent("0.135", Decimal::Point), Some(0.135));
        for per_mille in 0..10_000 {
            let (whole, rest) = (per_mille / 100, per_mille % 100);
            let expected: f64 = format!("{}e-4", per_mille).parse().unwrap();
            assert_eq!(percent(&format!("{whole}.{rest:02}%"), Decimal::Point), Some(expected));
        }
        assert_eq!(percent("%", Decimal::Point), None);
    }

    #[test]
    fn the_first_number_of_a_text_is_found() {
        let cases = [
            (" 36 months", 36.0),
            ("10+ years", 10.0),
            ("< 1 year", 1.0),
            ("about 2.5 km.", 2.5),
            ("-3 dB", -3.0),
            ("x .25", 0.25),
            ("1-3 years", 1.0),
            ("5. floor", 5.0),
            ("No.5", 5.0),
        ];
        for (text, value) in cases {
            assert_eq!(first_number(text, Decimal::Point), Some(value), "{text}");
        }
        assert_eq!(first_number("ca. 2,5 km", Decimal::Comma), Some(2.5));
        assert_eq!(first_number("none", Decimal::Point), None);
    }

    #[test]
    fn dates_are_iso_and_may_carry_a_time() {
        let day = date("2011-12-31");
        for text in ["2011-12-31T23:59:60Z", "2011-12-31 10:00", "2011-12-31T10:00:00.123+01:00"] {
            assert_eq!(date(text), day, "{text}");
        }
        for text in [
            "2011-12-31x",
            "2011-02-30",
            "31.12.2011",
            "20111231",
            "2011-12-31T25:00",
            "2011-1-1",
            "é011-12-31",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(month_year("Dec-2011"), date("2011-12-01"));
        assert_eq!(month_year("2011-12-01"), date("2011-12-01"));
        assert_eq!(month_year("Dec-11"), None);
        assert_eq!(date_text(day.unwrap()), "2011-12-31");
    }

    #[test]
    fn booleans_have_their_usual_spellings() {
        assert!(["Yes", "TRUE", "t", "1", "1.0"].iter().all(|t| boolean(t) == Some(true)));
        assert!(["n", "False", "0"].iter().all(|t| boolean(t) == Some(false)));
        assert_eq!(boolean("2"), None);
    }

    #[test]
    fn a_written_number_reads_back_as_itself() {
        for value in [0.1, -0.0, 1e300, 5e-324, 123456789.123, 1e17, 9.007199254740993e15, 1e-5, 0.3 - 0.1] {
            assert_eq!(number(&number_text(value), Decimal::Point), Some(value), "{value}");
        }
        assert_eq!(number_text(36.0), "36");
    }
}
