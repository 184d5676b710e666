//! The sentences that every form shares: what is new, since when, how often, who sends.
//! Never marks anything up; that is the form's own work.

use crate::alert::message::{Letter, Origin};
use crate::alert::raised::Alert;
use crate::base::clock::millis_to_text;

/// Said first where an earlier attempt may have arrived.
pub const MAY_REPEAT: &str =
    "This message may have arrived before: the connection or the power was cut while it was being sent.";

/// One line that says it all: the subject of a mail, the text of a notification.
pub fn heading(letter: &Letter<'_>) -> String {
    let box_name = sender(letter.origin);
    match letter.alerts.as_slice() {
        [alert] if !letter.parcel.digest => {
            format!("[{}] {} ({box_name})", alert.severity.word(), alert.title)
        }
        [_] => format!("[{}] 1 alert ({box_name})", letter.worst().word()),
        alerts => format!("[{}] {} alerts ({box_name})", letter.worst().word(), alerts.len()),
    }
}

/// What it happened to.
pub fn subject(alert: &Alert) -> Option<String> {
    let part = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let subject = &alert.subject;
    let parts =
        [part("project", &subject.project), part("model", &subject.model), part("chain", &subject.chain)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Since when, and how often.
pub fn since(alert: &Alert) -> String {
    let first = seconds(alert.raised_ms);
    match alert.count {
        0 | 1 => format!("Raised {first}."),
        count => format!("Raised {count} times, first {first}, last {}.", seconds(alert.last_ms)),
    }
}

/// How it stands by now, where that is no longer simply open.
pub fn standing(alert: &Alert) -> Option<String> {
    match (&alert.resolved_ms, &alert.acknowledged) {
        (Some(at_ms), _) => Some(format!("Closed {}.", seconds(*at_ms))),
        (None, Some(known)) => Some(format!("Acknowledged by {} {}.", known.by, seconds(known.at_ms))),
        (None, None) => None,
    }
}

pub fn link(alert: &Alert, origin: &Origin) -> Option<String> {
    Some(format!("{}{}", origin.pages.as_ref()?, alert.link.as_ref()?))
}

/// Who sends, as people know it.
pub fn sender(origin: &Origin) -> String {
    format!("branch {}, {}", origin.branch, origin.host)
}

/// In UTC and to the second, for people.
pub fn seconds(at_ms: i64) -> String {
    let text = millis_to_text(at_ms);
    match text.split_once('T') {
        Some((date, time)) => format!("{date} {} UTC", time.get(..8).unwrap_or(time)),
        None => text,
    }
}
