//! Signed policies.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::registry::PolicyRow;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Policy {
    pub digest: String,
    pub name: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
}

impl Policy {
    pub fn of(row: &PolicyRow) -> Self {
        Self { digest: row.digest.to_hex(), name: row.name.clone(), created_ms: row.created_ms }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyList {
    pub policies: Vec<Policy>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    pub digest: String,
    /// The signed object, field by field.
    #[schema(value_type = Object)]
    pub policy: Value,
}
