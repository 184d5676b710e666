//! What is in force, watched: what became of decisions, how live rows differ from those that were learned from, and
//! what the rules of a project make of it.

pub mod asked;
pub mod counted;
pub mod files;
pub mod newest;
pub mod outcomes;
mod pooled;
pub mod reactions;
mod released;
pub mod reports;
pub mod trends;

use std::collections::BTreeMap;
use std::sync::Mutex;

pub use crate::store::rows::watch::HoldRow;
pub use crate::store::rows::watch::outcomes::OutcomeRow;

/// What is counted once and kept up from then on, by the model's name.
#[derive(Default)]
pub struct Watched {
    outcomes: Mutex<BTreeMap<String, u64>>,
    reports: newest::Reports,
}
