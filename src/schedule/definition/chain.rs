//! One chain, checked: its hours, its steps in an order in which each comes after what it waits for.
//! Never counts a run.

use serde::{Deserialize, Serialize};

use crate::base::ids::check_name;
use crate::schedule::cron::{Cron, Timetable};
use crate::schedule::definition::{
    Step, TriggerOn, check_count, check_duration, check_number, check_word, find_twice, order,
};
use crate::schedule::duration::parse_time_of_day;
use crate::schedule::error::{Place, ScheduleError};
use crate::schedule::limits;
use crate::schedule::raw::RawChain;
use crate::schedule::zone::Zone;

#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub name: String,
    /// Absent: it starts by hand and by triggers only.
    pub timetable: Option<Timetable>,
    pub catch_up: CatchUp,
    pub deadline_ms: Option<i64>,
    /// A minute of the day.
    pub finish_by: Option<u16>,
    pub zone: Zone,
    pub overlap: Overlap,
    /// What it is before anyone said otherwise.
    pub paused: bool,
    pub triggers: Vec<TriggerOn>,
    pub steps: Vec<Step>,
}

/// What becomes of starts that were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    None,
    Latest,
    /// The newest ones, this many at most.
    All {
        max: u32,
    },
}

/// What becomes of a start while a run of the chain still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    Skip,
    Queue,
}

#[derive(Clone, Copy, PartialEq)]
enum Missed {
    None,
    Latest,
    All,
}

const MISSED: [(&str, Missed); 3] =
    [("none", Missed::None), ("latest", Missed::Latest), ("all", Missed::All)];
const OVERLAPS: [(&str, Overlap); 2] = [("skip", Overlap::Skip), ("queue", Overlap::Queue)];

impl Chain {
    pub fn find_step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// `chains` are the names of all chains of the file.
    pub(super) fn check(raw: &RawChain, zone: &Zone, chains: &[&str]) -> Result<Self, ScheduleError> {
        let place = Place::chain(&raw.name);
        check_name(&raw.name).map_err(|source| ScheduleError::Name { place: place.clone(), source })?;
        let deadline = |text: &String| {
            check_duration(&place, "deadline", text, (limits::MINUTE_MS, limits::DEADLINE_MS_MAX))
        };
        Ok(Self {
            name: raw.name.clone(),
            timetable: check_cron(raw, &place, zone)?,
            catch_up: check_catch_up(raw, &place)?,
            deadline_ms: raw.deadline.as_ref().map(deadline).transpose()?,
            finish_by: check_finish_by(raw, &place)?,
            zone: zone.clone(),
            overlap: check_word(&place, "overlap", raw.overlap.as_deref().unwrap_or("skip"), &OVERLAPS)?,
            paused: raw.paused,
            triggers: check_triggers(raw, &place, chains)?,
            steps: check_steps(raw, &place)?,
        })
    }
}

fn check_cron(raw: &RawChain, place: &Place, zone: &Zone) -> Result<Option<Timetable>, ScheduleError> {
    let Some(text) = &raw.cron else {
        let given = [("catch_up", raw.catch_up.is_some()), ("catch_up_max", raw.catch_up_max.is_some())];
        return match given.into_iter().find(|(_, given)| *given) {
            Some((key, _)) => {
                let why = "the chain has no cron, so it misses no start";
                Err(ScheduleError::Needless { place: place.clone(), key, why })
            }
            None => Ok(None),
        };
    };
    match Cron::parse(text) {
        Ok(cron) => Ok(Some(Timetable::new(cron, zone.clone()))),
        Err(source) => {
            let text = text.chars().take(limits::CRON_CHARS_MAX).collect();
            Err(ScheduleError::Cron { place: place.clone(), text, source })
        }
    }
}

fn check_catch_up(raw: &RawChain, place: &Place) -> Result<CatchUp, ScheduleError> {
    let key = "catch_up_max";
    let missed = check_word(place, "catch_up", raw.catch_up.as_deref().unwrap_or("latest"), &MISSED)?;
    match (missed, raw.catch_up_max) {
        (Missed::None, None) => Ok(CatchUp::None),
        (Missed::Latest, None) => Ok(CatchUp::Latest),
        (Missed::All, Some(found)) => {
            let max = check_number(place, key, found, (1, u64::from(limits::CATCH_UP_MAX)))?;
            Ok(CatchUp::All { max: u32::try_from(max).unwrap_or(limits::CATCH_UP_MAX) })
        }
        (Missed::All, None) => {
            let why = "catch_up = \"all\" needs to know how many at most";
            Err(ScheduleError::Missing { place: place.clone(), key, why })
        }
        (_, Some(_)) => {
            let why = "it belongs to catch_up = \"all\"";
            Err(ScheduleError::Needless { place: place.clone(), key, why })
        }
    }
}

fn check_finish_by(raw: &RawChain, place: &Place) -> Result<Option<u16>, ScheduleError> {
    let read = |text: &String| {
        parse_time_of_day(text).ok_or_else(|| ScheduleError::Value {
            place: place.clone(),
            key: "finish_by",
            found: text.clone(),
            wanted: "a time of day such as \"06:00\"".into(),
        })
    };
    raw.finish_by.as_ref().map(read).transpose()
}

fn check_triggers(raw: &RawChain, place: &Place, chains: &[&str]) -> Result<Vec<TriggerOn>, ScheduleError> {
    check_count(&format!("{place}: triggers"), raw.trigger.len(), limits::CHAIN_TRIGGERS_MAX)?;
    let check = |(number, trigger)| TriggerOn::check(trigger, &raw.name, number, chains);
    (1..).zip(&raw.trigger).map(check).collect()
}

fn check_steps(raw: &RawChain, place: &Place) -> Result<Vec<Step>, ScheduleError> {
    if raw.step.is_empty() {
        return Err(ScheduleError::NoSteps { place: place.clone() });
    }
    check_count(&format!("{place}: steps"), raw.step.len(), limits::CHAIN_STEPS_MAX)?;
    let names: Vec<&str> = raw.step.iter().map(|step| step.name.as_str()).collect();
    if let Some(twice) = find_twice(&names) {
        let place = Place::step(&raw.name, twice);
        return Err(ScheduleError::Twice { place, what: "steps" });
    }
    let mut before = None;
    let mut steps = Vec::with_capacity(names.len());
    for step in &raw.step {
        steps.push(Step::check(step, &raw.name, before, &names)?);
        before = Some(step.name.as_str());
    }
    order::in_order(steps, place)
}
