//! A time zone by its IANA name, from the database inside the program: which moment a wall clock's time is.
//! Never asks the machine for its zone.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use crate::base::fact::nearest;

#[derive(Clone, PartialEq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

/// Stands for no place, though the database has it.
const NO_PLACE: &str = "Etc/Unknown";

impl Zone {
    pub fn utc() -> Self {
        Self { name: "UTC".into(), zone: TimeZone::UTC }
    }

    /// The zone of that name, its case aside.
    pub fn find(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("UTC") {
            return Some(Self::utc());
        }
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        let known = zone.iana_name().filter(|known| *known != NO_PLACE)?.to_string();
        Some(Self { name: known, zone })
    }

    /// The known name that a mistyped one may mean: the nearest whole name, or the city where only that was written.
    pub fn near(name: &str) -> Option<String> {
        let known: Vec<String> =
            TimeZoneDatabase::bundled().available().map(|known| known.to_string()).collect();
        let lower: Vec<String> = known.iter().map(|known| known.to_lowercase().replace('_', " ")).collect();
        let wanted = name.trim().to_lowercase().replace('_', " ");
        let city = |whole: &str| whole.rsplit('/').next().unwrap_or_default() == wanted;
        let place = lower.iter().position(|whole| city(whole)).or_else(|| {
            let near = nearest(&wanted, lower.iter().map(String::as_str))?;
            lower.iter().position(|whole| whole == near)
        })?;
        known.get(place).cloned()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn offset_at(&self, at: Timestamp) -> Offset {
        self.zone.to_offset(at)
    }

    /// The moment after which the clocks next change, and the one before.
    pub(super) fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        self.zone.following(after).next().map(|change| change.timestamp())
    }

    pub(super) fn last_change(&self, before: Timestamp) -> Option<Timestamp> {
        self.zone.preceding(before).next().map(|change| change.timestamp())
    }

    /// The one moment of a wall clock's time: the first where it comes twice, the end of the gap where it never comes.
    pub fn moment(&self, civil: DateTime) -> Option<Timestamp> {
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok(),
            AmbiguousOffset::Fold { before, .. } => before.to_timestamp(civil).ok(),
            AmbiguousOffset::Gap { after, .. } => {
                let ahead_of_gap = after.to_timestamp(civil).ok()?;
                self.next_change(ahead_of_gap)
            }
        }
    }

    /// The latest wall clock's time whose one moment may be `at` or before it. Where an hour comes twice and this is
    /// its second time, the whole hour has already been.
    pub(super) fn latest_civil(&self, at: Timestamp) -> DateTime {
        let civil = self.offset_at(at).to_datetime(at);
        match self.zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Fold { before, .. } => before.to_datetime(at),
            _ => civil,
        }
    }

    /// The wall clock's time with the zone's offset, for people: "2026-03-29 03:00 +02:00".
    pub fn text(&self, at_ms: i64) -> Option<String> {
        let at = Timestamp::from_millisecond(at_ms).ok()?;
        Some(at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M %:z").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Zone;

    #[test]
    fn a_zone_is_found_by_name_and_a_mistyped_one_has_its_nearest() {
        assert_eq!(Zone::find("europe/berlin").unwrap().name(), "Europe/Berlin");
        assert_eq!(Zone::find("UTC").unwrap(), Zone::utc());
        assert!(Zone::find("Etc/Unknown").is_none());
        assert!(Zone::find("Europe/Berln").is_none());
        assert_eq!(Zone::near("Europe/Berln").as_deref(), Some("Europe/Berlin"));
        assert_eq!(Zone::near("new york").as_deref(), Some("America/New_York"));
        assert_eq!(Zone::near("zzzzzzzzzzzzzzzz"), None);
    }
}
