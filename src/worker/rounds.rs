//! The worker's day: ask for a run, work on it, ask again; less often while there is none.
//! Ends between two runs, or as soon as the child of the one under way has.

use std::time::Duration;

use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::worker::work::Worker;

/// How often a waiting worker looks whether it is to end.
const LOOK_MS: u64 = 20;

impl Worker {
    /// Works on what is due until told to stop.
    pub fn serve(&self) -> Result<(), Failure> {
        // What a worker before left when it was killed.
        files::remove_folder(&self.folder)?;
        let (mut pause_ms, mut was_well) = (limits::WORKER_PAUSE_MS, true);
        while !self.stop.is_cancelled() {
            match self.serve_once() {
                Ok(true) => (pause_ms, was_well) = (limits::WORKER_PAUSE_MS, true),
                Ok(false) => {
                    was_well = true;
                    self.rest(&mut pause_ms);
                }
                Err(error) => {
                    // A server that is away is asked every second, and complained about once.
                    if was_well {
                        tracing::warn!(code = error.code(), cause = %error, "the worker could not go on");
                    }
                    was_well = false;
                    self.rest(&mut pause_ms);
                }
            }
        }
        Ok(files::remove_folder(&self.folder)?)
    }

    /// Says whether there was anything to do.
    fn serve_once(&self) -> Result<bool, Failure> {
        let Some(due) = self.client.claim(&self.name, None)? else { return Ok(false) };
        self.work(&due)?;
        Ok(true)
    }

    /// Works on this one run, if it is due; says whether it was.
    pub fn serve_only(&self, run: &str) -> Result<bool, Failure> {
        let Some(due) = self.client.claim(&self.name, Some(run))? else { return Ok(false) };
        let worked = self.work(&due);
        let cleared = files::remove_folder(&self.folder);
        worked?;
        cleared?;
        Ok(true)
    }

    fn rest(&self, pause_ms: &mut u64) {
        let mut rested = 0;
        while rested < *pause_ms && !self.stop.is_cancelled() {
            std::thread::sleep(Duration::from_millis(LOOK_MS));
            rested += LOOK_MS;
        }
        *pause_ms = (2 * *pause_ms).min(limits::WORKER_PAUSE_MS_MAX);
    }
}
