//! Models, versions, aliases and their moves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::registry::{AliasHistoryRow, AliasRow, VersionRow, promotion};
use crate::base::clock::millis_to_text;
use crate::http::views::watch::report::HoldView;
use crate::registry::gate::GateReport;
use crate::registry::version::Alias;

/// One version of a model. Digests are SHA-256 in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    #[schema(example = "loan-default")]
    pub name: String,
    pub version: u64,
    #[schema(example = "1.0.0")]
    pub label: String,
    /// Of the model.
    pub digest: String,
    /// Of the signed release.
    pub release: String,
    /// Of the policy that goes with it.
    pub policy: String,
    pub run_id: String,
    /// RFC 3339 in UTC.
    pub created: String,
}

impl Version {
    pub fn of(row: &VersionRow) -> Self {
        Self {
            name: row.name.clone(),
            version: row.version,
            label: row.label.clone(),
            digest: row.model.to_hex(),
            release: row.release.to_hex(),
            policy: row.policy.to_hex(),
            run_id: row.run_id.clone(),
            created: millis_to_text(row.created_ms),
        }
    }
}

/// A model: its newest version, and which versions its aliases name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Model {
    #[serde(flatten)]
    pub newest: Version,
    pub aliases: BTreeMap<String, u64>,
}

impl Model {
    pub fn of(row: &VersionRow, aliases: &[AliasRow]) -> Self {
        let aliases = aliases.iter().map(|alias| (alias.alias.clone(), alias.version)).collect();
        Self { newest: Version::of(row), aliases }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ModelList {
    pub models: Vec<Model>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VersionList {
    pub versions: Vec<Version>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A version with what was measured of it and what it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionDetail {
    #[serde(flatten)]
    pub version: Version,
    /// The id of the key that signed the release.
    pub signed_by: String,
    #[schema(value_type = Object)]
    pub evaluation: Value,
    #[schema(value_type = Object)]
    pub lineage: Value,
    /// The rule that holds the model back, where one does: nothing of it is promoted meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldView>,
}

/// Where an alias points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AliasView {
    pub name: String,
    #[schema(example = "production")]
    pub alias: String,
    pub version: u64,
    pub policy: String,
    pub moved: String,
    pub by: String,
    /// Names this state for `If-Match`, without its quotes.
    pub etag: String,
}

impl AliasView {
    pub fn of(row: &AliasRow) -> Self {
        Self {
            name: row.name.clone(),
            alias: row.alias.clone(),
            version: row.version,
            policy: row.policy.to_hex(),
            moved: millis_to_text(row.moved_ms),
            by: row.by.clone(),
            etag: promotion::tag_of(row),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AliasList {
    pub name: String,
    pub aliases: Vec<AliasView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AliasMove {
    pub when: String,
    /// The version before; null for the first move.
    pub from: Option<u64>,
    pub to: u64,
    pub policy: String,
    pub by: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    pub name: String,
    pub alias: String,
    /// Oldest first.
    pub moves: Vec<AliasMove>,
}

impl History {
    pub fn of(name: &str, alias: Alias, rows: &[AliasHistoryRow]) -> Self {
        let step = |row: &AliasHistoryRow| AliasMove {
            when: millis_to_text(row.moved_ms),
            from: row.from.as_ref().map(|target| target.version),
            to: row.to.version,
            policy: row.to.policy.to_hex(),
            by: row.by.clone(),
            why: row.why.clone(),
        };
        Self { name: name.to_string(), alias: alias.to_string(), moves: rows.iter().map(step).collect() }
    }
}

/// A promotion as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteBody {
    /// The version to point at; the newest where neither this nor `from` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Point at what this alias points at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub from: Option<Alias>,
    #[schema(value_type = String, example = "production")]
    pub to: Alias,
    /// Kept with the move.
    #[serde(default)]
    pub why: String,
    /// Decide by another signed policy: its digest, or the beginning of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The text of a gates.toml that is held beside the version's own gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gates: Option<String>,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackBody {
    #[schema(value_type = String, example = "production")]
    pub alias: Alias,
    /// Kept with the move.
    #[serde(default)]
    pub why: String,
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// A gate's rule and how it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    pub metric: String,
    /// `min` or `max`.
    pub bound: String,
    pub limit: f64,
    /// Null where the model has no such figure.
    pub value: Option<f64>,
    pub passed: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Gate {
    pub rules: Vec<Rule>,
    pub passed: bool,
}

impl Gate {
    pub fn of(report: &GateReport) -> Self {
        let rules = report.rules.iter().map(|rule| Rule {
            metric: rule.metric.clone(),
            bound: rule.bound.as_str().to_string(),
            limit: rule.limit,
            value: rule.value,
            passed: rule.passed,
        });
        Self { rules: rules.collect(), passed: report.passed }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Promoted {
    #[serde(flatten)]
    pub version: Version,
    pub alias: String,
    pub gate: Gate,
    pub dry_run: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolledBack {
    #[serde(flatten)]
    pub version: Version,
    pub alias: String,
    pub dry_run: bool,
}
