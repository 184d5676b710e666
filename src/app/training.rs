//! Training as use cases: a run is ordered with its data ready, worked on by a worker, and closed with what came of it.
//! Nothing is trained here; whatever happens to a worker or its child, the run's row says how it ended.

pub mod desk;
pub mod ending;
pub mod error;
pub mod orders;
pub mod progress;
pub mod registering;
pub mod trials;
pub mod uploads;
pub mod work;

/// A run that waits for a worker or is with one.
pub use crate::store::rows::lab::OrderRow;
