//! From a checked table to a matrix: the recipe, its fitted state, and the one transform
//! that training, batch and a single row share. Knows no labels and no model.

pub mod matrix;
pub mod recipe;
