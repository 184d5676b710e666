//! Every way `alerts.toml` can be wrong, naming the channel or route and the key.
//! Never repeats a value that could be a secret.

use crate::base::fact::{Class, Fact};
use crate::base::ids::BadName;

#[derive(Debug, thiserror::Error)]
pub enum AlertSettingsError {
    #[error("alerts: {0}")]
    Name(#[from] BadName),
    #[error("alerts: the channel {name:?} is there twice")]
    Twice { name: String },
    #[error("alerts: {found} {what}; at most {max} are allowed")]
    TooMany { what: &'static str, found: usize, max: usize },
    #[error("alerts: channel {channel:?} needs {key} for its type {kind:?}")]
    Missing { channel: String, kind: &'static str, key: &'static str },
    #[error("alerts: channel {channel:?} has {key}, which its type {kind:?} does not know")]
    Foreign { channel: String, kind: &'static str, key: &'static str },
    #[error("alerts: channel {channel:?} has both {first} and {second}")]
    Both { channel: String, first: &'static str, second: &'static str },
    #[error("alerts: channel {channel:?}: {key} {what}")]
    Value { channel: String, key: &'static str, what: &'static str },
    #[error("alerts: channel {channel:?} would send to {host} without TLS")]
    Plain { channel: String, host: String },
    #[error("alerts: route {route} names the channel {channel:?}, which does not exist")]
    NoChannel { route: usize, channel: String, nearest: Option<String> },
    #[error("alerts: route {route}: {key} {what}")]
    Route { route: usize, key: &'static str, what: &'static str },
    #[error("alerts: {found:?} is no time zone")]
    Zone { found: String },
    #[error("alerts: pages = {found:?} is no address of a server")]
    Pages { found: String },
}

impl Fact for AlertSettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name(error) => error.code(),
            Self::Twice { .. } => "alerts.channel_twice",
            Self::TooMany { .. } => "alerts.too_many",
            Self::Missing { .. } => "alerts.missing",
            Self::Foreign { .. } => "alerts.foreign_key",
            Self::Both { .. } => "alerts.both",
            Self::Value { .. } => "alerts.value",
            Self::Plain { .. } => "alerts.plain",
            Self::NoChannel { .. } => "alerts.no_channel",
            Self::Route { .. } => "alerts.route",
            Self::Zone { .. } => "alerts.zone",
            Self::Pages { .. } => "alerts.pages",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Name(_) | Self::Value { .. } | Self::Route { .. } => "Correct alerts.toml.",
            Self::Twice { .. } => "Give each channel a name of its own.",
            Self::TooMany { .. } => "Put what belongs together into one.",
            Self::Missing { key, .. } => return Some(format!("Add {key} to the channel.")),
            Self::Foreign { key, .. } => return Some(format!("Remove {key}, or correct the type.")),
            Self::Both { .. } => "Keep one of them.",
            Self::Plain { .. } => {
                "Use TLS, or write allow_plain = true if the network in between is trusted."
            }
            Self::NoChannel { nearest: Some(name), .. } => return Some(format!("Did you mean {name:?}?")),
            Self::NoChannel { .. } => "Add a [[channel]] of that name, or correct the route.",
            Self::Zone { .. } => "Give a name of the time zone list, such as \"Europe/Berlin\".",
            Self::Pages { .. } => "Give https://HOST:PORT.",
        };
        Some(step.to_string())
    }
}
