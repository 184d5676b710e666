//! The pages a person works with: server-rendered, whole without a script, every word of them found by key.
//! A page calls the use cases the API calls and decides nothing; nothing of it comes from outside this server.

pub mod alerts;
pub mod approvals;
pub mod assets;
pub mod cases;
pub mod chains;
pub mod cookie;
pub mod decide;
pub mod home;
pub mod login;
pub mod monitoring;
pub mod render;
pub mod routes;
pub mod text;
pub mod trouble;
pub mod words;

#[cfg(test)]
mod tests;
