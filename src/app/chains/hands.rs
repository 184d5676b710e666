//! The steps that are at work in this process, each on a thread of its own. Never on disk: what was at work when the
//! process ended is found to have no hand, and is begun again.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::app::chains::counted::Counted;
use crate::app::chains::projects::Applied;
use crate::base::cancel::CancelFlag;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::schedule::chain_run::StepOutcome;

/// What a step came to, and what it leaves for those after it.
#[derive(Clone, Debug)]
pub struct Done {
    pub outcome: StepOutcome,
    pub facts: BTreeMap<String, String>,
}

/// A step by its run, its name and its attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub run: String,
    pub step: String,
    pub attempt: u32,
}

struct Hand {
    cancel: CancelFlag,
    done: Option<Done>,
}

#[derive(Default)]
pub struct Hands {
    at_work: Mutex<BTreeMap<Place, Hand>>,
    finished: Condvar,
    turn: Mutex<()>,
    /// Projects as they were checked, by the digest of their files.
    projects: Mutex<BTreeMap<Digest, Arc<Project>>>,
    /// Nothing until it is needed.
    in_force: Mutex<Option<Arc<Vec<Applied>>>>,
    /// What the runs of each chain have come to, for operators.
    pub(in crate::app::chains) counted: Counted,
}

/// How the step of a place stands in this process.
pub enum Standing {
    AtWork,
    Done(Done),
    Nobody,
}

impl Hands {
    /// Whoever holds this moves the chains; nobody else does meanwhile.
    pub(in crate::app::chains) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at_work(&self) -> MutexGuard<'_, BTreeMap<Place, Hand>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::app::chains) fn take_up(&self, place: Place) -> CancelFlag {
        let cancel = CancelFlag::new();
        self.at_work().insert(place, Hand { cancel: cancel.clone(), done: None });
        cancel
    }

    pub(in crate::app::chains) fn finish(&self, place: &Place, done: Done) {
        if let Some(hand) = self.at_work().get_mut(place) {
            hand.done = Some(done);
        }
        self.finished.notify_all();
    }

    /// Hands over what a step came to, once.
    pub(in crate::app::chains) fn ask(&self, place: &Place) -> Standing {
        let mut all = self.at_work();
        match all.get(place).map(|hand| hand.done.is_some()) {
            None => Standing::Nobody,
            Some(false) => Standing::AtWork,
            Some(true) => match all.remove(place).and_then(|hand| hand.done) {
                Some(done) => Standing::Done(done),
                None => Standing::Nobody,
            },
        }
    }

    /// Nobody is at work on it here any more; what became of it is known elsewhere.
    pub(in crate::app::chains) fn let_go(&self, place: &Place) {
        self.at_work().remove(place);
        self.finished.notify_all();
    }

    pub(in crate::app::chains) fn cancel(&self, place: &Place) {
        if let Some(hand) = self.at_work().get(place) {
            hand.cancel.cancel();
        }
    }

    /// Waits until no step is at work here.
    pub fn wait(&self) {
        let mut all = self.at_work();
        while all.values().any(|hand| hand.done.is_none()) {
            all = self.finished.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The projects in force, read by `read` where they are not known. Held meanwhile: a change forgets them only once it
    /// is written, so what is read here is never older than the last one forgotten.
    pub(in crate::app::chains) fn in_force(
        &self,
        read: impl FnOnce() -> Result<Vec<Applied>, Failure>,
    ) -> Result<Arc<Vec<Applied>>, Failure> {
        let mut held = self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.as_ref() {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(read()?);
        *held = Some(Arc::clone(&read));
        Ok(read)
    }

    pub(in crate::app::chains) fn forget_in_force(&self) {
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(in crate::app::chains) fn find_project(&self, digest: &Digest) -> Option<Arc<Project>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// Keeps a checked project in place of an older one of its name.
    pub(in crate::app::chains) fn keep_project(&self, digest: Digest, project: &Arc<Project>) {
        let mut kept = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, other| other.settings.name != project.settings.name);
        kept.insert(digest, Arc::clone(project));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_came_to_is_handed_over_once() {
        let hands = Hands::default();
        let place = Place { run: "r".into(), step: "s".into(), attempt: 1 };
        assert!(matches!(hands.ask(&place), Standing::Nobody));
        let cancel = hands.take_up(place.clone());
        assert!(matches!(hands.ask(&place), Standing::AtWork));
        hands.cancel(&place);
        assert!(cancel.is_cancelled());
        let outcome = StepOutcome::Succeeded { said: "well".into() };
        hands.finish(&place, Done { outcome, facts: BTreeMap::new() });
        hands.wait();
        assert!(matches!(hands.ask(&place), Standing::Done(_)));
        assert!(matches!(hands.ask(&place), Standing::Nobody));
    }
}
