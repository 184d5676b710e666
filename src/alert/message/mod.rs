//! The words an alert is told in, in the form each channel takes. The same alert makes the same message.
//! Never says more than the alert holds, and never sends it.

mod hook;
mod mail;
mod syslog;
mod words;

use crate::alert::message::hook::{plain, slack, teams};
use crate::alert::message::mail::mail;
use crate::alert::message::syslog::{json_line, syslog_line};
use crate::alert::queue::{Parcel, Queue};
use crate::alert::raised::{Alert, Severity};
use crate::alert::settings::channel::{By, Channel, Shape};

/// Who sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The name of this machine.
    pub host: String,
    /// Four digits; which branch's box it is.
    pub branch: String,
    /// Where people reach its pages, without a slash at the end.
    pub pages: Option<String>,
}

/// A message that is ready to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same for every attempt.
    pub id: String,
    pub may_repeat: bool,
    pub at_ms: i64,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Mail {
        subject: String,
        plain: String,
        html: String,
        urgent: bool,
    },
    /// The body of a webhook's request, in JSON.
    Hook(Vec<u8>),
    /// Each a datagram of its own.
    Syslog(Vec<String>),
    /// Each a line of its own, without its end.
    Lines(Vec<String>),
}

/// What one message tells.
pub(crate) struct Letter<'a> {
    parcel: &'a Parcel,
    alerts: Vec<&'a Alert>,
    origin: &'a Origin,
    at_ms: i64,
}

impl Letter<'_> {
    fn worst(&self) -> Severity {
        self.alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info)
    }
}

/// Writes a parcel in the form its channel takes; nothing where none of its alerts is kept any more.
pub fn write(
    queue: &Queue,
    parcel: &Parcel,
    channel: &Channel,
    origin: &Origin,
    at_ms: i64,
) -> Option<Message> {
    let mut alerts: Vec<&Alert> = parcel.alerts.iter().filter_map(|id| queue.find_alert(id)).collect();
    alerts.sort_by(|a, b| (b.severity, a.raised_ms, &a.id).cmp(&(a.severity, b.raised_ms, &b.id)));
    if alerts.is_empty() {
        return None;
    }
    let letter = Letter { parcel, alerts, origin, at_ms };
    let content = match &channel.by {
        By::Smtp(_) => mail(&letter),
        By::Webhook(webhook) => Content::Hook(match webhook.shape {
            Shape::Slack => slack(&letter),
            Shape::Teams => teams(&letter),
            Shape::Plain => plain(&letter),
        }),
        By::Syslog(syslog) => {
            let line = |alert: &&Alert| syslog_line(&letter, alert, syslog.facility);
            Content::Syslog(letter.alerts.iter().map(line).collect())
        }
        By::File(_) => Content::Lines(letter.alerts.iter().map(|alert| json_line(&letter, alert)).collect()),
    };
    Some(Message { id: parcel.id.clone(), may_repeat: parcel.may_repeat, at_ms, content })
}

#[cfg(test)]
mod tests;
