//! `worker`: works on the runs of a server beside it, over the socket that is the worker's alone.
//! Never opens the home.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::base::fact::Failure;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::serve::speak_json;
use crate::cli::speak::output::Answer;
use crate::cli::train::on_interrupt;
use crate::client::call::Client;
use crate::worker::work::Worker;

#[derive(Args)]
#[command(
    after_help = "The server is one that was started with `serve --no-worker`; it may come and go.\nSIGTERM ends the run under way, which is then recorded as KILLED.\n\nExamples:\n  tallystick serve --no-worker\n  tallystick worker"
)]
pub struct WorkerArguments {
    /// Where the files of a run lie while it is worked on; emptied [default: HOME/run/worker]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// What the log on stderr holds
    #[arg(long, default_value = "info", value_parser = ["error", "warn", "info", "debug"])]
    log_level: String,
}

pub fn run(arguments: WorkerArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    speak_json(&arguments.log_level);
    let run = invocation.home_folder()?.join("run");
    let (socket, stop) = (run.join("worker.sock"), on_interrupt()?);
    let folder = arguments.dir.unwrap_or_else(|| run.join("worker"));
    let client = loop {
        match Client::at_socket(&socket) {
            Ok(client) => break client,
            Err(error) => {
                tracing::info!(cause = %error, "the worker waits for its server");
                std::thread::sleep(Duration::from_millis(limits::WORKER_PAUSE_MS_MAX));
            }
        }
        if stop.is_cancelled() {
            return Ok(Answer::new("", json!({ "stopped": true })));
        }
    };
    let name = format!("worker-{}", std::process::id());
    tracing::info!(worker = name, "ready");
    Worker { client, name, folder, stop }.serve()?;
    Ok(Answer::new("", json!({ "stopped": true })))
}
