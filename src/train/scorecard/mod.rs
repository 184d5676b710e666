//! The scorecard's training: fine codes into bins, and what each bin of each column says beside all the others.
//! Every step is exact and draws nothing: the same rows give the same bits.

pub mod binning;
pub mod coded;
pub mod family;
pub mod fit;
mod held;
pub mod params;
mod solve;
#[cfg(test)]
mod tests;
pub mod together;
