//! From a file to a checked table: reading, casting, contract, expectations, leak guard, splits.
//! The only room that knows CSV, Parquet or Arrow. No clock, no store, no network.

pub mod cell;
pub mod contract;
pub mod expect;
pub mod finding;
pub mod import;
pub mod infer;
pub mod label;
pub mod leak;
pub mod profile;
pub mod quarantine;
pub mod row;
pub mod spelling;
pub mod split;
pub mod table;
pub mod write;
