//! A verified champion and rows in, scores and decisions out: one row at a time or a whole file.
//! Never trains, never keeps a record, and serves nothing that no signature vouches for.

pub mod answer;
pub mod answer_error;
pub mod batch;
pub mod champion;
pub mod error;
#[cfg(test)]
pub(crate) mod fixture;
pub mod scorer;
