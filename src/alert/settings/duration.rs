//! A length of time as people write it: `90s`, `15m`, `4h`, `7d`.
//! Never a time of day and never a calendar's month.

use crate::alert::limits;

/// Milliseconds of it; nothing where it is none, is zero or is too long.
pub fn parse_duration_ms(text: &str) -> Option<i64> {
    let unit = text.chars().last()?;
    let unit_ms: i64 = match unit {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => 24 * 3_600_000,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let count: i64 = if plain { digits.parse().ok()? } else { return None };
    count.checked_mul(unit_ms).filter(|ms| (1..=limits::SETTING_DURATION_MS_MAX).contains(ms))
}

/// Minutes since midnight of `HH:MM`.
pub fn parse_time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<u8>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let fits = hours < 24 && minutes < 60 && text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    fits.then(|| u16::from(hours) * 60 + u16::from(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_number_and_a_unit() {
        assert_eq!(parse_duration_ms("90s"), Some(90_000));
        assert_eq!(parse_duration_ms("7d"), Some(604_800_000));
        for bad in ["", "s", "1", "-1h", "+1h", "1.5h", "0m", "1 h", "9999999999999999999h", "400d", "1µ"] {
            assert_eq!(parse_duration_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_time_of_day_has_two_digits_twice() {
        assert_eq!(parse_time_of_day("09:30"), Some(570));
        assert_eq!(parse_time_of_day("00:00"), Some(0));
        for bad in ["9:30", "24:00", "09:60", "09:3", "+9:30", "0930", "09:30:00"] {
            assert_eq!(parse_time_of_day(bad), None, "{bad}");
        }
    }
}
