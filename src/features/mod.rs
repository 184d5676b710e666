//! From a checked table to a matrix: the recipe, its fitted state, and the one transform
//! that training, batch and a single row share. Knows no labels and no model.

pub mod binning;
pub mod encode;
pub mod error;
pub mod fit;
pub mod fitted;
pub mod golden;
pub mod matrix;
pub mod notes;
pub mod recipe;
pub mod reference;
pub mod transform;

#[cfg(test)]
mod tests;
