//! Names and identifiers: what a name may look like, and how a new id is drawn.
//! Never decides what is named.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::base::fact::{Class, Fact};
use crate::base::limits;

#[derive(Debug, thiserror::Error)]
#[error(
    "{name:?} is not a valid name: 1 to {max} characters of a-z, 0-9, '-' and '_', beginning with a letter",
    max = limits::NAME_CHARS_MAX
)]
pub struct BadName {
    pub name: String,
}

impl Fact for BadName {
    fn code(&self) -> &'static str {
        "name.shape"
    }

    fn class(&self) -> Class {
        Class::Usage
    }
}

/// Checks the name of a project, model, alias or policy: safe in a path, a URL and a log.
pub fn check_name(name: &str) -> Result<(), BadName> {
    let shape = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
    if shape && name.len() <= limits::NAME_CHARS_MAX {
        Ok(())
    } else {
        Err(BadName { name: name.to_string() })
    }
}

/// A run's identifier: 32 hex digits, as MLflow has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    pub fn draw() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a run id (32 lower-case hex digits)")]
pub struct BadRunId(String);

impl TryFrom<String> for RunId {
    type Error = BadRunId;

    fn try_from(text: String) -> Result<Self, BadRunId> {
        let good = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self(text)) } else { Err(BadRunId(text)) }
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> String {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A store's identity, drawn once when the home is made.
pub fn draw_store_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The name of one request, where its sender gave it none.
pub fn draw_correlation_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        for bad in ["", "../x", "a/b", "Ümlaut", "-x", "a b", "0a", &"a".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_name("loan-default").is_ok());
    }

    #[test]
    fn a_run_id_is_32_hex_digits() {
        assert!(RunId::try_from("abc".to_string()).is_err());
        assert!(RunId::try_from(RunId::draw().to_string()).is_ok());
    }
}
