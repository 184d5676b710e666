//! What the columns of a table look like, and how well each alone foretells the outcome.
//! Describes; the leak guard and the guesser of contracts draw the conclusions.

pub mod column;
pub mod group;
pub mod signal;

#[cfg(test)]
mod tests;
