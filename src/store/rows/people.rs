//! Rows of who may ask: people with their passwords' hashes, and API keys with the digests of their secrets.
//! Never holds a secret itself.

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::security::actor::Role;
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::tables::{API_KEYS, Table, USERS};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRow {
    pub name: String,
    pub roles: Vec<Role>,
    /// Argon2id, in PHC form.
    pub password: String,
    pub locked: bool,
    pub created_ms: i64,
    pub created_by: String,
    pub password_changed_ms: i64,
    pub last_login_ms: Option<i64>,
}

impl UserRow {
    pub fn key_of(name: &str) -> Vec<u8> {
        Key::new().text(name).finish()
    }
}

impl JsonRow for UserRow {
    const TABLE: Table = USERS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRow {
    /// The part of the key that may be shown.
    pub id: String,
    /// Who calls with it; the name its records carry.
    pub name: String,
    pub role: Role,
    pub secret_sha256: Digest,
    pub created_ms: i64,
    pub created_by: String,
    pub expires_ms: i64,
    pub revoked_ms: Option<i64>,
    /// To the hour or so: not every use is written.
    pub last_used_ms: Option<i64>,
}

impl ApiKeyRow {
    pub fn key_of(id: &str) -> Vec<u8> {
        Key::new().text(id).finish()
    }
}

impl JsonRow for ApiKeyRow {
    const TABLE: Table = API_KEYS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.id)
    }
}
