//! `train` and the child that a worker starts: a bar while it runs, Ctrl-C to stop it, the figures when it is done.
//! The child lowers itself, watches its parent, and never opens a home.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::datasets::read_for_child;
use crate::base::cancel::CancelFlag;
use crate::base::fact::{Class, Fact, Failure, known_code};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::Reached;
use crate::cli::api::orders::{Source, TrainOrder, follow, train_here};
use crate::cli::speak::events::EventWriter;
use crate::cli::speak::output::{Answer, columns};
use crate::cli::speak::progress::Bar;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::config::project::Project;
use crate::http::views::work::{ProgressView, TrainedView};
use crate::pipeline::child::events::Event;
use crate::pipeline::child::spec::TrainSpec;
use crate::pipeline::flow;
use crate::train::params::FamilyName;

pub mod search;

#[derive(Args)]
#[command(
    after_help = "The same project, data and seed give the same model, digest for digest.\n\nExamples:\n  tallystick train my-loans --data loans.csv\n  tallystick train my-loans --set seed=8 --set logistic.epochs=40\n  tallystick train my-loans --family boosting\n  tallystick train my-loans --auto --budget 5m"
)]
pub struct TrainArguments {
    /// The project folder
    project: PathBuf,
    /// A file, or the digest of a kept data set [default: the newest set of the project]
    #[arg(long, value_name = "FILE|DIGEST")]
    data: Option<String>,
    /// Train this family instead of the one train.toml names
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(FamilyName::ALL))]
    family: Option<String>,
    /// Try the families against each other on the same folds, alone and together, and train the best
    #[arg(long, conflicts_with = "family")]
    auto: bool,
    /// With --auto: begin no further family after so many seconds, such as 300 or 5m
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "auto")]
    budget: Option<u64>,
    /// Change a key of train.toml for this run
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Order the run and do not wait for it
    #[arg(long)]
    detach: bool,
}

impl TrainArguments {
    /// What is set by hand comes last, and so stands.
    fn order(self) -> Ordered {
        let family = self.family.map(|family| format!("family={family}"));
        let auto = self.auto.then(|| "search.method=auto".to_string());
        let budget = self.budget.map(|seconds| format!("search.budget_s={seconds}"));
        let overrides = family.into_iter().chain(auto).chain(budget).chain(self.overrides).collect();
        Ordered { project: self.project, data: self.data, overrides, detach: self.detach }
    }
}

/// A training as it is ordered, whichever command did.
pub struct Ordered {
    pub project: PathBuf,
    pub data: Option<String>,
    pub overrides: Vec<String>,
    pub detach: bool,
}

/// `90`, `90s`, `5m` or `1h`.
pub fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 's')) => (&text[..at], 1),
        Some((at, 'm')) => (&text[..at], 60),
        Some((at, 'h')) => (&text[..at], 3_600),
        _ => (text, 1),
    };
    let parsed: Option<u64> = number.parse().ok();
    let seconds = parsed.and_then(|number| number.checked_mul(unit)).filter(|s| (1..=604_800).contains(s));
    seconds.ok_or_else(|| "a time from 1 second to a week, such as 90, 5m or 1h".to_string())
}

#[derive(Subcommand)]
pub enum ChildCommand {
    Train { spec: PathBuf },
}

#[derive(Debug, thiserror::Error)]
#[error("signals cannot be listened to: {0}")]
struct NoSignals(std::io::Error);

impl Fact for NoSignals {
    fn code(&self) -> &'static str {
        "process.signals"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// A flag that Ctrl-C and a polite end raise; the second Ctrl-C ends the process at once.
pub fn on_interrupt() -> Result<CancelFlag, Failure> {
    let cancel = CancelFlag::new();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let flag = cancel.shared();
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag)).map_err(NoSignals)?;
        signal_hook::flag::register(signal, flag).map_err(NoSignals)?;
    }
    Ok(cancel)
}

fn source_of(data: Option<&str>) -> Source {
    match data {
        None => Source::Latest,
        Some(name) if !Path::new(name).exists() && is_digest_start(name) => Source::Known(name.to_string()),
        Some(name) => Source::File(name.into()),
    }
}

fn is_digest_start(name: &str) -> bool {
    name.len() >= 6 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub fn run(arguments: TrainArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    train(arguments.order(), invocation)
}

pub fn train(ordered: Ordered, invocation: &Invocation) -> Result<Answer, Failure> {
    let Ordered { project, data, overrides, detach } = ordered;
    // What is wrong with the folder is told in the words of the folder.
    let project = Project::load(&project, &overrides)?;
    let order = TrainOrder { project: &project, overrides, source: source_of(data.as_deref()) };
    let bar = Bar::new(invocation.output);
    let reached = invocation.reach()?;
    if detach {
        let client = match reached {
            Reached::There(client) => client,
            Reached::Here { server, app } => Client::inside(server, app.person().clone())?,
        };
        return Ok(waits(&order.send(&client, &bar)?));
    }
    let ended = match reached {
        Reached::There(client) => {
            let run = order.send(&client, &bar)?;
            follow(&client, &run, &bar, &on_interrupt()?)
        }
        Reached::Here { server, app } => train_here(&server, &app, &order, &bar),
    };
    bar.finish();
    let trained = trained_of(ended?)?;
    Ok(told(&trained.run_id, &trained.view))
}

fn waits(run: &str) -> Answer {
    let text = format!(
        "run {run} waits for a worker\nNext: `tallystick run show {run}`, or `tallystick run cancel {run}`."
    );
    Answer::new(text, json!({"run_id": run, "status": "SCHEDULED"}))
}

/// A run that went well.
pub struct TrainedRun {
    pub run_id: String,
    pub view: TrainedView,
}

/// What a run that has ended led to, or the failure it ended with.
pub fn trained_of(ended: ProgressView) -> Result<TrainedRun, Failure> {
    let ProgressView { run_id, failure, trained, .. } = ended;
    match (failure, trained) {
        (Some(failure), _) => Err(ClientError::Refused {
            code: known_code(&failure.code),
            class: Class::find(failure.exit_code).unwrap_or(Class::Failed),
            message: failure.message,
            next_step: failure.next_step,
            details: failure.details,
        }
        .into()),
        (None, Some(view)) => Ok(TrainedRun { run_id, view }),
        (None, None) => Err(Untold { run_id }.into()),
    }
}

/// A run that was closed by the opening of its home, between its version and its end.
#[derive(Debug, thiserror::Error)]
#[error("run {run_id} has made a version, but its end was not written down")]
struct Untold {
    run_id: String,
}

impl Fact for Untold {
    fn code(&self) -> &'static str {
        "run.untold"
    }

    fn class(&self) -> Class {
        Class::Failed
    }

    fn next_step(&self) -> Option<String> {
        Some("See `tallystick model list`.".into())
    }
}

fn told(run_id: &str, trained: &TrainedView) -> Answer {
    let known =
        if trained.reused { " (this model is known; its version, figures and gates stand)" } else { "" };
    let mut text = format!("{}@{}{known}\nmodel {}\n", trained.name, trained.version, trained.digest);
    if trained.policy_changed {
        let policy: String = trained.policy.chars().take(12).collect();
        text += &format!("the policy is another one now: promote with --policy {policy} to decide by it\n");
    }
    if let Some(picked) = &trained.picked {
        text += &format!("{picked}\n");
    }
    let mut rows = Vec::new();
    for (key, interval) in trained.intervals.as_object().into_iter().flatten() {
        let number = |name: &str| interval[name].as_f64().unwrap_or(f64::NAN);
        let (value, low, high) = (number("value"), number("low"), number("high"));
        rows.push(vec![format!("  {key}"), format!("{value:.4}"), format!("{low:.4} to {high:.4}")]);
    }
    text += &columns(&rows);
    text += &format!(
        "on the test part, at the policy's cut-off {:.4}; run {run_id}, {:.1} s\nNext: `tallystick model promote {} --to production`.",
        trained.cutoff, trained.train_seconds, trained.name
    );
    let json = json!({
        "run_id": run_id,
        "status": "FINISHED",
        "model": {
            "name": trained.name, "version": trained.version, "digest": trained.digest,
            "release": trained.release, "reused": trained.reused,
        },
        "policy": trained.policy,
        "policy_changed": trained.policy_changed,
        "picked": trained.picked,
        "cutoff": trained.cutoff,
        "metrics": trained.metrics,
        "intervals": trained.intervals,
        "train_seconds": trained.train_seconds,
    });
    Answer::new(text, json)
}

/// The child's whole life. What it has to say goes out as events; the answer on stdout is empty.
pub fn run_child(command: ChildCommand) -> Result<Answer, Failure> {
    let ChildCommand::Train { spec } = command;
    lower_itself();
    let cancel = CancelFlag::new();
    end_with_parent(&cancel);
    let events = EventWriter::new(std::io::stdout());
    match train_candidate(&spec, &cancel, &events) {
        Ok(done) => {
            events.send(&done);
            Ok(Answer::new("", json!(null)))
        }
        Err(error) => {
            events.send(&Event::failed(&error));
            Err(error)
        }
    }
}

fn train_candidate(
    spec: &Path,
    cancel: &CancelFlag,
    events: &EventWriter<std::io::Stdout>,
) -> Result<Event, Failure> {
    let spec = TrainSpec::read(spec)?;
    let project = Project::load(&spec.project, &spec.overrides)?;
    spec.check(&project)?;
    let table = read_for_child(&project, &spec.data, spec.content)?;
    let candidate = flow::train(&project, table, cancel, events)?;
    candidate.write(&spec.candidate)?;
    Ok(Event::Done { model: candidate.pack.digest })
}

/// Training yields to whatever else the branch's server does. A system that refuses is no reason not to train.
pub fn lower_priority() {
    use rustix::process::{Resource, Rlimit};
    let _ = rustix::process::nice(10);
    let most = Some(limits::CHILD_MEMORY_BYTES_MAX);
    let _ = rustix::process::setrlimit(Resource::Data, Rlimit { current: most, maximum: most });
}

fn lower_itself() {
    use rustix::process::Signal;
    lower_priority();
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// The parent holds the other end of standard input: when it closes, nobody waits for this work any more.
fn end_with_parent(cancel: &CancelFlag) {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        let mut byte = [0u8; 1];
        while matches!(std::io::stdin().read(&mut byte), Ok(n) if n > 0) {}
        cancel.cancel();
    });
}
