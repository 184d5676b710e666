//! Training of a network: its shape and first weights, the gradient of a batch, the course of the epochs.
//! Draws from the run's seed alone, never from burn.

pub mod averaged;
pub mod bounds;
mod burned;
mod flat;
pub mod gradient;
mod loops;
pub mod shape;
pub mod trainer;
