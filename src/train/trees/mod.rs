//! Trees over coded columns, learned: boosting of the log loss and the bagged forest, on one histogram engine.
//! Never codes a raw value and never knows a field by name; the same input and seed give the same bits.

pub mod average;
pub mod boosting;
pub mod codes;
pub mod error;
pub mod fit;
pub mod forest;
pub mod grow;
pub mod params;
pub mod recalibrate;

#[cfg(test)]
mod tests;
