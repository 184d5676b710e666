//! Labels and probabilities in; metrics, intervals, curves, thresholds, tables and charts out.
//! Never sees a model or a table, never draws a number but from a seed, and imports `base` only.

pub mod calibration;
pub mod charts;
pub mod compare;
pub mod curves;
pub mod importance;
pub mod intervals;
pub mod metrics;
pub mod ranked;
pub mod scores;
pub mod tables;
pub mod thresholds;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
