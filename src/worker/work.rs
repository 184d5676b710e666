//! One run from its claim to its end: files laid out, a child started and listened to, the candidate handed over.
//! Leaves no file behind, and ends its child as soon as the run is not its own any more.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::base::cancel::CancelFlag;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::client::work::Due;
use crate::config::project::Project;
use crate::pipeline::child::events::Event;
use crate::pipeline::child::spec::TrainSpec;
use crate::worker::child::{self, ChildError, Listener};

/// Whom a worker works for, where its files are, and whether it is to end.
pub struct Worker {
    pub client: Client,
    pub name: String,
    /// Of this worker alone; made when it is needed.
    pub folder: PathBuf,
    pub stop: CancelFlag,
}

impl Worker {
    /// Works on a run until it has ended, one way or another. What is answered is what kept the server from
    /// hearing of the end; a run that failed and is recorded so is no error here.
    pub fn work(&self, due: &Due) -> Result<(), Failure> {
        let folder = self.folder.join(&due.run_id);
        let begun = Instant::now();
        let trained = self.train(due, &folder);
        let ended = match trained {
            Ok(model) => self.hand_over(due, &folder.join("candidate"), model, begun.elapsed()),
            Err(error) => Err(error),
        };
        let told = match ended {
            Err(error) => self.tell(due, &error),
            Ok(()) => Ok(()),
        };
        let cleared = files::remove_folder(&folder);
        told?;
        Ok(cleared?)
    }

    fn train(&self, due: &Due, folder: &Path) -> Result<Digest, Failure> {
        let spec = self.lay_out(due, folder)?;
        let mut reporter = Reporter::new(self, &due.run_id);
        let trained = child::run(&["train"], &spec, &mut reporter);
        let Reporter { ended, .. } = reporter.flushed();
        match (ended, trained) {
            (Some(error), _) => Err(error),
            (None, trained) => Ok(trained?),
        }
    }

    /// The files of a child: the frozen project, the data, the spec that names both.
    fn lay_out(&self, due: &Due, folder: &Path) -> Result<PathBuf, Failure> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(files::at(folder))?;
        let project = Project::from_texts(due.project.clone(), &due.overrides)?;
        project.sources.write(&folder.join("project"))?;
        let data = folder.join("data.parquet");
        self.client.run_data(&due.run_id, &data)?;
        let spec = TrainSpec {
            project: folder.join("project"),
            overrides: due.overrides.clone(),
            config: due.config,
            data,
            content: due.content,
            candidate: folder.join("candidate"),
        };
        spec.check(&project)?;
        let path = folder.join("spec.json");
        spec.write(&path)?;
        Ok(path)
    }

    /// Every file of the candidate, then its table of contents, which makes it one.
    fn hand_over(&self, due: &Due, folder: &Path, model: Digest, took: Duration) -> Result<(), Failure> {
        const CONTENTS: &str = "contents.json";
        let contents = files::read_at_most(&folder.join(CONTENTS), limits::MANIFEST_BYTES_MAX)?;
        let contents = String::from_utf8(contents).map_err(|_| protocol("its contents are no text"))?;
        for entry in fs::read_dir(folder).map_err(files::at(folder))? {
            let path = entry.map_err(files::at(folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == CONTENTS {
                continue;
            }
            let named: Digest = name.parse().map_err(|_| protocol("it left a file without a digest"))?;
            self.client.hand_over(&due.run_id, &named, &path)?;
        }
        Ok(self.client.finish(&due.run_id, (contents, model), took.as_secs_f64())?)
    }

    /// Says how a run failed. A server that has closed it already knows.
    fn tell(&self, due: &Due, error: &Failure) -> Result<(), Failure> {
        tracing::info!(run = due.run_id, code = error.code(), "a run has ended without a version");
        match self.client.give_up(&due.run_id, Event::failed(error)) {
            Err(refused @ ClientError::Refused { .. }) if is_gone(&refused) => Ok(()),
            told => Ok(told?),
        }
    }
}

fn protocol(why: &str) -> ChildError {
    ChildError::Protocol { why: why.to_string() }
}

/// The run is not this worker's any more.
fn is_gone(error: &ClientError) -> bool {
    matches!(error.code(), "run.not_at_work" | "run.unknown")
}

/// Tells the server what a child says, a few times a second, and that the worker lives.
struct Reporter<'a> {
    worker: &'a Worker,
    run: &'a str,
    unsaid: Vec<Event>,
    /// When the server last answered, and when it was last asked.
    heard: Instant,
    asked: Instant,
    /// Why the child may not go on.
    ended: Option<Failure>,
}

impl<'a> Reporter<'a> {
    fn new(worker: &'a Worker, run: &'a str) -> Self {
        let now = Instant::now();
        Self { worker, run, unsaid: Vec::new(), heard: now, asked: now, ended: None }
    }

    fn is_due(&self) -> bool {
        let pause = if self.unsaid.is_empty() { limits::WORKER_BEAT_MS } else { limits::WORKER_REPORT_MS };
        self.asked.elapsed() >= Duration::from_millis(pause)
    }

    fn report(&mut self) {
        self.asked = Instant::now();
        let most = self.unsaid.len().min(limits::WORKER_EVENTS_MAX);
        match self.worker.client.report(self.run, self.unsaid[..most].to_vec()) {
            Ok(cancel) => {
                self.heard = Instant::now();
                self.unsaid.drain(..most);
                if cancel {
                    self.ended = Some(ChildError::Cancelled.into());
                }
            }
            // A server that is away for a moment finds the run as it was.
            Err(error) if error.class() == Class::Unavailable && self.is_patient() => {}
            Err(error) => self.ended = Some(error.into()),
        }
    }

    fn is_patient(&self) -> bool {
        self.heard.elapsed() < Duration::from_millis(limits::WORKER_LOST_MS)
    }

    /// All that the child said has been told.
    fn flushed(mut self) -> Self {
        while self.ended.is_none() && !self.unsaid.is_empty() {
            let left = self.unsaid.len();
            self.report();
            if self.unsaid.len() == left {
                std::thread::sleep(Duration::from_millis(limits::WORKER_REPORT_MS));
            }
        }
        self
    }
}

impl Listener for Reporter<'_> {
    fn hear(&mut self, event: Event) {
        // How it ended is told by itself.
        if matches!(event, Event::Done { .. } | Event::Failed { .. }) {
            return;
        }
        // Of steps only the last counts.
        if let (Event::Step { .. }, Some(last @ Event::Step { .. })) = (&event, self.unsaid.last_mut()) {
            *last = event;
            return;
        }
        self.unsaid.push(event);
    }

    fn may_go_on(&mut self) -> bool {
        if self.worker.stop.is_cancelled() {
            self.ended.get_or_insert_with(|| ChildError::Stopped.into());
        }
        if self.ended.is_none() && self.is_due() {
            self.report();
        }
        self.ended.is_none()
    }
}
