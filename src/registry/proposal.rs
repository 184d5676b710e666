//! How it stands with a proposal to promote a version: open, or closed in one of five ways for good.
//! Never knows what is proposed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalState {
    /// It waits for a second person.
    Open,
    Approved,
    Rejected,
    /// By whoever proposed it.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
    /// The alias moved otherwise.
    Superseded,
}

impl ProposalState {
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Approved, Self::Rejected, Self::Withdrawn, Self::Expired, Self::Superseded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }
}

impl fmt::Display for ProposalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is none of open, approved, rejected, withdrawn, expired, superseded")]
pub struct BadState(String);

impl FromStr for ProposalState {
    type Err = BadState;

    fn from_str(text: &str) -> Result<Self, BadState> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| BadState(text.to_string()))
    }
}
