//! What can be wrong with a door, by name.
//! Never a failure of a single connection: those end by themselves.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::base::fact::{Class, Fact, Failure};

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("cannot listen on {address}: {source}")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("cannot make the socket {path}: {source}", path = path.display())]
    Socket { path: PathBuf, source: std::io::Error },
    #[error("{path} is in the way of a socket and is none", path = path.display())]
    InTheWay { path: PathBuf },
    #[error("the path of the socket {path} is longer than the {max} bytes the system allows", path = path.display())]
    LongPath { path: PathBuf, max: usize },
    #[error("the socket {name:?} that was handed over is not one of {known}")]
    UnknownSocket { name: String, known: String },
    #[error("the socket {name:?} that was handed over cannot be used: {source}")]
    HandedOver { name: String, source: std::io::Error },
    #[error("{why}")]
    Identity { why: Failure },
    #[error("the key of the certificate cannot be read")]
    Key,
    #[error("TLS cannot be set up: {source}")]
    Tls { source: rustls::Error },
    #[error("the signals of the system cannot be heard: {source}")]
    Signals { source: std::io::Error },
}

impl Fact for ListenError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "listen.address",
            Self::Socket { .. } => "listen.socket",
            Self::InTheWay { .. } => "listen.in_the_way",
            Self::LongPath { .. } => "listen.long_path",
            Self::UnknownSocket { .. } => "listen.unknown_socket",
            Self::HandedOver { .. } => "listen.handed_over",
            Self::Identity { why } => why.code(),
            Self::Key => "listen.key",
            Self::Tls { .. } => "listen.tls",
            Self::Signals { .. } => "listen.signals",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Bind { source, .. } | Self::Socket { source, .. } => match source.kind() {
                std::io::ErrorKind::PermissionDenied => Class::Permission,
                std::io::ErrorKind::AddrInUse => Class::Unavailable,
                _ => Class::Failed,
            },
            Self::LongPath { .. } | Self::UnknownSocket { .. } => Class::Usage,
            Self::Identity { why } => why.class(),
            _ => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Bind { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
                "Stop what listens there, or choose another address with --listen."
            }
            Self::Bind { .. } => "Choose another address with --listen.",
            Self::InTheWay { .. } => "Move it away.",
            Self::LongPath { .. } => "Use a home with a shorter path, or --no-sockets.",
            Self::Identity { why } => return why.next_step(),
            _ => return None,
        };
        Some(step.into())
    }
}
