//! Case numbers: what a person says on the telephone to name a decision, with a letter that catches a slip.
//! Never counts: which number comes next is the store's affair.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::base::fact::{Class, Fact};
use crate::base::limits;

/// Check letters by their value: the alphabet without I, O and Q, which are taken for digits.
const LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPRSTUVWXYZ";
const BRANCH_DIGITS: usize = 4;
const YEAR_DIGITS: usize = 2;
/// Digits, three dashes and the letter.
const CASE_SIGNS_MAX: usize = BRANCH_DIGITS + YEAR_DIGITS + limits::CASE_DIGITS_MAX + 4;
/// More guesses than this help nobody.
const SWAPS_NAMED_MAX: usize = 2;

/// A branch of the bank: four digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Branch(u16);

/// `BRANCH-YY-NNNNN-C`: branch, year, number within the year, check letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct CaseNumber {
    branch: Branch,
    year: u8,
    number: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    #[error("{text:?} is not a branch: four digits")]
    Branch { text: String },
    #[error("case {number} of year {year:02} is out of range: a year has the cases 1 to {max}", max = number_max())]
    Range { year: u8, number: u64 },
    #[error("{text:?} is not a case number: {what}")]
    Form { text: String, what: &'static str },
    #[error("{text:?} is not a case number: the letter {letter} does not belong to these digits")]
    CheckLetter { text: String, letter: char, swapped: Vec<(usize, usize)> },
}

impl Fact for CaseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Branch { .. } => "case.branch",
            Self::Range { .. } => "case.range",
            Self::Form { .. } => "case.form",
            Self::CheckLetter { .. } => "case.check_letter",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Range { .. } => Class::Unavailable,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Branch { .. } | Self::Range { .. } => None,
            Self::Form { .. } => Some("Write it as on the letter, such as 0421-26-00317-K.".to_string()),
            Self::CheckLetter { swapped, .. } if (1..=SWAPS_NAMED_MAX).contains(&swapped.len()) => {
                let pairs: Vec<String> =
                    swapped.iter().map(|(one, other)| format!("{one} and {other}")).collect();
                Some(format!("Look at the number again: digits {} may be swapped.", pairs.join(", or ")))
            }
            Self::CheckLetter { .. } => Some("Compare it with the letter, digit by digit.".to_string()),
        }
    }
}

fn number_max() -> u64 {
    10u64.pow(limits::CASE_DIGITS_MAX as u32) - 1
}

impl TryFrom<String> for Branch {
    type Error = CaseError;

    fn try_from(text: String) -> Result<Self, CaseError> {
        let fits = text.len() == BRANCH_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse() {
            Ok(branch) if fits => Ok(Self(branch)),
            _ => Err(CaseError::Branch { text }),
        }
    }
}

impl From<Branch> for String {
    fn from(branch: Branch) -> String {
        branch.to_string()
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl CaseNumber {
    /// The year is its last two digits; numbers begin at 1.
    pub fn new(branch: Branch, year: u8, number: u64) -> Result<Self, CaseError> {
        match u32::try_from(number) {
            Ok(short) if (1..=number_max()).contains(&number) && year < 100 => {
                Ok(Self { branch, year, number: short })
            }
            _ => Err(CaseError::Range { year, number }),
        }
    }

    pub fn branch(&self) -> Branch {
        self.branch
    }

    pub fn year(&self) -> u8 {
        self.year
    }

    pub fn number(&self) -> u64 {
        u64::from(self.number)
    }

    /// Reads what a person wrote: in any case, with any dashes and spaces or none.
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let refuse = |what| Err(CaseError::Form { text: shown(text), what });
        let signs: Vec<char> = text.chars().filter(|c| !is_separator(*c)).collect();
        let Some((letter, digits)) = signs.split_last() else { return refuse("it is empty") };
        if !digits.iter().all(char::is_ascii_digit) {
            return refuse("before its last letter it has digits only");
        }
        if letter.is_ascii_digit() {
            return refuse("the letter at its end is missing");
        }
        let count = digits.len().saturating_sub(BRANCH_DIGITS + YEAR_DIGITS);
        if !(limits::CASE_DIGITS_MIN..=limits::CASE_DIGITS_MAX).contains(&count) {
            return refuse(
                "it has four digits for the branch, two for the year and five to nine for the case",
            );
        }
        let digits: Vec<u8> = digits.iter().map(|c| *c as u8 - b'0').collect();
        let letter = letter.to_ascii_uppercase();
        if letter != check_letter(&digits) {
            let swapped = list_swaps(&digits, letter);
            return Err(CaseError::CheckLetter { text: shown(text), letter, swapped });
        }
        let (branch, rest) = digits.split_at(BRANCH_DIGITS);
        let (year, number) = rest.split_at(YEAR_DIGITS);
        if number.len() > limits::CASE_DIGITS_MIN && number[0] == 0 {
            return refuse("a long case does not begin with 0");
        }
        Self::new(Branch(value(branch) as u16), value(year) as u8, value(number))
    }
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(*digit))
}

/// ISO 7064's pure system with modulus 23 and radix 2: each digit weighs a power of two, none of which is
/// 0 modulo the prime 23, and neighbours differ by a power of two: so no wrong digit and no swap can cancel.
fn check_letter(digits: &[u8]) -> char {
    let sum = digits.iter().fold(0u32, |sum, digit| add_digit(sum, u32::from(*digit)));
    char::from(LETTERS[sum as usize])
}

fn add_digit(sum: u32, digit: u32) -> u32 {
    (sum + digit) * 2 % 23
}

/// Hyphens and dashes as keyboards and word processors write them, and spaces.
fn is_separator(sign: char) -> bool {
    sign == '-' || ('\u{2010}'..='\u{2015}').contains(&sign) || sign == '\u{2212}' || sign.is_whitespace()
}

fn shown(text: &str) -> String {
    text.chars().take(limits::CASE_TEXT_CHARS_MAX).collect()
}

/// The pairs of neighbours, counted from 1, whose swap would make the letter right.
fn list_swaps(digits: &[u8], letter: char) -> Vec<(usize, usize)> {
    let fits = |at: &usize| {
        let mut other = digits.to_vec();
        other.swap(*at, *at + 1);
        check_letter(&other) == letter
    };
    (0..digits.len().saturating_sub(1)).filter(fits).map(|at| (at + 1, at + 2)).collect()
}

/// A case number as it is written, without a place of its own in memory.
struct Spelled {
    signs: [u8; CASE_SIGNS_MAX],
    length: usize,
}

impl Spelled {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.signs[..self.length]).unwrap_or_default()
    }
}

impl CaseNumber {
    /// Whether this is its one spelling.
    pub fn is_spelled(&self, text: &str) -> bool {
        self.spelled().as_str() == text
    }

    /// Written out by hand: each record says its case several times.
    fn spelled(&self) -> Spelled {
        let mut spelled = Spelled { signs: [b'-'; CASE_SIGNS_MAX], length: 0 };
        let mut sum = 0;
        let digits = self.number.checked_ilog10().map_or(1, |log| log as usize + 1);
        let parts = [
            (u32::from(self.branch.0), BRANCH_DIGITS),
            (u32::from(self.year), YEAR_DIGITS),
            (self.number, digits.max(limits::CASE_DIGITS_MIN)),
        ];
        for (number, width) in parts {
            let (mut rest, end) = (number, spelled.length + width);
            let places = &mut spelled.signs[spelled.length..end];
            for sign in places.iter_mut().rev() {
                *sign = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            sum = places.iter().fold(sum, |sum, sign| add_digit(sum, u32::from(*sign - b'0')));
            // The dash is there already.
            spelled.length = end + 1;
        }
        spelled.signs[spelled.length] = LETTERS[sum as usize];
        spelled.length += 1;
        spelled
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spelled().as_str())
    }
}

impl Serialize for CaseNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.spelled().as_str())
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = CaseError;

    /// On disk and wire there is one spelling.
    fn try_from(text: String) -> Result<Self, CaseError> {
        let case = Self::parse(&text)?;
        let what = "it is not in its one spelling";
        if case.is_spelled(&text) { Ok(case) } else { Err(CaseError::Form { text: shown(&text), what }) }
    }
}

impl From<CaseNumber> for String {
    fn from(case: CaseNumber) -> String {
        case.spelled().as_str().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

    fn digits_of(text: &str) -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect()
    }

    fn case(text: &str) -> Result<String, CaseError> {
        CaseNumber::parse(text).map(|case| case.to_string())
    }

    fn any_case() -> impl Strategy<Value = CaseNumber> {
        let number = proptest::prop_oneof![1..100_000u64, 1..1_000_000_000u64];
        (0..10_000u16, 0..100u8, number)
            .prop_map(|(branch, year, number)| CaseNumber::new(Branch(branch), year, number).unwrap())
    }

    /// Every other text of the same digits but one, or with two neighbours swapped.
    fn slips(text: &str) -> Vec<String> {
        let places: Vec<usize> =
            text.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).map(|(at, _)| at).collect();
        let mut out = Vec::new();
        for (n, at) in places.iter().enumerate() {
            for digit in b'0'..=b'9' {
                let mut bytes = text.as_bytes().to_vec();
                bytes[*at] = digit;
                out.push(String::from_utf8(bytes).unwrap());
            }
            if let Some(next) = places.get(n + 1) {
                let mut bytes = text.as_bytes().to_vec();
                bytes.swap(*at, *next);
                out.push(String::from_utf8(bytes).unwrap());
            }
        }
        out.retain(|other| other != text);
        out
    }

    #[test]
    fn the_example_of_the_page_is_a_case() {
        let branch = Branch::try_from("0421".to_string()).unwrap();
        assert_eq!(CaseNumber::new(branch, 26, 317).unwrap().to_string(), "0421-26-00317-K");
        assert_eq!(CaseNumber::new(branch, 26, 123_456).unwrap().to_string(), "0421-26-123456-P");
    }

    #[test]
    fn what_a_person_writes_is_read_in_any_spelling() {
        let spellings =
            ["0421-26-00317-K", "0421-26-00317-k", "04212600317K", " 0421 26 00317 k\n", "0421–26–00317—K"];
        for text in spellings {
            assert_eq!(case(text).as_deref(), Ok("0421-26-00317-K"), "{text:?}");
        }
        let strict = |text: &str| CaseNumber::try_from(text.to_string()).map_err(|error| error.code());
        assert!(strict("0421-26-00317-K").is_ok());
        for text in &spellings[1..] {
            assert_eq!(strict(text), Err("case.form"), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_case_is_refused_and_says_why() {
        let code = |text: &str| case(text).unwrap_err().code();
        for text in
            ["", "-", "K", "0421-26-00317", "0421-26-0031-K", "O421-26-00317-K", "0421-26-1234567890-A"]
        {
            assert_eq!(code(text), "case.form", "{text:?}");
        }
        let longer = "0421-26-000317-";
        let letter = check_letter(&digits_of(longer));
        assert_eq!(code(&format!("{longer}{letter}")), "case.form");
        let zero = "0421-26-00000-";
        let letter = check_letter(&digits_of(zero));
        assert_eq!(code(&format!("{zero}{letter}")), "case.range");
        assert!(case(&"9".repeat(10_000)).unwrap_err().to_string().len() < 200);
        for bad in ["421", "04211", "+421", "042a", ""] {
            assert!(Branch::try_from(bad.to_string()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_swap_is_guessed_where_one_or_two_fit() {
        let step = |text: &str| case(text).unwrap_err().next_step().unwrap();
        assert_eq!(step("4021-26-00317-K"), "Look at the number again: digits 1 and 2 may be swapped.");
        let two = "Look at the number again: digits 2 and 3, or 10 and 11 may be swapped.";
        assert_eq!(step("0421-26-00371-K"), two);
        assert_eq!(step("0421-26-00318-K"), "Compare it with the letter, digit by digit.");
    }

    /// Every pair of digits at every pair of neighbouring places, and every digit at every place: the sum is
    /// linear, so that the other digits play no part.
    #[test]
    fn no_wrong_digit_and_no_swap_of_neighbours_keeps_its_letter() {
        for length in 11..=15 {
            let zeros = vec![0u8; length];
            for at in 0..length {
                for (one, other) in (0..10u8).flat_map(|one| (0..10u8).map(move |other| (one, other))) {
                    let with = |pairs: &[(usize, u8)]| {
                        let mut digits = zeros.clone();
                        pairs.iter().for_each(|(at, digit)| digits[*at] = *digit);
                        check_letter(&digits)
                    };
                    assert_eq!(with(&[(at, one)]) == with(&[(at, other)]), one == other);
                    if at + 1 < length {
                        let (straight, swapped) =
                            (with(&[(at, one), (at + 1, other)]), with(&[(at, other), (at + 1, one)]));
                        assert_eq!(straight == swapped, one == other);
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_case_reads_as_it_is_written_and_no_slip_of_one_sign_does(case in any_case()) {
            let text = case.to_string();
            prop_assert_eq!(CaseNumber::parse(&text), Ok(case));
            prop_assert_eq!(CaseNumber::try_from(text.clone()), Ok(case));
            for slip in slips(&text) {
                prop_assert!(CaseNumber::parse(&slip).is_err(), "{} was read for {}", slip, text);
            }
            for letter in LETTERS.iter().map(|letter| char::from(*letter)).filter(|l| !text.ends_with(*l)) {
                let other = format!("{}{letter}", &text[..text.len() - 1]);
                prop_assert!(CaseNumber::parse(&other).is_err());
            }
        }

        #[test]
        fn no_text_is_too_strange_to_be_refused(text in "\\PC{0,60}") {
            let _ = CaseNumber::parse(&text);
        }
    }
}
