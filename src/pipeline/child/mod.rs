//! A run's child: what it is given, and what it tells its parent.
//! Starts none.

pub mod events;
pub mod spec;
