//! Alerts, and how each stands with each channel.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alert::queue::{Delivery, State};
use crate::app::alerts::Told;
use crate::base::clock::millis_to_text;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertView {
    pub id: String,
    /// Alerts of one key are one while it is open.
    #[schema(example = "rule/field-shifted/loan-default/annual_inc")]
    pub key: String,
    /// `drift`, `quality`, `performance`, `fairness`, `business`, `deadline`, `run`, `release`, `inventory`, `health`,
    /// `delivery` or `trial`.
    #[schema(example = "drift")]
    pub kind: String,
    /// `info`, `warning` or `critical`.
    #[schema(example = "warning")]
    pub severity: String,
    /// `open`, `acknowledged` or `closed`.
    #[schema(example = "open")]
    pub state: String,
    pub project: Option<String>,
    /// With its version: `loan-default@3`.
    pub model: Option<String>,
    pub chain: Option<String>,
    pub title: String,
    pub sentences: Vec<String>,
    pub details: Vec<DetailView>,
    /// The page that tells more, as a path of this server.
    pub link: Option<String>,
    pub raised: String,
    /// When it was raised the last time.
    pub last: String,
    /// How often it was raised, the first time included.
    pub count: u64,
    pub acknowledged_by: Option<String>,
    pub acknowledged: Option<String>,
    pub comment: Option<String>,
    pub resolved: Option<String>,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DetailView {
    pub name: String,
    pub value: String,
}

/// How an alert stands with one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    pub channel: String,
    /// `waiting`, `sending`, `sent` or `failed_for_good`.
    #[schema(example = "sent")]
    pub state: String,
    /// The times it was to be told.
    pub round: u32,
    /// Of this round.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next: Option<String>,
    /// When this or an earlier round came to its end.
    pub settled: Option<String>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertList {
    /// Open ones first, the latest first among each.
    pub alerts: Vec<AlertView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl AlertView {
    pub fn of(told: &Told) -> Self {
        let alert = &told.alert;
        let state = match (alert.is_open(), &alert.acknowledged) {
            (false, _) => "closed",
            (true, Some(_)) => "acknowledged",
            (true, None) => "open",
        };
        let known = alert.acknowledged.as_ref();
        let detail =
            |name: &str, value: &str| DetailView { name: name.to_string(), value: value.to_string() };
        Self {
            id: alert.id.clone(),
            key: alert.key.clone(),
            kind: alert.kind.word().to_string(),
            severity: alert.severity.word().to_string(),
            state: state.to_string(),
            project: alert.subject.project.clone(),
            model: alert.subject.model.clone(),
            chain: alert.subject.chain.clone(),
            title: alert.title.clone(),
            sentences: alert.sentences.clone(),
            details: alert.details.iter().map(|one| detail(&one.name, &one.value)).collect(),
            link: alert.link.clone(),
            raised: millis_to_text(alert.raised_ms),
            last: millis_to_text(alert.last_ms),
            count: alert.count,
            acknowledged_by: known.map(|known| known.by.clone()),
            acknowledged: known.map(|known| millis_to_text(known.at_ms)),
            comment: known.map(|known| known.comment.clone()),
            resolved: alert.resolved_ms.map(millis_to_text),
            deliveries: told.deliveries.iter().map(DeliveryView::of).collect(),
        }
    }
}

impl DeliveryView {
    fn of(delivery: &Delivery) -> Self {
        let state = match delivery.state {
            State::Waiting => "waiting",
            State::Sending => "sending",
            State::Sent => "sent",
            State::FailedForGood => "failed_for_good",
        };
        Self {
            channel: delivery.channel.clone(),
            state: state.to_string(),
            round: delivery.round,
            attempts: delivery.attempts,
            next: (delivery.state == State::Waiting).then(|| millis_to_text(delivery.next_ms)),
            settled: delivery.settled_ms.map(millis_to_text),
            last_error: delivery.last_error.clone(),
        }
    }
}

/// What whoever answers an alert says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    #[serde(default)]
    pub comment: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialBody {
    /// A channel of alerts.toml; every one where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}
