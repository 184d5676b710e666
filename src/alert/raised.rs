//! An alert: what happened, to what, how bad it is, since when and how often. Checked once, where it is made.
//! Never names a person but the one who acknowledged it.

use serde::{Deserialize, Serialize};

use crate::alert::limits;
use crate::base::fact::{Class, Fact};

/// How soon somebody should look; ordered as listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What an alert is about; routes choose by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Applications differ from those the model was made of.
    Drift,
    /// Values are missing or unknown, or decisions were degraded.
    Quality,
    /// Outcomes differ from what the model said.
    Performance,
    Fairness,
    Business,
    /// A chain is late.
    Deadline,
    /// A run failed or was interrupted.
    Run,
    /// A release cannot be used, or another took its place.
    Release,
    /// A model's papers are due, such as its validation.
    Inventory,
    /// The box itself: clock, disk, certificate, store.
    Health,
    /// Alerts could not be delivered.
    Delivery,
    /// Somebody tries whether a channel works.
    Trial,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Quality => "quality",
            Self::Performance => "performance",
            Self::Fairness => "fairness",
            Self::Business => "business",
            Self::Deadline => "deadline",
            Self::Run => "run",
            Self::Release => "release",
            Self::Inventory => "inventory",
            Self::Health => "health",
            Self::Delivery => "delivery",
            Self::Trial => "trial",
        }
    }
}

/// What it happened to, as far as it has a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// One figure or name, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    pub name: String,
    pub value: String,
}

/// What is known of an alert at the moment it is raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawAlert {
    pub id: String,
    /// What makes two alerts the same one: rule, model and what it is about.
    pub key: String,
    pub kind: Kind,
    pub severity: Severity,
    #[serde(default)]
    pub subject: Subject,
    pub title: String,
    #[serde(default)]
    pub sentences: Vec<String>,
    #[serde(default)]
    pub details: Vec<Detail>,
    /// The page that tells more, as a path of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Who took notice, when, and what was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    pub by: String,
    pub comment: String,
    pub at_ms: i64,
}

/// An alert as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    pub id: String,
    pub key: String,
    pub kind: Kind,
    pub severity: Severity,
    pub subject: Subject,
    pub title: String,
    pub sentences: Vec<String>,
    pub details: Vec<Detail>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    pub raised_ms: i64,
    pub last_ms: i64,
    /// How often it was raised, the first time included.
    pub count: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_ms: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    #[error("an alert's {what} is {found:?}; 1 to {max} visible characters without spaces are expected")]
    Name { what: &'static str, found: String, max: usize },
    #[error("the alert {id} has no title")]
    NoTitle { id: String },
    #[error("the alert {id} points to {link:?}, which is no path of this server")]
    Link { id: String, link: String },
}

impl Fact for AlertError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "alert.name",
            Self::NoTitle { .. } => "alert.no_title",
            Self::Link { .. } => "alert.link",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Name { .. } => "Give a short name of letters, digits and signs.",
            Self::NoTitle { .. } => "Give a title: one line that says what happened.",
            Self::Link { .. } => "Give a path that begins with one slash, such as /models/loan.",
        };
        Some(step.to_string())
    }
}

impl RawAlert {
    /// Names must be sound; texts are cut to their limits, since an alert that is too long is still an alert.
    pub fn check(self, now_ms: i64) -> Result<Alert, AlertError> {
        check_key("id", &self.id)?;
        check_key("key", &self.key)?;
        let title = one_line(&self.title, limits::ALERT_TITLE_CHARS_MAX);
        if title.is_empty() {
            return Err(AlertError::NoTitle { id: self.id });
        }
        if let Some(link) = self.link.as_ref().filter(|link| !is_path(link)) {
            return Err(AlertError::Link { id: self.id, link: link.clone() });
        }
        let sentences = self.sentences.iter().take(limits::ALERT_SENTENCES_MAX);
        let details = self.details.iter().take(limits::ALERT_DETAILS_MAX);
        let detail = |text: &str| one_line(text, limits::ALERT_DETAIL_CHARS_MAX);
        Ok(Alert {
            sentences: sentences.map(|text| one_line(text, limits::ALERT_SENTENCE_CHARS_MAX)).collect(),
            details: details.map(|d| Detail { name: detail(&d.name), value: detail(&d.value) }).collect(),
            title,
            id: self.id,
            key: self.key,
            kind: self.kind,
            severity: self.severity,
            subject: self.subject,
            link: self.link,
            raised_ms: now_ms,
            last_ms: now_ms,
            count: 1,
            acknowledged: None,
            resolved_ms: None,
        })
    }
}

impl Alert {
    pub fn is_open(&self) -> bool {
        self.resolved_ms.is_none()
    }
}

fn check_key(what: &'static str, text: &str) -> Result<(), AlertError> {
    let max = limits::ALERT_KEY_CHARS_MAX;
    let seen = |c: char| !c.is_control() && !c.is_whitespace();
    if !text.is_empty() && text.chars().count() <= max && text.chars().all(seen) {
        Ok(())
    } else {
        Err(AlertError::Name { what, found: one_line(text, max), max })
    }
}

fn is_path(link: &str) -> bool {
    let inside = link.starts_with('/') && !link.starts_with("//");
    inside && link.len() <= limits::ALERT_LINK_CHARS_MAX && link.bytes().all(|b| b.is_ascii_graphic())
}

/// The text on one line without control characters, cut to so many characters.
pub fn one_line(text: &str, max: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(spaced.trim(), max)
}

/// The beginning of a text, with an ellipsis where some of it is missing.
pub fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_string();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> RawAlert {
        RawAlert {
            id: "a1".into(),
            key: "drift/loan/income".into(),
            kind: Kind::Drift,
            severity: Severity::Warning,
            subject: Subject::default(),
            title: "income has shifted".into(),
            sentences: Vec::new(),
            details: Vec::new(),
            link: Some("/models/loan?day=2026-03-14".into()),
        }
    }

    #[test]
    fn a_text_that_would_forge_a_line_is_put_on_one() {
        let raised = RawAlert { title: "a\r\nBcc: x@y.z\0".into(), ..raw() }.check(7).unwrap();
        assert_eq!(raised.title, "a  Bcc: x@y.z");
        assert_eq!((raised.raised_ms, raised.last_ms, raised.count), (7, 7, 1));
    }

    #[test]
    fn an_alert_without_end_is_cut_and_not_lost() {
        let long = "x".repeat(100_000);
        let many = RawAlert { title: long.clone(), sentences: vec![long; 1_000], ..raw() };
        let raised = many.check(0).unwrap();
        assert_eq!(raised.title.chars().count(), limits::ALERT_TITLE_CHARS_MAX);
        assert_eq!(raised.sentences.len(), limits::ALERT_SENTENCES_MAX);
        assert!(raised.sentences.iter().all(|s| s.ends_with('…')));
    }

    #[test]
    fn names_and_links_that_mean_something_else_are_refused() {
        for bad in ["", "two words", "a\nb", &"k".repeat(301)] {
            assert!(matches!(RawAlert { key: bad.into(), ..raw() }.check(0), Err(AlertError::Name { .. })));
        }
        for bad in ["//evil.example/x", "https://evil.example", "x", "/a b"] {
            let refused = RawAlert { link: Some(bad.into()), ..raw() }.check(0);
            assert!(matches!(refused, Err(AlertError::Link { .. })), "{bad}");
        }
        assert!(matches!(RawAlert { title: "\n".into(), ..raw() }.check(0), Err(AlertError::NoTitle { .. })));
    }
}
