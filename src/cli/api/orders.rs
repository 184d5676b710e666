//! Runs as a command orders them: the file sent, the order made, the run followed to its end. Where this process has the
//! home itself, it also works on that run, and on no other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::home::App;
use crate::base::cancel::CancelFlag;
use crate::base::fact::{Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::base::progress::Progress as _;
use crate::cli::speak::progress::Bar;
use crate::cli::train::on_interrupt;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::client::target::Target;
use crate::config::project::Project;
use crate::data::import::error::DataError;
use crate::http::server::Server;
use crate::http::views::run::RunView;
use crate::http::views::work::{OrderBody, OrderData, ProgressView, UploadView};
use crate::security::actor::{Person, Role};
use crate::worker::work::Worker;

/// Which data a training reads.
pub enum Source {
    File(PathBuf),
    /// A kept set by its content digest, or the beginning of it.
    Known(String),
    /// The newest set of the project.
    Latest,
}

pub struct TrainOrder<'a> {
    pub project: &'a Project,
    pub overrides: Vec<String>,
    pub source: Source,
}

impl TrainOrder<'_> {
    /// Orders the run; answers its id.
    pub fn send(&self, client: &Client, bar: &Bar) -> Result<String, Failure> {
        let data = send_data(client, &self.source, bar)?;
        bar.stage("checking the data", 0);
        let (project, overrides) = (self.project.sources.texts(), self.overrides.clone());
        let body = OrderBody { project, overrides, data };
        let run: RunView = client.post_patiently(&Target::of(["v1", "runs"]), &body)?;
        Ok(run.info.run_id)
    }
}

/// Sends the file, where the data is one.
pub fn send_data(client: &Client, source: &Source, bar: &Bar) -> Result<OrderData, Failure> {
    match source {
        Source::Latest => Ok(OrderData::default()),
        Source::Known(set) => Ok(OrderData { set: Some(set.clone()), ..OrderData::default() }),
        Source::File(path) => {
            // What cannot be read is told as whoever reads data tells it.
            files::open_regular(path).map_err(DataError::from)?;
            bar.stage("sending the data", 0);
            let sent: UploadView = client.post_file(&Target::of(["v1", "uploads"]), path)?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            Ok(OrderData { upload: Some(sent.upload), file_name: name, set: None })
        }
    }
}

/// Orders a run of the home that this process has, works on it, and answers how it ended.
pub fn train_here(
    server: &Arc<Server>,
    app: &App,
    order: &TrainOrder<'_>,
    bar: &Bar,
) -> Result<ProgressView, Failure> {
    let client = Client::inside(Arc::clone(server), app.person().clone())?;
    let run = order.send(&client, bar)?;
    let cancel = on_interrupt()?;
    let worker = Worker {
        client: Client::inside(Arc::clone(server), Person::of("worker", &[Role::Worker])?)?,
        name: format!("process-{}", std::process::id()),
        folder: app.worker_folder(),
        stop: CancelFlag::new(),
    };
    std::thread::scope(|scope| {
        let (run, cancel) = (run.as_str(), &cancel);
        let following = scope.spawn(move || follow(&client, run, bar, cancel));
        // A child ends with the thread that started it: it is this one, which sees it through.
        let worked = worker.serve_only(run);
        if worked.is_err() {
            // Nobody works on the run any more.
            cancel.cancel();
        }
        let ended = following.join().unwrap_or_else(|broken| std::panic::resume_unwind(broken));
        worked?;
        ended
    })
}

/// Follows a run to its end. The wish to stop is passed on once.
pub fn follow(client: &Client, run: &str, bar: &Bar, cancel: &CancelFlag) -> Result<ProgressView, Failure> {
    let (mut is_asked, mut shown) = (false, Shown::default());
    loop {
        let now: ProgressView = client.get(&Target::of(["v1", "runs", run, "progress"]))?;
        if matches!(now.status.as_str(), "FINISHED" | "FAILED" | "KILLED") {
            return Ok(now);
        }
        shown.show(&now, bar);
        if cancel.is_cancelled() && !is_asked {
            is_asked = true;
            match client.act::<ProgressView>(&Target::of(["v1", "runs", run, "cancel"])) {
                Err(error @ ClientError::Refused { .. }) if error.code() == "run.ended" => {}
                asked => drop(asked?),
            }
            continue;
        }
        std::thread::sleep(Duration::from_millis(limits::CLIENT_POLL_MS));
    }
}

/// What the bar shows already.
#[derive(Default)]
struct Shown {
    stage: String,
    loss: Option<f64>,
}

impl Shown {
    fn show(&mut self, now: &ProgressView, bar: &Bar) {
        let stage = match (&now.stage, now.position) {
            (Some(stage), _) => stage.clone(),
            (None, Some(0)) => "waiting for a worker".to_string(),
            (None, Some(before)) => format!("waiting, {before} before it"),
            (None, None) => return,
        };
        if self.stage != stage {
            bar.stage(&stage, now.total);
            self.stage = stage;
        }
        bar.step(now.done);
        if let Some(loss) = now.valid_loss.filter(|_| self.loss != now.valid_loss) {
            bar.metric("valid_loss", 0, loss);
        }
        self.loss = now.valid_loss;
    }
}
