//! Expectations: what a whole table of good rows must look like, one file a family of rules.
//! A rule that cannot be evaluated has failed, critically; silence is never a pass.

pub mod aggregates;
pub mod arguments;
pub mod frame;
pub mod pairs;
pub mod processed;
pub mod range;
pub mod report;
pub mod suite;
pub mod table;
pub mod values;

#[cfg(test)]
mod tests;
