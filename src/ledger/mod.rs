//! The tally log as mathematics: records, their Merkle tree (RFC 6962), signed checkpoints, receipts, the verifier.
//! Never stores anything and never knows the time; where nodes and records lie is the store's affair.

pub mod case;
pub mod checkpoint;
pub mod decision;
pub mod leaf;
pub mod receipt;
pub mod tree;
pub mod verify;

#[cfg(test)]
pub mod memory;
#[cfg(test)]
mod reader_tests;
