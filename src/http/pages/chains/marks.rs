//! States of chains, runs and steps as a word, a shape and a tone: nothing is told by colour alone.
//! Never judges; it spells what `schedule` says.

use serde::Serialize;

use crate::http::pages::text::Texts;
use crate::schedule::chain_run::{Ending, Status, StepState};

/// How something stands, for the eye and in a word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Of `good`, `refer`, `bad`, `other`.
    pub tone: &'static str,
    /// The sign beside the word.
    pub shape: &'static str,
    pub word: String,
}

impl Mark {
    pub fn of(texts: &Texts, (tone, shape, key): (&'static str, &'static str, &str)) -> Self {
        Self { tone, shape, word: texts.say(key) }
    }
}

pub fn of_status(texts: &Texts, status: Status) -> Mark {
    let mark = match status {
        Status::Running => ("other", "running", "chains.state.running"),
        Status::Waiting => ("refer", "waiting", "chains.state.waiting"),
        Status::Succeeded => ("good", "good", "chains.state.succeeded"),
        Status::Failed => ("bad", "bad", "chains.state.failed"),
        Status::Cancelled => ("other", "skipped", "chains.state.cancelled"),
    };
    Mark::of(texts, mark)
}

pub fn paused(texts: &Texts) -> Mark {
    Mark::of(texts, ("refer", "paused", "chains.state.paused"))
}

pub fn never_run(texts: &Texts) -> Mark {
    Mark::of(texts, ("other", "pending", "chains.state.never"))
}

pub fn of_step(texts: &Texts, state: &StepState) -> Mark {
    let mark = match state {
        StepState::Pending => ("other", "pending", "steps.state.pending"),
        StepState::Running { .. } => ("other", "running", "steps.state.running"),
        StepState::Stopping { .. } => ("other", "running", "steps.state.stopping"),
        StepState::Retrying { .. } => ("refer", "waiting", "steps.state.retrying"),
        StepState::Waiting { .. } => ("refer", "waiting", "steps.state.waiting"),
        StepState::Succeeded => ("good", "good", "steps.state.succeeded"),
        StepState::Failed => ("bad", "bad", "steps.state.failed"),
        StepState::Skipped => ("other", "skipped", "steps.state.skipped"),
        StepState::UpstreamFailed => ("other", "skipped", "steps.state.upstream_failed"),
        StepState::Cancelled => ("other", "skipped", "steps.state.cancelled"),
    };
    Mark::of(texts, mark)
}

/// An attempt's end, and what it said or why it failed.
pub fn of_ending(texts: &Texts, ending: Option<&Ending>) -> (Mark, Option<String>) {
    let (mark, said) = match ending {
        None => (("other", "running", "steps.ending.under_way"), None),
        Some(Ending::Succeeded { said }) => (("good", "good", "steps.ending.succeeded"), Some(said.clone())),
        Some(Ending::Skipped { said }) => (("other", "skipped", "steps.ending.skipped"), Some(said.clone())),
        Some(Ending::Failed { sentence, .. }) => {
            (("bad", "bad", "steps.ending.failed"), Some(sentence.clone()))
        }
        Some(Ending::TimedOut) => (("bad", "bad", "steps.ending.timed_out"), None),
        Some(Ending::NoAnswer) => {
            (("bad", "bad", "steps.ending.no_answer"), Some(texts.say("steps.no_answer")))
        }
        Some(Ending::Interrupted) => (("refer", "warn", "steps.ending.interrupted"), None),
        Some(Ending::Cancelled) => (("other", "skipped", "steps.ending.cancelled"), None),
        Some(Ending::Expired) => (("bad", "bad", "steps.ending.expired"), None),
    };
    (Mark::of(texts, mark), said.filter(|said| !said.is_empty()))
}
