//! What became of a step, as whoever ran it says: its word ends the attempt that is under way, and no other.
//! Never starts the next one; `advance` does.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact, nearest};
use crate::schedule::chain_run::{ChainRun, Ending, StepRun, StepState, StopCause};
use crate::schedule::limits;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    Succeeded {
        said: String,
    },
    /// `retry`: another attempt may go better.
    Failed {
        code: String,
        sentence: String,
        retry: bool,
    },
    /// A person must decide; what comes of it is noted of the same attempt.
    Waiting {
        what: String,
        until_ms: i64,
    },
    /// There was nothing to do.
    Skipped {
        said: String,
    },
    /// Whoever ran it is gone, and it runs no more.
    Interrupted,
}

#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    #[error("the run {run} has no step {step:?}")]
    UnknownStep { run: String, step: String, near: Option<String> },
    #[error("attempt {attempt} of the step {step:?} is not under way in the run {run}")]
    NotUnderWay { run: String, step: String, attempt: u32 },
}

impl Fact for NoteError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownStep { .. } => "chain_run.unknown_step",
            Self::NotUnderWay { .. } => "chain_run.not_under_way",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::UnknownStep { near: Some(near), .. } => Some(format!("Did you mean {near:?}?")),
            Self::UnknownStep { .. } => None,
            Self::NotUnderWay { .. } => Some("Read the run; it has gone on without this attempt.".into()),
        }
    }
}

impl ChainRun {
    /// Takes the word of that attempt. One that is not under way (it was given up, or said so before) changes nothing.
    pub fn note(
        &mut self,
        step: &str,
        attempt: u32,
        outcome: StepOutcome,
        now_ms: i64,
    ) -> Result<(), NoteError> {
        self.clock.tick(now_ms);
        let own_ms = self.clock.own_ms;
        let Some(run) = self.steps.iter_mut().find(|run| run.step.name == step) else {
            let near = nearest(step, self.steps.iter().map(|run| run.step.name.as_str())).map(String::from);
            return Err(NoteError::UnknownStep { run: self.id.clone(), step: step.to_string(), near });
        };
        let waits = matches!(run.state, StepState::Waiting { .. });
        let decides = !matches!(outcome, StepOutcome::Waiting { .. } | StepOutcome::Interrupted);
        let under_way = run.state.holds_worker() || (waits && decides);
        if !under_way || run.attempt() != attempt {
            return Err(NoteError::NotUnderWay { run: self.id.clone(), step: step.to_string(), attempt });
        }
        run.take(outcome, own_ms, now_ms);
        Ok(())
    }

    /// After a restart: what was running is not any more. Such a step is tried again at once, and at no cost of a retry
    /// for the first few times; one that had been told to stop ends as it was meant to. A step that waits still waits.
    /// Gives the names of the steps that were interrupted.
    pub fn interrupted(&mut self, now_ms: i64) -> Vec<String> {
        self.clock.tick(now_ms);
        let own_ms = self.clock.own_ms;
        let mut names = Vec::new();
        for run in self.steps.iter_mut().filter(|run| run.state.holds_worker()) {
            run.take(StepOutcome::Interrupted, own_ms, now_ms);
            names.push(run.step.name.clone());
        }
        names
    }
}

impl StepRun {
    fn take(&mut self, outcome: StepOutcome, own_ms: i64, now_ms: i64) {
        let told = match self.state {
            StepState::Stopping { cause, .. } => Some(cause),
            _ => None,
        };
        match (outcome, told) {
            (StepOutcome::Succeeded { said }, _) => {
                self.end_attempt(Ending::Succeeded { said: short(said) }, now_ms);
                self.state = StepState::Succeeded;
            }
            (StepOutcome::Skipped { said }, _) => {
                self.end_attempt(Ending::Skipped { said: short(said) }, now_ms);
                self.state = StepState::Skipped;
            }
            (_, Some(StopCause::Cancel)) => {
                self.end_attempt(Ending::Cancelled, now_ms);
                self.state = StepState::Cancelled;
            }
            (StepOutcome::Waiting { what, until_ms }, _) => {
                let length = until_ms.saturating_sub(now_ms).clamp(0, limits::WAITING_MS_MAX);
                self.state =
                    StepState::Waiting { what: short(what), until_ms: own_ms.saturating_add(length) };
            }
            (StepOutcome::Failed { .. } | StepOutcome::Interrupted, Some(StopCause::Timeout)) => {
                self.end_attempt(Ending::TimedOut, now_ms);
                self.retry_or_fail(own_ms);
            }
            (StepOutcome::Failed { code, sentence, retry }, None) => {
                self.end_attempt(Ending::Failed { code: short(code), sentence: short(sentence) }, now_ms);
                if retry { self.retry_or_fail(own_ms) } else { self.state = StepState::Failed }
            }
            (StepOutcome::Interrupted, None) => self.interrupt(own_ms, now_ms),
        }
    }

    fn interrupt(&mut self, own_ms: i64, now_ms: i64) {
        self.end_attempt(Ending::Interrupted, now_ms);
        self.interruptions += 1;
        if self.interruptions <= limits::FREE_INTERRUPTIONS_MAX {
            self.state = StepState::Retrying { at_ms: own_ms };
        } else {
            self.retry_or_fail(own_ms);
        }
    }
}

fn short(text: String) -> String {
    match text.char_indices().nth(limits::SAID_CHARS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_string(),
        None => text,
    }
}
