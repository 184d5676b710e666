//! The API as a caller sees it: one client, three ways in. Over the socket of a server of this machine, over TLS to
//! a server whose certificate is known beforehand, or through the same router inside this process.
//! Never sees a use case or a store, and trusts no server that was not named to it.

pub mod answer;
pub mod call;
pub mod error;
pub mod inside;
pub mod pin;
pub mod remote;
pub mod target;
pub mod wire;
pub mod work;
