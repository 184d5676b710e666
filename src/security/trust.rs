//! The trust root: which public keys may sign what in one store. A `TrustRoot` in hand has been checked.
//! Never verifies a signature itself and never trusts a key for a role it does not list.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::fact::{Class, Fact};
use crate::base::ids::{BadName, check_name};
use crate::base::limits;
use crate::security::key::{KeyId, PublicKey};

const FORMAT: &str = "tallystick.trust.v1";

/// What a key's signature is good for. Written in this order, which is that of the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    Checkpoint,
    Policy,
    Release,
}

impl KeyRole {
    pub const ALL: [Self; 3] = [Self::Checkpoint, Self::Policy, Self::Release];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Policy => "policy",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    pub key_id: KeyId,
    pub name: String,
    pub public_key: PublicKey,
    pub roles: BTreeSet<KeyRole>,
}

impl TrustedKey {
    pub fn new(name: &str, public_key: PublicKey, roles: impl IntoIterator<Item = KeyRole>) -> Self {
        let roles = roles.into_iter().collect();
        Self { key_id: public_key.key_id(), name: name.to_string(), public_key, roles }
    }
}

/// trust.json as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustDocument {
    format: String,
    keys: Vec<TrustedKey>,
    store_id: String,
    version: u64,
}

/// A trust root that holds together: ids belong to their keys, no key stands twice, each has a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRoot(TrustDocument);

#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("the trust root is {size} bytes; at most {max} are read")]
    TooLarge { size: usize, max: u64 },
    #[error("the trust root: {0}")]
    Form(#[from] CanonicalError),
    #[error("the trust root has the format {found:?} where {FORMAT:?} is known")]
    Format { found: String },
    #[error(
        "the trust root's store id {found:?} is not 1 to {max} characters of a-z, 0-9 and '-'",
        max = limits::STORE_ID_CHARS_MAX
    )]
    StoreId { found: String },
    #[error("the trust root's version {found} is not between 1 and {max}", max = limits::EXACT_INTEGER_MAX)]
    Version { found: u64 },
    #[error("the trust root has {found} keys; it needs 1 to {max}", max = limits::TRUST_KEYS_MAX)]
    KeyCount { found: usize },
    #[error("the trust root's key {key_id}: {source}")]
    KeyName { key_id: KeyId, source: BadName },
    #[error("the trust root's key {name:?} calls itself {key_id}, but its bytes have the id {found}")]
    KeyId { name: String, key_id: KeyId, found: KeyId },
    #[error("the trust root's key {key_id} ({name}) has no role")]
    NoRole { name: String, key_id: KeyId },
    #[error("the trust root's key {key_id} ({name}) stands twice or is not in the order of key ids")]
    Order { name: String, key_id: KeyId },
}

impl Fact for TrustError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "security.trust_too_large",
            Self::Form(_) => "security.trust_malformed",
            Self::Format { .. } => "security.trust_format",
            Self::StoreId { .. } | Self::Version { .. } => "security.trust_field",
            Self::KeyCount { .. } => "security.trust_key_count",
            Self::KeyName { .. } | Self::KeyId { .. } => "security.trust_key_name",
            Self::NoRole { .. } => "security.trust_key_role",
            Self::Order { .. } => "security.trust_key_order",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// Why a key's signature does not count here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    #[error("key {key_id} is not in the trust root")]
    Unknown { key_id: KeyId },
    #[error("key {key_id} ({name}) is trusted, but not for the role {role}")]
    WrongRole { key_id: KeyId, name: String, role: KeyRole },
}

impl TrustRoot {
    pub fn new(store_id: &str, version: u64, mut keys: Vec<TrustedKey>) -> Result<Self, TrustError> {
        keys.sort_by_key(|key| key.key_id);
        Self::check(TrustDocument { format: FORMAT.into(), keys, store_id: store_id.into(), version })
    }

    /// The first trust root of a box: its own key, named `box`, for every role.
    pub fn of_box(store_id: &str, key: PublicKey) -> Result<Self, TrustError> {
        Self::new(store_id, 1, vec![TrustedKey::new("box", key, KeyRole::ALL)])
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        let max = limits::TRUST_FILE_BYTES_MAX;
        if bytes.len() as u64 > max {
            return Err(TrustError::TooLarge { size: bytes.len(), max });
        }
        Self::check(canonical::parse(bytes)?)
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>, TrustError> {
        Ok(canonical::to_bytes(&self.0)?)
    }

    pub fn store_id(&self) -> &str {
        &self.0.store_id
    }

    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// In the order of their ids.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.0.keys
    }

    /// The key of that id, if it is trusted for that role.
    pub fn key_for(&self, role: KeyRole, key_id: KeyId) -> Result<&TrustedKey, KeyRefused> {
        let known = self.0.keys.iter().find(|key| key.key_id == key_id);
        let key = known.ok_or(KeyRefused::Unknown { key_id })?;
        if key.roles.contains(&role) {
            Ok(key)
        } else {
            Err(KeyRefused::WrongRole { key_id, name: key.name.clone(), role })
        }
    }

    fn check(document: TrustDocument) -> Result<Self, TrustError> {
        if document.format != FORMAT {
            return Err(TrustError::Format { found: document.format });
        }
        if !is_store_id(&document.store_id) {
            return Err(TrustError::StoreId { found: document.store_id });
        }
        if !(1..=limits::EXACT_INTEGER_MAX).contains(&document.version) {
            return Err(TrustError::Version { found: document.version });
        }
        check_keys(&document.keys)?;
        Ok(Self(document))
    }
}

/// Safe in a checkpoint's origin line, a path and a log.
fn is_store_id(text: &str) -> bool {
    (1..=limits::STORE_ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_keys(keys: &[TrustedKey]) -> Result<(), TrustError> {
    if !(1..=limits::TRUST_KEYS_MAX).contains(&keys.len()) {
        return Err(TrustError::KeyCount { found: keys.len() });
    }
    let mut before = None;
    for key in keys {
        check_key(key)?;
        if before >= Some(key.key_id) {
            return Err(TrustError::Order { name: key.name.clone(), key_id: key.key_id });
        }
        before = Some(key.key_id);
    }
    Ok(())
}

fn check_key(key: &TrustedKey) -> Result<(), TrustError> {
    let (name, key_id) = (key.name.clone(), key.key_id);
    check_name(&name).map_err(|source| TrustError::KeyName { key_id, source })?;
    let found = key.public_key.key_id();
    if found != key_id {
        return Err(TrustError::KeyId { name, key_id, found });
    }
    if key.roles.is_empty() { Err(TrustError::NoRole { name, key_id }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fill: u8, name: &str, roles: &[KeyRole]) -> TrustedKey {
        TrustedKey::new(name, PublicKey::from_bytes([fill; 32]), roles.iter().copied())
    }

    fn two_keys() -> TrustRoot {
        let keys = vec![key(1, "risk", &[KeyRole::Policy]), key(2, "box", &KeyRole::ALL)];
        TrustRoot::new("store-1", 3, keys).unwrap()
    }

    #[test]
    fn a_trust_root_reads_as_it_was_written() {
        let trust = two_keys();
        let bytes = trust.to_bytes().unwrap();
        assert_eq!(TrustRoot::parse(&bytes).unwrap(), trust);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(r#"{"format":"tallystick.trust.v1","keys":[{"key_id":""#), "{text}");
        assert!(text.contains(r#""roles":["checkpoint","policy","release"]"#), "{text}");
        assert!(text.ends_with(r#"],"store_id":"store-1","version":3}"#), "{text}");
    }

    #[test]
    fn an_unknown_key_and_a_key_without_the_role_are_two_different_refusals() {
        let trust = two_keys();
        let (risk, stranger) = (key(1, "risk", &[]).key_id, key(9, "x", &[]).key_id);
        assert_eq!(trust.key_for(KeyRole::Policy, risk).unwrap().name, "risk");
        let refused = trust.key_for(KeyRole::Release, risk).unwrap_err();
        assert!(matches!(refused, KeyRefused::WrongRole { role: KeyRole::Release, .. }));
        assert_eq!(trust.key_for(KeyRole::Policy, stranger), Err(KeyRefused::Unknown { key_id: stranger }));
    }

    #[test]
    fn a_trust_root_that_does_not_hold_together_is_refused() {
        let good = || key(1, "box", &KeyRole::ALL);
        let wrong_id = TrustedKey { key_id: key(2, "x", &[]).key_id, ..good() };
        let refused = |keys: Vec<TrustedKey>| TrustRoot::new("store-1", 1, keys).unwrap_err().code();
        assert_eq!(refused(vec![]), "security.trust_key_count");
        assert_eq!(refused(vec![wrong_id]), "security.trust_key_name");
        assert_eq!(refused(vec![good(), good()]), "security.trust_key_order");
        assert_eq!(refused(vec![key(1, "box", &[])]), "security.trust_key_role");
        assert_eq!(refused(vec![key(1, "The Box", &KeyRole::ALL)]), "security.trust_key_name");
        assert_eq!(TrustRoot::new("a b", 1, vec![good()]).unwrap_err().code(), "security.trust_field");
        assert_eq!(TrustRoot::new("a", 0, vec![good()]).unwrap_err().code(), "security.trust_field");
        assert_eq!(TrustRoot::new("a", 1 << 53, vec![good()]).unwrap_err().code(), "security.trust_field");
    }

    #[test]
    fn another_format_an_unknown_field_and_a_loose_spelling_are_refused() {
        let text = String::from_utf8(two_keys().to_bytes().unwrap()).unwrap();
        let code = |text: String| TrustRoot::parse(text.as_bytes()).unwrap_err().code();
        assert_eq!(code(text.replace("trust.v1", "trust.v2")), "security.trust_format");
        assert_eq!(code(text.replace(r#""version""#, r#""extra":1,"version""#)), "security.trust_malformed");
        assert_eq!(code(text.replace(":3}", ": 3}")), "security.trust_malformed");
        let twice = text.replace(r#"["policy"]"#, r#"["policy","policy"]"#);
        assert_eq!(code(twice), "security.trust_malformed");
    }
}
