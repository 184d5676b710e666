//! What every error of the program says of itself: a stable code, how the process ends, the next step.
//! Never formats for a terminal or a wire; that is the edge's work.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How a failure ends the process. The numbers are documented and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Failed = 1,
    Usage = 2,
    DataRefused = 3,
    GateRefused = 4,
    Integrity = 5,
    Permission = 6,
    Unavailable = 7,
    StoreNewer = 78,
}

impl Class {
    const ALL: [Self; 8] = [
        Self::Failed,
        Self::Usage,
        Self::DataRefused,
        Self::GateRefused,
        Self::Integrity,
        Self::Permission,
        Self::Unavailable,
        Self::StoreNewer,
    ];

    pub fn exit_code(self) -> u8 {
        self as u8
    }

    pub fn find(exit_code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.exit_code() == exit_code)
    }
}

/// Codes of other processes that are kept; this program has fewer.
const KNOWN_CODES_MAX: usize = 1_000;

/// A code that came as text, as the constant it is where it was written: codes are a closed set of this same
/// program, so each is kept once. What cannot be one is `unknown`.
pub fn known_code(code: &str) -> &'static str {
    static CODES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(code) {
        return known;
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_');
    if codes.len() >= KNOWN_CODES_MAX || code.len() > 64 || !code.bytes().all(plain) {
        return "unknown";
    }
    let kept: &'static str = Box::leak(code.to_string().into_boxed_str());
    codes.insert(kept);
    kept
}

/// An error that names a thing (by `Display`), has a stable code and knows what to do next.
pub trait Fact: std::error::Error {
    /// Stable and dotted, such as `data.missing_column`; scripts match on it.
    fn code(&self) -> &'static str;
    fn class(&self) -> Class;
    /// One sentence in the imperative, or nothing where the message says it all.
    fn next_step(&self) -> Option<String> {
        None
    }
    /// The parts of a failure that has many, for programs: findings, rules, fields.
    fn details(&self) -> Option<serde_json::Value> {
        None
    }
}

/// Any room's fact, carried unchanged to the edge. It is not itself a `Fact`, so that every fact
/// converts into it by `?`.
pub struct Failure(Box<dyn Fact + Send + Sync>);

impl Failure {
    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    pub fn class(&self) -> Class {
        self.0.class()
    }

    pub fn next_step(&self) -> Option<String> {
        self.0.next_step()
    }

    pub fn details(&self) -> Option<serde_json::Value> {
        self.0.details()
    }
}

impl<E: Fact + Send + Sync + 'static> From<E> for Failure {
    fn from(fact: E) -> Self {
        Self(Box::new(fact))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Failure({:?})", self.0)
    }
}

/// The known word nearest to a mistyped one, if any is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = |candidate: &str| 1 + candidate.len() / 4;
    // Words are as near as their lengths at best; what they cost to compare grows with both.
    let length = word.chars().count();
    let alike = |candidate: &&str| length.abs_diff(candidate.chars().count()) <= far(candidate);
    known
        .into_iter()
        .filter(alike)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= far(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{Class, known_code, nearest};

    #[test]
    fn a_class_is_found_by_its_exit_code_and_a_code_by_its_text() {
        assert_eq!(Class::find(5), Some(Class::Integrity));
        assert_eq!(Class::find(0), None);
        assert!(std::ptr::eq(known_code("test.code"), known_code("test.code")));
        assert_eq!(known_code("No Code"), "unknown");
    }

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let known = ["seed", "batch_rows", "patience"];
        assert_eq!(nearest("sed", known), Some("seed"));
        assert_eq!(nearest("batch_row", known), Some("batch_rows"));
        assert_eq!(nearest("zzzzzz", known), None);
    }

    /// A word of a megabyte once took a matrix of a hundred megabytes for each word it was compared with.
    #[test]
    fn a_word_without_end_is_compared_with_nothing() {
        let endless = "k".repeat(1 << 20);
        assert_eq!(nearest(&endless, std::iter::repeat_n("k", 100_000)), None);
    }
}
