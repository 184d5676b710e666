//! Every way a message can fail to arrive, whether trying again can help, and whether it may have arrived all the same.
//! Never holds a secret: no password, no token, no path of a webhook.

use std::path::PathBuf;

use crate::alert::queue::Miss;
use crate::base::fact::{Class, Fact};
use crate::base::files::FileError;

#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error("{to} cannot be reached: {source}")]
    Unreachable { to: String, source: std::io::Error },
    #[error("no TLS with {to}: {why}")]
    Tls { to: String, why: String },
    #[error("{to} shows the certificate {found}, not {expected}")]
    OtherServer { to: String, expected: String, found: String },
    #[error("{to} does not offer STARTTLS, and without TLS nothing is sent")]
    NoStarttls { to: String },
    #[error("{to} did not {doing} within {max_ms} ms")]
    Timeout { to: String, doing: &'static str, max_ms: u64, uncertain: bool },
    #[error("the connection to {to} broke off: {why}")]
    Broken { to: String, why: String, uncertain: bool },
    #[error("{to} refuses to {step}: {answer}")]
    Refused { to: String, step: &'static str, answer: String, again: bool, wait_ms: Option<i64> },
    #[error("{to} points elsewhere (status {status}), which is not followed")]
    Redirect { to: String, status: u16 },
    #[error("{to} answers what is none of its protocol: {why}")]
    Strange { to: String, why: String },
    #[error("{path} can be read by others (mode {mode:04o})", path = path.display())]
    OpenSecret { path: PathBuf, mode: u32 },
    #[error("{path} holds no secret: one line is expected", path = path.display())]
    BadSecret { path: PathBuf },
    #[error("there are no credentials of systemd, of which {name:?} is to be one")]
    NoCredentials { name: String },
    #[error("{path} holds no address such as https://HOST/PATH", path = path.display())]
    BadAddress { path: PathBuf },
    #[error("{to} would be sent to without TLS")]
    Plain { to: String },
    #[error("{path} holds no certificate in PEM", path = path.display())]
    NoCertificate { path: PathBuf },
    #[error("the message could not be put together: {why}")]
    Message { why: String },
    #[error("the message is not in the form that the channel {channel:?} takes")]
    Form { channel: String },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the file was written to by halves and could not be set back: {0}")]
    HalfWritten(FileError),
}

impl NotifyError {
    /// Whether the same message may arrive at another time, with nobody having changed the message.
    pub fn again(&self) -> bool {
        match self {
            Self::Refused { again, .. } => *again,
            Self::Redirect { .. } | Self::Message { .. } | Self::Form { .. } => false,
            _ => true,
        }
    }

    /// Whether it may have arrived although nobody said so.
    pub fn uncertain(&self) -> bool {
        match self {
            Self::Timeout { uncertain, .. } | Self::Broken { uncertain, .. } => *uncertain,
            Self::HalfWritten(_) => true,
            _ => false,
        }
    }

    /// As the queue takes it.
    pub fn miss(&self) -> Miss {
        let wait_ms = match self {
            Self::Refused { wait_ms, .. } => *wait_ms,
            _ => None,
        };
        Miss { why: self.to_string(), again: self.again(), uncertain: self.uncertain(), wait_ms }
    }
}

impl Fact for NotifyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "notify.unreachable",
            Self::Tls { .. } => "notify.tls",
            Self::OtherServer { .. } => "notify.other_server",
            Self::NoStarttls { .. } => "notify.no_starttls",
            Self::Timeout { .. } => "notify.timeout",
            Self::Broken { .. } => "notify.broken",
            Self::Refused { .. } => "notify.refused",
            Self::Redirect { .. } => "notify.redirect",
            Self::Strange { .. } => "notify.strange",
            Self::OpenSecret { .. } => "notify.open_secret",
            Self::BadSecret { .. } => "notify.bad_secret",
            Self::NoCredentials { .. } => "notify.no_credentials",
            Self::BadAddress { .. } => "notify.bad_address",
            Self::Plain { .. } => "notify.plain",
            Self::NoCertificate { .. } => "notify.no_certificate",
            Self::Message { .. } => "notify.message",
            Self::Form { .. } => "notify.form",
            Self::File(error) => error.code(),
            Self::HalfWritten(_) => "notify.half_written",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Broken { .. } => Class::Unavailable,
            Self::Tls { .. } | Self::OtherServer { .. } | Self::NoStarttls { .. } => Class::Integrity,
            Self::OpenSecret { .. } => Class::Permission,
            Self::BadSecret { .. }
            | Self::NoCredentials { .. }
            | Self::BadAddress { .. }
            | Self::Plain { .. }
            | Self::NoCertificate { .. } => Class::Usage,
            Self::Refused { .. }
            | Self::Redirect { .. }
            | Self::Strange { .. }
            | Self::Message { .. }
            | Self::Form { .. } => Class::Failed,
            Self::File(error) | Self::HalfWritten(error) => error.class(),
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::File(error) | Self::HalfWritten(error) => return error.next_step(),
            Self::OpenSecret { path, .. } => return Some(format!("Run: chmod 600 '{}'", path.display())),
            Self::Unreachable { .. } => "Check the host and port in alerts.toml, and the network.",
            Self::Tls { .. } => "Check ca_file or fingerprint in alerts.toml, and the server's certificate.",
            Self::OtherServer { .. } => {
                "Do not go on unless the certificate was exchanged: ask who runs the server."
            }
            Self::NoStarttls { .. } => {
                "Use security = \"tls\", or have STARTTLS switched on at the mail server."
            }
            Self::Timeout { .. } | Self::Broken { .. } => {
                "It is tried again by itself; look at the server if it lasts."
            }
            Self::Refused { again: true, .. } => {
                "It is tried again by itself; check user and password if it lasts."
            }
            Self::Refused { .. } => "Correct the channel in alerts.toml, then send the alert again.",
            Self::Redirect { .. } => {
                "Write the address it points to into alerts.toml, if that is the right one."
            }
            Self::Strange { .. } => "Check host and port: something else answers there.",
            Self::BadSecret { .. } | Self::BadAddress { .. } => "Check that it is the file that was meant.",
            Self::NoCredentials { .. } => "Add LoadCredential= to the service, or name a file.",
            Self::Plain { .. } => {
                "Use https, or write allow_plain = true if the network in between is trusted."
            }
            Self::NoCertificate { .. } => "Name a file with the authority's certificate as ca_file.",
            Self::Message { .. } | Self::Form { .. } => return None,
        };
        Some(step.to_string())
    }
}
