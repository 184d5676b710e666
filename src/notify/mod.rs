//! Delivers one message over one channel and says what came of it: to the host of that channel and to no other.
//! Never decides whether, never tries twice, and never follows where a server points.

pub mod error;
mod file;
pub mod limits;
mod line;
mod mime;
mod secret;
mod smtp;
mod syslog;
mod trust;
mod webhook;

use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::alert::message::{Content, Message};
use crate::alert::settings::channel::{By, Channel};
use crate::notify::error::NotifyError;

/// What this machine has for sending.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The home's folder of alert files.
    pub alerts: PathBuf,
    /// Where systemd puts the credentials of this service.
    pub credentials: Option<PathBuf>,
    /// The authorities this machine trusts, in PEM.
    pub authorities: PathBuf,
    pub connect_ms: u64,
    /// From the first step to the end of the answer.
    pub whole_ms: u64,
}

impl Ground {
    pub fn of_home(alerts: PathBuf, credentials: Option<PathBuf>) -> Self {
        Self {
            alerts,
            credentials,
            authorities: PathBuf::from(limits::SYSTEM_AUTHORITIES),
            connect_ms: limits::NOTIFY_CONNECT_MS,
            whole_ms: limits::NOTIFY_WHOLE_MS,
        }
    }
}

/// The message is with the receiver, as far as the protocol can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Whether the receiver said so; over UDP none does.
    pub confirmed: bool,
    /// What is worth keeping beside that: recipients that were refused, a repetition that was left out.
    pub note: Option<String>,
}

/// Set before the first byte by which the receiver may take the message; what fails after it may have arrived.
#[derive(Debug, Default)]
pub(crate) struct HandedOver(AtomicBool);

impl HandedOver {
    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One attempt, within the time there is for it.
pub async fn deliver(
    channel: &Channel,
    message: &Message,
    ground: &Ground,
) -> Result<Delivered, NotifyError> {
    let handed = HandedOver::default();
    match timeout(Duration::from_millis(ground.whole_ms), send(channel, message, ground, &handed)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(NotifyError::Timeout {
            to: channel.name.clone(),
            doing: "take the message",
            max_ms: ground.whole_ms,
            uncertain: handed.is_set(),
        }),
    }
}

async fn send(
    channel: &Channel,
    message: &Message,
    ground: &Ground,
    handed: &HandedOver,
) -> Result<Delivered, NotifyError> {
    match (&channel.by, &message.content) {
        (By::Smtp(to), Content::Mail { .. }) => smtp::send(to, message, ground, handed).await,
        (By::Webhook(to), Content::Hook(body)) => webhook::send(to, (message, body), ground, handed).await,
        (By::Syslog(to), Content::Syslog(lines)) => syslog::send(to, lines, ground, handed).await,
        (By::File(to), Content::Lines(lines)) => file::send(to, message, lines, ground).await,
        _ => Err(NotifyError::Form { channel: channel.name.clone() }),
    }
}

/// A step that has its own time within the whole.
pub(crate) async fn in_time<T>(
    step: impl Future<Output = Result<T, NotifyError>>,
    to: &str,
    doing: &'static str,
    max_ms: u64,
) -> Result<T, NotifyError> {
    let late = |_| NotifyError::Timeout { to: to.to_string(), doing, max_ms, uncertain: false };
    timeout(Duration::from_millis(max_ms), step).await.map_err(late)?
}

#[cfg(test)]
mod tests;
