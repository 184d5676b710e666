//! The one writer of a store file: a thread that takes what is queued, decisions first, and commits it together; where
//! somebody waits, into the journal, which the file then takes in with one of the next commits.
//! Never answers a write before it is durable, and never writes on in a file after a commit has failed: it is opened
//! anew first.

pub mod journal;
pub mod restart;
mod slot;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::base::fact::Fact;
use crate::base::{fault, figures, files, limits};
use crate::store::error::StoreError;
use crate::store::file::{StoreFile, guard};
use crate::store::lane::journal::Journal;
use crate::store::lane::restart::{LaneState, Opened, Opening, Standing};
use crate::store::lane::slot::Slot;
use crate::store::migrate::count_commit;
use crate::store::tables::StoreName;
use crate::store::views::group::changes::Changes;
use crate::store::views::group::{Carried, Finished, Group, Writes};
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
    store: StoreName,
    slot: Slot,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    decisions: VecDeque<Box<dyn Job>>,
    bulk: VecDeque<Box<dyn Job>>,
    closing: bool,
    standing: Standing,
    /// Whether the writer waits for something to do. A signal to a thread that does not wait for it still costs a call
    /// into the kernel.
    sleeping: bool,
}

impl Queue {
    fn waiting(&self) -> usize {
        self.decisions.len() + self.bulk.len()
    }

    fn take(&mut self, most: usize) -> Jobs {
        let decisions = self.decisions.len().min(most);
        let urgency = if decisions > 0 { Urgency::Decision } else { Urgency::Bulk };
        let mut jobs: Vec<Box<dyn Job>> = self.decisions.drain(..decisions).collect();
        let bulk = self.bulk.len().min(most - decisions);
        jobs.extend(self.bulk.drain(..bulk));
        Jobs { jobs, urgency }
    }
}

/// Writes that are committed together, and whether somebody waits for one of them.
struct Jobs {
    jobs: Vec<Box<dyn Job>>,
    urgency: Urgency,
}

/// What the writer does next.
enum Turn {
    Commit(Jobs),
    /// The file is to be opened again; what waited meanwhile is refused.
    Restart(Vec<Box<dyn Job>>),
    /// Nothing waits: the witness writes down what it has seen, and the file takes in what the journal holds.
    Settle,
}

impl Lane {
    pub(in crate::store) fn start(
        opening: Opening,
        witness: Witness,
        before_commit: BeforeCommit,
    ) -> Result<Self, StoreError> {
        let Opened { file, journal } = (opening.open)(&witness)?;
        let store = file.store();
        let shared = Shared { store, slot: Slot::new(file), queue: Mutex::default(), wake: Condvar::new() };
        let shared = Arc::new(shared);
        let failures = Cell::new(0);
        let (carried, room) = (Cell::default(), Cell::default());
        let shared_too = Arc::clone(&shared);
        let journal = RefCell::new(journal);
        let writer =
            Writer { shared: shared_too, opening, witness, before_commit, failures, carried, room, journal };
        let thread = std::thread::Builder::new().name(format!("{store} writer")).spawn(move || writer.run());
        let thread = thread.map_err(files::at(Path::new("a writer thread")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Reads from one snapshot of what is committed. While the lane restarts this works as far as the engine lets it.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&ReadView) -> Result<T, E>) -> Result<T, E> {
        let Some(file) = self.shared.slot.find() else {
            let refusal = self.shared.lock().standing.refusal(self.store());
            return Err(refusal.unwrap_or(StoreError::WriterGone { store: self.store() }).into());
        };
        let answer = file.read(work);
        if let Some(failure) = file.find_failure() {
            self.shared.report(failure);
        }
        answer
    }

    pub fn state(&self) -> LaneState {
        self.shared.lock().standing.state()
    }

    /// Why no write is taken just now, if none is.
    pub fn check_takes_writes(&self) -> Result<(), StoreError> {
        self.shared.lock().standing.refusal(self.store()).map_or(Ok(()), Err)
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
        if let Some(refusal) = queue.standing.refusal(self.store()) {
            return Err(refusal);
        }
        let waiting = queue.waiting();
        if waiting >= limits::WRITER_QUEUE_MAX {
            return Err(StoreError::Busy { store: self.store(), waiting });
        }
        match urgency {
            Urgency::Decision => queue.decisions.push_back(job),
            Urgency::Bulk => queue.bulk.push_back(job),
        }
        // Once for each time it sleeps: awake, it looks at the queue before it sleeps again.
        let asleep = std::mem::take(&mut queue.sleeping);
        drop(queue);
        if asleep {
            self.shared.wake.notify_one();
        }
        Ok(())
    }

    /// How many writes wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting()
    }

    fn store(&self) -> StoreName {
        self.shared.store
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

    /// What is to be done next; nothing once the lane is closed and empty. `settles_in` tells how long what is left to
    /// do while nothing waits may itself still wait.
    fn wait_for_turn(&self, settles_in: &dyn Fn() -> Option<Duration>) -> Option<Turn> {
        let mut queue = self.lock();
        loop {
            queue.sleeping = false;
            let restarting = matches!(queue.standing, Standing::Restarting(_));
            if restarting && !(queue.closing && queue.waiting() == 0) {
                return Some(Turn::Restart(queue.take(usize::MAX).jobs));
            }
            if queue.waiting() > 0 {
                let group = queue.take(limits::WRITER_GROUP_MAX);
                let waiting = metrics::gauge!(figures::WRITES_WAITING, "store" => self.store.as_str());
                waiting.set(queue.waiting() as f64);
                return Some(Turn::Commit(group));
            }
            if queue.closing {
                return None;
            }
            queue.sleeping = true;
            queue = match settles_in() {
                None => self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Some(Turn::Settle),
                Some(left) => self.wake.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }

    /// Answers jobs that were not begun.
    fn refuse(&self, jobs: Vec<Box<dyn Job>>) {
        let gone = || StoreError::WriterGone { store: self.store };
        for job in jobs {
            let refusal = self.lock().standing.refusal(self.store);
            job.settle(Err(refusal.unwrap_or_else(gone)));
        }
    }

    /// Waits that long; says no as soon as the lane is to be closed.
    fn pause(&self, pause: Duration) -> bool {
        let (mut queue, begun) = (self.lock(), Instant::now());
        while !queue.closing {
            let left = pause.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            queue = self.wake.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// A failed read: the engine takes no writes either, until it is opened again.
    fn report(&self, failure: StoreError) {
        let mut queue = self.lock();
        if queue.standing.state() == LaneState::Working {
            queue.standing = Standing::after(failure);
            drop(queue);
            self.wake.notify_one();
        }
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
    /// Not begun: the lane takes no writes.
    Refused,
    /// The file cannot be trusted with another write.
    Broken(StoreError),
    /// Neither can it, and whether the group was kept is known only after it is opened again.
    Torn(StoreError),
}

/// What a group leaves that is ready to be committed.
struct Ran {
    commits: u64,
    carried: Carried,
    /// Of a group that may go into the journal.
    changes: Option<Changes>,
}

struct Writer {
    shared: Arc<Shared>,
    opening: Opening,
    witness: Witness,
    before_commit: BeforeCommit,
    /// How often the file had to be opened again since the last group was committed.
    failures: Cell<u32>,
    /// What the last commit left; whatever is not a commit forgets it.
    carried: Cell<Carried>,
    /// Empty: where the changes of the next group are noted.
    room: Cell<Changes>,
    /// Of a store that has one, while its file is open.
    journal: RefCell<Option<Journal>>,
}

impl Writer {
    fn run(&self) {
        while let Some(turn) = self.shared.wait_for_turn(&|| self.settles_in()) {
            match turn {
                Turn::Commit(group) => self.commit_group(group),
                Turn::Restart(waiting) => self.restart(waiting),
                Turn::Settle => self.settle(Some(Duration::ZERO)),
            }
        }
        self.settle(None);
    }

    /// How long until something is to be settled.
    fn settles_in(&self) -> Option<Duration> {
        let journal = self.journal.borrow().as_ref().and_then(Journal::settles_in);
        [self.witness.settles_in(), journal].into_iter().flatten().min()
    }

    /// What is due by now, or all of it.
    fn settle(&self, due: Option<Duration>) {
        let is_due = |left: Option<Duration>| due.is_none() || left == due;
        if is_due(self.witness.settles_in()) {
            self.witness.settle();
        }
        let Some(file) = self.shared.slot.find() else { return };
        let mut journal = self.journal.borrow_mut();
        let settled =
            journal.as_mut().filter(|journal| is_due(journal.settles_in())).map(|due| due.settle(&file));
        drop(journal);
        if let Some(Err(error)) = settled {
            self.fail(file.explain(error), Standing::refusal, Vec::new());
        }
    }

    fn is_working(&self) -> bool {
        self.shared.lock().standing.state() == LaneState::Working
    }

    /// Commits a group as one; if any of it declines, each job alone and in order, so that no neighbour suffers.
    fn commit_group(&self, group: Jobs) {
        let Jobs { mut jobs, urgency } = group;
        match self.attempt(&mut jobs, urgency) {
            Attempt::Declined(_) if jobs.len() > 1 => {
                jobs.into_iter().for_each(|job| self.commit_group(Jobs { jobs: vec![job], urgency }));
            }
            Attempt::Declined(reason) => {
                let mut reason = reason;
                jobs.into_iter().for_each(|job| job.settle(reason.take().map_or(Ok(()), Err)));
            }
            Attempt::Refused => self.shared.refuse(jobs),
            Attempt::Committed(commits) => {
                fault::point("store.after_commit");
                self.failures.set(0);
                self.witness.note(commits);
                jobs.into_iter().for_each(|job| job.settle(Ok(())));
            }
            Attempt::Broken(error) => self.fail(error, Standing::refusal, jobs),
            Attempt::Torn(error) => self.fail(error, Standing::verdict, jobs),
        }
    }

    fn attempt(&self, jobs: &mut [Box<dyn Job>], urgency: Urgency) -> Attempt {
        let store = self.shared.store;
        let Some(file) = self.shared.slot.find().filter(|_| self.is_working()) else {
            return Attempt::Refused;
        };
        let view = match file.begin_write() {
            Ok(view) => view,
            Err(error) => return Attempt::Broken(file.explain(error)),
        };
        // The view outlives the guard of the work: undone while a panic unwinds, it could end the process.
        match guard(store, || Ok(self.run_group(&view, jobs, urgency))) {
            Ok(Ok(None)) => undo(&file, view, None),
            Ok(Ok(Some(ran))) => {
                fault::point("store.before_commit");
                let begun = Instant::now();
                let committed = self.commit(view, &ran);
                metrics::histogram!(figures::COMMIT_SECONDS, "store" => store.as_str())
                    .record(begun.elapsed());
                match committed {
                    Ok(()) => {
                        self.carried.set(ran.carried);
                        self.room.set(ran.changes.map(Changes::emptied).unwrap_or_default());
                        Attempt::Committed(ran.commits)
                    }
                    Err(error) => Attempt::Torn(file.explain(error)),
                }
            }
            Ok(Err(error)) => undo(&file, view, Some(error)),
            Err(error) => {
                undo(&file, view, None);
                Attempt::Broken(error)
            }
        }
    }

    /// Into the journal where the group goes there; else into the file, which takes in with it what the journal holds.
    fn commit(&self, view: WriteView, ran: &Ran) -> Result<(), StoreError> {
        let store = self.shared.store;
        let mut journal = self.journal.borrow_mut();
        let noted = ran.changes.as_ref();
        let taken = journal.as_mut().zip(noted).filter(|(journal, changes)| journal.takes(changes));
        if let Some((journal, changes)) = taken {
            if let Err(error) = journal.keep(ran.commits, changes) {
                // What undoing says is nothing new: the file is opened anew in any case.
                let _ = guard(store, || view.abort());
                return Err(error);
            }
            fault::point("store.after_journal");
            return guard(store, || view.show());
        }
        guard(store, || view.commit())?;
        if let Some(journal) = journal.as_mut() {
            journal.begin_again();
        }
        Ok(())
    }

    /// Runs a group in an open transaction and adds what belongs to every commit; nothing where a job declined.
    fn run_group(
        &self,
        view: &WriteView,
        jobs: &mut [Box<dyn Job>],
        urgency: Urgency,
    ) -> Result<Option<Ran>, StoreError> {
        let mut group = Group::after(view, self.carried.take());
        if urgency == Urgency::Decision && self.journal.borrow().is_some() {
            group = group.noting(self.room.take());
        }
        if !jobs.iter_mut().all(|job| job.run(&group)) {
            return Ok(None);
        }
        (self.before_commit)(&group)?;
        let commits = count_commit(&group)?;
        let Finished { carried, changes } = group.finish()?;
        Ok(Some(Ran { commits, carried, changes }))
    }

    /// No further write in this file: what a failed commit left is only known after opening it again.
    fn fail(
        &self,
        error: StoreError,
        verdict: fn(&Standing, StoreName) -> Option<StoreError>,
        group: Vec<Box<dyn Job>>,
    ) {
        let store = self.shared.store;
        tracing::error!(store = %store, code = error.code(), cause = %error, "a write failed");
        let standing = Standing::after(error);
        self.shared.lock().standing = standing.clone();
        // It is opened with the file.
        self.journal.take();
        let gone = || StoreError::WriterGone { store };
        group.into_iter().for_each(|job| job.settle(Err(verdict(&standing, store).unwrap_or_else(gone))));
    }
}

fn undo(file: &StoreFile, view: WriteView, reason: Option<StoreError>) -> Attempt {
    match guard(file.store(), || view.abort()) {
        Ok(()) => Attempt::Declined(reason),
        Err(error) => Attempt::Broken(file.explain(error)),
    }
}
