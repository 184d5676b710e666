//! Lengths of time and times of day as a person writes them: "90s", "15m", "2h", "1d", "06:00".
//! Never adds a unit that was left out.

use crate::schedule::limits::{DAY_MS, HOUR_MS, MINUTE_MS};

/// Milliseconds of a whole number with its unit; nothing where it is not written so.
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let unit_ms = match unit {
        's' => 1_000,
        'm' => MINUTE_MS,
        'h' => HOUR_MS,
        'd' => DAY_MS,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit_ms)
}

/// The length in the largest unit that holds it whole, as `parse_duration_ms` reads it.
pub fn duration_text(ms: i64) -> String {
    let units = [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (1_000, "s")];
    let whole = units.into_iter().find(|(unit_ms, _)| ms != 0 && ms % unit_ms == 0);
    match whole {
        Some((unit_ms, unit)) => format!("{}{unit}", ms / unit_ms),
        None if ms == 0 => "0s".into(),
        None => format!("{ms}ms"),
    }
}

/// The minute of the day of "HH:MM"; nothing where it is not written so.
pub fn parse_time_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str, max: u16| {
        let written = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        written.then(|| part.parse::<u16>().ok()).flatten().filter(|value| *value <= max)
    };
    Some(two(hour, 23)? * 60 + two(minute, 59)?)
}

#[cfg(test)]
mod tests {
    use super::{duration_text, parse_duration_ms, parse_time_of_day};

    #[test]
    fn a_length_is_a_whole_number_and_one_unit() {
        let read = ["90s", "15m", "2h", "1d"].map(parse_duration_ms);
        assert_eq!(read, [Some(90_000), Some(900_000), Some(7_200_000), Some(86_400_000)]);
        for wrong in ["", "s", "90", "1.5h", "-1m", "1 h", "2H", "1h30m", "9999999999s", "١s", "1é"] {
            assert_eq!(parse_duration_ms(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_length_is_written_as_it_is_read() {
        for text in ["90s", "15m", "2h", "1d", "36h", "0s"] {
            assert_eq!(duration_text(parse_duration_ms(text).unwrap()), text);
        }
    }

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        assert_eq!(parse_time_of_day("06:00"), Some(360));
        assert_eq!(parse_time_of_day("23:59"), Some(1_439));
        for wrong in ["6:00", "24:00", "06:60", "06", "0600", "06:00:00", "+6:00"] {
            assert_eq!(parse_time_of_day(wrong), None, "{wrong:?}");
        }
    }
}
