//! One run of a chain as a state machine: what is stored of it, and what is to be done next. Told of what happened by
//! `note`, asked by `advance`; both only change the run. Never starts anything itself, never asks for the time.
//!
//! A run keeps the steps it began with: an edited schedule.toml changes none that is under way. Its own clock counts
//! the time that passes and never goes back, so a clock set back neither repeats nor holds up anything in it; a clock
//! set forward passes as time.

mod advance;
mod note;
mod rerun;
mod rules;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::schedule::definition::{Chain, Step};
use crate::schedule::zone::Zone;

pub use note::{NoteError, StepOutcome};
pub use rerun::RerunError;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainRun {
    pub id: String,
    pub chain: String,
    pub trigger: Trigger,
    pub planned_ms: Option<i64>,
    pub started_ms: i64,
    clock: RunClock,
    /// What the deadline is counted from: the planned start where its hour started it, else its beginning.
    counted_from_ms: i64,
    pub deadline_ms: Option<i64>,
    pub finish_by_ms: Option<i64>,
    pub steps: Vec<StepRun>,
    pub alerted: Vec<AlertKind>,
    pub cancel: Option<Cancel>,
    pub ended: Option<Ended>,
}

/// Why a run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    pub kind: TriggerKind,
    /// The person, where one asked for it.
    pub by: Option<String>,
    /// A file, a commit, a day, a run: what it came of.
    pub from: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    Cron,
    CatchUp,
    Backfill,
    Hand,
    File,
    Git,
    Drift,
    Volume,
    Chain,
    Rerun,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRun {
    pub step: Step,
    pub state: StepState,
    pub attempts: Vec<Attempt>,
    retries_used: u32,
    interruptions: u32,
    /// The run whose outcome this is, where a later run did not repeat it.
    pub carried_from: Option<String>,
}

/// Times in here are of the run's own clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Running {
        since_ms: i64,
    },
    /// Was told to stop, and did not yet say that it did.
    Stopping {
        since_ms: i64,
        cause: StopCause,
    },
    Retrying {
        at_ms: i64,
    },
    /// For a person; holds no worker.
    Waiting {
        what: String,
        until_ms: i64,
    },
    Succeeded,
    Failed,
    Skipped,
    /// Not begun, as a step it waited for failed.
    UpstreamFailed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCause {
    Timeout,
    Cancel,
}

/// Times in here are the wall clock's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    pub number: u32,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    pub ending: Option<Ending>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Succeeded {
        said: String,
    },
    Skipped {
        said: String,
    },
    Failed {
        code: String,
        sentence: String,
    },
    TimedOut,
    /// Was told to stop and never said that it did: it is not tried again, for it may still run.
    NoAnswer,
    Interrupted,
    Cancelled,
    /// No person decided in time.
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Running,
    /// For a person, and for nothing else.
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    pub by: String,
    pub at_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    pub status: Status,
    pub at_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    Deadline,
    FinishBy,
    StepTimeout { step: String },
}

/// What is to be done; each is said once, and the run already counts it as done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Start { step: String, attempt: u32 },
    Stop { step: String, attempt: u32, cause: StopCause },
    Alert { kind: AlertKind },
    Finished { status: Status },
}

/// Time as it passes: steps back count as no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunClock {
    own_ms: i64,
    seen_ms: i64,
}

impl RunClock {
    fn tick(&mut self, now_ms: i64) {
        let passed = now_ms.saturating_sub(self.seen_ms).max(0);
        self.own_ms = self.own_ms.saturating_add(passed);
        self.seen_ms = now_ms;
    }
}

impl StepState {
    pub fn has_ended(&self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Skipped | Self::UpstreamFailed | Self::Cancelled
        )
    }

    fn holds_worker(&self) -> bool {
        matches!(self, Self::Running { .. } | Self::Stopping { .. })
    }
}

impl StepRun {
    fn new(step: Step) -> Self {
        Self {
            step,
            state: StepState::Pending,
            attempts: Vec::new(),
            retries_used: 0,
            interruptions: 0,
            carried_from: None,
        }
    }

    /// The number of the newest attempt; 0 before the first.
    pub fn attempt(&self) -> u32 {
        self.attempts.last().map_or(0, |attempt| attempt.number)
    }

    fn end_attempt(&mut self, ending: Ending, now_ms: i64) {
        if let Some(attempt) = self.attempts.last_mut().filter(|attempt| attempt.ending.is_none()) {
            attempt.ending = Some(ending);
            attempt.ended_ms = Some(now_ms);
        }
    }

    /// Another attempt after a while, where one is left.
    fn retry_or_fail(&mut self, own_ms: i64) {
        if self.retries_used < self.step.retries {
            self.retries_used += 1;
            let at_ms = own_ms.saturating_add(self.step.backoff_before(self.retries_used));
            self.state = StepState::Retrying { at_ms };
        } else {
            self.state = StepState::Failed;
        }
    }
}

impl ChainRun {
    /// A run of which nothing has begun yet; the id is the caller's.
    pub fn begin(chain: &Chain, id: String, trigger: Trigger, planned_ms: Option<i64>, now_ms: i64) -> Self {
        let by_hour = matches!(trigger.kind, TriggerKind::Cron | TriggerKind::CatchUp);
        let counted_from_ms = planned_ms.filter(|_| by_hour).unwrap_or(now_ms);
        let finish_by = |minute| next_time_of_day(&chain.zone, minute, counted_from_ms);
        Self {
            id,
            chain: chain.name.clone(),
            trigger,
            planned_ms,
            started_ms: now_ms,
            clock: RunClock { own_ms: now_ms, seen_ms: now_ms },
            counted_from_ms,
            deadline_ms: chain.deadline_ms.map(|length| counted_from_ms.saturating_add(length)),
            finish_by_ms: chain.finish_by.and_then(finish_by),
            steps: chain.steps.iter().cloned().map(StepRun::new).collect(),
            alerted: Vec::new(),
            cancel: None,
            ended: None,
        }
    }

    pub fn status(&self) -> Status {
        if let Some(ended) = self.ended {
            return ended.status;
        }
        let waiting = |run: &StepRun| matches!(run.state, StepState::Waiting { .. });
        let at_work =
            |run: &StepRun| run.state.holds_worker() || matches!(run.state, StepState::Retrying { .. });
        if self.steps.iter().any(waiting) && !self.steps.iter().any(at_work) {
            Status::Waiting
        } else {
            Status::Running
        }
    }

    pub fn find(&self, step: &str) -> Option<&StepRun> {
        self.steps.iter().find(|run| run.step.name == step)
    }

    /// Asks for the end: nothing more begins, what runs is told to stop at the next `advance`. The first word counts.
    pub fn cancel(&mut self, by: &str, now_ms: i64) {
        if self.ended.is_none() && self.cancel.is_none() {
            self.cancel = Some(Cancel { by: by.to_string(), at_ms: now_ms });
        }
    }
}

/// The first moment after `from_ms` at which the zone's clocks show that minute of the day.
fn next_time_of_day(zone: &Zone, minute: u16, from_ms: i64) -> Option<i64> {
    let from = Timestamp::from_millisecond(from_ms).ok()?;
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    let today = zone.offset_at(from).to_datetime(from).date();
    let moment = |days: i64| {
        let civil = today.checked_add(days.days()).ok()?.at(hour, minute, 0, 0);
        zone.moment(civil).filter(|moment| *moment > from)
    };
    moment(0).or_else(|| moment(1)).map(Timestamp::as_millisecond)
}
