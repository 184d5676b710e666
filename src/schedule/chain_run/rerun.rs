//! A new run from where an ended one failed: what went well is carried over, the rest is done again.
//! Never changes the run it comes from.

use crate::base::fact::{Class, Fact, nearest};
use crate::schedule::chain_run::{ChainRun, RunClock, StepRun, StepState, Trigger, TriggerKind};

#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    #[error("the run {run} has not ended")]
    NotEnded { run: String },
    #[error("the run {run} has no step {step:?}")]
    UnknownStep { run: String, step: String, near: Option<String> },
    #[error("no step of the run {run} failed")]
    NothingFailed { run: String },
    #[error("the step {step:?} of the run {run} never began, as {} failed", failed.join(", "))]
    NeverBegan { run: String, step: String, failed: Vec<String> },
}

impl Fact for RerunError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotEnded { .. } => "chain_run.not_ended",
            Self::UnknownStep { .. } => "chain_run.unknown_step",
            Self::NothingFailed { .. } => "chain_run.nothing_failed",
            Self::NeverBegan { .. } => "chain_run.never_began",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NotEnded { .. } => Some("Wait until it has ended, or cancel it.".into()),
            Self::UnknownStep { near, .. } => near.as_ref().map(|near| format!("Did you mean {near:?}?")),
            Self::NothingFailed { .. } => {
                Some("Name the step to begin with, or start the chain anew.".into())
            }
            Self::NeverBegan { failed, .. } => {
                failed.first().map(|step| format!("Run again from the step {step:?}."))
            }
        }
    }
}

impl ChainRun {
    /// Begins with that step, or with every step that failed; what comes after is done again too, and so is what was
    /// cancelled. Deadlines count from now; a time of day to finish by is of the first run only.
    pub fn rerun(
        &self,
        from: Option<&str>,
        id: String,
        by: Option<String>,
        now_ms: i64,
    ) -> Result<ChainRun, RerunError> {
        if self.ended.is_none() {
            return Err(RerunError::NotEnded { run: self.id.clone() });
        }
        let roots = self.roots(from)?;
        let mut again: Vec<&str> = Vec::new();
        let mut steps = Vec::with_capacity(self.steps.len());
        for run in &self.steps {
            let name = run.step.name.as_str();
            let follows = run.step.after.iter().any(|before| again.contains(&before.as_str()));
            if follows || roots.contains(&name) {
                again.push(name);
                steps.push(StepRun::new(run.step.clone()));
            } else {
                let first = run.carried_from.clone().unwrap_or_else(|| self.id.clone());
                steps.push(StepRun { carried_from: Some(first), ..run.clone() });
            }
        }
        let length = self.deadline_ms.map(|deadline| deadline.saturating_sub(self.counted_from_ms));
        Ok(ChainRun {
            id,
            chain: self.chain.clone(),
            trigger: Trigger { kind: TriggerKind::Rerun, by, from: Some(self.id.clone()) },
            planned_ms: self.planned_ms,
            started_ms: now_ms,
            clock: RunClock { own_ms: now_ms, seen_ms: now_ms },
            counted_from_ms: now_ms,
            deadline_ms: length.map(|length| now_ms.saturating_add(length)),
            finish_by_ms: None,
            steps,
            alerted: Vec::new(),
            cancel: None,
            ended: None,
        })
    }

    /// The steps to begin with: not empty.
    fn roots<'a>(&'a self, from: Option<&'a str>) -> Result<Vec<&'a str>, RerunError> {
        let named = |wanted: fn(&StepState) -> bool| {
            let fits = self.steps.iter().filter(move |run| wanted(&run.state));
            fits.map(|run| run.step.name.as_str()).collect::<Vec<&str>>()
        };
        let failed = named(|state| *state == StepState::Failed);
        let mut roots = named(|state| *state == StepState::Cancelled);
        match from {
            None => roots.extend(&failed),
            Some(step) => {
                let Some(run) = self.find(step) else {
                    let near = nearest(step, self.steps.iter().map(|run| run.step.name.as_str()));
                    let near = near.map(String::from);
                    return Err(RerunError::UnknownStep { run: self.id.clone(), step: step.into(), near });
                };
                if run.state == StepState::UpstreamFailed {
                    let failed = failed.into_iter().map(String::from).collect();
                    return Err(RerunError::NeverBegan { run: self.id.clone(), step: step.into(), failed });
                }
                roots.push(step);
            }
        }
        if roots.is_empty() { Err(RerunError::NothingFailed { run: self.id.clone() }) } else { Ok(roots) }
    }
}
