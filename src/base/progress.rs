//! How long work tells what it is doing, without knowing who listens.
//! Never prints; the edge draws the bar or writes the event.

use std::collections::BTreeMap;

pub mod parallel;

/// A listener to steps and measurements. `step` counts up to `total` within a named stage.
pub trait Progress: Sync {
    fn stage(&self, _name: &str, _total: u64) {}
    fn step(&self, _done: u64) {}
    fn metric(&self, _key: &str, _step: i64, _value: f64) {}
    /// One of several things that were tried, what was set for it, and its figures.
    fn trial(&self, _name: &str, _settings: &[String], _figures: &BTreeMap<String, f64>) {}
    /// How long it has listened; 0 where it has no clock, and then no budget is ever spent.
    fn spent_ms(&self) -> u64 {
        0
    }
}

/// Listens to nothing.
pub struct Silent;

impl Progress for Silent {}
