//! What is kept: two redb files, each behind one writer thread, and the blobs beside them.
//! The only redb code. Every value is framed and checked at each read; undecodable is corrupt, never absent.

pub mod blobs;
pub mod check;
pub mod error;
pub mod file;
pub mod home;
pub mod lane;
pub mod migrate;
pub mod open;
pub mod rows;
pub mod tables;
pub mod value;
pub mod views;
pub mod witness;

#[cfg(test)]
mod tests;
