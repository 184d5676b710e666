//! Sending: what is due, what is under way, what came of it, and when it is tried again.
//! Never marks anything as sent that nobody said was, and never gives up without telling over another channel.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::limits;
use crate::alert::queue::error::QueueError;
use crate::alert::queue::raise::next_round;
use crate::alert::queue::{Delivery, DeliveryKey, Miss, Parcel, Queue, Raised, State, Together};
use crate::alert::raised::{Detail, Kind, RawAlert, Severity, Subject, cut, one_line};
use crate::alert::settings::AlertSettings;
use crate::alert::settings::route::Plan;
use crate::base::digest::Digest;

/// A digest farther away than this was planned by a clock that has been set back since.
const DIGEST_AWAY_MS_MAX: i64 = 2 * 24 * 3_600_000;

impl Queue {
    /// What is to go out now, the longest wanted first; a channel that fails gets one to try it by.
    pub fn due(&mut self, settings: &AlertSettings, now_ms: i64) -> Vec<Parcel> {
        self.remind(settings, now_ms);
        self.forget_channels(settings, now_ms);
        self.bundle(now_ms);
        let mut parcels: BTreeMap<String, (i64, Parcel)> = BTreeMap::new();
        for delivery in self.deliveries.values().filter(|d| is_due(d, now_ms)) {
            let id = parcel_id(delivery);
            let found =
                parcels.entry(id.clone()).or_insert_with(|| (delivery.wanted_ms, parcel(id, delivery)));
            found.1.alerts.push(delivery.alert.clone());
            found.1.may_repeat |= delivery.may_repeat;
        }
        let mut parcels: Vec<(i64, Parcel)> = parcels.into_values().collect();
        parcels.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
        self.spare_failing(parcels.into_iter().map(|(_, parcel)| parcel).collect())
    }

    /// When something may be due next, if nothing else happens.
    pub fn next_ms(&self, settings: &AlertSettings) -> Option<i64> {
        let waiting = self.deliveries.values().filter(|d| d.state == State::Waiting).map(|d| d.next_ms);
        let reminders = self.reminders(settings).into_iter().map(|(_, _, at_ms)| at_ms);
        waiting.chain(reminders).min()
    }

    /// Written down before the first byte goes out.
    pub fn note_sending(&mut self, parcel_id: &str) -> Result<Parcel, QueueError> {
        let keys = self.keys_of(parcel_id, State::Waiting)?;
        let mut whole: Option<Parcel> = None;
        for delivery in self.taken(&keys) {
            let sent = whole.get_or_insert_with(|| parcel(parcel_id.to_string(), &delivery));
            sent.alerts.push(delivery.alert.clone());
            sent.may_repeat |= delivery.may_repeat;
            let attempts = delivery.attempts.saturating_add(1);
            self.put(Delivery { state: State::Sending, attempts, ..delivery });
        }
        whole.ok_or_else(|| unknown(parcel_id))
    }

    pub fn note_sent(
        &mut self,
        settings: &AlertSettings,
        parcel_id: &str,
        now_ms: i64,
    ) -> Result<(), QueueError> {
        let keys = self.keys_of(parcel_id, State::Sending)?;
        for delivery in self.taken(&keys) {
            let (alert, channel) = (delivery.alert.clone(), delivery.channel.clone());
            let worse = delivery.worse_since;
            let sent = Delivery {
                state: State::Sent,
                settled_ms: Some(now_ms),
                last_error: None,
                may_repeat: false,
                worse_since: false,
                ..delivery
            };
            let plan = self.alerts.get(&alert).and_then(|alert| settings.plans(alert).remove(&channel));
            self.put(match plan.filter(|_| worse) {
                Some(plan) => next_round(&sent, &plan, now_ms),
                None => sent,
            });
            self.channel_works(&channel, now_ms)?;
        }
        Ok(())
    }

    /// Plans the next attempt, or gives up and raises an alert of it over another channel, whose id is answered.
    pub fn note_failed(
        &mut self,
        settings: &AlertSettings,
        parcel_id: &str,
        miss: &Miss,
        now_ms: i64,
    ) -> Result<Option<String>, QueueError> {
        let keys = self.keys_of(parcel_id, State::Sending)?;
        let mut given_up = Vec::new();
        for delivery in self.taken(&keys) {
            let failed = Delivery {
                last_error: Some(one_line(&miss.why, limits::DELIVERY_ERROR_CHARS_MAX)),
                may_repeat: delivery.may_repeat || miss.uncertain,
                worse_since: false,
                ..delivery
            };
            let late = now_ms.saturating_sub(failed.wanted_ms) >= limits::RETRY_FOR_MS
                && failed.attempts >= limits::RETRY_ATTEMPTS_MIN;
            if miss.again && !late {
                let next_ms = now_ms.saturating_add(pause_ms(failed.attempts, miss.wait_ms));
                self.put(Delivery { state: State::Waiting, next_ms, ..failed });
            } else {
                given_up.push(failed.clone());
                self.put(Delivery { state: State::FailedForGood, settled_ms: Some(now_ms), ..failed });
            }
        }
        self.tell_of_failure(settings, parcel_id, &given_up, now_ms)
    }

    fn tell_of_failure(
        &mut self,
        settings: &AlertSettings,
        parcel_id: &str,
        given_up: &[Delivery],
        now_ms: i64,
    ) -> Result<Option<String>, QueueError> {
        // News of a failed channel that fails as well is not told in turn: that could go on for ever.
        let of_alerts =
            |d: &&Delivery| self.alerts.get(&d.alert).is_some_and(|alert| alert.kind != Kind::Delivery);
        let Some(first) = given_up.iter().find(of_alerts) else { return Ok(None) };
        let titles: Vec<String> = given_up
            .iter()
            .filter_map(|d| self.alerts.get(&d.alert))
            .map(|alert| alert.title.clone())
            .collect();
        let alert = failure_alert(parcel_id, first, &titles).check(now_ms)?;
        let plans = settings.plans_without(&alert, &first.channel);
        match self.take_in(alert, plans, now_ms)? {
            Raised::New { id } | Raised::Counted { id, .. } => Ok(Some(id)),
        }
    }

    /// What arrives over a channel ends the alert that it fails.
    fn channel_works(&mut self, channel: &str, now_ms: i64) -> Result<(), QueueError> {
        match self.open.get(&failure_key(channel)).cloned() {
            Some(id) => self.resolve(&id, now_ms),
            None => Ok(()),
        }
    }

    fn remind(&mut self, settings: &AlertSettings, now_ms: i64) {
        for (key, plan, at_ms) in self.reminders(settings) {
            if at_ms <= now_ms
                && let Some(delivery) = self.deliveries.get(&key)
            {
                let next = next_round(delivery, &plan, now_ms);
                self.put(next);
            }
        }
    }

    /// The deliveries that are told again while nobody acknowledges them, and when.
    fn reminders(&self, settings: &AlertSettings) -> Vec<(DeliveryKey, Plan, i64)> {
        let mut found = Vec::new();
        for alert in self.open.values().filter_map(|id| self.alerts.get(id)) {
            if alert.acknowledged.is_some() {
                continue;
            }
            for (channel, plan) in settings.plans(alert) {
                let key = (alert.id.clone(), channel);
                let sent = self.deliveries.get(&key).filter(|d| d.state == State::Sent);
                let settled_ms = sent.and_then(|delivery| delivery.settled_ms);
                if let (Some(settled_ms), Some(after_ms)) = (settled_ms, plan.resend_after_ms) {
                    found.push((key, plan, settled_ms.saturating_add(after_ms)));
                }
            }
        }
        found
    }

    /// What waits for a channel that is not in the settings any more waits for nothing.
    fn forget_channels(&mut self, settings: &AlertSettings, now_ms: i64) {
        let nowhere =
            |d: &&Delivery| d.state == State::Waiting && settings.find_channel(&d.channel).is_none();
        let nowhere: Vec<Delivery> = self.deliveries.values().filter(nowhere).cloned().collect();
        for delivery in nowhere {
            self.put(Delivery {
                state: State::FailedForGood,
                settled_ms: Some(now_ms),
                last_error: Some("the channel is not in alerts.toml any more".to_string()),
                ..delivery
            });
        }
    }

    /// Puts what waits for a digest whose time has come together, for good.
    fn bundle(&mut self, now_ms: i64) {
        let ripe = |d: &&Delivery| d.together == Together::NextDigest && is_due(d, now_ms);
        let mut by_channel: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
        for delivery in self.deliveries.values().filter(ripe) {
            by_channel.entry(delivery.channel.clone()).or_default().push(delivery.clone());
        }
        for (channel, deliveries) in by_channel {
            for part in deliveries.chunks(limits::DIGEST_ALERTS_MAX) {
                let names: Vec<String> = part.iter().map(|d| format!("{} {}", d.alert, d.round)).collect();
                let id = name_of(&["digest", &channel, &names.join("\n")]);
                for delivery in part {
                    self.put(Delivery { together: Together::Digest(id.clone()), ..delivery.clone() });
                }
            }
        }
    }

    fn spare_failing(&self, parcels: Vec<Parcel>) -> Vec<Parcel> {
        let failing = |d: &&Delivery| d.state == State::Waiting && d.attempts > 0;
        let failing: BTreeSet<&str> =
            self.deliveries.values().filter(failing).map(|d| d.channel.as_str()).collect();
        let mut tried = BTreeSet::new();
        let first = |parcel: &Parcel| {
            !failing.contains(parcel.channel.as_str()) || tried.insert(parcel.channel.clone())
        };
        parcels.into_iter().filter(first).take(limits::PARCELS_DUE_MAX).collect()
    }

    fn keys_of(&self, parcel_id: &str, state: State) -> Result<Vec<DeliveryKey>, QueueError> {
        let of_parcel = |d: &&Delivery| {
            d.state == state && d.together != Together::NextDigest && self::parcel_id(d) == parcel_id
        };
        let keys = self.deliveries.values().filter(of_parcel).map(|d| (d.alert.clone(), d.channel.clone()));
        let keys: Vec<DeliveryKey> = keys.collect();
        if keys.is_empty() { Err(unknown(parcel_id)) } else { Ok(keys) }
    }

    fn taken(&self, keys: &[DeliveryKey]) -> Vec<Delivery> {
        keys.iter().filter_map(|key| self.deliveries.get(key)).cloned().collect()
    }
}

fn unknown(parcel_id: &str) -> QueueError {
    QueueError::Parcel { parcel: parcel_id.to_string(), what: "is not where it was thought to be" }
}

fn is_due(delivery: &Delivery, now_ms: i64) -> bool {
    let away_max = match delivery.together {
        Together::NextDigest => DIGEST_AWAY_MS_MAX,
        Together::Alone | Together::Digest(_) => limits::RETRY_LONGEST_MS,
    };
    let away = delivery.next_ms.saturating_sub(now_ms);
    delivery.state == State::Waiting && (away <= 0 || away > away_max)
}

fn parcel(id: String, delivery: &Delivery) -> Parcel {
    let digest = delivery.together != Together::Alone;
    Parcel { id, channel: delivery.channel.clone(), alerts: Vec::new(), digest, may_repeat: false }
}

fn parcel_id(delivery: &Delivery) -> String {
    match &delivery.together {
        Together::Digest(id) => id.clone(),
        Together::Alone | Together::NextDigest => {
            name_of(&["alert", &delivery.channel, &delivery.alert, &delivery.round.to_string()])
        }
    }
}

/// 32 hex digits that the same parts always have, and others never.
fn name_of(parts: &[&str]) -> String {
    let mut name = Digest::of(parts.join("\0").as_bytes()).to_hex();
    name.truncate(32);
    name
}

/// Doubled after each attempt, up to an hour; longer than the receiver asked for, but no longer than that hour.
fn pause_ms(attempts: u32, wait_ms: Option<i64>) -> i64 {
    let doubled = limits::RETRY_FIRST_MS.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    doubled.max(wait_ms.unwrap_or(0)).min(limits::RETRY_LONGEST_MS)
}

fn failure_key(channel: &str) -> String {
    format!("delivery/{channel}")
}

fn failure_alert(parcel_id: &str, given_up: &Delivery, titles: &[String]) -> RawAlert {
    let channel = &given_up.channel;
    let detail = |name: &str, value: String| Detail { name: name.to_string(), value };
    let told: Vec<String> = titles.iter().take(5).map(|title| format!("\"{}\"", cut(title, 80))).collect();
    let more = titles.len().saturating_sub(told.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let why = given_up.last_error.clone().unwrap_or_default();
    RawAlert {
        id: format!("delivery-{parcel_id}"),
        key: failure_key(channel),
        kind: Kind::Delivery,
        severity: Severity::Critical,
        subject: Subject::default(),
        title: format!("An alert could not be delivered over {channel}"),
        sentences: vec![
            format!("Not delivered: {}{more}.", told.join(", ")),
            "It will not be tried again by itself. Correct the channel, then send it again.".to_string(),
        ],
        details: vec![
            detail("channel", channel.clone()),
            detail("attempts", given_up.attempts.to_string()),
            detail("last error", why),
        ],
        link: Some("/alerts".to_string()),
    }
}
