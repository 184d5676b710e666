//! What stands between a proposal and what is asked of it: who asks, how it stands, what it is against.

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::registry::proposal::ProposalState;

#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    #[error(
        "{name}@{version} goes into production by two people: its gates, or those of what is there, ask for a second person"
    )]
    SecondPerson { name: String, version: u64 },
    #[error("there is no proposal {wanted} in this home")]
    Unknown { wanted: String },
    #[error("proposal {id} is the same and still waits")]
    Exists { id: u64 },
    #[error("{max} proposals wait, which is the most that may", max = limits::PROPOSALS_OPEN_MAX)]
    TooManyOpen,
    #[error("{alias} of {name:?} points at version {version} with that policy already")]
    NoChange { name: String, alias: String, version: u64 },
    #[error("a proposal says why it is made")]
    NoReason,
    #[error("who decides about a proposal says why")]
    NoComment,
    #[error("proposal {id} was {state} already")]
    Closed { id: u64, state: ProposalState },
    #[error("proposal {id} waited too long and has expired")]
    Expired { id: u64 },
    #[error("{alias} of {name:?} has moved since proposal {id} was made")]
    AliasMoved { id: u64, name: String, alias: String },
    #[error("{who} made proposal {id} and cannot decide about it")]
    OwnProposal { id: u64, who: String },
    #[error("{who} trained what proposal {id} is about and cannot decide about it")]
    OwnModel { id: u64, who: String },
    #[error("proposal {id} is withdrawn by whoever made it, {by}")]
    NotProposer { id: u64, by: String },
}

impl Fact for ApprovalError {
    fn code(&self) -> &'static str {
        match self {
            Self::SecondPerson { .. } => "gate.needs_second_person",
            Self::Unknown { .. } => "approval.unknown",
            Self::Exists { .. } => "approval.exists",
            Self::TooManyOpen => "approval.too_many_open",
            Self::NoChange { .. } => "approval.no_change",
            Self::NoReason => "approval.no_reason",
            Self::NoComment => "approval.no_comment",
            Self::Closed { .. } => "approval.closed",
            Self::Expired { .. } => "approval.expired",
            Self::AliasMoved { .. } => "approval.alias_moved",
            Self::OwnProposal { .. } => "approval.own_proposal",
            Self::OwnModel { .. } => "approval.own_model",
            Self::NotProposer { .. } => "approval.not_proposer",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::SecondPerson { .. } => Class::GateRefused,
            Self::OwnProposal { .. } | Self::OwnModel { .. } | Self::NotProposer { .. } => Class::Permission,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::SecondPerson { name, version } => {
                return Some(format!(
                    "Propose it: `tallystick model propose {name}@{version} --to production --why REASON`; somebody else approves."
                ));
            }
            Self::Unknown { .. } => "See `tallystick approval list`.",
            Self::Exists { .. } => "Have it decided, or withdraw it first.",
            Self::TooManyOpen => "Have some decided or withdrawn: `tallystick approval list`.",
            Self::NoChange { .. } => "There is nothing to approve.",
            Self::NoReason => "Give it: --why REASON.",
            Self::NoComment => "Give it: --comment TEXT.",
            Self::Closed { .. } | Self::Expired { .. } => "Propose the version again.",
            Self::AliasMoved { .. } => "Look at what is there now, and propose the version again.",
            Self::OwnProposal { .. } => {
                "Ask another approver; whoever made it may withdraw it: `tallystick approval withdraw`."
            }
            Self::OwnModel { .. } => "Ask an approver who had no part in it.",
            Self::NotProposer { .. } => "An approver may reject it: `tallystick approval reject`.",
        };
        Some(step.into())
    }
}
