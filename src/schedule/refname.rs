//! The full name of a git reference, which is also where it stands below a repository's folder. Never a way out of that
//! folder.

use std::fmt;

use crate::schedule::limits;

const HEAD: &str = "HEAD";
const ALL: &str = "refs/";
const BRANCHES: &str = "refs/heads/";

/// `HEAD`, or a name that begins with `refs/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefNameError {
    #[error("it has more than {} bytes", limits::REF_NAME_BYTES_MAX)]
    Long,
    #[error("it holds {0:?}, which git allows in no name")]
    Character(char),
    #[error("one of its parts is empty, begins with a dot, or ends with a dot or .lock")]
    Part,
    #[error("it begins with neither refs/ nor is HEAD")]
    Elsewhere,
}

impl RefName {
    /// As a person writes it: `main` is the branch of that name, `HEAD` what is checked out, all else begins with `refs/`.
    pub fn parse(text: &str) -> Result<Self, RefNameError> {
        match text == HEAD || text.starts_with(ALL) {
            true => Self::parse_full(text),
            false => Self::parse_full(&format!("{BRANCHES}{text}")),
        }
    }

    /// As git's own files write it.
    pub fn parse_full(text: &str) -> Result<Self, RefNameError> {
        if text.len() > limits::REF_NAME_BYTES_MAX {
            return Err(RefNameError::Long);
        }
        let forbidden = |c: &char| {
            c.is_control() || c.is_whitespace() || matches!(c, '~' | '^' | ':' | '?' | '*' | '[' | '\\' | '{')
        };
        if let Some(c) = text.chars().find(forbidden) {
            return Err(RefNameError::Character(c));
        }
        let is_wrong = |part: &str| {
            part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.ends_with(".lock")
        };
        match text {
            HEAD => Ok(Self(text.to_string())),
            _ if text.split('/').any(is_wrong) || text.contains("..") => Err(RefNameError::Part),
            _ if !text.starts_with(ALL) => Err(RefNameError::Elsewhere),
            _ => Ok(Self(text.to_string())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_a_branch_and_a_full_one_is_what_it_says() {
        let full = |text: &str| RefName::parse(text).map(|name| name.to_string());
        assert_eq!(full("main").as_deref(), Ok("refs/heads/main"));
        assert_eq!(full("release/2026").as_deref(), Ok("refs/heads/release/2026"));
        assert_eq!(full("refs/tags/v1").as_deref(), Ok("refs/tags/v1"));
        assert_eq!(full("refs/remotes/origin/main").as_deref(), Ok("refs/remotes/origin/main"));
        assert_eq!(full("HEAD").as_deref(), Ok("HEAD"));
    }

    #[test]
    fn no_name_leads_out_of_the_folder_or_to_what_is_no_reference() {
        for text in ["", "..", "../x", "a/../b", "/etc", "a//b", "a/", ".git", "main.lock", "x.", "a..b"] {
            assert_eq!(RefName::parse(text), Err(RefNameError::Part), "{text:?}");
        }
        for (text, c) in
            [("a b", ' '), ("a\0b", '\0'), ("a\nb", '\n'), ("a:b", ':'), ("a@{1}", '{'), ("a*", '*')]
        {
            assert_eq!(RefName::parse(text), Err(RefNameError::Character(c)), "{text:?}");
        }
        assert_eq!(RefName::parse_full("config"), Err(RefNameError::Elsewhere));
        assert_eq!(RefName::parse_full("objects/ab/cd"), Err(RefNameError::Elsewhere));
        assert_eq!(RefName::parse(&"a".repeat(300)), Err(RefNameError::Long));
    }
}
