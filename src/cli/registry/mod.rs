//! The registry as people see it: models and their versions, approvals, policies, exported releases.
//! Never moves an alias past a gate; the use case refuses.

pub mod approval;
pub mod check;
pub mod export;
pub mod model;
pub mod policy;
pub mod release;
