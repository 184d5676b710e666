//! One alert on one line: for syslog as RFC 5424 has it, and as JSON for a file.
//! Never ends a line early: what could was taken out when the alert was made, and is taken out again here.

use serde_json::{Value, json};

use crate::alert::limits;
use crate::alert::message::Letter;
use crate::alert::message::hook::plain_alert;
use crate::alert::message::words::{sender, subject};
use crate::alert::raised::{Alert, Severity, one_line};
use crate::base::clock::millis_to_text;

/// RFC 5424, 6: `<PRI>1 TIME HOST APP PROCID MSGID SD MSG`. The structured data is left out, since its names belong to
/// enterprises by number; the message says the same in words.
pub fn syslog_line(letter: &Letter<'_>, alert: &Alert, facility: u8) -> String {
    let severity: u8 = match alert.severity {
        Severity::Info => 6,
        Severity::Warning => 4,
        Severity::Critical => 2,
    };
    let priority = u32::from(facility) * 8 + u32::from(severity);
    let (time, host) = (millis_to_text(letter.at_ms), header_field(&letter.origin.host, 255));
    let mut words = vec![alert.title.clone()];
    words.extend(subject(alert).map(|subject| format!("({subject})")));
    words.push(format!("[id {}, key {}, raised {}x]", alert.id, alert.key, alert.count));
    if letter.parcel.may_repeat {
        words.push("[may have arrived before]".to_string());
    }
    words.extend(alert.sentences.iter().cloned());
    words.extend(alert.details.iter().map(|d| format!("{}={}", d.name, d.value)));
    let text = one_line(&words.join(" "), limits::SYSLOG_LINE_BYTES_MAX);
    // The mark in front says that what follows is UTF-8.
    let line = format!(
        "<{priority}>1 {time} {host} tallystick - {} - \u{feff}{text}",
        header_field(alert.kind.word(), 32)
    );
    cut_bytes(&line, limits::SYSLOG_LINE_BYTES_MAX)
}

/// Printable ASCII without spaces; `-` where nothing is left.
fn header_field(text: &str, max: usize) -> String {
    let kept: String = text.chars().filter(char::is_ascii_graphic).take(max).collect();
    if kept.is_empty() { "-".to_string() } else { kept }
}

fn cut_bytes(text: &str, max: usize) -> String {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_string()
}

/// Holds the id of its message, by which a repetition is found.
pub fn json_line(letter: &Letter<'_>, alert: &Alert) -> String {
    let mut line = json!({
        "message": letter.parcel.id,
        "may_repeat": letter.parcel.may_repeat,
        "sent_at": millis_to_text(letter.at_ms),
        "sender": sender(letter.origin),
    });
    if let (Value::Object(line), Value::Object(alert)) = (&mut line, plain_alert(letter.origin, alert)) {
        line.extend(alert);
    }
    line.to_string()
}
