//! The wire: doors, router, problems, views. Handlers decide nothing; each calls one use case of `app`.
//! The only room that speaks HTTP to others; it never sees the store, and the use cases never see HTTP.

pub mod api;
pub mod auth;
pub mod body;
pub mod call;
pub mod context;
pub mod cursor;
pub mod listen;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod router;
pub mod routes;
pub mod server;
pub mod views;
