//! Every way a call can end without what was asked for: the server refused, or there is no such server.
//! A refusal says what the server said, so that a command ends the same wherever its home is.

use std::path::PathBuf;

use serde_json::Value;

use crate::base::fact::{Class, Fact};
use crate::base::files::FileError;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{message}")]
    Refused {
        code: &'static str,
        class: Class,
        message: String,
        next_step: Option<String>,
        details: Option<Value>,
    },
    #[error("{to} cannot be reached: {source}")]
    Connect { to: String, source: std::io::Error },
    #[error("no TLS with {to}: {why}")]
    Tls { to: String, why: String },
    #[error("{to} shows the certificate {found}, not {expected}")]
    OtherServer { to: String, expected: String, found: String },
    #[error("{to} did not {doing} within {max_ms} ms")]
    Timeout { to: String, doing: &'static str, max_ms: u64 },
    #[error("the connection to {to} broke off: {why}")]
    Broken { to: String, why: String },
    #[error("the answer of {to} is larger than the {max} bytes that are read")]
    TooLarge { to: String, max: usize },
    #[error("the list of {to} has more than the {max} items that are put together")]
    TooMany { to: String, max: usize },
    #[error("the answer of {to} (status {status}) is none of this API")]
    Strange { to: String, status: u16 },
    #[error("{text:?} is no address of a server")]
    Url { text: String },
    #[error("{text:?} is no fingerprint of a certificate: SHA-256 in hex is expected, such as AB:CD:..")]
    Fingerprint { text: String },
    #[error("nothing says which certificate the server must show")]
    NoAnchor,
    #[error("there is no key to ask {to} with")]
    NoKey { to: String },
    #[error("{path} holds no key: one line is expected", path = path.display())]
    BadKey { path: PathBuf },
    #[error("{path} can be read by others (mode {mode:04o})", path = path.display())]
    OpenKey { path: PathBuf, mode: u32 },
    #[error("{path} holds no certificate in PEM", path = path.display())]
    NoCertificate { path: PathBuf },
    #[error("the client could not be started: {0}")]
    Runtime(std::io::Error),
    #[error(transparent)]
    File(#[from] FileError),
}

impl Fact for ClientError {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Connect { .. } => "client.connect",
            Self::Tls { .. } => "client.tls",
            Self::OtherServer { .. } => "client.other_server",
            Self::Timeout { .. } => "client.timeout",
            Self::Broken { .. } => "client.broken",
            Self::TooLarge { .. } => "client.too_large",
            Self::TooMany { .. } => "client.too_many",
            Self::Strange { .. } => "client.strange",
            Self::Url { .. } => "client.url",
            Self::Fingerprint { .. } => "client.fingerprint",
            Self::NoAnchor => "client.no_anchor",
            Self::NoKey { .. } => "client.no_key",
            Self::BadKey { .. } => "client.bad_key",
            Self::OpenKey { .. } => "client.open_key",
            Self::NoCertificate { .. } => "client.no_certificate",
            Self::Runtime(_) => "client.runtime",
            Self::File(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Refused { class, .. } => *class,
            Self::Connect { .. } | Self::Timeout { .. } | Self::Broken { .. } => Class::Unavailable,
            Self::Tls { .. } | Self::OtherServer { .. } => Class::Integrity,
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::Strange { .. } | Self::Runtime(_) => {
                Class::Failed
            }
            Self::OpenKey { .. } => Class::Permission,
            Self::Url { .. }
            | Self::Fingerprint { .. }
            | Self::NoAnchor
            | Self::NoKey { .. }
            | Self::BadKey { .. }
            | Self::NoCertificate { .. } => Class::Usage,
            Self::File(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Refused { next_step, .. } => return next_step.clone(),
            Self::File(error) => return error.next_step(),
            Self::OpenKey { path, .. } => return Some(format!("Run: chmod 600 '{}'", path.display())),
            Self::Connect { .. } => "Check the address, and that the server runs: `tallystick serve`.",
            Self::Tls { .. } => "Check that it is the server that was meant, and its certificate.",
            Self::OtherServer { .. } => {
                "Do not go on unless the certificate was exchanged: ask the server's admin for its fingerprint."
            }
            Self::Timeout { .. } => "Try again in a moment; look at the server's log if it lasts.",
            Self::Broken { .. } => "Look whether it was done before you ask again.",
            Self::Strange { .. } => "Check the address: something else answers there.",
            Self::Url { .. } => "Give https://HOST:PORT.",
            Self::Fingerprint { .. } => "Copy it from the line that `tallystick serve` begins with.",
            Self::NoAnchor => {
                "Give --fingerprint as the server's admin names it, or --ca-file with the authority's certificate."
            }
            Self::NoKey { .. } => "Give --key-file with an API key or a session's token in it.",
            Self::BadKey { .. } | Self::NoCertificate { .. } => "Check that it is the file that was meant.",
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::Runtime(_) => return None,
        };
        Some(step.to_string())
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Refused { details, .. } => details.clone(),
            _ => None,
        }
    }
}
