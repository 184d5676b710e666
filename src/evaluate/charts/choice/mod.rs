//! Charts of a threshold: what it gets right and wrong, and what it brings.
//! Never chooses one.

pub mod confusion;
pub mod profit;
