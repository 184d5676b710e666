//! The flow as nodes of a graph: which there are, what each depends on, and what each does between two files.
//! Computes nothing that `flow` does not; the candidate of both is the same to the byte.

pub mod files;
pub mod fitted;
pub mod found;
pub mod settings;
pub mod table;
pub mod work;
