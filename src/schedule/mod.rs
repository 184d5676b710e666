//! What runs by itself and when: schedule.toml as written and as checked, planned starts, catch-up, the course of a
//! chain's run, the triggers. Pure: time comes in as an argument. Never reads a clock, a store or a folder, and
//! never does what a step says.

pub mod chain_run;
pub mod cron;
pub mod definition;
pub mod due;
pub mod duration;
pub mod error;
pub mod limits;
pub mod pattern;
pub mod picture;
pub mod raw;
pub mod refname;
pub mod trigger;
pub mod zone;
