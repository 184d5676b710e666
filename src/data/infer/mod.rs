//! Guesses a contract from a file, each guess with its reason. Guesses are for a person to confirm;
//! nothing here is trusted by training.

pub mod draft;
pub mod kind;
pub mod role;
pub mod sample;
pub mod target;

#[cfg(test)]
mod tests;
