//! What the steps of a chain may be told under `[chain.step.with]`, kind by kind, read from settings of any shape.
//! Never runs a step.

use std::collections::BTreeMap;

use crate::base::fact::{Class, Fact, nearest};
use crate::registry::version::Alias;
use crate::schedule::definition::{Kind, Schedule, Step};
use crate::schedule::duration::parse_duration_ms;
use crate::schedule::raw::Setting;
use crate::schedule::trigger::NamePattern;

/// A step as whoever runs it reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum StepPlan {
    Train(TrainStep),
    Gate(GateStep),
    Stage,
    Promote(PromoteStep),
    Batch(BatchStep),
    Monitor(MonitorStep),
    Notify(NotifyStep),
}

#[derive(Clone, Debug, PartialEq)]
pub struct TrainStep {
    /// The newest file of the inbox with such a name; without one, the file that started the chain, else the newest
    /// data set that is kept.
    pub file: Option<NamePattern>,
    /// Changes to train.toml.
    pub set: Vec<String>,
}

/// How much worse than what is in production a candidate may be, on the candidate's own test rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GateStep {
    pub auc_drop: f64,
    pub against_production: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PromoteStep {
    pub to: Alias,
    /// A second person decides whatever the gates say.
    pub second_person: bool,
    /// How long that person has.
    pub within_ms: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BatchStep {
    pub alias: Alias,
    /// The newest file of the inbox with such a name; without one, the file that started the chain.
    pub file: Option<NamePattern>,
    pub parquet: bool,
    /// No such file is nothing to do, and no failure.
    pub optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonitorStep {
    pub alias: Alias,
    /// Days that are looked at together, the last being the day before the planned start.
    pub window_days: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NotifyStep {
    pub severity: Severity,
    pub title: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

const WINDOW_DAYS: i64 = 7;
const WINDOW_DAYS_MAX: i64 = 366;
const WITHIN: &str = "7d";
const AUC_DROP: f64 = 0.01;

#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("chain {chain:?}, step {step:?}: a step that runs {kind} has no setting {key:?}")]
    Unknown { chain: String, step: String, kind: &'static str, key: String, near: Option<String> },
    #[error("chain {chain:?}, step {step:?}: {key} is not {wanted}")]
    Value { chain: String, step: String, key: &'static str, wanted: String },
}

impl Fact for StepError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "schedule.step_setting",
            Self::Value { .. } => "schedule.step_value",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Unknown { near: Some(near), .. } => Some(format!("Did you mean {near:?}?")),
            _ => Some("Correct schedule.toml and run `tallystick project check DIR`.".into()),
        }
    }
}

/// Reads every step once, so that what cannot be run is refused before it is in force.
pub fn check_steps(schedule: &Schedule) -> Result<(), StepError> {
    let mut steps =
        schedule.chains().iter().flat_map(|chain| chain.steps.iter().map(move |step| (chain, step)));
    steps.try_for_each(|(chain, step)| StepPlan::of(&chain.name, step).map(drop))
}

impl StepPlan {
    pub fn of(chain: &str, step: &Step) -> Result<Self, StepError> {
        let read = Settings { chain, step };
        let plan = match step.run {
            Kind::Train => {
                read.known(&["file", "set"])?;
                Self::Train(TrainStep { file: read.pattern("file")?, set: read.texts("set")? })
            }
            Kind::Gate => {
                read.known(&["auc_drop", "against_production"])?;
                let auc_drop = read.number("auc_drop", AUC_DROP, (0.0, 1.0))?;
                Self::Gate(GateStep { auc_drop, against_production: read.flag("against_production", true)? })
            }
            Kind::Stage => {
                read.known(&[])?;
                Self::Stage
            }
            Kind::Promote => {
                read.known(&["to", "approval", "within"])?;
                let words = [("gate", false), ("second_person", true)];
                Self::Promote(PromoteStep {
                    to: read.alias("to")?,
                    second_person: read.word("approval", false, &words)?,
                    within_ms: read.duration("within", WITHIN)?,
                })
            }
            Kind::Batch => {
                read.known(&["alias", "file", "format", "optional"])?;
                let parquet = read.word("format", false, &[("csv", false), ("parquet", true)])?;
                Self::Batch(BatchStep {
                    alias: read.alias("alias")?,
                    file: read.pattern("file")?,
                    parquet,
                    optional: read.flag("optional", false)?,
                })
            }
            Kind::Monitor => {
                read.known(&["alias", "window_days"])?;
                let window_days = read.whole("window_days", WINDOW_DAYS, (1, WINDOW_DAYS_MAX))?;
                Self::Monitor(MonitorStep { alias: read.alias("alias")?, window_days })
            }
            Kind::Notify => {
                read.known(&["severity", "title"])?;
                let words = [
                    ("info", Severity::Info),
                    ("warning", Severity::Warning),
                    ("critical", Severity::Critical),
                ];
                let severity = read.word("severity", Severity::Info, &words)?;
                Self::Notify(NotifyStep { severity, title: read.text("title")? })
            }
        };
        Ok(plan)
    }
}

/// The settings of one step, read by their names.
struct Settings<'a> {
    chain: &'a str,
    step: &'a Step,
}

impl Settings<'_> {
    fn with(&self) -> &BTreeMap<String, Setting> {
        &self.step.with
    }

    fn known(&self, names: &[&str]) -> Result<(), StepError> {
        match self.with().keys().find(|key| !names.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(StepError::Unknown {
                chain: self.chain.to_string(),
                step: self.step.name.clone(),
                kind: self.step.run.as_str(),
                key: key.clone(),
                near: nearest(key, names.iter().copied()).map(str::to_string),
            }),
        }
    }

    fn wrong(&self, key: &'static str, wanted: impl Into<String>) -> StepError {
        let (chain, step) = (self.chain.to_string(), self.step.name.clone());
        StepError::Value { chain, step, key, wanted: wanted.into() }
    }

    fn text(&self, key: &'static str) -> Result<Option<String>, StepError> {
        match self.with().get(key) {
            None => Ok(None),
            Some(Setting::Text(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(key, "a text")),
        }
    }

    fn texts(&self, key: &'static str) -> Result<Vec<String>, StepError> {
        match self.with().get(key) {
            None => Ok(Vec::new()),
            Some(Setting::Texts(texts)) => Ok(texts.clone()),
            Some(_) => Err(self.wrong(key, "a list of texts such as [\"seed=7\"]")),
        }
    }

    fn flag(&self, key: &'static str, otherwise: bool) -> Result<bool, StepError> {
        match self.with().get(key) {
            None => Ok(otherwise),
            Some(Setting::Flag(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(key, "true or false")),
        }
    }

    fn whole(&self, key: &'static str, otherwise: i64, (min, max): (i64, i64)) -> Result<u64, StepError> {
        let found = match self.with().get(key) {
            None => Some(otherwise),
            Some(Setting::Whole(number)) => Some(*number),
            Some(_) => None,
        };
        let found = found.filter(|number| (min..=max).contains(number)).map(i64::unsigned_abs);
        found.ok_or_else(|| self.wrong(key, format!("a whole number from {min} to {max}")))
    }

    fn number(&self, key: &'static str, otherwise: f64, (min, max): (f64, f64)) -> Result<f64, StepError> {
        let found = match self.with().get(key) {
            None => Some(otherwise),
            Some(Setting::Number(number)) => Some(*number),
            Some(Setting::Whole(number)) => Some(*number as f64),
            Some(_) => None,
        };
        let found = found.filter(|number| (min..=max).contains(number));
        found.ok_or_else(|| self.wrong(key, format!("a number from {min} to {max}")))
    }

    fn word<T: Copy>(
        &self,
        key: &'static str,
        otherwise: T,
        words: &[(&'static str, T)],
    ) -> Result<T, StepError> {
        let Some(text) = self.text(key)? else { return Ok(otherwise) };
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        found.ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.wrong(key, format!("one of {}", names.join(", ")))
        })
    }

    fn alias(&self, key: &'static str) -> Result<Alias, StepError> {
        let Some(text) = self.text(key)? else { return Ok(Alias::Production) };
        text.parse().map_err(|_| self.wrong(key, "an alias such as production or staging"))
    }

    fn pattern(&self, key: &'static str) -> Result<Option<NamePattern>, StepError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let read = NamePattern::parse(&text);
        read.map(Some).map_err(|why| self.wrong(key, format!("the name of a file in the inbox: {why}")))
    }

    fn duration(&self, key: &'static str, otherwise: &str) -> Result<i64, StepError> {
        let text = self.text(key)?;
        let found = parse_duration_ms(text.as_deref().unwrap_or(otherwise)).filter(|ms| *ms > 0);
        found.ok_or_else(|| self.wrong(key, "a length of time such as \"7d\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::raw::RawSchedule;

    fn schedule(step: &str) -> Schedule {
        let text = format!("[[chain]]\nname = \"c\"\n[[chain.step]]\nname = \"s\"\n{step}");
        toml::from_str::<RawSchedule>(&text).unwrap().check().unwrap()
    }

    fn plan(step: &str) -> Result<StepPlan, StepError> {
        StepPlan::of("c", &schedule(step).chains()[0].steps[0])
    }

    #[test]
    fn what_is_not_said_has_its_default() {
        let gate = GateStep { auc_drop: 0.01, against_production: true };
        assert_eq!(plan("run = \"gate\"").unwrap(), StepPlan::Gate(gate));
        let promote =
            PromoteStep { to: Alias::Production, second_person: false, within_ms: 7 * 24 * 3_600_000 };
        assert_eq!(plan("run = \"promote\"").unwrap(), StepPlan::Promote(promote));
        assert_eq!(plan("run = \"stage\"").unwrap(), StepPlan::Stage);
    }

    #[test]
    fn a_setting_of_another_kind_and_a_value_that_is_none_are_refused_by_name() {
        let refused = plan("run = \"train\"\nwith = { fil = \"a.csv\" }").unwrap_err();
        assert_eq!(refused.next_step().unwrap(), "Did you mean \"file\"?");
        for step in [
            "run = \"stage\"\nwith = { to = \"production\" }",
            "run = \"gate\"\nwith = { auc_drop = -0.1 }",
            "run = \"promote\"\nwith = { approval = \"nobody\" }",
            "run = \"promote\"\nwith = { to = \"moon\" }",
            "run = \"promote\"\nwith = { within = \"soon\" }",
            "run = \"batch\"\nwith = { file = \"../secret\" }",
            "run = \"monitor\"\nwith = { window_days = 0 }",
            "run = \"notify\"\nwith = { severity = 3 }",
        ] {
            assert!(check_steps(&schedule(step)).is_err(), "{step}");
        }
    }
}
