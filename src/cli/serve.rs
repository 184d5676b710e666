//! `serve`: the server of one home, until the system says stop.
//! Never answers a request itself.

pub mod beats;
pub mod worker;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;

use crate::app::decisions::repetition;
use crate::app::home::App;
use crate::app::server::{health, identity};
use crate::app::training::{ending, uploads};
use crate::base::cancel::CancelFlag;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::client::call::Client;
use crate::config::settings::TlsMin;
use crate::http::listen::doors::{Doors, Plan};
use crate::http::listen::drain::{Drained, House, Stop, serve};
use crate::http::listen::tls::{Identity, ReadIdentity, TlsFrom};
use crate::http::metrics::Figures;
use crate::http::router::router;
use crate::http::routes::ROUTES;
use crate::http::server::Server;
use crate::security::actor::{Person, Role};
use crate::worker::work::Worker;

/// How often it is looked whether the worker has ended.
const WORKER_LOOK_MS: u64 = 20;

#[derive(Args)]
#[command(
    after_help = "Programs of this machine reach the server by the sockets in HOME/run.\nSIGTERM finishes what is in flight and ends; SIGHUP reads the certificate again.\n\nExamples:\n  tallystick serve\n  tallystick serve --listen 0.0.0.0:8443 --log-level debug"
)]
pub struct ServeArguments {
    /// Where to listen for HTTPS, instead of what the configuration says; may be given more than once
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,
    /// Make no sockets in HOME/run
    #[arg(long)]
    no_sockets: bool,
    /// Work on no run in this process: `tallystick worker` does, beside it
    #[arg(long)]
    no_worker: bool,
    /// What the log on stderr holds: every request at `debug`, failing and slow ones at `info`
    #[arg(long, default_value = "info", value_parser = ["error", "warn", "info", "debug"])]
    log_level: String,
}

#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the server could not be started: {0}")]
    Runtime(std::io::Error),
    #[error("requests were still in flight after {} ms and were cut off", limits::DRAIN_MS)]
    CutOff,
}

impl Fact for ServeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Runtime(_) => "serve.runtime",
            Self::CutOff => "serve.cut_off",
        }
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

pub fn run(arguments: ServeArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    speak_json(&arguments.log_level);
    say_where_it_broke();
    let app = invocation.app()?;
    let (listen, sockets, worker) = (arguments.listen, !arguments.no_sockets, !arguments.no_worker);
    let stop = Box::pin(std::future::pending());
    match serve_until(&app, Opening { listen, sockets, worker, opened: Box::new(announce), stop })? {
        Drained::All => Ok(Answer::new("", json!({ "stopped": true }))),
        Drained::CutOff => Err(ServeError::CutOff.into()),
    }
}

/// How a server is opened, who hears of it, and when it ends beside the system's own signals.
pub struct Opening {
    /// Instead of what the configuration says, unless it is empty.
    pub listen: Vec<SocketAddr>,
    pub sockets: bool,
    /// Whether this process works on runs itself.
    pub worker: bool,
    pub opened: Box<dyn FnOnce(&Opened) + Send>,
    pub stop: Stop,
}

/// Where a server listens, and how its certificate is known.
pub struct Opened {
    pub addresses: Vec<SocketAddr>,
    pub fingerprint: String,
}

fn announce(opened: &Opened) {
    for address in &opened.addresses {
        say(&format!("listening on https://{address}"));
    }
    say(&format!("certificate SHA-256 {}", opened.fingerprint));
}

/// Serves a home in this process until it is told to stop.
pub fn serve_until(app: &App, opening: Opening) -> Result<Drained, Failure> {
    // One core is the writer's: another thread of answering was measured and brought nothing.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.saturating_sub(1).max(1))
        .enable_all()
        .max_blocking_threads(2 * limits::BLOCKING_CALLS_MAX)
        .build()
        .map_err(ServeError::Runtime)?;
    let server = Server::new(app, Figures::global(ROUTES))?;
    let stop = CancelFlag::new();
    let mut threads = vec![
        beats::start_schedule(app, &stop).map_err(ServeError::Runtime)?,
        beats::start_notifier(app, &stop).map_err(ServeError::Runtime)?,
    ];
    if opening.worker {
        threads.push(start_worker(&server, app, &stop)?);
    }
    let drained = runtime.block_on(serve_home(opening, app, server, &stop));
    stop.cancel();
    threads.into_iter().for_each(wait_in_time);
    // Writes under way end before the home is closed.
    runtime.shutdown_timeout(Duration::from_millis(limits::DRAIN_MS));
    drained
}

/// The worker of this process, on a thread of its own.
fn start_worker(server: &Arc<Server>, app: &App, stop: &CancelFlag) -> Result<JoinHandle<()>, Failure> {
    let worker = Worker {
        client: Client::inside(Arc::clone(server), Person::of("worker", &[Role::Worker])?)?,
        name: format!("server-{}", std::process::id()),
        folder: app.worker_folder(),
        stop: stop.clone(),
    };
    let work = move || {
        if let Err(error) = worker.serve() {
            tracing::error!(code = error.code(), cause = %error, "the worker has ended");
        }
    };
    let thread = std::thread::Builder::new().name("worker".into()).spawn(work);
    Ok(thread.map_err(ServeError::Runtime)?)
}

/// A run under way is ended, or finished where all of it is there, before the home is closed.
fn wait_in_time(thread: JoinHandle<()>) {
    let begun = Instant::now();
    while !thread.is_finished() && begun.elapsed() < Duration::from_millis(limits::DRAIN_MS) {
        std::thread::sleep(Duration::from_millis(WORKER_LOOK_MS));
    }
}

async fn serve_home(
    opening: Opening,
    app: &App,
    server: Arc<Server>,
    working: &CancelFlag,
) -> Result<Drained, Failure> {
    let Opening { listen, sockets, opened, stop, .. } = opening;
    let sockets = sockets.then(|| app.run_folder());
    let tls = match app.settings().tls_min {
        TlsMin::V1_2 => TlsFrom::V12,
        TlsMin::V1_3 => TlsFrom::V13,
    };
    // Checked when they were read.
    let otherwise = app.settings().listen.iter().filter_map(|text| text.parse().ok()).collect();
    let plan = Plan { listen, otherwise, sockets, tls };
    identity::open(app)?;
    health::make_ready(app)?;
    repetition::forget_old(app)?;
    let doors = Doors::open(&plan, reader(app)).await?;
    let fingerprint = doors.tls.as_ref().map(|tls| tls.fingerprint()).unwrap_or_default();
    let at = Opened { addresses: doors.addresses(), fingerprint };
    let opened = Box::new(move || opened(&at));
    Ok(serve(doors, House { opened, stop, ..house(server, app, working) }).await?)
}

fn reader(app: &App) -> ReadIdentity {
    let app = app.clone();
    Arc::new(move || {
        let certificate = identity::read(&app)?;
        let key = certificate.key_der().to_vec().into();
        Ok(Identity { chain: certificate.chain_der().to_vec(), key })
    })
}

fn house(server: Arc<Server>, app: &App, working: &CancelFlag) -> House {
    let (probed, stopping, ticking) = (app.clone(), Arc::clone(&server), Arc::clone(&server));
    let (watched, working) = (app.clone(), working.clone());
    let tidied = std::sync::Mutex::new(Instant::now());
    House {
        router: router(server),
        probe: Arc::new(move || health::probe(&probed).is_ok()),
        opened: Box::new(|| ()),
        stop: Box::pin(std::future::pending()),
        stopping: Box::new(move || {
            stopping.stop();
            working.cancel();
        }),
        tick: Box::new(move |open| {
            ticking.figures.connections.set(open as f64);
            let mut last = tidied.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if last.elapsed() >= Duration::from_millis(limits::METRICS_UPKEEP_MS) {
                *last = Instant::now();
                ticking.figures.tidy();
                let app = watched.clone();
                tokio::task::spawn_blocking(move || tidy_desk(&app));
            }
        }),
    }
}

/// Runs whose worker is gone are closed, and sent files that nobody used are removed.
fn tidy_desk(app: &App) {
    uploads::forget_old(app);
    if let Err(error) = ending::end_lost(app) {
        tracing::error!(code = error.code(), cause = %error, "a run that was lost could not be closed");
    }
}

/// For people and for scripts that wait for it; not a line of the log.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The log: one JSON object a line, on stderr.
pub fn speak_json(level: &str) {
    let level = level.parse().unwrap_or(LevelFilter::INFO);
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        .with_max_level(level);
    // Refused only where a log is set already.
    let _ = log.try_init();
}

/// A breakdown is told by its place alone: its message may quote what it broke on.
fn say_where_it_broke() {
    std::panic::set_hook(Box::new(|broken| {
        let place = broken.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a request or a task broke down");
    }));
}
