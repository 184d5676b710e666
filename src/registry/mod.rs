//! From a trained model to a signed release: what a model's bytes are, who vouches for them, and
//! whether they may be promoted. Never trains, never stores, and loads nothing that is not verified.

pub mod content;
pub mod content_error;
#[cfg(test)]
pub(crate) mod fixture;
pub mod gate;
pub mod golden;
pub mod proposal;
pub mod release;
pub mod signing;
pub mod version;
