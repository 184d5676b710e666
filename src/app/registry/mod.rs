//! The registry as use cases: versions, promotion, policies, and releases outside of any home.
//! Everything that is loaded passes the one verifier first.

pub mod exported;
pub mod policies;
pub mod promotion;
pub mod versions;
