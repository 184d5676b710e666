//! Months of decision in UTC, spelled `2026-03`, and when each ends.
//! Never another time zone: a decision's month is the same wherever it is read.

use crate::base::clock::{iso_date, parse_iso_date};

pub const DAY_MS: i64 = 86_400_000;

/// The month of a moment; nothing beyond the years a date can have.
pub fn month_of(ms: i64) -> Option<String> {
    month_of_day(ms.div_euclid(DAY_MS))
}

fn month_of_day(day: i64) -> Option<String> {
    let date = iso_date(day as f64)?;
    date.rsplit_once('-').map(|(month, _)| month.to_string())
}

/// The first moment after a month; nothing for what is not spelled as a month is.
pub fn end_of(month: &str) -> Option<i64> {
    let first = parse_iso_date(&format!("{month}-01"))? as i64;
    if month_of_day(first).as_deref() != Some(month) {
        return None;
    }
    // No month is longer than this, and none that follows is so short that it would be passed over.
    let next = month_of_day(first + 31)?;
    let day = parse_iso_date(&format!("{next}-01"))? as i64;
    day.checked_mul(DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::parse_millis;

    #[test]
    fn a_month_turns_at_midnight_in_utc() {
        let month = |text: &str| month_of(parse_millis(text).unwrap()).unwrap();
        assert_eq!(month("2026-02-28T23:59:59.999Z"), "2026-02");
        assert_eq!(month("2026-03-01T00:00:00Z"), "2026-03");
        assert_eq!(month("2026-03-01T00:30:00+01:00"), "2026-02");
        assert_eq!(month("1969-12-31T23:59:59Z"), "1969-12");
        assert_eq!(month_of(i64::MAX), None);
    }

    #[test]
    fn a_month_ends_where_the_next_begins_and_other_words_never_do() {
        for (month, next) in [("2024-02", "2024-03"), ("2026-01", "2026-02"), ("2026-12", "2027-01")] {
            assert_eq!(end_of(month), parse_millis(&format!("{next}-01T00:00:00Z")), "{month}");
        }
        for word in ["2026-13", "2026-3", "2026-03-01", "", "March"] {
            assert_eq!(end_of(word), None, "{word}");
        }
    }
}
