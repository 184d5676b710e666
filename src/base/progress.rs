//! How long work tells what it is doing, without knowing who listens.
//! Never prints; the edge draws the bar or writes the event.

/// A listener to steps and measurements. `step` counts up to `total` within a named stage.
pub trait Progress: Sync {
    fn stage(&self, _name: &str, _total: u64) {}
    fn step(&self, _done: u64) {}
    fn metric(&self, _key: &str, _step: i64, _value: f64) {}
}

/// Listens to nothing.
pub struct Silent;

impl Progress for Silent {}
