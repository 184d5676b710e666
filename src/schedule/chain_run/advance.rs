//! What a run does next: what has run out of time, what may begin, what is to be told. Every change of a step's state
//! that nobody noted happens here. Never says the same thing twice.

use crate::schedule::chain_run::rules::{Before, Judgement, judge};
use crate::schedule::chain_run::{
    Action, AlertKind, Attempt, ChainRun, Ended, Ending, Status, StepRun, StepState, StopCause,
};
use crate::schedule::limits;

impl ChainRun {
    /// Takes the run as far as it goes at that time. Store the run before doing what is said, its alerts and its end in
    /// the same transaction; a start or stop that a crash swallows is made good by `interrupted`.
    pub fn advance(&mut self, now_ms: i64) -> Vec<Action> {
        self.clock.tick(now_ms);
        let mut actions = Vec::new();
        if self.ended.is_some() {
            return actions;
        }
        self.run_out(now_ms, &mut actions);
        if self.cancel.is_some() {
            self.stop(now_ms, &mut actions);
        }
        self.judge_pending();
        self.start(now_ms, &mut actions);
        if self.steps.iter().all(|run| run.state.has_ended()) {
            let status = self.final_status();
            self.ended = Some(Ended { status, at_ms: now_ms });
            actions.push(Action::Finished { status });
        } else if self.status() == Status::Running {
            // Who waits for a person is late by that person, and has an end of its own.
            self.alert_if_late(&mut actions);
        }
        actions
    }

    /// When the run has something to do by itself, on its own clock shown as the wall clock's time; nothing where it
    /// only waits to be told.
    pub fn next_ms(&self) -> Option<i64> {
        if self.ended.is_some() {
            return None;
        }
        let own_ms = self.clock.own_ms;
        let mut due: Vec<i64> = self.steps.iter().filter_map(due_of).collect();
        let works = self.status() == Status::Running;
        let unsaid = |kind| works && !self.alerted.contains(&kind);
        due.extend(self.deadline_ms.filter(|_| unsaid(AlertKind::Deadline)));
        due.extend(self.finish_by_ms.filter(|_| unsaid(AlertKind::FinishBy)));
        let ahead = due.into_iter().min()?.saturating_sub(own_ms).max(0);
        Some(self.clock.seen_ms.saturating_add(ahead))
    }

    fn run_out(&mut self, now_ms: i64, actions: &mut Vec<Action>) {
        let own_ms = self.clock.own_ms;
        let mut alerts = Vec::new();
        for run in self.steps.iter_mut().filter(|run| due_of(run).is_some_and(|due| due <= own_ms)) {
            match run.state {
                StepState::Running { .. } => {
                    actions.push(run.tell_to_stop(StopCause::Timeout, own_ms));
                    alerts.push(AlertKind::StepTimeout { step: run.step.name.clone() });
                }
                StepState::Stopping { cause, .. } => {
                    run.end_attempt(Ending::NoAnswer, now_ms);
                    run.state = match cause {
                        StopCause::Timeout => StepState::Failed,
                        StopCause::Cancel => StepState::Cancelled,
                    };
                }
                StepState::Waiting { .. } => {
                    run.end_attempt(Ending::Expired, now_ms);
                    run.state = StepState::Failed;
                }
                _ => {}
            }
        }
        alerts.into_iter().for_each(|kind| self.alert(kind, actions));
    }

    fn stop(&mut self, now_ms: i64, actions: &mut Vec<Action>) {
        let own_ms = self.clock.own_ms;
        for run in &mut self.steps {
            match run.state {
                StepState::Running { .. } => actions.push(run.tell_to_stop(StopCause::Cancel, own_ms)),
                // Already told; that it was cancelled meanwhile means it is not tried again.
                StepState::Stopping { since_ms, .. } => {
                    run.state = StepState::Stopping { since_ms, cause: StopCause::Cancel };
                }
                StepState::Pending | StepState::Retrying { .. } | StepState::Waiting { .. } => {
                    run.end_attempt(Ending::Cancelled, now_ms);
                    run.state = StepState::Cancelled;
                }
                _ => {}
            }
        }
    }

    /// Steps stand after what they wait for, so one pass settles what follows from what.
    fn judge_pending(&mut self) {
        for place in 0..self.steps.len() {
            let state = match self.judgement(place) {
                Some(Judgement::Skip) => StepState::Skipped,
                Some(Judgement::UpstreamFailed) => StepState::UpstreamFailed,
                _ => continue,
            };
            if let Some(run) = self.steps.get_mut(place) {
                run.state = state;
            }
        }
    }

    fn start(&mut self, now_ms: i64, actions: &mut Vec<Action>) {
        let own_ms = self.clock.own_ms;
        for place in 0..self.steps.len() {
            let may_begin = self.judgement(place) == Some(Judgement::Run);
            let Some(run) = self.steps.get_mut(place) else { continue };
            let again = matches!(run.state, StepState::Retrying { at_ms } if at_ms <= own_ms);
            if !may_begin && !again {
                continue;
            }
            let number = run.attempt() + 1;
            run.attempts.push(Attempt { number, started_ms: now_ms, ended_ms: None, ending: None });
            run.state = StepState::Running { since_ms: own_ms };
            actions.push(Action::Start { step: run.step.name.clone(), attempt: number });
        }
    }

    /// Of a step that has not begun; nothing of any other.
    pub(super) fn judgement(&self, place: usize) -> Option<Judgement> {
        let run = self.steps.get(place).filter(|run| run.state == StepState::Pending)?;
        let state = |name: &String| self.find(name).map_or(Before::Failed, |run| Before::of(&run.state));
        let before: Vec<Before> = run.step.after.iter().map(state).collect();
        Some(judge(run.step.when, &before))
    }

    fn final_status(&self) -> Status {
        let any = |wanted: &[StepState]| self.steps.iter().any(|run| wanted.contains(&run.state));
        if any(&[StepState::Cancelled]) {
            Status::Cancelled
        } else if any(&[StepState::Failed, StepState::UpstreamFailed]) {
            Status::Failed
        } else {
            Status::Succeeded
        }
    }

    fn alert_if_late(&mut self, actions: &mut Vec<Action>) {
        let late = |limit: Option<i64>| limit.is_some_and(|limit| self.clock.own_ms >= limit);
        let (deadline, finish_by) = (late(self.deadline_ms), late(self.finish_by_ms));
        if deadline {
            self.alert(AlertKind::Deadline, actions);
        }
        if finish_by {
            self.alert(AlertKind::FinishBy, actions);
        }
    }

    fn alert(&mut self, kind: AlertKind, actions: &mut Vec<Action>) {
        if !self.alerted.contains(&kind) {
            self.alerted.push(kind.clone());
            actions.push(Action::Alert { kind });
        }
    }
}

impl StepRun {
    fn tell_to_stop(&mut self, cause: StopCause, own_ms: i64) -> Action {
        self.state = StepState::Stopping { since_ms: own_ms, cause };
        Action::Stop { step: self.step.name.clone(), attempt: self.attempt(), cause }
    }
}

/// When the time of what a step does now runs out.
fn due_of(run: &StepRun) -> Option<i64> {
    match &run.state {
        StepState::Running { since_ms } => Some(since_ms.saturating_add(run.step.timeout_ms)),
        StepState::Stopping { since_ms, .. } => Some(since_ms.saturating_add(limits::STOP_GRACE_MS)),
        StepState::Retrying { at_ms } => Some(*at_ms),
        StepState::Waiting { until_ms, .. } => Some(*until_ms),
        _ => None,
    }
}
