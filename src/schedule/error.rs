//! What can be wrong with schedule.toml: each refusal names the chain, the step and the key.

use std::fmt;

use crate::base::fact::{Class, Fact};
use crate::base::ids::BadName;
use crate::schedule::cron::CronError;

/// Where in the file: a chain, and a step or trigger of it. Small, as every refusal carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Box<(String, Part)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Chain,
    Step(String),
    /// Counted from 1.
    Trigger(usize),
}

impl Place {
    pub(super) fn chain(chain: &str) -> Self {
        Self(Box::new((chain.to_string(), Part::Chain)))
    }

    pub(super) fn step(chain: &str, step: &str) -> Self {
        Self(Box::new((chain.to_string(), Part::Step(step.to_string()))))
    }

    pub(super) fn trigger(chain: &str, number: usize) -> Self {
        Self(Box::new((chain.to_string(), Part::Trigger(number))))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (chain, part) = self.0.as_ref();
        match part {
            Part::Chain => write!(f, "chain {chain:?}"),
            Part::Step(step) => write!(f, "chain {chain:?}, step {step:?}"),
            Part::Trigger(number) => write!(f, "chain {chain:?}, trigger {number}"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    #[error("timezone {found:?} is not in the IANA time zone database")]
    Zone { found: String, near: Option<String> },
    #[error("{place}: {source}")]
    Name { place: Place, source: BadName },
    #[error("{place}: there are two {what} of this name")]
    Twice { place: Place, what: &'static str },
    #[error("{what}: {found}; at most {max} are read")]
    TooMany { what: String, found: usize, max: usize },
    #[error("{place} has no [[chain.step]]")]
    NoSteps { place: Place },
    #[error("{place}: cron {text:?} {source}")]
    Cron { place: Place, text: String, source: CronError },
    #[error("{place}: {key} = {found:?} is none of {}", known.join(", "))]
    Word { place: Place, key: &'static str, found: String, known: Vec<String>, near: Option<String> },
    #[error("{place}: {key} = {found:?} is no {what}")]
    Unknown { place: Place, key: &'static str, found: String, what: &'static str, near: Option<String> },
    #[error("{place}: {key} = {found:?} is not {wanted}")]
    Value { place: Place, key: &'static str, found: String, wanted: String },
    #[error("{place}: {key} is missing: {why}")]
    Missing { place: Place, key: &'static str, why: &'static str },
    #[error("{place}: {key} has no meaning here: {why}")]
    Needless { place: Place, key: &'static str, why: &'static str },
    #[error("{place}: the parameter {key:?} {why}")]
    Setting { place: Place, key: String, why: String },
    #[error("{place}: its steps wait for each other without end: {}", steps.join(" after "))]
    Cycle { place: Place, steps: Vec<String> },
    #[error("the chains start each other without end: {}", chains.join(" starts "))]
    ChainCycle { chains: Vec<String> },
}

impl Fact for ScheduleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Zone { .. } => "schedule.zone",
            Self::Name { .. } => "schedule.name",
            Self::Twice { .. } => "schedule.twice",
            Self::TooMany { .. } => "schedule.too_many",
            Self::NoSteps { .. } => "schedule.no_steps",
            Self::Cron { .. } => "schedule.cron",
            Self::Word { .. } => "schedule.word",
            Self::Unknown { .. } => "schedule.unknown",
            Self::Value { .. } => "schedule.value",
            Self::Missing { .. } => "schedule.missing",
            Self::Needless { .. } => "schedule.needless",
            Self::Setting { .. } => "schedule.setting",
            Self::Cycle { .. } => "schedule.cycle",
            Self::ChainCycle { .. } => "schedule.chain_cycle",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        let near = match self {
            Self::Zone { near, .. } | Self::Word { near, .. } | Self::Unknown { near, .. } => near.clone(),
            Self::Cron { source: CronError::Name { near, .. }, .. } => near.map(String::from),
            _ => None,
        };
        match near {
            Some(near) => Some(format!("Did you mean {near:?}?")),
            None => Some("Correct schedule.toml and run `tallystick project check DIR`.".into()),
        }
    }
}
