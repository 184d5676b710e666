//! API keys: how one is made, written, recognised, and what it opens. `tsk_<id>_<secret>`.
//! Never keeps the key itself: its digest is enough to know it again.

use std::fmt;

use aws_lc_rs::{constant_time, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::security::actor::Role;

const PREFIX: &str = "tsk_";
const ID_CHARS: usize = 8;
const ID_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// 32 bytes in base64 without padding.
pub(in crate::security) const SECRET_CHARS: usize = 43;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Which role a key may have, and its name as a scope. A person never acts by a key.
const SCOPES: [(Role, &str); 5] = [
    (Role::CoreBanking, "decisions:write"),
    (Role::Metrics, "metrics:read"),
    (Role::Worker, "runs:write"),
    (Role::Sync, "registry:sync"),
    (Role::Backup, "store:backup"),
];

/// What keys of that role open; nothing where the role is a person's.
pub fn find_scope(role: Role) -> Option<&'static str> {
    SCOPES.iter().find(|(known, _)| *known == role).map(|(_, scope)| *scope)
}

/// The role a key has, by the role's name or the scope's.
pub fn find_key_role(text: &str) -> Option<Role> {
    SCOPES.iter().find(|(role, scope)| role.as_str() == text || *scope == text).map(|(role, _)| *role)
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    #[error("the system gave no random bytes")]
    Random,
    #[error("this is not an API key: tsk_, eight signs, _, and 43 signs")]
    Form,
    #[error("{found:?} is not an API key's id: {ID_CHARS} characters of a-z and 0-9")]
    Id { found: String },
    #[error("API keys are not given to the role {role}")]
    Role { role: Role },
    #[error("an API key is good for 1 to {max} days, not for {days}", max = limits::API_KEY_DAYS_MAX)]
    Days { days: u32 },
}

impl Fact for ApiKeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Random => "api_key.not_made",
            Self::Form => "api_key.form",
            Self::Id { .. } => "api_key.id",
            Self::Role { .. } => "api_key.role",
            Self::Days { .. } => "api_key.days",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Random => Class::Failed,
            Self::Form => Class::Permission,
            Self::Id { .. } | Self::Role { .. } | Self::Days { .. } => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Role { .. } => {
                let roles: Vec<&str> = SCOPES.iter().map(|(role, _)| role.as_str()).collect();
                Some(format!("Give it one of the roles {}.", roles.join(", ")))
            }
            _ => None,
        }
    }
}

/// What a key is called and found by; no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyName(String);

impl KeyName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyName {
    type Error = ApiKeyError;

    fn try_from(text: String) -> Result<Self, ApiKeyError> {
        let fits = text.len() == ID_CHARS && text.bytes().all(|b| ID_ALPHABET.contains(&b));
        if fits {
            Ok(Self(text))
        } else {
            Err(ApiKeyError::Id { found: text.chars().take(ID_CHARS * 2).collect() })
        }
    }
}

impl From<KeyName> for String {
    fn from(id: KeyName) -> String {
        id.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A new key: the text is shown once, id and digest are kept.
pub struct NewApiKey {
    pub id: KeyName,
    pub text: Zeroizing<String>,
    pub digest: Digest,
}

impl NewApiKey {
    pub fn draw() -> Result<Self, ApiKeyError> {
        let id = draw_id()?;
        let secret = draw_secret().ok_or(ApiKeyError::Random)?;
        let text = Zeroizing::new([PREFIX, id.as_str(), "_", secret.as_str()].concat());
        let digest = Digest::of(text.as_bytes());
        Ok(Self { id, text, digest })
    }
}

/// Signs drawn evenly: bytes beyond the last whole multiple of 36 are drawn again.
fn draw_id() -> Result<KeyName, ApiKeyError> {
    let mut id = String::with_capacity(ID_CHARS);
    while id.len() < ID_CHARS {
        let mut byte = [0u8];
        rand::fill(&mut byte).map_err(|_| ApiKeyError::Random)?;
        if byte[0] < 252 {
            id.push(char::from(ID_ALPHABET[usize::from(byte[0]) % ID_ALPHABET.len()]));
        }
    }
    Ok(KeyName(id))
}

/// 32 random bytes as text.
pub(in crate::security) fn draw_secret() -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    rand::fill(&mut bytes[..]).ok()?;
    Some(Zeroizing::new(URL_SAFE_NO_PAD.encode(&bytes[..])))
}

/// Whether it is the one spelling of 32 bytes.
pub(in crate::security) fn is_secret(text: &str) -> bool {
    text.len() == SECRET_CHARS
        && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| Zeroizing::new(bytes).len() == 32)
}

/// Whether two digests are the same, in a time that does not tell where they differ.
pub(in crate::security) fn same_digest(one: &Digest, other: &Digest) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// A key somebody came with, not yet known to be one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedKey {
    pub id: KeyName,
    digest: Digest,
}

impl PresentedKey {
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let parts = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let (id, secret) = parts.ok_or(ApiKeyError::Form)?;
        let id = KeyName::try_from(id.to_string()).map_err(|_| ApiKeyError::Form)?;
        if !is_secret(secret) {
            return Err(ApiKeyError::Form);
        }
        Ok(Self { id, digest: Digest::of(text.as_bytes()) })
    }

    /// Whether it is the key of the kept digest; where no key has the id, give nothing: it takes as long.
    pub fn matches(&self, kept: Option<&Digest>) -> bool {
        let nobody = Digest::from_bytes([0; 32]);
        same_digest(&self.digest, kept.unwrap_or(&nobody)) && kept.is_some()
    }
}

/// Whether a key of that role may be made to last so long; answers when it expires.
pub fn check_new(role: Role, days: Option<u32>, now_ms: i64) -> Result<i64, ApiKeyError> {
    if find_scope(role).is_none() {
        return Err(ApiKeyError::Role { role });
    }
    let days = days.unwrap_or(limits::API_KEY_DAYS);
    if !(1..=limits::API_KEY_DAYS_MAX).contains(&days) {
        return Err(ApiKeyError::Days { days });
    }
    Ok(now_ms.saturating_add(i64::from(days) * DAY_MS))
}

/// Whether a key still opens anything.
pub fn is_in_force(expires_ms: i64, revoked_ms: Option<i64>, now_ms: i64) -> bool {
    revoked_ms.is_none() && now_ms < expires_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_again_and_no_other_is_taken_for_it() {
        let (made, other) = (NewApiKey::draw().unwrap(), NewApiKey::draw().unwrap());
        assert_eq!(made.text.len(), 4 + 8 + 1 + 43);
        let presented = PresentedKey::parse(&made.text).unwrap();
        assert_eq!(presented.id, made.id);
        assert!(presented.matches(Some(&made.digest)));
        assert!(!presented.matches(Some(&other.digest)) && !presented.matches(None));
        assert!(!format!("{presented:?}").contains(&made.text[13..]));
    }

    #[test]
    fn every_other_spelling_is_no_key() {
        let text = NewApiKey::draw().unwrap().text.to_string();
        let spellings = [
            text[..text.len() - 1].to_string(),
            format!("{text}A"),
            format!("{text}="),
            format!(" {text}"),
            text.to_uppercase(),
            text.replacen("tsk_", "tss_", 1),
            text.replacen('_', "-", 1),
            format!("tsk_ABCDEFGH{}", &text[12..]),
            format!("{}é", &text[..text.len() - 2]),
            String::new(),
            "tsk_".to_string(),
        ];
        for spelling in spellings {
            assert_eq!(PresentedKey::parse(&spelling), Err(ApiKeyError::Form), "{spelling:?}");
        }
        for at in 13..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            let known =
                PresentedKey::parse(&other).is_ok_and(|key| key.matches(Some(&Digest::of(text.as_bytes()))));
            assert!(!known, "another sign at {at}");
        }
    }

    #[test]
    fn each_role_of_a_service_has_its_scope_and_no_person_has_one() {
        for role in Role::ALL {
            let service =
                !matches!(role, Role::Officer | Role::Analyst | Role::Approver | Role::Auditor | Role::Admin);
            assert_eq!(find_scope(role).is_some(), service, "{role}");
            if let Some(scope) = find_scope(role) {
                assert_eq!((find_key_role(scope), find_key_role(role.as_str())), (Some(role), Some(role)));
            }
        }
        assert_eq!(find_scope(Role::CoreBanking), Some("decisions:write"));
        assert_eq!(find_scope(Role::Metrics), Some("metrics:read"));
        assert_eq!(find_key_role("admin"), None);
    }

    #[test]
    fn a_key_expires_after_its_days_and_is_gone_when_revoked() {
        let expires = check_new(Role::Metrics, None, 1_000).unwrap();
        assert_eq!(expires, 1_000 + 365 * DAY_MS);
        assert!(is_in_force(expires, None, expires - 1) && !is_in_force(expires, None, expires));
        assert!(!is_in_force(expires, Some(5), 6));
        assert_eq!(check_new(Role::Metrics, Some(730), 0), Ok(730 * DAY_MS));
        for days in [0, 731] {
            assert_eq!(check_new(Role::Metrics, Some(days), 0), Err(ApiKeyError::Days { days }));
        }
        let refused = check_new(Role::Admin, None, 0).unwrap_err();
        assert!(refused.next_step().unwrap().contains("core-banking"), "{refused}");
    }

    #[test]
    fn an_id_is_drawn_from_its_whole_alphabet() {
        let ids: String = (0..200).map(|_| draw_id().unwrap().0).collect();
        assert!(ID_ALPHABET.iter().all(|sign| ids.contains(char::from(*sign))));
    }
}
