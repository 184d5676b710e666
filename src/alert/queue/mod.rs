//! What was raised and how each delivery of it stands: a state machine over rows that are kept.
//! Never sends and never asks for the time; what changed is named, so that exactly that is written down.

mod desk;
pub mod error;
mod raise;
mod send;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::alert::queue::error::QueueError;
use crate::alert::raised::Alert;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Waiting,
    /// Written down before the first byte goes out: what is found so after a power cut may have arrived.
    Sending,
    Sent,
    FailedForGood,
}

/// Whether an alert goes alone or with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    Alone,
    /// With whatever else waits at that time.
    NextDigest,
    /// With those of the same digest, which stay together until it has arrived.
    Digest(String),
}

/// How one alert stands with one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    pub alert: String,
    pub channel: String,
    /// Counts the times it was to be told: the first time, after the quiet time, as a reminder.
    pub round: u32,
    pub state: State,
    pub together: Together,
    /// Of this round.
    pub attempts: u32,
    pub wanted_ms: i64,
    pub next_ms: i64,
    /// When this or an earlier round came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// An earlier attempt of this round may have arrived.
    pub may_repeat: bool,
    /// It became more severe while it was being sent.
    pub worse_since: bool,
}

/// What goes out as one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The same for every attempt, so that a receiver can tell a repetition.
    pub id: String,
    pub channel: String,
    pub alerts: Vec<String>,
    pub digest: bool,
    pub may_repeat: bool,
}

/// Why an attempt failed, as far as the queue must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    pub why: String,
    /// Whether trying again can help.
    pub again: bool,
    /// Whether it may have arrived all the same.
    pub uncertain: bool,
    /// How long the receiver wants to be left alone.
    pub wait_ms: Option<i64>,
}

/// What became of an alert that was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raised {
    New {
        id: String,
    },
    /// One of the same key is open; whether it is told again.
    Counted {
        id: String,
        count: u64,
        told_again: bool,
    },
}

/// A row that changed, as it is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Alert(Alert),
    Delivery(Delivery),
    /// The alert and all its deliveries.
    Gone {
        alert: String,
    },
}

type DeliveryKey = (String, String);

#[derive(Clone, Debug, Default)]
pub struct Queue {
    alerts: BTreeMap<String, Alert>,
    /// By alert and channel.
    deliveries: BTreeMap<DeliveryKey, Delivery>,
    /// Open alerts by their key.
    open: BTreeMap<String, String>,
    changed_alerts: BTreeSet<String>,
    changed_deliveries: BTreeSet<DeliveryKey>,
    gone: BTreeSet<String>,
}

impl Queue {
    /// Takes up what was kept. What was being sent may or may not have arrived: it is sent again, and says so.
    pub fn load(alerts: Vec<Alert>, deliveries: Vec<Delivery>, now_ms: i64) -> Result<Self, QueueError> {
        let mut queue = Self::default();
        for alert in alerts {
            if alert.is_open()
                && let Some(other) = queue.open.insert(alert.key.clone(), alert.id.clone())
            {
                return Err(QueueError::KeyTwice { key: alert.key, first: other, second: alert.id });
            }
            queue.alerts.insert(alert.id.clone(), alert);
        }
        for delivery in deliveries {
            if !queue.alerts.contains_key(&delivery.alert) {
                return Err(QueueError::NoAlert { id: delivery.alert });
            }
            queue.put(delivery);
        }
        queue.changed_deliveries.clear();
        let cut_off = |d: &&Delivery| d.state == State::Sending;
        let cut_off: Vec<Delivery> = queue.deliveries.values().filter(cut_off).cloned().collect();
        for delivery in cut_off {
            queue.put(Delivery { state: State::Waiting, may_repeat: true, next_ms: now_ms, ..delivery });
        }
        Ok(queue)
    }

    /// The rows that changed since they were last taken, to be kept in one transaction.
    pub fn take_changed(&mut self) -> Vec<Row> {
        let gone = std::mem::take(&mut self.gone).into_iter().map(|alert| Row::Gone { alert });
        let mut rows: Vec<Row> = gone.collect();
        let alerts = std::mem::take(&mut self.changed_alerts);
        rows.extend(alerts.iter().filter_map(|id| self.alerts.get(id)).cloned().map(Row::Alert));
        let deliveries = std::mem::take(&mut self.changed_deliveries);
        rows.extend(deliveries.iter().filter_map(|key| self.deliveries.get(key)).cloned().map(Row::Delivery));
        rows
    }

    pub fn find_alert(&self, id: &str) -> Option<&Alert> {
        self.alerts.get(id)
    }

    /// By their ids.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values()
    }

    /// How an alert stands with each of its channels.
    pub fn deliveries(&self, alert: &str) -> impl Iterator<Item = &Delivery> {
        let from = (alert.to_string(), String::new());
        let of = alert.to_string();
        self.deliveries.range(from..).map(|(_, delivery)| delivery).take_while(move |d| d.alert == of)
    }

    fn put(&mut self, delivery: Delivery) {
        let key = (delivery.alert.clone(), delivery.channel.clone());
        self.changed_deliveries.insert(key.clone());
        self.deliveries.insert(key, delivery);
    }

    fn edit_alert(&mut self, id: &str) -> Result<&mut Alert, QueueError> {
        let alert = self.alerts.get_mut(id).ok_or_else(|| QueueError::NoAlert { id: id.to_string() })?;
        self.changed_alerts.insert(id.to_string());
        Ok(alert)
    }
}

impl Delivery {
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Sent | State::FailedForGood)
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
