//! The registry as use cases: versions, promotion, approvals, policies, and releases outside of any home.
//! Everything that is loaded passes the one verifier first.

pub mod approvals;
pub mod challenge;
pub mod exported;
pub mod formats;
pub mod policies;
pub mod promotion;
pub mod versions;

/// What the registry's use cases answer with.
pub use crate::store::rows::approvals::ProposalRow;
pub use crate::store::rows::registry::{AliasHistoryRow, AliasRow, PolicyRow, VersionRow};
