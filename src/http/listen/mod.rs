//! The doors: TLS over the network, sockets of this machine, sockets handed over by systemd; how many may
//! be open, for how long, and how they close. Never knows a route: it serves whatever router it is given.

pub mod accept;
pub mod connections;
pub mod doors;
pub mod drain;
pub mod error;
pub mod handed;
pub mod local;
pub mod notify;
pub mod tls;
pub mod unread;
pub mod watched;
