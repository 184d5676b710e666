//! Wall time with its quality, as a value handed down from the edge.
//! The flow never asks for the time; order is always a sequence number, never a time.

use std::sync::LazyLock;
use std::time::Instant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How far the wall time can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeQuality {
    /// The machine's own clock; nothing signed confirms it.
    Local,
    /// Set by a test or a rehearsal.
    Simulated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub wall: Timestamp,
    pub quality: TimeQuality,
}

impl Stamp {
    pub fn millis(&self) -> i64 {
        self.wall.as_millisecond()
    }

    /// The last two digits of the year, in UTC.
    pub fn year_of_century(&self) -> u8 {
        let year = jiff::tz::Offset::UTC.to_datetime(self.wall).year();
        year.rem_euclid(100).unsigned_abs() as u8
    }

    /// RFC 3339 in UTC with milliseconds: the one spelling on disk and wire.
    pub fn to_text(&self) -> String {
        let wall = jiff::tz::Offset::UTC.to_datetime(self.wall);
        match u16::try_from(wall.year()) {
            Ok(year) => spelled(year, &wall),
            Err(_) => self.wall.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        }
    }
}

/// Written out by hand: every answer says its time.
fn spelled(year: u16, wall: &jiff::civil::DateTime) -> String {
    let whole = |part: i8| u16::from(part.unsigned_abs());
    let millis = wall.subsec_nanosecond().unsigned_abs() / 1_000_000;
    let parts = [
        (year, 4, '-'),
        (whole(wall.month()), 2, '-'),
        (whole(wall.day()), 2, 'T'),
        (whole(wall.hour()), 2, ':'),
        (whole(wall.minute()), 2, ':'),
        (whole(wall.second()), 2, '.'),
        (millis as u16, 3, 'Z'),
    ];
    let mut text = String::with_capacity("2026-01-01T00:00:00.000Z".len());
    for (part, width, behind) in parts {
        let digits = [part / 1_000, part / 100 % 10, part / 10 % 10, part % 10];
        text.extend(digits[4 - width..].iter().map(|digit| char::from(b'0' + *digit as u8)));
        text.push(behind);
    }
    text
}

/// Milliseconds of a stored row as RFC 3339 text.
pub fn millis_to_text(millis: i64) -> String {
    match Timestamp::from_millisecond(millis) {
        Ok(wall) => Stamp { wall, quality: TimeQuality::Local }.to_text(),
        Err(_) => format!("{millis} ms"),
    }
}

/// Milliseconds since 1970 of an RFC 3339 text.
pub fn parse_millis(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|wall| wall.as_millisecond())
}

/// The year, in UTC.
pub fn year_of(millis: i64) -> u64 {
    let wall = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH);
    u64::try_from(wall.to_zoned(jiff::tz::TimeZone::UTC).year()).unwrap_or_default()
}

/// Who can say what time it is.
pub trait Clock: Send + Sync {
    fn now(&self) -> Stamp;

    /// Milliseconds since some moment, which no setting of the wall clock moves: for how long, never for when.
    fn elapsed_ms(&self) -> u64 {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        Stamp { wall: Timestamp::now(), quality: TimeQuality::Local }
    }
}

/// Days since 1970-01-01 of an ISO date, the form dates have in a table.
pub fn parse_iso_date(text: &str) -> Option<f64> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.until(date).ok().map(|span| f64::from(span.get_days()))
}

/// The ISO date of a day count.
pub fn iso_date(days: f64) -> Option<String> {
    let span = jiff::Span::new().try_days(days as i64).ok()?;
    jiff::civil::date(1970, 1, 1).checked_add(span).ok().map(|date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        for text in ["1970-01-01", "2011-12-31", "1969-02-28", "2400-02-29"] {
            assert_eq!(iso_date(parse_iso_date(text).unwrap()).unwrap(), text);
        }
        assert_eq!(parse_iso_date("1970-01-02"), Some(1.0));
        assert_eq!(parse_iso_date("2011-02-30"), None);
    }

    #[test]
    fn the_year_of_a_stamp_turns_in_utc() {
        let year = |text: &str| {
            let wall = text.parse().unwrap();
            Stamp { wall, quality: TimeQuality::Local }.year_of_century()
        };
        assert_eq!(year("2026-01-01T00:30:00+01:00"), 25);
        assert_eq!(year("2026-01-01T00:00:00Z"), 26);
        assert_eq!(year("2100-06-01T00:00:00Z"), 0);
    }

    #[test]
    fn a_stamp_is_written_as_the_pattern_says() {
        let day = 86_400_000_i64;
        let edges = [-719_528, -719_529, 2_932_896, 2_932_897];
        for days in (-800_000_i64..3_000_000).step_by(1_237).chain(edges) {
            let millis = days * day + days.rem_euclid(day) * 86_399 % day;
            let Ok(wall) = Timestamp::from_millisecond(millis) else { continue };
            let text = Stamp { wall, quality: TimeQuality::Local }.to_text();
            assert_eq!(text, wall.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(), "{days}");
        }
        assert_eq!(millis_to_text(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn a_stamp_is_written_with_milliseconds() {
        assert_eq!(millis_to_text(1_500), "1970-01-01T00:00:01.500Z");
        assert_eq!(parse_millis("1970-01-01T00:00:01.500Z"), Some(1_500));
        assert_eq!(parse_millis("1970-01-01"), None);
    }
}
