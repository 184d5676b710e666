//! What an alert is, to whom it goes, how its deliveries stand, and the words it is told in.
//! Never opens a file or a connection and never asks for the time: it is told both what happened and when.

pub mod limits;
pub mod message;
pub mod queue;
pub mod raised;
pub mod settings;
