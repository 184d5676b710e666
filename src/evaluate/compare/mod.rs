//! Two models on the same rows: what each scored, kept row by row, and whether they differ beyond chance.
//! Never mixes rows of two parts.

pub mod kept;
pub mod paired;
