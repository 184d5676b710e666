//! Rows of proposals to promote: what was proposed, by whom and against which state, and what came of it.
//! Never decides whether a proposal may be made or approved.

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::registry::gate::GateReport;
use crate::registry::proposal::ProposalState;
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::rows::registry::AliasTarget;
use crate::store::tables::{PROPOSALS, Table};

/// One proposal. While it is open it stands before all that are closed; among each the latest stands first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalRow {
    /// Counts the proposals of the home from 1; never used again.
    pub id: u64,
    pub name: String,
    pub version: u64,
    /// By which it is to decide.
    pub policy: Digest,
    /// The alias that is to point to it.
    pub to: String,
    pub why: String,
    /// Where the alias pointed when it was proposed, and the tag of that state; neither where it pointed nowhere.
    pub from: Option<AliasTarget>,
    pub from_tag: Option<String>,
    /// How the gates judged it then.
    pub gate: GateReport,
    pub proposed_by: String,
    pub proposed_ms: i64,
    pub expires_ms: i64,
    pub state: ProposalState,
    /// Who closed it, what they said and when; nothing while it is open.
    pub decided_by: Option<String>,
    pub comment: Option<String>,
    pub decided_ms: Option<i64>,
}

impl ProposalRow {
    pub fn key_of(is_open: bool, id: u64) -> Vec<u8> {
        Key::new().byte(u8::from(!is_open)).number(u64::MAX - id).finish()
    }

    pub fn prefix(is_open: bool) -> Vec<u8> {
        Key::new().byte(u8::from(!is_open)).finish()
    }

    pub fn is_open(&self) -> bool {
        self.state == ProposalState::Open
    }
}

impl JsonRow for ProposalRow {
    const TABLE: Table = PROPOSALS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.is_open(), self.id)
    }
}
