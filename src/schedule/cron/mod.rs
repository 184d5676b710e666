//! Cron texts: five fields or a name such as @daily, and the wall clock's times they mean. Knows no zone; `timetable`
//! does. Written by hand: the crate croner (4.0) does not say which field is wrong, loses `0,30 2 * * *` where the
//! clocks skip two o'clock and starts it twice where two o'clock comes twice, and seeks 31 February up to the year 5000.

mod field;
mod timetable;

#[cfg(test)]
mod tests;

use jiff::civil::{Date, DateTime, Time};

use crate::base::fact::nearest;
use crate::schedule::cron::field::{Numbers, parse_field};
use crate::schedule::limits;

pub use field::Field;
pub use timetable::Timetable;

/// The wall clock's times of a cron text: at least one, some day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: Numbers,
    hours: Numbers,
    days: Numbers,
    months: Numbers,
    weekdays: Numbers,
    /// Both days are given: either of them will do.
    either_day: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error(
        "has {found} fields; there are five: minute, hour, day of month, month, day of week (or a name such as @daily)"
    )]
    Fields { found: usize },
    #[error("has more than {max} characters")]
    Long { max: usize },
    #[error("{field}: {part:?} {why}")]
    Field { field: Field, part: String, why: String },
    #[error("{name:?} is not known; the names are {}", NAMES.map(|(name, _)| name).join(", "))]
    Name { name: String, near: Option<&'static str> },
    #[error("names a day that no month of it has, so it never comes")]
    Never,
}

const NAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    pub fn parse(text: &str) -> Result<Self, CronError> {
        if text.chars().count() > limits::CRON_CHARS_MAX {
            return Err(CronError::Long { max: limits::CRON_CHARS_MAX });
        }
        let trimmed = text.trim();
        let fields = if trimmed.starts_with('@') { fields_of_name(trimmed)? } else { trimmed };
        let parts: Vec<&str> = fields.split_ascii_whitespace().collect();
        let &[minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(CronError::Fields { found: parts.len() });
        };
        let read = |field, text| {
            parse_field(field, text).map_err(|unread| CronError::Field {
                field,
                part: unread.part,
                why: unread.why,
            })
        };
        let cron = Self {
            text: trimmed.to_string(),
            minutes: read(Field::Minute, minute)?,
            hours: read(Field::Hour, hour)?,
            days: read(Field::DayOfMonth, day)?,
            months: read(Field::Month, month)?,
            weekdays: read(Field::DayOfWeek, weekday)?,
            // As Vixie's cron has it: a field that begins with a star leaves the choice to the other.
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        if cron.comes() { Ok(cron) } else { Err(CronError::Never) }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it runs in every hour, by elapsed time, rather than at certain times of the day.
    pub(super) fn runs_every_hour(&self) -> bool {
        self.hours.is_full(Field::Hour)
    }

    fn comes(&self) -> bool {
        const LONGEST: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let first = self.days.first_from(1);
        let has_day =
            |(month, longest): (i8, i8)| self.months.has(month) && first.is_some_and(|day| day <= longest);
        self.either_day || (1..).zip(LONGEST).any(has_day)
    }

    fn has_date(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        let fits = if self.either_day { day || weekday } else { day && weekday };
        fits && self.months.has(date.month())
    }

    /// The first of its times that is not before `from`.
    pub(super) fn civil_from(&self, from: DateTime) -> Option<DateTime> {
        let last_year = from.year().saturating_add(limits::CRON_SEARCH_YEARS_MAX);
        let (mut date, mut time) = (from.date(), from.time());
        while date.year() <= last_year {
            if self.has_date(date)
                && let Some(time) = self.time_from(time)
            {
                return Some(date.to_datetime(time));
            }
            time = Time::midnight();
            date = if self.months.has(date.month()) { date } else { date.last_of_month() };
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// The last of its times that is not after `until`.
    pub(super) fn civil_until(&self, until: DateTime) -> Option<DateTime> {
        let first_year = until.year().saturating_sub(limits::CRON_SEARCH_YEARS_MAX);
        let (mut date, mut time) = (until.date(), until.time());
        while date.year() >= first_year {
            if self.has_date(date)
                && let Some(time) = self.time_until(time)
            {
                return Some(date.to_datetime(time));
            }
            time = Time::MAX;
            date = if self.months.has(date.month()) { date } else { date.first_of_month() };
            date = date.yesterday().ok()?;
        }
        None
    }

    /// `time` is a whole minute.
    fn time_from(&self, time: Time) -> Option<Time> {
        let same_hour = self.minutes.first_from(time.minute()).filter(|_| self.hours.has(time.hour()));
        let (hour, minute) = match same_hour {
            Some(minute) => (time.hour(), minute),
            None => (self.hours.first_from(time.hour() + 1)?, self.minutes.first_from(0)?),
        };
        Time::new(hour, minute, 0, 0).ok()
    }

    fn time_until(&self, time: Time) -> Option<Time> {
        let same_hour = self.minutes.last_until(time.minute()).filter(|_| self.hours.has(time.hour()));
        let (hour, minute) = match same_hour {
            Some(minute) => (time.hour(), minute),
            None => (self.hours.last_until(time.hour() - 1)?, self.minutes.last_until(59)?),
        };
        Time::new(hour, minute, 0, 0).ok()
    }
}

fn fields_of_name(name: &str) -> Result<&'static str, CronError> {
    let known = NAMES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, fields)| fields).ok_or_else(|| CronError::Name {
        name: name.to_string(),
        near: nearest(name, NAMES.map(|(known, _)| known)),
    })
}
