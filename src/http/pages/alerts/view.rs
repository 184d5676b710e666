//! Alerts as their pages show them: in a list, and one with everything that is known of it.
//! Never names a receiver: a channel is known by its name.

use serde::Serialize;

use crate::alert::queue::{Delivery, State};
use crate::alert::raised::{Alert, Kind, Severity};
use crate::app::alerts::Told;
use crate::http::pages::chains::marks::Mark;
use crate::http::pages::text::Texts;
use crate::http::pages::words::{days_ago, grouped, moment};

/// How an alert stands with one channel.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ChannelLine {
    pub channel: String,
    pub mark: Mark,
    pub attempts: u32,
    /// When it was told, or when it is tried next.
    pub when: String,
    pub error: Option<String>,
    pub may_repeat: bool,
}

/// An alert as a list shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertLine {
    pub address: String,
    pub title: String,
    pub severity: Mark,
    pub state: Mark,
    pub kind: String,
    pub count: String,
    pub first: String,
    pub last: String,
    pub last_ago: String,
    pub channels: Vec<ChannelLine>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertsView {
    /// Only open ones.
    pub open: bool,
    pub lines: Vec<AlertLine>,
    /// Where the next page is, if there is one.
    pub next: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Pair {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertView {
    pub line: AlertLine,
    pub id: String,
    pub about: Vec<Pair>,
    pub sentences: Vec<String>,
    pub details: Vec<Pair>,
    pub link: Option<String>,
    pub acknowledged: Option<String>,
    pub comment: Option<String>,
    pub resolved: Option<String>,
    pub is_open: bool,
}

pub fn severity_of(texts: &Texts, severity: Severity) -> Mark {
    Mark::of(
        texts,
        match severity {
            Severity::Info => ("other", "note", "alerts.severity.info"),
            Severity::Warning => ("refer", "warn", "alerts.severity.warning"),
            Severity::Critical => ("bad", "stop", "alerts.severity.critical"),
        },
    )
}

fn state_of(texts: &Texts, alert: &Alert) -> Mark {
    let mark = match (alert.is_open(), &alert.acknowledged) {
        (false, _) => ("good", "good", "alerts.state.resolved"),
        (true, Some(_)) => ("other", "note", "alerts.state.acknowledged"),
        (true, None) => ("refer", "waiting", "alerts.state.open"),
    };
    Mark::of(texts, mark)
}

fn kind_of(texts: &Texts, kind: Kind) -> String {
    texts.say(match kind {
        Kind::Drift => "alerts.kind.drift",
        Kind::Quality => "alerts.kind.quality",
        Kind::Performance => "alerts.kind.performance",
        Kind::Fairness => "alerts.kind.fairness",
        Kind::Business => "alerts.kind.business",
        Kind::Deadline => "alerts.kind.deadline",
        Kind::Run => "alerts.kind.run",
        Kind::Release => "alerts.kind.release",
        Kind::Inventory => "alerts.kind.inventory",
        Kind::Health => "alerts.kind.health",
        Kind::Delivery => "alerts.kind.delivery",
        Kind::Trial => "alerts.kind.trial",
    })
}

fn channel_line(texts: &Texts, delivery: &Delivery) -> ChannelLine {
    let mark = match (delivery.state, delivery.attempts) {
        (State::Sent, _) => ("good", "good", "alerts.delivery.sent"),
        (State::Sending, _) => ("other", "running", "alerts.delivery.sending"),
        (State::FailedForGood, _) => ("bad", "bad", "alerts.delivery.failed"),
        (State::Waiting, 0) => ("other", "waiting", "alerts.delivery.waiting"),
        (State::Waiting, _) => ("refer", "warn", "alerts.delivery.again"),
    };
    let settled = delivery.settled_ms.filter(|_| delivery.is_settled());
    let (key, at_ms) = match settled {
        Some(at_ms) => ("alerts.delivery.settled", at_ms),
        None => ("alerts.delivery.next", delivery.next_ms),
    };
    ChannelLine {
        channel: delivery.channel.clone(),
        mark: Mark::of(texts, mark),
        attempts: delivery.attempts,
        when: texts.fill(key, &[("when", &moment(texts, at_ms))]),
        error: delivery.last_error.clone(),
        may_repeat: delivery.may_repeat,
    }
}

pub fn address_of(id: &str) -> String {
    format!("/alerts/{id}")
}

pub fn alert_line(texts: &Texts, told: &Told, now_ms: i64) -> AlertLine {
    let alert = &told.alert;
    AlertLine {
        address: address_of(&alert.id),
        title: alert.title.clone(),
        severity: severity_of(texts, alert.severity),
        state: state_of(texts, alert),
        kind: kind_of(texts, alert.kind),
        count: grouped(&alert.count.to_string()),
        first: moment(texts, alert.raised_ms),
        last: moment(texts, alert.last_ms),
        last_ago: days_ago(texts, now_ms, alert.last_ms),
        channels: told.deliveries.iter().map(|delivery| channel_line(texts, delivery)).collect(),
    }
}

pub fn alert_view(texts: &Texts, told: &Told, now_ms: i64) -> AlertView {
    let alert = &told.alert;
    let about = [
        ("alerts.about.project", &alert.subject.project),
        ("alerts.about.model", &alert.subject.model),
        ("alerts.about.chain", &alert.subject.chain),
    ];
    let about = about.into_iter().filter_map(|(key, name)| Some((key, name.as_ref()?)));
    let acknowledged = alert.acknowledged.as_ref().map(|notice| {
        let when = moment(texts, notice.at_ms);
        texts.fill("alerts.by_when", &[("by", &notice.by), ("when", &when)])
    });
    let comment = alert.acknowledged.as_ref().map(|notice| notice.comment.clone());
    AlertView {
        line: alert_line(texts, told, now_ms),
        id: alert.id.clone(),
        about: about.map(|(key, name)| Pair { name: texts.say(key), value: name.clone() }).collect(),
        sentences: alert.sentences.clone(),
        details: alert
            .details
            .iter()
            .map(|detail| Pair { name: detail.name.clone(), value: detail.value.clone() })
            .collect(),
        link: alert.link.clone(),
        acknowledged,
        comment: comment.filter(|comment| !comment.is_empty()),
        resolved: alert.resolved_ms.map(|at_ms| moment(texts, at_ms)),
        is_open: alert.is_open(),
    }
}
