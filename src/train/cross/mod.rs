//! Fitting on some rows and scoring the others: folds, out-of-fold margins, and weights for several families at once.
//! Reads no file and judges nothing.

pub mod development;
pub mod ensemble;
pub mod folds;
pub mod stack;
