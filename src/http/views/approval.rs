//! Proposals to promote, and what is said when one is made or decided.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::registry::ProposalRow;
use crate::base::clock::millis_to_text;
use crate::http::views::registry::Gate;
use crate::registry::version::Alias;

/// One proposal that an alias moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    pub id: u64,
    #[schema(example = "loan-default")]
    pub name: String,
    pub version: u64,
    /// By which it is to decide.
    pub policy: String,
    /// The alias that is to point to it.
    #[schema(example = "production")]
    pub to: String,
    pub why: String,
    /// The version the alias pointed to when it was proposed; null where it pointed nowhere.
    pub from: Option<u64>,
    /// `open`, `approved`, `rejected`, `withdrawn`, `expired` or `superseded`.
    #[schema(example = "open")]
    pub state: String,
    /// How the gates judged it when it was proposed.
    pub gate: Gate,
    pub proposed_by: String,
    /// RFC 3339 in UTC, as all times are.
    pub proposed: String,
    pub expires: String,
    pub decided_by: Option<String>,
    pub comment: Option<String>,
    pub decided: Option<String>,
}

impl ProposalView {
    pub fn of(row: &ProposalRow) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            version: row.version,
            policy: row.policy.to_hex(),
            to: row.to.clone(),
            why: row.why.clone(),
            from: row.from.as_ref().map(|from| from.version),
            state: row.state.to_string(),
            gate: Gate::of(&row.gate),
            proposed_by: row.proposed_by.clone(),
            proposed: millis_to_text(row.proposed_ms),
            expires: millis_to_text(row.expires_ms),
            decided_by: row.decided_by.clone(),
            comment: row.comment.clone(),
            decided: row.decided_ms.map(millis_to_text),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposalList {
    /// Open ones first, the latest first among each.
    pub proposals: Vec<ProposalView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A proposal as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeBody {
    /// The version to point at; the newest where neither this nor `from` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Point at what this alias points at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub from: Option<Alias>,
    #[schema(value_type = String, example = "production")]
    pub to: Alias,
    /// Kept with the proposal, and with the move once it is approved.
    pub why: String,
    /// Decide by another signed policy: its digest, or the beginning of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// What whoever decides about a proposal says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentBody {
    pub comment: String,
}
