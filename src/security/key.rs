//! Ed25519 keys: made, written as PKCS#8, used to sign and to verify.
//! Never shows a secret; the file a key is kept in belongs to `key_file`.

use std::fmt;
use std::path::PathBuf;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::digest::{Digest, parse_hex, to_hex};
use crate::base::fact::{Class, Fact};
use crate::base::files::FileError;
use crate::security::base64_text::{parse_base64_array, to_base64};

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the system could not make a new Ed25519 key")]
    Generate,
    #[error("the key could not be written as PKCS#8")]
    Encode,
    #[error("these bytes are not exactly one Ed25519 key in PKCS#8 form")]
    Malformed,
    #[error("key file {path} does not hold exactly one Ed25519 key in PKCS#8 form", path = path.display())]
    MalformedFile { path: PathBuf },
    #[error("{path} is open to others (mode {mode:04o}): a key is only read when it is private", path = path.display())]
    NotPrivate { path: PathBuf, mode: u32, wanted: u32 },
    #[error("key file {path} exists already and is never overwritten", path = path.display())]
    Exists { path: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
}

impl Fact for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Generate => "security.key_not_made",
            Self::Encode => "security.key_not_written",
            Self::Malformed | Self::MalformedFile { .. } => "security.key_malformed",
            Self::NotPrivate { .. } => "security.key_not_private",
            Self::Exists { .. } => "security.key_exists",
            Self::File(_) => "security.key_file",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Generate | Self::Encode | Self::File(_) => Class::Failed,
            Self::Malformed | Self::MalformedFile { .. } => Class::Integrity,
            Self::NotPrivate { .. } => Class::Permission,
            Self::Exists { .. } => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NotPrivate { path, wanted, .. } => {
                Some(format!("Run: chmod {wanted:o} '{}'", path.display()))
            }
            Self::MalformedFile { .. } => Some("Restore the key file from its backup.".to_string()),
            _ => None,
        }
    }
}

/// The bytes were not signed by this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// A secret key. It can sign and be written as PKCS#8, and be shown by its public half only.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    pub fn generate() -> Result<Self, KeyError> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| KeyError::Generate)
    }

    /// Reads PKCS#8 version 1 or 2. In version 2 the public half must belong to the secret one.
    pub fn parse_pkcs8(bytes: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8(bytes).map_err(|_| KeyError::Malformed)?;
        // The parser stops at the end of the structure; what is written again shows whether more followed.
        let second = pair.to_pkcs8().map_err(|_| KeyError::Encode)?;
        let first = pair.to_pkcs8v1().map_err(|_| KeyError::Encode)?;
        let exact = bytes == second.as_ref() || bytes == first.as_ref();
        if exact { Ok(Self(pair)) } else { Err(KeyError::Malformed) }
    }

    /// PKCS#8 version 2 (RFC 5958), which carries the public key beside the secret.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = self.0.to_pkcs8().map_err(|_| KeyError::Encode)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    pub fn public(&self) -> PublicKey {
        let mut bytes = [0u8; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }

    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0u8; 64];
        bytes.copy_from_slice(self.0.sign(message).as_ref());
        bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().key_id())
    }
}

/// A public key; on disk the standard base64 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn key_id(&self) -> KeyId {
        let mut id = [0u8; 8];
        id.copy_from_slice(&Digest::of(&self.0).as_bytes()[..8]);
        KeyId(id)
    }

    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.key_id())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an Ed25519 public key (32 bytes in standard base64)")]
pub struct NotAPublicKey(String);

impl TryFrom<String> for PublicKey {
    type Error = NotAPublicKey;

    fn try_from(text: String) -> Result<Self, NotAPublicKey> {
        parse_base64_array(&text).map(Self).ok_or(NotAPublicKey(text))
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        to_base64(&key.0)
    }
}

/// Names a public key: the first 16 hex digits of the SHA-256 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a key id (16 lower-case hex digits)")]
pub struct NotAKeyId(String);

impl TryFrom<String> for KeyId {
    type Error = NotAKeyId;

    fn try_from(text: String) -> Result<Self, NotAKeyId> {
        parse_hex(&text).map(Self).ok_or(NotAKeyId(text))
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> String {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_signed_no_other_key_verifies() {
        let (key, other) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let signature = key.sign(b"tally");
        assert_eq!(key.public().verify(b"tally", &signature), Ok(()));
        assert_eq!(key.public().verify(b"tallz", &signature), Err(BadSignature));
        assert_eq!(other.public().verify(b"tally", &signature), Err(BadSignature));
        assert_eq!(key.public().verify(b"tally", &signature[..63]), Err(BadSignature));
    }

    #[test]
    fn a_key_goes_through_pkcs8_and_a_damaged_one_is_refused() {
        let key = SigningKey::generate().unwrap();
        let bytes = key.to_pkcs8().unwrap();
        assert_eq!(SigningKey::parse_pkcs8(&bytes).unwrap().public(), key.public());
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert!(matches!(SigningKey::parse_pkcs8(&longer), Err(KeyError::Malformed)));
        for place in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[place] ^= 1;
            assert!(SigningKey::parse_pkcs8(&damaged).is_err(), "a flipped bit at byte {place} was read");
        }
    }

    /// RFC 8410, section 10.3: a version 1 key as other tools write it.
    #[test]
    fn the_published_pkcs8_example_is_read() {
        let text = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let bytes = crate::security::base64_text::parse_base64(text).unwrap();
        let public = SigningKey::parse_pkcs8(&bytes).unwrap().public();
        assert_eq!(String::from(public), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
    }

    #[test]
    fn a_key_is_shown_by_its_public_half_only() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().key_id()));
    }

    #[test]
    fn a_public_key_and_its_id_have_one_spelling() {
        let key = PublicKey::from_bytes([7; 32]);
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(text, "\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\"");
        assert_eq!(serde_json::from_str::<PublicKey>(&text).unwrap(), key);
        assert_eq!(key.key_id().to_string(), Digest::of(&[7; 32]).to_hex()[..16]);
        assert!(KeyId::try_from(key.key_id().to_string().to_uppercase()).is_err());
        assert!(serde_json::from_str::<PublicKey>("\"BwcH\"").is_err());
    }
}
