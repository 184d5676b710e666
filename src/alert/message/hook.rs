//! What a webhook is sent: Slack's blocks, the adaptive card that a workflow of Teams posts, or plain JSON.
//! Never lets a name or figure be read as markup.

use serde_json::{Value, json};

use crate::alert::limits;
use crate::alert::message::words::{MAY_REPEAT, heading, link, seconds, sender, since, standing, subject};
use crate::alert::message::{Letter, Origin};
use crate::alert::raised::{Alert, Severity, cut};

/// <https://docs.slack.dev/reference/block-kit/blocks>: `text` is what notifications and old clients show.
pub fn slack(letter: &Letter<'_>) -> Vec<u8> {
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "emoji": false, "text": cut(&heading(letter), limits::SLACK_HEADING_CHARS_MAX) },
    })];
    if letter.parcel.may_repeat {
        blocks.push(slack_text(MAY_REPEAT));
    }
    let room = limits::SLACK_BLOCKS_MAX - blocks.len();
    blocks.extend(letter.alerts.iter().take(room).map(|alert| slack_text(&slack_alert(letter, alert))));
    let left = letter.alerts.len().saturating_sub(room);
    let left = if left > 0 { format!("{left} more are on the server. ") } else { String::new() };
    let end = format!("{left}Message {}, {}", letter.parcel.id, seconds(letter.at_ms));
    blocks.push(
        json!({ "type": "context", "elements": [{ "type": "plain_text", "emoji": false, "text": end }] }),
    );
    let fallback = slack_escaped(&heading(letter));
    json!({ "text": fallback, "blocks": blocks }).to_string().into_bytes()
}

fn slack_text(text: &str) -> Value {
    // Plain text: what is written in it is shown as it is, and links nothing.
    let text = cut(text, limits::SLACK_TEXT_CHARS_MAX);
    json!({ "type": "section", "text": { "type": "plain_text", "emoji": false, "text": text } })
}

fn slack_alert(letter: &Letter<'_>, alert: &Alert) -> String {
    lines_of(letter.origin, alert).join("\n")
}

/// The three signs that Slack reads as its own.
fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A message with one card, as the trigger "When a Teams webhook request is received" takes it. Runs of rich text
/// know no Markdown, so that `loan_amount_*` stays what it is.
pub fn teams(letter: &Letter<'_>) -> Vec<u8> {
    let mut body = vec![run(&heading(letter), true, letter.worst())];
    if letter.parcel.may_repeat {
        body.push(run(MAY_REPEAT, false, Severity::Info));
    }
    let end = |left: usize| {
        let left = if left > 0 { format!("{left} more are on the server. ") } else { String::new() };
        run(&format!("{left}Message {}, {}", letter.parcel.id, seconds(letter.at_ms)), false, Severity::Info)
    };
    let mut bytes = body.iter().map(|block| block.to_string().len()).sum::<usize>();
    let mut shown = 0;
    for alert in &letter.alerts {
        let blocks = teams_alert(letter.origin, alert);
        let more: usize = blocks.iter().map(|block| block.to_string().len() + 1).sum();
        if shown > 0 && bytes + more > limits::TEAMS_BYTES_MAX {
            break;
        }
        body.extend(blocks);
        (bytes, shown) = (bytes + more, shown + 1);
    }
    body.push(end(letter.alerts.len() - shown));
    let first = letter.alerts.first().and_then(|alert| link(alert, letter.origin));
    let actions: Vec<Value> = first
        .into_iter()
        .map(|url| json!({ "type": "Action.OpenUrl", "title": "Open", "url": url }))
        .collect();
    card(body, actions).to_string().into_bytes()
}

fn card(body: Vec<Value>, actions: Vec<Value>) -> Value {
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": body,
                "actions": actions,
            },
        }],
    })
}

/// An alert's blocks; one alone must fit, so its lines are cut where they are too many.
fn teams_alert(origin: &Origin, alert: &Alert) -> Vec<Value> {
    let mut blocks = vec![run(&alert.title, true, alert.severity)];
    let mut bytes = 0;
    for line in lines_of(origin, alert).iter().skip(1) {
        let block = run(line, false, Severity::Info);
        bytes += block.to_string().len() + 1;
        if bytes > limits::TEAMS_BYTES_MAX * 3 / 4 {
            blocks.push(run("…", false, Severity::Info));
            break;
        }
        blocks.push(block);
    }
    blocks
}

fn run(text: &str, bold: bool, severity: Severity) -> Value {
    let color = match severity {
        Severity::Info => "Default",
        Severity::Warning => "Warning",
        Severity::Critical => "Attention",
    };
    let weight = if bold { "Bolder" } else { "Default" };
    let inline = json!({ "type": "TextRun", "text": text, "weight": weight, "color": color });
    json!({ "type": "RichTextBlock", "inlines": [inline] })
}

fn lines_of(origin: &Origin, alert: &Alert) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", alert.severity.word().to_uppercase(), alert.title)];
    lines.extend(subject(alert));
    lines.extend(alert.sentences.iter().cloned());
    lines.extend(alert.details.iter().map(|d| format!("{}: {}", d.name, d.value)));
    lines.push(since(alert));
    lines.extend(standing(alert));
    lines.extend(link(alert, origin));
    lines
}

/// For programs: everything the alerts hold, and by what a repetition is known.
pub fn plain(letter: &Letter<'_>) -> Vec<u8> {
    let alerts: Vec<Value> = letter.alerts.iter().map(|alert| plain_alert(letter.origin, alert)).collect();
    json!({
        "id": letter.parcel.id,
        "may_repeat": letter.parcel.may_repeat,
        "digest": letter.parcel.digest,
        "sent_ms": letter.at_ms,
        "sender": { "branch": letter.origin.branch, "host": letter.origin.host, "name": sender(letter.origin) },
        "text": heading(letter),
        "alerts": alerts,
    })
    .to_string()
    .into_bytes()
}

/// An alert as programs read it.
pub fn plain_alert(origin: &Origin, alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "key": alert.key,
        "kind": alert.kind,
        "severity": alert.severity,
        "subject": alert.subject,
        "title": alert.title,
        "sentences": alert.sentences,
        "details": alert.details,
        "raised_ms": alert.raised_ms,
        "last_ms": alert.last_ms,
        "count": alert.count,
        "acknowledged": alert.acknowledged,
        "resolved_ms": alert.resolved_ms,
        "link": link(alert, origin),
    })
}
