//! Handlers, one file a noun: each reads its parameters, calls one use case and shows what came back.
//! Never decides anything.

pub mod aliases;
pub mod health;
pub mod models;
pub mod policies;
pub mod runs;
pub mod whoami;
