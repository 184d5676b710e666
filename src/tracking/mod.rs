//! What a run leaves behind: experiments, runs, params, metrics and tags in MLflow's shapes, with its rules.
//! Pure values and checks; never a clock, a store or a wire.

pub mod experiment;
pub mod metric;
pub mod name;
pub mod rule;
pub mod run;
