//! What is in force, watched: what became of decisions, how live rows differ from those that were learned from.
//! Never changes what is in force by itself; that is asked of `registry`.

pub mod outcomes;

pub use crate::store::rows::outcomes::OutcomeRow;
