//! What a person typed, read as they meant it where only one meaning fits: comma or point, thousands set apart.
//! Where two fit it asks; it never guesses. What a row may hold is the contract's affair, which is asked afterwards.

use crate::data::contract::Cast;
use crate::data::table::Kind;
use crate::http::pages::decide::fields::Field;

/// What is wrong with a field, as the person is told it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    Required,
    Choose,
    NotANumber,
    NotWhole,
    /// Both readings fit.
    TwoReadings(String, String),
    NotADate,
    Below(f64),
    Above(f64),
    TooLong,
    Other,
}

/// The value as a row carries it; nothing where the field is empty.
pub fn read(field: &Field, text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        let missing = if field.levels.is_empty() { Fault::Required } else { Fault::Choose };
        return if field.required { Err(missing) } else { Ok(None) };
    }
    match field.kind {
        Kind::Integer | Kind::Number => read_number(field, text).map(Some),
        Kind::Date => read_date(field, text).map(Some),
        Kind::Boolean | Kind::Text => Ok(Some(text.to_string())),
    }
}

fn read_number(field: &Field, text: &str) -> Result<String, Fault> {
    let worded = text.chars().any(char::is_alphabetic);
    if worded && field.cast == Some(Cast::FirstNumber) {
        return Ok(text.to_string());
    }
    let bare = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '%' | '$' | '€' | '£'));
    let mut readings = readings_of(bare).ok_or(Fault::NotANumber)?;
    // A whole number has no fraction: what can set its thousands apart does.
    if field.kind == Kind::Integer && readings.len() > 1 {
        readings.remove(0);
    }
    let fitting: Vec<&String> =
        readings.iter().filter(|reading| fault_of(field, reading).is_none()).collect();
    let chosen = match fitting[..] {
        [one] => one.clone(),
        [one, other, ..] => return Err(Fault::TwoReadings(one.clone(), other.clone())),
        [] => {
            let meant = if bare.contains(',') { readings.last() } else { readings.first() };
            return Err(meant.and_then(|meant| fault_of(field, meant)).unwrap_or(Fault::NotANumber));
        }
    };
    Ok(if field.is_percent() { format!("{chosen}%") } else { chosen })
}

fn fault_of(field: &Field, reading: &str) -> Option<Fault> {
    let Ok(value) = reading.parse::<f64>() else { return Some(Fault::NotANumber) };
    if field.kind == Kind::Integer && value.fract() != 0.0 {
        return Some(Fault::NotWhole);
    }
    match (field.bound(field.min), field.bound(field.max)) {
        (Some(min), _) if value < min => Some(Fault::Below(min)),
        (_, Some(max)) if value > max => Some(Fault::Above(max)),
        _ => None,
    }
}

/// The numbers a text may mean, in plain spelling: the one with a decimal sign first, if there are two.
fn readings_of(text: &str) -> Option<Vec<String>> {
    let (sign, unsigned) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let marks = |c: char| unsigned.matches(c).count();
    let readings = match (marks(','), marks('.')) {
        (0, 0) => vec![plain(unsigned, None)?],
        (0, 1) | (1, 0) => {
            let mark = if marks(',') == 1 { ',' } else { '.' };
            let whole = plain(unsigned, Some(mark));
            let readings: Vec<String> = decimal(unsigned, mark).into_iter().chain(whole).collect();
            if readings.is_empty() { None } else { Some(readings) }?
        }
        (_, 0) => vec![plain(unsigned, Some(','))?],
        (0, _) => vec![plain(unsigned, Some('.'))?],
        // The one that stands last parts the fraction, and stands once.
        _ => {
            let last = unsigned.rfind(['.', ','])?;
            let (mark, other) = if unsigned[last..].starts_with(',') { (',', '.') } else { ('.', ',') };
            let (whole, fraction) = unsigned.split_once(mark)?;
            vec![format!("{}.{}", plain(whole, Some(other))?, digits(fraction)?)]
        }
    };
    Some(readings.into_iter().map(|reading| format!("{sign}{reading}")).collect())
}

fn decimal(text: &str, mark: char) -> Option<String> {
    let (whole, fraction) = text.split_once(mark)?;
    let whole = if whole.is_empty() { "0".to_string() } else { plain(whole, None)? };
    Some(format!("{whole}.{}", digits(fraction)?))
}

/// A whole number: digits alone, or groups of three set apart by `mark`, a space or an apostrophe.
fn plain(text: &str, mark: Option<char>) -> Option<String> {
    let apart = |c: char| {
        Some(c) == mark || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}')
    };
    let groups: Vec<&str> = text.split(apart).collect();
    let (first, rest) = groups.split_first()?;
    let good_first = rest.is_empty() || (1..=3).contains(&first.len()) && !first.starts_with('0');
    let good_rest = rest.iter().all(|group| group.len() == 3);
    (good_first && good_rest).then(|| digits(&groups.concat())).flatten()
}

fn digits(text: &str) -> Option<String> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.to_string())
}

/// A date as people write it: the year first, the month by its name, or month and year alone.
fn read_date(field: &Field, text: &str) -> Result<String, Fault> {
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ']).filter(|part| !part.is_empty()).collect();
    let number = |part: &str, most: u32| {
        let good = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|n| good && (1..=most).contains(n))
    };
    let is_year = |part: &str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_digit());
    let iso = match parts[..] {
        [year, month, day] if is_year(year) => {
            number(month, 12).zip(number(day, 31)).map(|(month, day)| format!("{year}-{month:02}-{day:02}"))
        }
        [month, year] if is_year(year) && field.cast == Some(Cast::MonthYear) => match number(month, 12) {
            Some(month) => Some(format!("{year}-{month:02}-01")),
            None => Some(format!("{}-{year}", month.get(..3).unwrap_or(month))),
        },
        [year, month] if is_year(year) && field.cast == Some(Cast::MonthYear) => {
            number(month, 12).map(|month| format!("{year}-{month:02}-01"))
        }
        _ => None,
    };
    iso.ok_or(Fault::NotADate)
}

/// What the contract found wrong, by its stable code.
pub fn fault_of_code(field: &Field, code: &str) -> Fault {
    match code {
        "required" => Fault::Required,
        "levels" => Fault::Choose,
        "min" => field.bound(field.min).map_or(Fault::Other, Fault::Below),
        "max" => field.bound(field.max).map_or(Fault::Other, Fault::Above),
        "length" => Fault::TooLong,
        "type" if field.kind == Kind::Date => Fault::NotADate,
        "type" if field.kind == Kind::Integer => Fault::NotWhole,
        "type" if field.is_number() => Fault::NotANumber,
        _ => Fault::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: Kind, min: f64, max: f64) -> Field {
        Field {
            column: "x".into(),
            label: "X".into(),
            help: None,
            unit: None,
            example: None,
            section: None,
            kind,
            cast: None,
            required: true,
            min: Some(min),
            max: Some(max),
            levels: Vec::new(),
            default: None,
            is_subject: false,
        }
    }

    fn number(text: &str) -> Result<String, Fault> {
        read(&field(Kind::Number, 0.0, 1e7), text).map(Option::unwrap_or_default)
    }

    #[test]
    fn a_number_is_read_as_it_is_written_here_or_elsewhere() {
        for (text, value) in [
            ("1234.5", "1234.5"),
            ("1234,5", "1234.5"),
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1 234,5", "1234.5"),
            ("1'234'567.25", "1234567.25"),
            ("1,234,567", "1234567"),
            ("0,135", "0.135"),
            (".5", "0.5"),
            ("$ 24000", "24000"),
            (" 12 ", "12"),
        ] {
            assert_eq!(number(text).as_deref(), Ok(value), "{text}");
        }
        for bad in ["", "abc", "12a", "1,23,456", "1..2", "1,2.3,4", "--1", "1e5", "12 34", ",", "1,"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_may_mean_two_things_is_asked_unless_one_alone_fits() {
        assert_eq!(number("45,000"), Err(Fault::TwoReadings("45.000".into(), "45000".into())));
        let whole = field(Kind::Integer, 500.0, 40_000.0);
        for text in ["24,000", "24.000", "24 000", "24000"] {
            assert_eq!(read(&whole, text), Ok(Some("24000".into())), "{text}");
        }
        assert_eq!(read(&field(Kind::Number, 0.0, 100.0), "14,460"), Ok(Some("14.460".into())));
        assert_eq!(read(&field(Kind::Number, 500.0, 1e6), "45,000"), Ok(Some("45000".into())));
        assert_eq!(read(&whole, "12.5"), Err(Fault::NotWhole));
        assert_eq!(read(&whole, "50,000"), Err(Fault::Above(40_000.0)));
    }

    #[test]
    fn a_share_is_typed_in_percent_with_or_without_the_sign() {
        let share = Field { cast: Some(Cast::Percent), ..field(Kind::Number, 0.0, 0.4) };
        for text in ["13.5", "13,5", "13.5%", "13,5 %"] {
            assert_eq!(read(&share, text), Ok(Some("13.5%".into())), "{text}");
        }
        assert_eq!(read(&share, "41"), Err(Fault::Above(40.0)));
        let term = Field { cast: Some(Cast::FirstNumber), ..field(Kind::Integer, 12.0, 84.0) };
        assert_eq!(read(&term, "36 months"), Ok(Some("36 months".into())));
    }

    #[test]
    fn dates_are_forgiven_their_order_only_where_it_is_clear() {
        let date = field(Kind::Date, 0.0, 0.0);
        let month = Field { cast: Some(Cast::MonthYear), ..date.clone() };
        assert_eq!(read(&date, "1997-5-1"), Ok(Some("1997-05-01".into())));
        assert_eq!(read(&month, "05/1997"), Ok(Some("1997-05-01".into())));
        assert_eq!(read(&month, "May 1997"), Ok(Some("May-1997".into())));
        assert_eq!(read(&month, "December 2001"), Ok(Some("Dec-2001".into())));
        assert_eq!(read(&month, "1997-05"), Ok(Some("1997-05-01".into())));
        for bad in ["01.05.1997", "5/6/97", "97", "soon"] {
            assert_eq!(read(&date, bad), Err(Fault::NotADate), "{bad}");
        }
    }
}
