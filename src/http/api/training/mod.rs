//! Runs from their order to their end, and the data sets they read.

pub mod datasets;
pub mod orders;
pub mod work;
