//! A worker's questions, typed: a run that is due, its data, how it goes, its candidate, its end.
//! Never decides what a worker does next.

use std::path::Path;

use crate::base::digest::Digest;
use crate::base::limits;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::client::target::Target;
use crate::http::views::work::{
    ClaimBody, ClaimedView, EndedView, EventsBody, FailBody, FinishBody, HeardView, KeptView,
};
use crate::pipeline::child::events::Event;

pub use crate::http::views::work::DueView as Due;

fn of_run(run: &str, rest: &[&str]) -> Target {
    Target::of(["v1", "work", run].into_iter().chain(rest.iter().copied()))
}

impl Client {
    /// The run that is due, or this one if it is.
    pub fn claim(&self, worker: &str, only: Option<&str>) -> Result<Option<Due>, ClientError> {
        let body = ClaimBody { worker: worker.to_string(), run: only.map(str::to_string) };
        let claimed: ClaimedView = self.post(&Target::of(["v1", "work", "claim"]), &body)?;
        Ok(claimed.due)
    }

    /// Writes the data of a run to a file.
    pub fn run_data(&self, run: &str, path: &Path) -> Result<(), ClientError> {
        self.fetch_file(&of_run(run, &["data"]), path, limits::IMPORT_BYTES_MAX)
    }

    /// Tells what a run's child said; answers whether it is to stop.
    pub fn report(&self, run: &str, events: Vec<Event>) -> Result<bool, ClientError> {
        let heard: HeardView = self.post(&of_run(run, &["events"]), &EventsBody { events })?;
        Ok(heard.cancel)
    }

    /// Hands over one file of a candidate.
    pub fn hand_over(&self, run: &str, named: &Digest, path: &Path) -> Result<(), ClientError> {
        self.post_file::<KeptView>(&of_run(run, &["candidate", &named.to_hex()]), path).map(drop)
    }

    /// Says that a candidate is whole; answers when it is registered.
    pub fn finish(&self, run: &str, candidate: (String, Digest), seconds: f64) -> Result<(), ClientError> {
        let (contents, model) = candidate;
        let body = FinishBody { contents, model, train_seconds: seconds };
        self.post_patiently::<EndedView>(&of_run(run, &["finish"]), &body).map(drop)
    }

    pub fn give_up(&self, run: &str, event: Event) -> Result<(), ClientError> {
        self.post::<EndedView>(&of_run(run, &["fail"]), &FailBody { event }).map(drop)
    }
}
