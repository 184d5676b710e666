//! What people do with alerts: take notice, close, send again; and what is old is let go.
//! Never removes what is open or still on its way.

use crate::alert::limits;
use crate::alert::queue::error::QueueError;
use crate::alert::queue::raise::next_round;
use crate::alert::queue::{Delivery, Queue};
use crate::alert::raised::{Acknowledged, Alert, one_line};
use crate::alert::settings::route::Plan;

impl Queue {
    /// No reminders and no repetitions from here on, unless it becomes more severe.
    pub fn acknowledge(&mut self, id: &str, by: &str, comment: &str, now_ms: i64) -> Result<(), QueueError> {
        let by = one_line(by, limits::ALERT_DETAIL_CHARS_MAX);
        let comment = one_line(comment, limits::ALERT_COMMENT_CHARS_MAX);
        let state = |what| QueueError::State { id: id.to_string(), what };
        let known = self.alerts.get(id).ok_or_else(|| QueueError::NoAlert { id: id.to_string() })?;
        if !known.is_open() {
            return Err(state("is closed already"));
        }
        if known.acknowledged.is_some() {
            return Err(state("is acknowledged already"));
        }
        self.edit_alert(id)?.acknowledged = Some(Acknowledged { by, comment, at_ms: now_ms });
        Ok(())
    }

    /// Closes it: the same key makes a new alert from here on. What still waits to be told is told.
    pub fn resolve(&mut self, id: &str, now_ms: i64) -> Result<(), QueueError> {
        let alert = self.edit_alert(id)?;
        if alert.resolved_ms.is_none() {
            alert.resolved_ms = Some(now_ms);
            let key = alert.key.clone();
            self.open.remove(&key);
        }
        Ok(())
    }

    /// Sends what was sent or given up once more, at once.
    pub fn send_again(&mut self, id: &str, channel: &str, now_ms: i64) -> Result<(), QueueError> {
        let key = (id.to_string(), channel.to_string());
        let none = || QueueError::NoDelivery { id: id.to_string(), channel: channel.to_string() };
        let delivery = self.deliveries.get(&key).ok_or_else(none)?;
        if !delivery.is_settled() {
            return Err(QueueError::State {
                id: id.to_string(),
                what: "is still on its way over that channel",
            });
        }
        let at_once = Plan { digest: None, quiet_ms: 0, resend_after_ms: None };
        let next = next_round(delivery, &at_once, now_ms);
        self.put(next);
        Ok(())
    }

    /// Lets go of alerts that were closed long ago.
    pub fn prune(&mut self, now_ms: i64) {
        let old = |alert: &&Alert| self.is_old(alert, now_ms);
        let old: Vec<String> = self.alerts.values().filter(old).map(|alert| alert.id.clone()).collect();
        old.iter().for_each(|id| self.drop_alert(id));
    }

    /// Whether there is any to let go of.
    pub fn has_old(&self, now_ms: i64) -> bool {
        self.alerts.values().any(|alert| self.is_old(alert, now_ms))
    }

    fn is_old(&self, alert: &Alert, now_ms: i64) -> bool {
        let before_ms = now_ms.saturating_sub(limits::ALERT_KEPT_MS);
        self.done_ms(alert).is_some_and(|done_ms| done_ms < before_ms)
    }

    /// Makes room by the alert that has been done with the longest; says whether there was one.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let done = self.alerts.values().filter_map(|alert| Some((self.done_ms(alert)?, alert.id.clone())));
        match done.min() {
            Some((_, id)) => {
                self.drop_alert(&id);
                true
            }
            None => false,
        }
    }

    /// When an alert was closed and told to everybody, if it was.
    fn done_ms(&self, alert: &Alert) -> Option<i64> {
        let closed_ms = alert.resolved_ms?;
        let mut deliveries = self.deliveries(&alert.id);
        deliveries.try_fold(closed_ms, |last_ms, delivery| {
            delivery.settled_ms.filter(|_| delivery.is_settled()).map(|at_ms| last_ms.max(at_ms))
        })
    }

    fn drop_alert(&mut self, id: &str) {
        let keys: Vec<_> =
            self.deliveries(id).map(|d: &Delivery| (d.alert.clone(), d.channel.clone())).collect();
        for key in keys {
            self.deliveries.remove(&key);
            self.changed_deliveries.remove(&key);
        }
        self.alerts.remove(id);
        self.changed_alerts.remove(id);
        self.gone.insert(id.to_string());
    }
}
