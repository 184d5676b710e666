//! The dialect of a CSV file, told from its beginning: separator and decimal sign.
//! A contract helps (its names, its numeric columns); without one only the shape speaks.

use csv::ByteRecord;

use crate::data::import::bytes::{Encoding, TextFile};
use crate::data::spelling::{self, Decimal};

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
const RECORDS_MAX: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub separator: u8,
    pub decimal: Decimal,
}

/// What a contract knows of a header's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    Numeric,
    Other,
    Unknown,
}

/// Tells the dialect; `known` says what each word of the header means, if anything.
pub fn find_dialect(text: &TextFile, known: &dyn Fn(&str) -> Known) -> Dialect {
    let mut best: Option<(Score, u8, Vec<ByteRecord>)> = None;
    for separator in SEPARATORS {
        let records = first_records(text, separator);
        let score = Score::of(&records, text.encoding, known);
        if best.as_ref().is_none_or(|(top, ..)| score.beats(top)) {
            best = Some((score, separator, records));
        }
    }
    match best {
        Some((_, separator, records)) if separator != b',' => {
            Dialect { separator, decimal: find_decimal(&records, text.encoding, known) }
        }
        _ => Dialect { separator: b',', decimal: Decimal::Point },
    }
}

/// The first whole records of the sample, quotation marks respected.
fn first_records(text: &TextFile, separator: u8) -> Vec<ByteRecord> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.sample.as_slice());
    let mut records: Vec<ByteRecord> =
        reader.byte_records().map_while(Result::ok).take(RECORDS_MAX).collect();
    if !text.is_whole && records.len() > 1 && records.len() < RECORDS_MAX {
        records.pop();
    }
    records
}

/// How well a separator explains the file; compared field by field.
#[derive(Debug)]
struct Score {
    known: usize,
    /// Share of records as wide as the header; zero for a single column.
    even: f64,
    width: usize,
}

impl Score {
    fn of(records: &[ByteRecord], encoding: Encoding, known: &dyn Fn(&str) -> Known) -> Self {
        let Some(header) = records.first() else { return Self { known: 0, even: 0.0, width: 0 } };
        let width = header.len();
        let same = records.iter().filter(|r| r.len() == width).count();
        let even = if width > 1 { same as f64 / records.len() as f64 } else { 0.0 };
        Self { known: words(header, encoding).filter(|w| known(w) != Known::Unknown).count(), even, width }
    }

    fn beats(&self, other: &Self) -> bool {
        let order = self.known.cmp(&other.known).then(self.even.total_cmp(&other.even));
        order.then(self.width.cmp(&other.width)).is_gt()
    }
}

fn words(record: &ByteRecord, encoding: Encoding) -> impl Iterator<Item = String> {
    record.iter().map(move |cell| encoding.decode(cell).unwrap_or_default().trim().to_string())
}

/// The comma is the decimal sign where more numbers have it than have a point, and not all of them could be thousands.
fn find_decimal(records: &[ByteRecord], encoding: Encoding, known: &dyn Fn(&str) -> Known) -> Decimal {
    let Some((header, rows)) = records.split_first() else { return Decimal::Point };
    let meanings: Vec<Known> = words(header, encoding).map(|w| known(&w)).collect();
    let any_known = meanings.iter().any(|m| *m != Known::Unknown);
    let counts = |at: usize| !any_known || meanings.get(at) == Some(&Known::Numeric);
    let (mut points, mut commas, mut clear) = (0usize, 0usize, false);
    for row in rows {
        for (_, cell) in row.iter().enumerate().filter(|(at, _)| counts(*at)) {
            let Ok(text) = std::str::from_utf8(cell) else { continue };
            let text = text.trim().trim_end_matches('%').trim_end();
            if text.contains('.') && spelling::number(text, Decimal::Point).is_some() {
                points += 1;
            } else if text.contains(',') && spelling::number(text, Decimal::Comma).is_some() {
                commas += 1;
                clear |= !could_be_thousands(text);
            }
        }
    }
    if commas > points && clear { Decimal::Comma } else { Decimal::Point }
}

/// `1,234` may be a thousand; `0,234`, `1,5` and `1234,567` may not.
fn could_be_thousands(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['-', '+']);
    match unsigned.split_once(',') {
        Some((whole, rest)) => rest.len() == 3 && (1..=3).contains(&whole.len()) && !whole.starts_with('0'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> Dialect {
        let file = TextFile {
            compressed: false,
            byte_order_mark: false,
            encoding: Encoding::Utf8,
            sample: text.as_bytes().to_vec(),
            is_whole: true,
        };
        find_dialect(&file, &|_| Known::Unknown)
    }

    #[test]
    fn the_separator_is_the_one_that_makes_even_rows() {
        for separator in [",", ";", "\t", "|"] {
            let text = "a,b,c\n1,\"x;y|z\t,\",3\n2,\"q\nr\",4\n".replace(',', separator);
            assert_eq!(dialect(&text).separator, separator.as_bytes()[0], "{separator:?}");
        }
        assert_eq!(dialect("name;note\nx;hello, world\ny;one, two, three\n").separator, b';');
        assert_eq!(dialect("only\n1\n2\n").separator, b',');
    }

    #[test]
    fn the_decimal_comma_needs_a_number_that_is_no_thousand() {
        assert_eq!(dialect("a;b\n1,5;2,25\n").decimal, Decimal::Comma);
        assert_eq!(dialect("a;b\n1.5;2\n").decimal, Decimal::Point);
        assert_eq!(dialect("a;b\n45,000;12,500\n").decimal, Decimal::Point);
        assert_eq!(dialect("a;b\n45,000;12,5\n").decimal, Decimal::Comma);
        assert_eq!(dialect("a,b\n\"1,5\",2\n").decimal, Decimal::Point);
    }
}
