//! What is known of runs and of sent files only while this process lives: how far a run is, when its worker was last
//! heard of, whether somebody wants it to stop. Never on disk: a restart ends what it is about.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::pipeline::child::events::Event;

/// A run that is with a worker.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub stage: Option<String>,
    pub done: u64,
    pub total: u64,
    pub valid_loss: Option<f64>,
    cancelled: bool,
    /// Its worker has done its part: what takes time now is not the worker's.
    finishing: bool,
    given_up: bool,
    heard_ms: u64,
}

impl Live {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Stage { name, total } => {
                self.stage = Some(name.clone());
                (self.done, self.total) = (0, *total);
            }
            Event::Step { done } => self.done = *done,
            Event::Metric { key, value, .. } if key == "valid_loss" => self.valid_loss = Some(*value),
            Event::Trial { .. } | Event::Metric { .. } | Event::Done { .. } | Event::Failed { .. } => {}
        }
    }
}

/// A file that was sent and waits to be used.
#[derive(Clone, Debug)]
pub struct Upload {
    pub id: String,
    pub bytes: u64,
    pub sha256: Digest,
    pub(in crate::app) path: PathBuf,
    pub(in crate::app) by: String,
    pub(in crate::app) arrived_ms: u64,
}

#[derive(Default)]
pub struct Desk {
    live: Mutex<BTreeMap<RunId, Live>>,
    uploads: Mutex<BTreeMap<String, Upload>>,
}

impl Desk {
    fn live(&self) -> MutexGuard<'_, BTreeMap<RunId, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::app) fn uploads(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::app) fn begin(&self, run: &RunId, now_ms: u64) {
        self.live().insert(run.clone(), Live { heard_ms: now_ms, ..Live::default() });
    }

    pub(in crate::app) fn find(&self, run: &RunId) -> Option<Live> {
        self.live().get(run).cloned()
    }

    /// Takes down what a worker said; answers whether its run is to stop, or nothing where it has no such run.
    pub(in crate::app) fn hear(&self, run: &RunId, events: &[Event], now_ms: u64) -> Option<bool> {
        let mut all = self.live();
        let live = all.get_mut(run).filter(|live| !live.finishing && !live.given_up)?;
        live.heard_ms = now_ms;
        events.iter().for_each(|event| live.hear(event));
        Some(live.cancelled)
    }

    /// The worker's part is done. Answers whether the run is to stop all the same; nothing where there is none.
    pub(in crate::app) fn finish(&self, run: &RunId) -> Option<bool> {
        let mut all = self.live();
        let live = all.get_mut(run).filter(|live| !live.finishing && !live.given_up)?;
        live.finishing = true;
        live.stage = Some("registering".into());
        Some(live.cancelled)
    }

    /// Asks a run to stop; says no where it is not under way.
    pub(in crate::app) fn cancel(&self, run: &RunId) -> bool {
        self.live().get_mut(run).is_some_and(|live| {
            live.cancelled = true;
            true
        })
    }

    pub(in crate::app) fn forget(&self, run: &RunId) {
        self.live().remove(run);
    }

    /// Counts a run's worker as lost: the run could not be closed just now, and will be tried again.
    pub(in crate::app) fn give_up(&self, run: &RunId) {
        if let Some(live) = self.live().get_mut(run) {
            live.given_up = true;
        }
    }

    /// Every run whose worker was not heard of for too long.
    pub(in crate::app) fn list_lost(&self, now_ms: u64) -> Vec<RunId> {
        let is_lost = |live: &Live| {
            let silent = now_ms.saturating_sub(live.heard_ms) > limits::WORKER_LOST_MS;
            live.given_up || (silent && !live.finishing)
        };
        let all = self.live();
        all.iter().filter(|(_, live)| is_lost(live)).map(|(run, _)| run.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_worker_loses_its_run_and_one_that_has_done_its_part_does_not() {
        let (desk, silent, heard, done) = (Desk::default(), RunId::draw(), RunId::draw(), RunId::draw());
        for run in [&silent, &heard, &done] {
            desk.begin(run, 0);
        }
        assert_eq!(desk.finish(&done), Some(false));
        assert_eq!(desk.hear(&heard, &[], 1), Some(false));
        let late = limits::WORKER_LOST_MS + 1;
        assert_eq!(desk.list_lost(late), std::slice::from_ref(&silent));
        desk.forget(&silent);
        assert_eq!((desk.list_lost(late).len(), desk.hear(&silent, &[], late)), (0, None));
        assert_eq!(desk.list_lost(late + 1), [heard]);
        assert_eq!((desk.finish(&done), desk.hear(&done, &[], 1)), (None, None));
        desk.give_up(&done);
        assert!(desk.list_lost(0).contains(&done));
    }

    #[test]
    fn a_stage_begins_at_nothing_and_a_wish_to_stop_is_told_with_the_next_report() {
        let (desk, run) = (Desk::default(), RunId::draw());
        assert!(!desk.cancel(&run));
        desk.begin(&run, 0);
        let stage = |name: &str| Event::Stage { name: name.into(), total: 9 };
        let loss = Event::Metric { key: "valid_loss".into(), step: 1, value: 0.5 };
        desk.hear(&run, &[stage("a"), Event::Step { done: 4 }, loss, stage("b")], 1);
        let live = desk.find(&run).unwrap();
        assert_eq!((live.stage.as_deref(), live.done, live.total), (Some("b"), 0, 9));
        assert_eq!(live.valid_loss, Some(0.5));
        assert!(desk.cancel(&run));
        assert_eq!(desk.hear(&run, &[], 2), Some(true));
    }
}
