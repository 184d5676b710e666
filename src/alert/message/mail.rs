//! The mail: its subject, its text, and the same as plain HTML without pictures, scripts or anything to load.
//! Never builds headers; the sender does, from what is given here.

use crate::alert::message::words::{MAY_REPEAT, heading, link, seconds, sender, since, standing, subject};
use crate::alert::message::{Content, Letter};
use crate::alert::raised::{Alert, Severity};

pub fn mail(letter: &Letter<'_>) -> Content {
    let urgent = letter.worst() == Severity::Critical;
    Content::Mail { subject: heading(letter), plain: plain(letter), html: html(letter), urgent }
}

fn plain(letter: &Letter<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if letter.parcel.may_repeat {
        lines.extend([MAY_REPEAT.to_string(), String::new()]);
    }
    for alert in &letter.alerts {
        plain_alert(&mut lines, letter, alert);
        lines.push(String::new());
    }
    lines.push("-- ".to_string());
    lines.push(format!(
        "Tallystick, {}. Message {}, {}.",
        sender(letter.origin),
        letter.parcel.id,
        seconds(letter.at_ms)
    ));
    lines.join("\r\n") + "\r\n"
}

fn plain_alert(lines: &mut Vec<String>, letter: &Letter<'_>, alert: &Alert) {
    lines.push(format!("{}: {}", alert.severity.word().to_uppercase(), alert.title));
    lines.extend(subject(alert));
    lines.extend(alert.sentences.iter().cloned());
    lines.extend(alert.details.iter().map(|d| format!("  {}: {}", d.name, d.value)));
    lines.push(since(alert));
    lines.extend(standing(alert));
    lines.extend(link(alert, letter.origin));
}

fn html(letter: &Letter<'_>) -> String {
    let mut page =
        String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>\r\n");
    if letter.parcel.may_repeat {
        page += &element("p", MAY_REPEAT);
    }
    for alert in &letter.alerts {
        html_alert(&mut page, letter, alert);
    }
    let end = format!(
        "Tallystick, {}. Message {}, {}.",
        sender(letter.origin),
        letter.parcel.id,
        seconds(letter.at_ms)
    );
    page + "<hr>\r\n" + &element("p", &end) + "</body></html>\r\n"
}

fn html_alert(page: &mut String, letter: &Letter<'_>, alert: &Alert) {
    *page += &element("h2", &format!("{}: {}", alert.severity.word().to_uppercase(), alert.title));
    for text in subject(alert).iter().chain(&alert.sentences) {
        *page += &element("p", text);
    }
    if !alert.details.is_empty() {
        *page += "<table>\r\n";
        for detail in &alert.details {
            let (name, value) = (escaped(&detail.name), escaped(&detail.value));
            *page += &format!("<tr><th align=\"left\">{name}</th><td>{value}</td></tr>\r\n");
        }
        *page += "</table>\r\n";
    }
    *page += &element("p", &since(alert));
    *page += &standing(alert).map(|text| element("p", &text)).unwrap_or_default();
    if let Some(link) = link(alert, letter.origin).map(|link| escaped(&link)) {
        *page += &format!("<p><a href=\"{link}\">{link}</a></p>\r\n");
    }
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>\r\n", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(c),
        }
    }
    out
}
