//! Handlers, one file a noun: each reads its parameters, calls one use case and shows what came back.
//! Never decides anything.

pub mod aliases;
pub mod decisions;
pub mod health;
pub mod keys;
pub mod models;
pub mod policies;
pub mod proposals;
pub mod runs;
pub mod sessions;
pub mod training;
pub mod users;
pub mod watch;
pub mod whoami;
