//! Raising: a new alert gets its deliveries; one of a known key counts up, and is told again only for a reason.
//! Never loses one silently: where there is no room it says so.

use std::collections::BTreeMap;

use crate::alert::limits;
use crate::alert::queue::error::QueueError;
use crate::alert::queue::{Delivery, Queue, Raised, State, Together};
use crate::alert::raised::{Alert, RawAlert};
use crate::alert::settings::AlertSettings;
use crate::alert::settings::route::Plan;

impl Queue {
    pub fn raise(
        &mut self,
        settings: &AlertSettings,
        raw: RawAlert,
        now_ms: i64,
    ) -> Result<Raised, QueueError> {
        let alert = raw.check(now_ms)?;
        let plans = settings.plans(&alert);
        self.take_in(alert, plans, now_ms)
    }

    /// The same over these channels at once, whatever the routes say.
    pub fn raise_over(
        &mut self,
        channels: &[String],
        raw: RawAlert,
        now_ms: i64,
    ) -> Result<Raised, QueueError> {
        let alert = raw.check(now_ms)?;
        let at_once = || Plan { digest: None, quiet_ms: 0, resend_after_ms: None };
        let plans = channels.iter().map(|channel| (channel.clone(), at_once())).collect();
        self.take_in(alert, plans, now_ms)
    }

    pub(super) fn take_in(
        &mut self,
        alert: Alert,
        plans: BTreeMap<String, Plan>,
        now_ms: i64,
    ) -> Result<Raised, QueueError> {
        match self.open.get(&alert.key).cloned() {
            Some(id) => self.count_on(&id, alert, plans, now_ms),
            None => self.add(alert, plans, now_ms),
        }
    }

    fn add(
        &mut self,
        alert: Alert,
        plans: BTreeMap<String, Plan>,
        now_ms: i64,
    ) -> Result<Raised, QueueError> {
        let id = alert.id.clone();
        if self.alerts.contains_key(&id) {
            return Err(QueueError::IdTaken { id });
        }
        if self.alerts.len() >= limits::ALERTS_MAX && !self.drop_oldest() {
            return Err(QueueError::Full { max: limits::ALERTS_MAX });
        }
        self.open.insert(alert.key.clone(), id.clone());
        self.changed_alerts.insert(id.clone());
        self.alerts.insert(id.clone(), alert);
        for (channel, plan) in plans {
            self.put(first_round(&id, &channel, &plan, now_ms));
        }
        Ok(Raised::New { id })
    }

    fn count_on(
        &mut self,
        id: &str,
        news: Alert,
        plans: BTreeMap<String, Plan>,
        now_ms: i64,
    ) -> Result<Raised, QueueError> {
        let alert = self.edit_alert(id)?;
        let worse = news.severity > alert.severity;
        alert.count = alert.count.saturating_add(1);
        alert.last_ms = now_ms;
        alert.severity = alert.severity.max(news.severity);
        (alert.title, alert.sentences) = (news.title, news.sentences);
        (alert.details, alert.link) = (news.details, news.link);
        if worse {
            // Who took notice of less has not taken notice of this.
            alert.acknowledged = None;
        }
        let (known, count) = (alert.acknowledged.is_some(), alert.count);
        let mut told_again = false;
        for (channel, plan) in plans {
            let next = match self.deliveries.get(&(id.to_string(), channel.clone())) {
                None => Some(first_round(id, &channel, &plan, now_ms)),
                Some(delivery) => after_repeat(delivery, &plan, Repeat { worse, known }, now_ms),
            };
            told_again |= next.is_some();
            if let Some(delivery) = next {
                self.put(delivery);
            }
        }
        Ok(Raised::Counted { id: id.to_string(), count, told_again })
    }
}

/// What is new about an alert that was raised again.
#[derive(Clone, Copy)]
struct Repeat {
    worse: bool,
    /// Somebody acknowledged it.
    known: bool,
}

/// The delivery after its alert was raised again, if that changes it.
fn after_repeat(delivery: &Delivery, plan: &Plan, repeat: Repeat, now_ms: i64) -> Option<Delivery> {
    match delivery.state {
        // What has not gone out yet will tell the newest state when it does.
        State::Waiting => {
            let hurry = repeat.worse && plan.digest.is_none() && delivery.together == Together::NextDigest;
            hurry.then(|| Delivery {
                together: Together::Alone,
                next_ms: now_ms,
                wanted_ms: now_ms,
                ..delivery.clone()
            })
        }
        State::Sending if repeat.worse => Some(Delivery { worse_since: true, ..delivery.clone() }),
        State::Sending => None,
        State::Sent | State::FailedForGood => {
            let since = now_ms.saturating_sub(delivery.settled_ms.unwrap_or(delivery.wanted_ms));
            let due = repeat.worse || (!repeat.known && since >= plan.quiet_ms);
            due.then(|| next_round(delivery, plan, now_ms))
        }
    }
}

fn first_round(alert: &str, channel: &str, plan: &Plan, now_ms: i64) -> Delivery {
    let (together, at_ms) = when(plan, now_ms);
    Delivery {
        alert: alert.to_string(),
        channel: channel.to_string(),
        round: 1,
        state: State::Waiting,
        together,
        attempts: 0,
        wanted_ms: at_ms,
        next_ms: at_ms,
        settled_ms: None,
        last_error: None,
        may_repeat: false,
        worse_since: false,
    }
}

pub(super) fn next_round(delivery: &Delivery, plan: &Plan, now_ms: i64) -> Delivery {
    let first = first_round(&delivery.alert, &delivery.channel, plan, now_ms);
    Delivery { round: delivery.round.saturating_add(1), settled_ms: delivery.settled_ms, ..first }
}

fn when(plan: &Plan, now_ms: i64) -> (Together, i64) {
    match &plan.digest {
        Some(daily) => (Together::NextDigest, daily.next_after(now_ms)),
        None => (Together::Alone, now_ms),
    }
}
