//! The map of the crate: modules in the order the data flows, from a file to a decision.
//! Holds no code; docs/ARCHITECTURE.md says what each room owns and who may import whom.

pub mod base;

// The flow: pure, without a clock, a store or a network.
pub mod data;
pub mod features;
pub mod model;

pub mod evaluate;
pub mod train;

pub mod registry;

pub mod decide;
pub mod serve;

pub mod monitor;

pub mod pipeline;

// Around the flow: pure as well.
pub mod alert;
pub mod ledger;
pub mod schedule;
pub mod security;
pub mod tracking;

// The outside.
pub mod app;
pub mod cli;
pub mod client;
pub mod config;
pub mod demo;
pub mod http;
pub mod notify;
pub mod store;
pub mod worker;
