//! Models side by side on the same rows or folds: what each scored, whether they differ beyond chance, and whether one
//! may follow the other. Never mixes rows of two parts.

pub mod folds;
pub mod kept;
pub mod paired;
pub mod production;
