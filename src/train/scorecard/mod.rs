//! The scorecard's training: fine codes into few bins, bins into weights of evidence, those into a logistic curve.
//! Every step is exact and draws nothing: the same rows give the same bits.

pub mod binning;
pub mod coded;
pub mod family;
pub mod fit;
pub mod logistic;
pub mod params;
#[cfg(test)]
mod tests;
