//! How the command line speaks: answers and errors, moving bars, and a child's events.
//! Never decides what is said.

pub mod events;
pub mod output;
pub mod progress;
pub mod wait;
