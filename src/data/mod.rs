//! From a file to a checked table: reading, casting, contract, expectations, leak guard, splits.
//! The only room that knows CSV, Parquet or Arrow. No clock, no store, no network.

pub mod contract;
pub mod table;
