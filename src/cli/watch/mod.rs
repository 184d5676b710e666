//! Commands about what runs by itself and what is in force: schedules and their runs, what became of decisions, reports
//! and figures over days, alerts.

pub mod alert;
pub mod chain_run;
pub mod monitor;
pub mod outcome;
pub mod schedule;
