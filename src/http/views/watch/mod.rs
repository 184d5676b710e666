//! What runs by itself and what is watched, on the wire: outcomes, schedules, runs of chains, reports, series, alerts.

pub mod alert;
pub mod chain;
pub mod chain_run;
pub mod outcome;
pub mod report;
pub mod trend;
