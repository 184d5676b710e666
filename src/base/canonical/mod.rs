//! Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest names a meaning.
//! Every object that is hashed or signed passes through here; nothing else writes such bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base::canonical::exact::{NotExact, check_exact};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};

pub mod exact;
pub mod packed;

#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    #[error("the value cannot be written as canonical JSON: {0}")]
    Write(#[source] serde_json::Error),
    #[error("the value has no canonical JSON: {0}")]
    Inexact(#[from] NotExact),
    #[error("not the JSON that was expected: {0}")]
    Parse(#[source] serde_json::Error),
    #[error("the JSON is valid but not canonical (RFC 8785): its digest would not name its content")]
    NotCanonical,
}

impl Fact for CanonicalError {
    fn code(&self) -> &'static str {
        match self {
            Self::Write(_) => "canonical.write",
            Self::Parse(_) => "canonical.parse",
            Self::NotCanonical => "canonical.form",
            Self::Inexact(_) => "canonical.inexact",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Write(_) | Self::Inexact(_) => Class::Failed,
            Self::Parse(_) | Self::NotCanonical => Class::Integrity,
        }
    }
}

pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    check_exact(value)?;
    serde_json_canonicalizer::to_vec(value).map_err(CanonicalError::Write)
}

pub fn digest_of<T: Serialize>(value: &T) -> Result<Digest, CanonicalError> {
    Ok(Digest::of(&to_bytes(value)?))
}

/// Reads a value and refuses bytes that are not its one canonical form.
pub fn parse<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CanonicalError> {
    let value: T = serde_json::from_slice(bytes).map_err(CanonicalError::Parse)?;
    if to_bytes(&value)? == bytes { Ok(value) } else { Err(CanonicalError::NotCanonical) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn keys_are_sorted_and_numbers_have_one_form() {
        let bytes = to_bytes(&json!({"b": 1.0, "a": [1e-7, 0.1, 1e21, -0.0], "ä": "é\n"})).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "{\"a\":[1e-7,0.1,1e+21,0],\"b\":1,\"ä\":\"é\\n\"}");
    }

    #[test]
    fn a_space_too_many_is_refused() {
        assert!(matches!(parse::<Value>(b"{\"a\": 1}"), Err(CanonicalError::NotCanonical)));
        assert!(parse::<Value>(b"{\"a\":1}").is_ok());
    }

    #[test]
    fn what_a_double_cannot_hold_is_refused_instead_of_rounded() {
        let rounded = to_bytes(&json!({"a": [0, {"b": (1u64 << 53) + 1}]})).unwrap_err();
        assert!(matches!(rounded, CanonicalError::Inexact(NotExact::Integer(_))), "{rounded}");
        let no_number = to_bytes(&[Some(f64::NAN)]).unwrap_err();
        assert!(matches!(no_number, CanonicalError::Inexact(NotExact::Float(_))), "{no_number}");
    }

    #[test]
    fn a_large_double_written_like_an_integer_is_read_again() {
        let bytes = to_bytes(&[1e18, f64::MAX, 1.2345678901234567e19, -1e20]).unwrap();
        assert_eq!(to_bytes(&parse::<Value>(&bytes).unwrap()).unwrap(), bytes);
    }
}
