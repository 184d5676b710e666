//! The one writer of a store file: a thread that takes what is queued, decisions first, and commits it together.
//! Never answers a write before it is durable, and never writes again after a commit has failed.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::base::{fault, files, limits};
use crate::store::error::StoreError;
use crate::store::file::{StoreFile, guard};
use crate::store::migrate::count_commit;
use crate::store::tables::StoreName;
use crate::store::views::group::{Group, Writes};
use crate::store::views::{ReadView, WriteView};
use crate::store::witness::Witness;

/// Which queue a write waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits at a counter.
    Decision,
    Bulk,
}

/// What is added to a group of writes just before it is committed.
pub type BeforeCommit = Box<dyn Fn(&dyn Writes) -> Result<(), StoreError> + Send>;

pub struct Lane {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    file: StoreFile,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    decisions: VecDeque<Box<dyn Job>>,
    bulk: VecDeque<Box<dyn Job>>,
    closing: bool,
    stopped: Option<Arc<StoreError>>,
}

impl Lane {
    pub(in crate::store) fn start(
        file: StoreFile,
        witness: Witness,
        before_commit: BeforeCommit,
    ) -> Result<Self, StoreError> {
        let name = format!("{} writer", file.store());
        let shared = Arc::new(Shared { file, queue: Mutex::default(), wake: Condvar::new() });
        let writer = Writer { shared: Arc::clone(&shared), witness, before_commit };
        let thread = std::thread::Builder::new().name(name).spawn(move || writer.run());
        let thread = thread.map_err(files::at(Path::new("a writer thread")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub fn file(&self) -> &StoreFile {
        &self.shared.file
    }

    /// Reads from one snapshot of what is committed.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&ReadView) -> Result<T, E>) -> Result<T, E> {
        self.shared.file.read(work)
    }

    /// Queues a write. It may be run more than once, when a neighbour in its group fails; only its last run counts.
    pub fn submit<T, E, F>(&self, urgency: Urgency, work: F) -> Result<Pending<T, E>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnMut(&dyn Writes) -> Result<T, E> + Send + 'static,
    {
        let (answer, receiver) = sync_channel(1);
        // A caller that no longer waits has no use for the answer.
        self.submit_then(urgency, work, move |outcome| drop(answer.send(outcome)))?;
        Ok(Pending { store: self.store(), receiver })
    }

    /// Queues a write; `then` hears its answer, on the writer's thread, when it is durable.
    pub fn submit_then<T, E, F, A>(&self, urgency: Urgency, work: F, then: A) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnMut(&dyn Writes) -> Result<T, E> + Send + 'static,
        A: FnOnce(Result<T, E>) + Send + 'static,
    {
        let job = Box::new(Typed { work, outcome: None, then });
        let mut queue = self.shared.lock();
        if let Some(cause) = &queue.stopped {
            return Err(StoreError::WriterStopped { store: self.store(), cause: Arc::clone(cause) });
        }
        let waiting = queue.decisions.len() + queue.bulk.len();
        if waiting >= limits::WRITER_QUEUE_MAX {
            return Err(StoreError::Busy { store: self.store(), waiting });
        }
        match urgency {
            Urgency::Decision => queue.decisions.push_back(job),
            Urgency::Bulk => queue.bulk.push_back(job),
        }
        drop(queue);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// How many writes wait.
    pub fn waiting(&self) -> usize {
        let queue = self.shared.lock();
        queue.decisions.len() + queue.bulk.len()
    }

    fn store(&self) -> StoreName {
        self.shared.file.store()
    }
}

impl Drop for Lane {
    /// Finishes what is queued, then ends the thread and closes the file.
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be committed together next; nothing once the lane is closed and empty.
    fn wait_for_group(&self) -> Option<Vec<Box<dyn Job>>> {
        let mut queue = self.lock();
        while queue.decisions.is_empty() && queue.bulk.is_empty() {
            if queue.closing {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let mut group = Vec::new();
        while group.len() < limits::WRITER_GROUP_MAX {
            match queue.decisions.pop_front().or_else(|| queue.bulk.pop_front()) {
                Some(job) => group.push(job),
                None => break,
            }
        }
        Some(group)
    }
}

/// A write that was queued; its answer comes when it is durable.
pub struct Pending<T, E> {
    store: StoreName,
    receiver: Receiver<Result<T, E>>,
}

impl<T, E: From<StoreError>> Pending<T, E> {
    pub fn wait(self) -> Result<T, E> {
        self.receiver.recv().unwrap_or_else(|_| Err(StoreError::WriterGone { store: self.store }.into()))
    }
}

/// A queued write with its types hidden.
trait Job: Send {
    /// Whether the work wants to be committed.
    fn run(&mut self, view: &dyn Writes) -> bool;
    /// Answers the caller: with the work's own outcome, or with why it could not be kept.
    fn settle(self: Box<Self>, verdict: Result<(), StoreError>);
}

struct Typed<T, E, F, A> {
    work: F,
    outcome: Option<Result<T, E>>,
    then: A,
}

impl<T, E, F, A> Job for Typed<T, E, F, A>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnMut(&dyn Writes) -> Result<T, E> + Send,
    A: FnOnce(Result<T, E>) + Send,
{
    fn run(&mut self, view: &dyn Writes) -> bool {
        let outcome = (self.work)(view);
        let wanted = outcome.is_ok();
        self.outcome = Some(outcome);
        wanted
    }

    fn settle(self: Box<Self>, verdict: Result<(), StoreError>) {
        let answer = match (verdict, self.outcome) {
            (Err(error), _) => Err(error.into()),
            (Ok(()), Some(outcome)) => outcome,
            // Only run work is settled well; an unrun one would be a caller left without its answer.
            (Ok(()), None) => return,
        };
        (self.then)(answer);
    }
}

/// How an attempt to commit a group ended.
enum Attempt {
    Committed(u64),
    /// A job, or what is added before the commit, did not want it; nothing was written.
    Declined(Option<StoreError>),
    /// The file cannot be trusted with another write.
    Broken(StoreError),
}

struct Writer {
    shared: Arc<Shared>,
    witness: Witness,
    before_commit: BeforeCommit,
}

impl Writer {
    fn run(&self) {
        while let Some(group) = self.shared.wait_for_group() {
            self.commit_group(group);
        }
    }

    /// Commits a group as one; if any of it declines, each job alone and in order, so that no neighbour suffers.
    fn commit_group(&self, mut group: Vec<Box<dyn Job>>) {
        match self.attempt(&mut group) {
            Attempt::Declined(_) if group.len() > 1 => {
                group.into_iter().for_each(|job| self.commit_group(vec![job]));
            }
            Attempt::Declined(reason) => {
                let mut reason = reason;
                group.into_iter().for_each(|job| job.settle(reason.take().map_or(Ok(()), Err)));
            }
            Attempt::Committed(commits) => {
                fault::point("store.after_commit");
                self.witness.note(commits);
                group.into_iter().for_each(|job| job.settle(Ok(())));
            }
            Attempt::Broken(error) => self.stop(error, group),
        }
    }

    fn attempt(&self, group: &mut [Box<dyn Job>]) -> Attempt {
        if let Some(cause) = self.shared.lock().stopped.clone() {
            let store = self.shared.file.store();
            return Attempt::Broken(StoreError::WriterStopped { store, cause });
        }
        let view = match self.shared.file.begin_write() {
            Ok(view) => view,
            Err(error) => return Attempt::Broken(error),
        };
        let store = self.shared.file.store();
        // The view outlives the guard of the work: undone while a panic unwinds, it could end the process.
        match guard(store, || Ok(self.run_group(&view, group))) {
            Ok(Ok(None)) => undo(store, view, None),
            Ok(Ok(Some(commits))) => {
                fault::point("store.before_commit");
                match guard(store, || view.commit()) {
                    Ok(()) => Attempt::Committed(commits),
                    Err(error) => Attempt::Broken(error),
                }
            }
            Ok(Err(error)) => undo(store, view, Some(error)),
            Err(error) => {
                undo(store, view, None);
                Attempt::Broken(error)
            }
        }
    }

    /// Runs a group in an open transaction and adds what belongs to every commit; nothing where a job declined.
    fn run_group(&self, view: &WriteView, jobs: &mut [Box<dyn Job>]) -> Result<Option<u64>, StoreError> {
        let group = Group::new(view);
        if !jobs.iter_mut().all(|job| job.run(&group)) {
            return Ok(None);
        }
        (self.before_commit)(&group)?;
        count_commit(&group).map(Some)
    }

    /// Every write from here on is refused: what a failed commit left is only known after reopening.
    fn stop(&self, error: StoreError, group: Vec<Box<dyn Job>>) {
        let store = self.shared.file.store();
        let cause = match error {
            StoreError::WriterStopped { cause, .. } => cause,
            first => Arc::new(first),
        };
        self.shared.lock().stopped = Some(Arc::clone(&cause));
        let verdict = || StoreError::WriterStopped { store, cause: Arc::clone(&cause) };
        group.into_iter().for_each(|job| job.settle(Err(verdict())));
    }
}

fn undo(store: StoreName, view: WriteView, reason: Option<StoreError>) -> Attempt {
    match guard(store, || view.abort()) {
        Ok(()) => Attempt::Declined(reason),
        Err(error) => Attempt::Broken(error),
    }
}
