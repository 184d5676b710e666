//! Names and identifiers: what a name may look like, and how a new id is drawn.
//! Never decides what is named.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize, Serializer};

use crate::base::clock::Stamp;
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

/// The name of a field. Tables, models and answers all hold it: a copy copies no text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "String")]
pub struct FieldName(Arc<str>);

impl FieldName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for FieldName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for FieldName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for FieldName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl PartialEq<str> for FieldName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for FieldName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for FieldName {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<FieldName> for String {
    fn eq(&self, other: &FieldName) -> bool {
        self == other.as_str()
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
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

/// A decision's or prediction's identifier: a UUID of version 7, so that ids sort by their time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId(uuid::Uuid);

impl DecisionId {
    /// A new one of that time; two of the same millisecond differ by 74 random bits.
    pub fn draw(stamp: Stamp) -> Self {
        let millis = u64::try_from(stamp.millis()).unwrap_or_default();
        let nanos = (millis % 1_000) as u32 * 1_000_000;
        Self(uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, nanos)))
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Reads back what `as_bytes` gave; nothing where it is no UUID of version 7.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        let id = uuid::Uuid::from_bytes(bytes);
        let fits = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
        fits.then_some(Self(id))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a decision's id (a UUID of version 7, in lower case with dashes)")]
pub struct BadDecisionId(String);

impl TryFrom<String> for DecisionId {
    type Error = BadDecisionId;

    fn try_from(text: String) -> Result<Self, BadDecisionId> {
        let id = uuid::Uuid::try_parse(&text).ok().and_then(|id| Self::from_bytes(id.into_bytes()));
        // One id has one spelling: no braces, no upper case, no missing dashes.
        id.filter(|id| id.to_string() == text).ok_or(BadDecisionId(text))
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> String {
        id.to_string()
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecisionId({self})")
    }
}

/// The name of something that is kept for a while, which nobody can guess: 32 hex digits.
pub fn draw_secret_name() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A store's identity, drawn once when the home is made.
pub fn draw_store_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// The name of one form that was handed out: what it leads to happens once.
pub fn draw_form_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The name of one request, where its sender gave it none: drawn once for a process, then counted, since there is
/// one for every request.
pub fn draw_correlation_id() -> String {
    static PROCESS: LazyLock<String> = LazyLock::new(|| uuid::Uuid::new_v4().simple().to_string());
    static COUNT: AtomicU64 = AtomicU64::new(1);
    [PROCESS.as_str(), &COUNT.fetch_add(1, Ordering::Relaxed).to_string()].join("-")
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
    fn a_decision_id_carries_its_time_and_has_one_spelling() {
        let wall = jiff::Timestamp::from_millisecond(0x0123_4567_89ab).unwrap();
        let id = DecisionId::draw(Stamp { wall, quality: crate::base::clock::TimeQuality::Local });
        assert_eq!(id.as_bytes()[..6], [0x01, 0x23, 0x45, 0x67, 0x89, 0xab]);
        assert_eq!(DecisionId::from_bytes(*id.as_bytes()), Some(id));
        let text = id.to_string();
        assert_eq!(DecisionId::try_from(text.clone()).unwrap(), id);
        let dashless = text.replace('-', "");
        for other in [text.to_uppercase(), format!("{{{text}}}"), dashless, uuid::Uuid::nil().to_string()] {
            assert!(DecisionId::try_from(other.clone()).is_err(), "{other}");
        }
        assert!(DecisionId::try_from(uuid::Uuid::new_v4().to_string()).is_err());
    }

    #[test]
    fn a_run_id_is_32_hex_digits() {
        assert!(RunId::try_from("abc".to_string()).is_err());
        assert!(RunId::try_from(RunId::draw().to_string()).is_ok());
    }
}
