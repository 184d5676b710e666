//! How the server is, and who asks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::security::actor::Person;

/// That all is well; an ill server answers with a problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    pub status: String,
    /// What an admin should look at, though decisions are made.
    pub warnings: Vec<String>,
}

impl Health {
    pub fn ok() -> Self {
        Self { status: "ok".to_string(), warnings: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    pub name: String,
    pub roles: Vec<String>,
    /// The version of the server.
    pub version: String,
}

impl WhoAmI {
    pub fn of(person: &Person) -> Self {
        Self {
            name: person.name().to_string(),
            roles: person.roles().iter().map(ToString::to_string).collect(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        }
    }
}
