//! Commands about what is in force: what became of decisions, and how live rows differ from those learned from.

pub mod outcome;
