//! Handlers of what runs by itself and what is watched. Never computes.

pub mod alerts;
pub mod chain_runs;
pub mod outcomes;
pub mod reports;
pub mod schedules;
pub mod trends;
