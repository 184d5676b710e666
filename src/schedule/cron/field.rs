//! One of the five fields of a cron text as a set of numbers. Knows no calendar.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of month",
            Self::Month => "month",
            Self::DayOfWeek => "day of week",
        })
    }
}

impl Field {
    pub const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::DayOfMonth, Self::Month, Self::DayOfWeek];

    /// The smallest and the largest number; 7 is Sunday as 0 is.
    fn bounds(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => {
                &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            }
            Self::DayOfWeek => &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
            _ => &[],
        }
    }
}

/// Numbers from 0 to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn has(self, number: i8) -> bool {
        u32::try_from(number).is_ok_and(|number| self.0.checked_shr(number).unwrap_or(0) & 1 == 1)
    }

    pub(super) fn first_from(self, from: i8) -> Option<i8> {
        (from..64).find(|number| self.has(*number))
    }

    pub(super) fn last_until(self, until: i8) -> Option<i8> {
        (0..=until).rev().find(|number| self.has(*number))
    }

    /// Whether all numbers of the field are there.
    pub(super) fn is_full(self, field: Field) -> bool {
        let (low, high) = field.bounds();
        (low..=high).all(|number| self.has(number as i8))
    }
}

/// Why a part of a field cannot be read, in words that follow the part itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unread {
    pub part: String,
    pub why: String,
}

/// Reads a list of numbers, ranges and steps.
pub(super) fn parse_field(field: Field, text: &str) -> Result<Numbers, Unread> {
    let mut set = 0_u64;
    for part in text.split(',') {
        set |= parse_part(field, part).map_err(|why| Unread { part: part.to_string(), why })?;
    }
    if field == Field::DayOfWeek && set >> 7 & 1 == 1 {
        set |= 1;
    }
    if field == Field::DayOfWeek && set & 1 == 1 {
        set |= 1 << 7;
    }
    Ok(Numbers(set))
}

fn parse_part(field: Field, part: &str) -> Result<u64, String> {
    let (range, step) = match part.split_once('/') {
        None => (part, None),
        Some((range, step)) => (range, Some(parse_step(field, step)?)),
    };
    let (first, last) = match range.split_once('-') {
        _ if range == "*" => star_bounds(field),
        None if step.is_some() => {
            let (_, high) = star_bounds(field);
            return Err(format!("has a step without a range (write {range}-{high}/N or */N)"));
        }
        None => parse_number(field, range).map(|number| (number, number))?,
        Some((first, last)) => (parse_number(field, first)?, range_end(field, parse_number(field, last)?)),
    };
    if first > last {
        return Err("runs backwards; a range goes from the smaller to the larger".into());
    }
    Ok((first..=last).step_by(step.unwrap_or(1)).fold(0, |set, number| set | 1 << number))
}

/// What `*` stands for: Sunday once.
fn star_bounds(field: Field) -> (u8, u8) {
    match field {
        Field::DayOfWeek => (0, 6),
        _ => field.bounds(),
    }
}

/// A week may end on Sunday: fri-sun.
fn range_end(field: Field, last: u8) -> u8 {
    if field == Field::DayOfWeek && last == 0 { 7 } else { last }
}

fn parse_step(field: Field, text: &str) -> Result<usize, String> {
    let (_, high) = field.bounds();
    let wrong = || format!("has the step {text:?}; a step is a number from 1 to {high}");
    let step = parse_digits(text).ok_or_else(wrong)?;
    if step == 0 || step > high { Err(wrong()) } else { Ok(usize::from(step)) }
}

fn parse_number(field: Field, text: &str) -> Result<u8, String> {
    let (low, high) = field.bounds();
    let named = field.names().iter().position(|name| name.eq_ignore_ascii_case(text));
    if let Some(place) = named {
        return Ok(place as u8 + low);
    }
    let names = match field {
        Field::Month => " or jan to dec",
        Field::DayOfWeek => " or sun to sat",
        _ => "",
    };
    match parse_digits(text) {
        Some(number) if (low..=high).contains(&number) => Ok(number),
        _ => Err(format!("is not a number from {low} to {high}{names}")),
    }
}

fn parse_digits(text: &str) -> Option<u8> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
