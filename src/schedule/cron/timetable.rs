//! A cron text in a time zone: the moments it means, where clocks are put forward and back too.
//! Never gives a moment that is not a whole minute of the zone's clocks or the end of a gap in them.
//!
//! Two kinds. A text whose hours are all 24 (`*/15 * * * *`) runs by elapsed time: at every minute that passes and
//! whose wall clock fits, so also in both of two equal hours, and in no hour that is skipped. Any other runs at times
//! of the day: once each, the first time where a time comes twice, at the end of the gap where it never comes; several
//! that fall into one gap are one start.

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};

use crate::schedule::cron::Cron;
use crate::schedule::limits;
use crate::schedule::zone::Zone;

#[derive(Clone, Debug, PartialEq)]
pub struct Timetable {
    cron: Cron,
    zone: Zone,
}

impl Timetable {
    pub fn new(cron: Cron, zone: Zone) -> Self {
        Self { cron, zone }
    }

    pub fn cron(&self) -> &Cron {
        &self.cron
    }

    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The first planned start after that moment.
    pub fn next_after(&self, now_ms: i64) -> Option<i64> {
        let now = Timestamp::from_millisecond(now_ms).ok()?;
        let next = if self.cron.runs_every_hour() { self.elapsed_after(now) } else { self.fixed_after(now) };
        next.map(Timestamp::as_millisecond)
    }

    /// The last planned start up to and with that moment.
    pub fn latest_until(&self, now_ms: i64) -> Option<i64> {
        let now = Timestamp::from_millisecond(now_ms).ok()?;
        let last = if self.cron.runs_every_hour() { self.elapsed_until(now) } else { self.fixed_until(now) };
        last.map(Timestamp::as_millisecond)
    }

    /// The planned starts after `from_ms`, up to and with `to_ms`, oldest first, `most` at most.
    pub fn list_between(&self, from_ms: i64, to_ms: i64, most: usize) -> Vec<i64> {
        let next = |after: &i64| self.next_after(*after);
        std::iter::successors(self.next_after(from_ms), next)
            .take_while(|planned| *planned <= to_ms)
            .take(most.min(limits::PLANNED_LISTED_MAX))
            .collect()
    }

    fn fixed_after(&self, now: Timestamp) -> Option<Timestamp> {
        let mut from = whole_minute(self.zone.offset_at(now).to_datetime(now))?;
        loop {
            let civil = self.cron.civil_from(from.checked_add(1.minute()).ok()?)?;
            let moment = self.zone.moment(civil)?;
            if moment > now {
                return Some(moment);
            }
            from = civil;
        }
    }

    fn fixed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut until = whole_minute(self.zone.latest_civil(now))?;
        loop {
            let civil = self.cron.civil_until(until)?;
            let moment = self.zone.moment(civil)?;
            if moment <= now {
                return Some(moment);
            }
            until = civil.checked_sub(1.minute()).ok()?;
        }
    }

    /// Walks from one change of the clocks to the next; between them the wall clock runs evenly.
    fn elapsed_after(&self, now: Timestamp) -> Option<Timestamp> {
        let mut from = now.checked_add(1.millisecond()).ok()?;
        loop {
            let offset = self.zone.offset_at(from);
            let civil = self.cron.civil_from(next_whole_minute(offset.to_datetime(from))?)?;
            let moment = offset.to_timestamp(civil).ok()?;
            match self.zone.next_change(from) {
                Some(change) if moment >= change => from = change,
                _ => return Some(moment),
            }
        }
    }

    fn elapsed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut until = now;
        loop {
            let offset = self.zone.offset_at(until);
            let civil = self.cron.civil_until(whole_minute(offset.to_datetime(until))?)?;
            let moment = offset.to_timestamp(civil).ok()?;
            match self.zone.last_change(until.checked_add(1.millisecond()).ok()?) {
                Some(change) if moment < change => until = change.checked_sub(1.millisecond()).ok()?,
                _ => return Some(moment),
            }
        }
    }
}

fn whole_minute(civil: DateTime) -> Option<DateTime> {
    civil.with().second(0).subsec_nanosecond(0).build().ok()
}

/// The same time where it is a whole minute.
fn next_whole_minute(civil: DateTime) -> Option<DateTime> {
    let whole = whole_minute(civil)?;
    if whole == civil { Some(whole) } else { whole.checked_add(1.minute()).ok() }
}
