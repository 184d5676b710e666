//! What is sent and received, as types that say so: written by the server, read by the client.
//! Never the type of a stage or of the store itself: what is kept may change, what is sent may not.

pub mod approval;
pub mod check;
pub mod compare;
pub mod decision;
pub mod people;
pub mod policy;
pub mod registry;
pub mod run;
pub mod status;
pub mod watch;
pub mod why;
pub mod work;
