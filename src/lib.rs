//! The map of the crate: modules in the order the data flows, from a file to a decision.
//! Holds no code; docs/ARCHITECTURE.md says what each room owns and who may import whom.

pub mod base;

pub mod data;
pub mod features;
pub mod model;

pub mod evaluate;
pub mod registry;

pub mod decide;
pub mod serve;

pub mod ledger;
pub mod security;
pub mod train;
