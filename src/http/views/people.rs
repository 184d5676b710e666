//! Users, API keys and sessions. A secret is shown once, to whoever made it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::people::keys::{ApiKey, MadeKey};
use crate::app::people::sessions::Opened;
use crate::app::people::users::User;
use crate::base::clock::millis_to_text;
use crate::base::limits;
use crate::security::actor::Role;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserView {
    #[schema(example = "erika")]
    pub name: String,
    pub roles: Vec<String>,
    pub locked: bool,
    /// RFC 3339 in UTC, as all times are.
    pub created: String,
    pub created_by: String,
    pub password_changed: String,
    pub last_login: Option<String>,
}

impl UserView {
    pub fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            roles: user.roles.iter().map(ToString::to_string).collect(),
            locked: user.locked,
            created: millis_to_text(user.created_ms),
            created_by: user.created_by.clone(),
            password_changed: millis_to_text(user.password_changed_ms),
            last_login: user.last_login_ms.map(millis_to_text),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserList {
    pub users: Vec<UserView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUserBody {
    pub name: String,
    /// Of officer, analyst, approver, auditor, admin.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    pub password: String,
}

#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    pub password: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RolesBody {
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyView {
    /// The part of the key that may be shown.
    pub id: String,
    /// Who calls with it.
    pub name: String,
    pub role: String,
    pub created: String,
    pub created_by: String,
    pub expires: String,
    pub revoked: Option<String>,
    /// To the hour or so.
    pub last_used: Option<String>,
}

impl KeyView {
    pub fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            role: key.role.to_string(),
            created: millis_to_text(key.created_ms),
            created_by: key.created_by.clone(),
            expires: millis_to_text(key.expires_ms),
            revoked: key.revoked_ms.map(millis_to_text),
            last_used: key.last_used_ms.map(millis_to_text),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyList {
    pub keys: Vec<KeyView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// Who calls with it; the name its records carry.
    pub name: String,
    /// Of core-banking, metrics, worker, sync, backup.
    #[schema(value_type = String, example = "core-banking")]
    pub role: Role,
    /// How long it is good; a year where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// A key just made.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewKeyView {
    #[serde(flatten)]
    pub key: KeyView,
    /// The key itself; it is not kept and never shown again.
    pub secret: String,
}

impl NewKeyView {
    pub fn of(made: &MadeKey) -> Self {
        Self { key: KeyView::of(&made.key), secret: made.secret.to_string() }
    }
}

#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    pub name: String,
    pub password: String,
}

/// A session just opened.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// For `Authorization: Bearer`; never shown again.
    pub token: String,
    pub name: String,
    pub roles: Vec<String>,
    /// When it ends if nothing is asked meanwhile.
    pub expires: String,
    pub idle_minutes: i64,
    pub last_login: Option<String>,
}

impl SessionView {
    pub fn of(opened: &Opened) -> Self {
        Self {
            token: opened.token.to_string(),
            name: opened.name.clone(),
            roles: opened.roles.iter().map(ToString::to_string).collect(),
            expires: millis_to_text(opened.ends_ms),
            idle_minutes: limits::SESSION_IDLE_MS / 60_000,
            last_login: opened.last_login_ms.map(millis_to_text),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedView {
    pub closed: bool,
}
