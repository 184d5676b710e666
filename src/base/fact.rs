//! What every error of the program says of itself: a stable code, how the process ends, the next step.
//! Never formats for a terminal or a wire; that is the edge's work.

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
    pub fn exit_code(self) -> u8 {
        self as u8
    }
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
}

/// The known word nearest to a mistyped one, if any is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_word_and_nonsense_finds_none() {
        let known = ["seed", "batch_rows", "patience"];
        assert_eq!(nearest("sed", known), Some("seed"));
        assert_eq!(nearest("batch_row", known), Some("batch_rows"));
        assert_eq!(nearest("zzzzzz", known), None);
    }
}
