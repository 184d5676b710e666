//! What is watched, on the wire: outcomes, reports, series.

pub mod outcome;
