//! The flow as a graph of nodes with artifacts between them: what is stale and why, what a run does, how it looks.
//! Knows no node of ours and no clock; what a node does and what time it is are handed in.

pub mod content;
pub mod error;
pub mod execute;
pub mod node;
pub mod picture;
pub mod plan;
pub mod record;
pub mod select;
pub mod settings;
pub mod state;

#[cfg(test)]
mod tests;
