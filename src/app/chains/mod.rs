//! What runs by itself: projects whose schedule was applied, the starts of their chains, and every step of a run.
//! `schedule` says what is due and what follows from what; here it is done, written down before and after.
//! Never does what a person may not do by hand.

pub mod beat;
pub mod commits;
pub mod counted;
pub mod error;
pub mod git;
pub mod hands;
pub mod inbox;
pub mod projects;
pub mod runs;
pub mod starts;
pub mod steps;

pub use crate::store::rows::chains::{ChainRow, ChainRunRow, ProjectRow};
