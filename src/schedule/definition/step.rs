//! One step of a chain, checked: what it runs, what it waits for, how often it is tried.
//! Never reads the parameters but for their size.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::base::ids::check_name;
use crate::schedule::definition::{check_duration, check_number, check_word, find_twice};
use crate::schedule::error::{Place, ScheduleError};
use crate::schedule::limits;
use crate::schedule::raw::{RawStep, Setting};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Train,
    Gate,
    Stage,
    Promote,
    Batch,
    Monitor,
    Notify,
}

const KINDS: [(&str, Kind); 7] = [
    ("train", Kind::Train),
    ("gate", Kind::Gate),
    ("stage", Kind::Stage),
    ("promote", Kind::Promote),
    ("batch", Kind::Batch),
    ("monitor", Kind::Monitor),
    ("notify", Kind::Notify),
];

/// What must be true of the steps it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    AllSuccess,
    AllDone,
    OneFailed,
    NoneFailed,
}

const RULES: [(&str, Rule); 4] = [
    ("all_success", Rule::AllSuccess),
    ("all_done", Rule::AllDone),
    ("one_failed", Rule::OneFailed),
    ("none_failed", Rule::NoneFailed),
];

impl Kind {
    pub fn as_str(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        RULES.iter().find(|(_, rule)| *rule == self).map_or("", |(word, _)| word)
    }
}

/// Kept with each run of its chain, so that an edited file changes no run that is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    pub run: Kind,
    pub after: Vec<String>,
    pub when: Rule,
    pub retries: u32,
    pub backoff_ms: i64,
    pub backoff_ms_max: i64,
    pub timeout_ms: i64,
    pub with: BTreeMap<String, Setting>,
}

impl Step {
    /// Waits this long before the retry of that number, the first being 1.
    pub fn backoff_before(&self, retry: u32) -> i64 {
        let doubled = 2_i64.saturating_pow(retry.saturating_sub(1));
        self.backoff_ms.saturating_mul(doubled).min(self.backoff_ms_max)
    }

    /// `before` is the step that stands before it in the file, `names` are those of all steps.
    pub(super) fn check(
        raw: &RawStep,
        chain: &str,
        before: Option<&str>,
        names: &[&str],
    ) -> Result<Self, ScheduleError> {
        let place = Place::step(chain, &raw.name);
        check_name(&raw.name).map_err(|source| ScheduleError::Name { place: place.clone(), source })?;
        let after = check_after(raw, &place, before, names)?;
        let when = check_word(&place, "when", raw.when.as_deref().unwrap_or("all_success"), &RULES)?;
        if when == Rule::OneFailed && after.is_empty() {
            let why = "a step that waits for none never sees one fail";
            return Err(ScheduleError::Needless { place, key: "when = \"one_failed\"", why });
        }
        let (backoff_ms, backoff_ms_max) = check_backoff(raw, &place)?;
        let timeout = raw.timeout.as_deref().unwrap_or("1d");
        Ok(Self {
            name: raw.name.clone(),
            run: check_word(&place, "run", &raw.run, &KINDS)?,
            after,
            when,
            retries: check_retries(raw, &place)?,
            backoff_ms,
            backoff_ms_max,
            timeout_ms: check_duration(&place, "timeout", timeout, (1_000, limits::STEP_TIMEOUT_MS_MAX))?,
            with: check_settings(raw, &place)?,
        })
    }
}

fn check_after(
    raw: &RawStep,
    place: &Place,
    before: Option<&str>,
    names: &[&str],
) -> Result<Vec<String>, ScheduleError> {
    let Some(after) = &raw.after else {
        return Ok(before.map(String::from).into_iter().collect());
    };
    let unknown = after.iter().find(|name| !names.contains(&name.as_str()));
    if let Some(found) = unknown {
        return Err(ScheduleError::Unknown {
            place: place.clone(),
            key: "after",
            found: found.clone(),
            what: "step of this chain",
            near: nearest(found, names.iter().copied().filter(|name| *name != raw.name)).map(String::from),
        });
    }
    let listed: Vec<&str> = after.iter().map(String::as_str).collect();
    if let Some(twice) = find_twice(&listed) {
        return Err(ScheduleError::Value {
            place: place.clone(),
            key: "after",
            found: twice.to_string(),
            wanted: "allowed twice in one list".into(),
        });
    }
    Ok(after.clone())
}

fn check_retries(raw: &RawStep, place: &Place) -> Result<u32, ScheduleError> {
    let retries =
        check_number(place, "retries", raw.retries.unwrap_or(0), (0, u64::from(limits::STEP_RETRIES_MAX)))?;
    Ok(u32::try_from(retries).unwrap_or(limits::STEP_RETRIES_MAX))
}

fn check_backoff(raw: &RawStep, place: &Place) -> Result<(i64, i64), ScheduleError> {
    if raw.retries.unwrap_or(0) == 0 {
        let given = [("backoff", &raw.backoff), ("backoff_max", &raw.backoff_max)];
        if let Some((key, _)) = given.into_iter().find(|(_, text)| text.is_some()) {
            let why = "the step has no retries";
            return Err(ScheduleError::Needless { place: place.clone(), key, why });
        }
    }
    let bounds = (limits::BACKOFF_MS_MIN, limits::BACKOFF_MS_MAX);
    let backoff_ms = check_duration(place, "backoff", raw.backoff.as_deref().unwrap_or("1m"), bounds)?;
    let most = match &raw.backoff_max {
        Some(text) => check_duration(place, "backoff_max", text, (backoff_ms, limits::BACKOFF_MS_MAX))?,
        None => backoff_ms.max(limits::HOUR_MS),
    };
    Ok((backoff_ms, most))
}

fn check_settings(raw: &RawStep, place: &Place) -> Result<BTreeMap<String, Setting>, ScheduleError> {
    let wrong =
        |key: &str, why: String| ScheduleError::Setting { place: place.clone(), key: key.to_string(), why };
    let (found, max) = (raw.with.len(), limits::STEP_SETTINGS_MAX);
    if found > max {
        return Err(ScheduleError::TooMany { what: format!("{place}: parameters"), found, max });
    }
    for (key, value) in &raw.with {
        check_setting(key, value).map_err(|why| wrong(key, why))?;
    }
    Ok(raw.with.clone())
}

fn check_setting(key: &str, value: &Setting) -> Result<(), String> {
    let long = |text: &str| text.chars().count() > limits::SETTING_CHARS_MAX;
    let too_long = || format!("has more than {} characters", limits::SETTING_CHARS_MAX);
    match value {
        _ if key.len() > crate::base::limits::NAME_CHARS_MAX => Err("has too long a name".into()),
        Setting::Number(number) if !number.is_finite() => Err("is not a finite number".into()),
        Setting::Text(text) if long(text) => Err(too_long()),
        Setting::Texts(texts) if texts.len() > limits::SETTING_ITEMS_MAX => {
            Err(format!("lists {} texts; at most {} are read", texts.len(), limits::SETTING_ITEMS_MAX))
        }
        Setting::Texts(texts) if texts.iter().any(|text| long(text)) => Err(too_long()),
        _ => Ok(()),
    }
}
