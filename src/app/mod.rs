//! The use cases: authorise, run the flow, one transaction, one record in the tally log.
//! Knows no terminal and no wire; the only place where the flow meets the store.

pub mod alerts;
pub mod batches;
pub mod chains;
pub mod datasets;
pub mod decisions;
pub mod error;
pub mod find;
pub mod home;
pub mod integrity;
pub mod people;
pub mod registry;
pub mod runs;
pub mod server;
pub mod training;
pub mod watch;
