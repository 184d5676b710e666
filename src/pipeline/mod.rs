//! The flow's steps in order, and what a run leaves behind. Pure: no clock, no store, no network.

pub mod artifacts;
pub mod candidate;
pub mod child;
pub mod evaluation;
pub mod fitting;
pub mod flow;
pub mod graph;
pub mod nodes;
pub mod parts;
pub mod processed;
pub mod ready;
pub mod search;
pub mod sweep;
