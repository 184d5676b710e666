//! What all requests share: the open home, the figures, and the turns of those that may wait for a disk.
//! Never holds anything of one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::metrics::Figures;
use crate::http::pages::render::Pages;
use crate::http::problem::HttpError;
use crate::security::actor::Person;

pub struct Server {
    /// Seen by somebody who may do nothing: a request becomes somebody by its credentials.
    app: App,
    pub figures: Figures,
    pub pages: Pages,
    turns: Semaphore,
    /// Files that arrive, each of which may take as long as its sender does.
    arriving: Semaphore,
    waiting: AtomicUsize,
    stopping: AtomicBool,
}

impl Server {
    pub fn new(app: &App, figures: Figures) -> Result<Arc<Self>, Failure> {
        let nobody = Person::of("nobody", &[])?;
        Ok(Arc::new(Self {
            app: app.as_person(nobody),
            figures,
            pages: Pages::load()?,
            turns: Semaphore::new(limits::BLOCKING_CALLS_MAX),
            arriving: Semaphore::new(limits::UPLOADS_AT_A_TIME),
            waiting: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        }))
    }

    /// The home as nobody in particular sees it.
    pub fn app(&self) -> &App {
        &self.app
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Runs what may wait for a disk on a thread of its own, a limited number at a time. A breakdown there is
    /// an error of this one request.
    pub async fn in_turn<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        let waiting = Waiting::one_more(&self.waiting);
        if waiting.before >= limits::BLOCKING_CALLS_WAITING_MAX {
            return Err(HttpError::Overloaded { waiting: waiting.before }.into());
        }
        let turn = self.turns.acquire().await.map_err(|_| HttpError::Stopping)?;
        drop(waiting);
        let done = tokio::task::spawn_blocking(work).await;
        drop(turn);
        done.map_err(|_| HttpError::Panicked)?
    }
}

impl Server {
    /// Runs what takes in a large body on a thread of its own. Such work has turns of its own, so that slow senders
    /// hold up nobody but each other; it is not waited for one.
    pub async fn taking_in<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        let waiting = limits::UPLOADS_AT_A_TIME;
        let turn = self.arriving.try_acquire().map_err(|_| HttpError::Overloaded { waiting })?;
        let done = tokio::task::spawn_blocking(work).await;
        drop(turn);
        done.map_err(|_| HttpError::Panicked)?
    }
}

/// One request in the queue, also where its client goes away.
struct Waiting<'a> {
    all: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn one_more(all: &'a AtomicUsize) -> Self {
        Self { all, before: all.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}
