//! A project's files as single values that nodes depend on. The texts people see are not among them: no candidate holds
//! one.

use serde_json::{Map, Value, json};

use crate::base::canonical::CanonicalError;
use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::pipeline::graph::settings::Settings;

/// Of each column only its kind and its role: all that matters once the rows have kept the contract.
pub const ROLES: &str = "contract.toml#roles";
/// Files that are taken as they are written.
const FILES: [&str; 6] =
    ["project.toml", "contract.toml", "expectations.toml", "recipe.toml", "gates.toml", "policy.toml"];

pub fn settings_of(project: &Project) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    for file in FILES {
        settings.add(file, &project.sources.value(file)?)?;
    }
    settings.add("train.toml", &params(project)?)?;
    let role = |column: &crate::data::contract::ColumnSpec| {
        (column.name.clone(), json!([column.kind.as_str(), column.role]))
    };
    let roles: Map<String, Value> = project.contract.columns().iter().map(role).collect();
    settings.add(ROLES, &Value::Object(roles))?;
    Ok(settings)
}

/// With defaults and changes in place. What a search tries is no part of its own value, so it is added.
fn params(project: &Project) -> Result<Value, Failure> {
    let params = &project.params;
    let mut value = serde_json::to_value(params).map_err(CanonicalError::Write)?;
    if let (Some(search), Some(own)) = (&params.search, value.pointer_mut("/search")) {
        let candidates = serde_json::to_value(&search.candidates).map_err(CanonicalError::Write)?;
        own.as_object_mut().into_iter().for_each(|own| {
            own.insert("candidates".to_string(), candidates.clone());
        });
    }
    Ok(value)
}
