//! The checked schedule: chains of steps, when they start, what starts them besides. Made of `raw` once; what it hands
//! out holds together. Never runs anything, and does not know what a step's parameters mean.

mod chain;
mod order;
mod step;
mod triggers;

#[cfg(test)]
mod tests;

use crate::base::fact::nearest;
use crate::schedule::duration::{duration_text, parse_duration_ms};
use crate::schedule::error::{Place, ScheduleError};
use crate::schedule::limits;
use crate::schedule::raw::RawSchedule;
use crate::schedule::zone::Zone;

pub use chain::{CatchUp, Chain, Overlap};
pub use step::{Kind, Rule, Step};
pub use triggers::{ChainEnd, DriftLevel, TriggerOn};

/// Chains that hold together, in the file's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    zone: Zone,
    chains: Vec<Chain>,
}

impl RawSchedule {
    pub fn check(&self) -> Result<Schedule, ScheduleError> {
        let zone = self.check_zone()?;
        check_count("chains", self.chain.len(), limits::CHAINS_MAX)?;
        let names: Vec<&str> = self.chain.iter().map(|chain| chain.name.as_str()).collect();
        let chains: Vec<Chain> =
            self.chain.iter().map(|raw| Chain::check(raw, &zone, &names)).collect::<Result<_, _>>()?;
        if let Some(twice) = find_twice(&names) {
            let place = Place::chain(twice);
            return Err(ScheduleError::Twice { place, what: "chains" });
        }
        order::check_starts(&chains)?;
        Ok(Schedule { zone, chains })
    }

    fn check_zone(&self) -> Result<Zone, ScheduleError> {
        match &self.timezone {
            None => Ok(Zone::utc()),
            Some(name) => Zone::find(name)
                .ok_or_else(|| ScheduleError::Zone { found: name.clone(), near: Zone::near(name) }),
        }
    }
}

impl Schedule {
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    pub fn find(&self, name: &str) -> Option<&Chain> {
        self.chains.iter().find(|chain| chain.name == name)
    }

    /// The known name that a mistyped one may mean.
    pub fn near(&self, name: &str) -> Option<&str> {
        nearest(name, self.chains.iter().map(|chain| chain.name.as_str()))
    }
}

fn check_count(what: &str, found: usize, max: usize) -> Result<(), ScheduleError> {
    if found > max { Err(ScheduleError::TooMany { what: what.into(), found, max }) } else { Ok(()) }
}

fn find_twice<'a>(names: &[&'a str]) -> Option<&'a str> {
    names
        .iter()
        .enumerate()
        .find(|(i, name)| names.iter().take(*i).any(|other| other == *name))
        .map(|(_, n)| *n)
}

/// A word of a closed set, by its one spelling in the file.
fn check_word<T: Copy>(
    place: &Place,
    key: &'static str,
    found: &str,
    known: &[(&'static str, T)],
) -> Result<T, ScheduleError> {
    let words = || known.iter().map(|(word, _)| *word);
    known.iter().find(|(word, _)| *word == found).map(|(_, value)| *value).ok_or_else(|| {
        ScheduleError::Word {
            place: place.clone(),
            key,
            found: found.to_string(),
            known: words().map(String::from).collect(),
            near: nearest(found, words()).map(String::from),
        }
    })
}

/// A length of time between two bounds, both allowed.
fn check_duration(
    place: &Place,
    key: &'static str,
    found: &str,
    (min_ms, max_ms): (i64, i64),
) -> Result<i64, ScheduleError> {
    parse_duration_ms(found).filter(|ms| (min_ms..=max_ms).contains(ms)).ok_or_else(|| ScheduleError::Value {
        place: place.clone(),
        key,
        found: found.to_string(),
        wanted: format!(
            "a length of time such as \"90s\", \"15m\", \"2h\" or \"1d\", from {} to {}",
            duration_text(min_ms),
            duration_text(max_ms)
        ),
    })
}

/// A whole number between two bounds, both allowed.
fn check_number(
    place: &Place,
    key: &'static str,
    found: i64,
    (min, max): (u64, u64),
) -> Result<u64, ScheduleError> {
    u64::try_from(found).ok().filter(|number| (min..=max).contains(number)).ok_or_else(|| {
        ScheduleError::Value {
            place: place.clone(),
            key,
            found: found.to_string(),
            wanted: format!("a whole number from {min} to {max}"),
        }
    })
}
