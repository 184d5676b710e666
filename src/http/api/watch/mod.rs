//! Handlers of what is watched. Never computes.

pub mod outcomes;
