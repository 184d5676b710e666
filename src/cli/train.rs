//! `train` and the child it starts: a bar while it runs, Ctrl-C to stop it, the figures when it is done.
//! The child lowers itself, watches its parent, and never opens a home.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::datasets::{DataSource, read_for_child};
use crate::app::training::{self, TrainRequest, Trained};
use crate::base::cancel::CancelFlag;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::speak::events::EventWriter;
use crate::cli::speak::output::{Answer, columns};
use crate::cli::speak::progress::Bar;
use crate::config::project::Project;
use crate::pipeline::events::Event;
use crate::pipeline::flow;
use crate::pipeline::spec::TrainSpec;
use crate::train::params::FamilyName;

#[derive(Args)]
#[command(
    after_help = "The same project, data and seed give the same model, digest for digest.\n\nExamples:\n  tallystick train my-loans --data loans.csv\n  tallystick train my-loans --set seed=8 --set logistic.epochs=40\n  tallystick train my-loans --family mlp"
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
    /// Change a key of train.toml for this run
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
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

fn source_of(data: Option<String>) -> DataSource {
    match data {
        None => DataSource::Latest,
        Some(name) if !Path::new(&name).exists() && is_digest_start(&name) => DataSource::Known(name),
        Some(name) => DataSource::File(name.into()),
    }
}

fn is_digest_start(name: &str) -> bool {
    name.len() >= 6 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

pub fn run(arguments: TrainArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let app = invocation.app()?;
    let request = TrainRequest {
        project: arguments.project,
        source: source_of(arguments.data),
        // What is set by hand comes last, and so stands.
        overrides: arguments
            .family
            .map(|family| format!("family={family}"))
            .into_iter()
            .chain(arguments.overrides)
            .collect(),
    };
    let bar = Bar::new(invocation.output);
    let trained = training::train(&app, &request, &on_interrupt, &mut |event| bar.hear(event));
    bar.finish();
    Ok(answer(&trained?))
}

fn answer(trained: &Trained) -> Answer {
    let version = &trained.registered.version;
    let changed = trained.registered.policy != version.policy;
    let known = if trained.registered.reused {
        " (this model is known; its version, figures and gates stand)"
    } else {
        ""
    };
    let mut text = format!("{}@{}{known}\nmodel {}\n", version.name, version.version, version.model);
    if changed {
        let policy = trained.registered.policy.short();
        text += &format!("the policy is another one now: promote with --policy {policy} to decide by it\n");
    }
    let mut rows = Vec::new();
    for (key, interval) in &trained.evaluation.intervals {
        let (value, low, high) = (interval.value, interval.low, interval.high);
        rows.push(vec![format!("  {key}"), format!("{value:.4}"), format!("{low:.4} to {high:.4}")]);
    }
    text += &columns(&rows);
    text += &format!(
        "on the test part, at the policy's cut-off {:.4}; run {}, {:.1} s\nNext: `tallystick model promote {} --to production`.",
        trained.evaluation.cutoff, trained.run_id, trained.train_seconds, version.name
    );
    let json = json!({
        "run_id": trained.run_id,
        "status": "FINISHED",
        "model": {
            "name": version.name, "version": version.version, "digest": version.model,
            "release": version.release, "reused": trained.registered.reused,
        },
        "policy": trained.registered.policy,
        "policy_changed": changed,
        "cutoff": trained.evaluation.cutoff,
        "metrics": trained.evaluation.metrics,
        "intervals": trained.evaluation.intervals,
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
fn lower_itself() {
    use rustix::process::{Resource, Rlimit, Signal};
    let _ = rustix::process::nice(10);
    let most = Some(limits::CHILD_MEMORY_BYTES_MAX);
    let _ = rustix::process::setrlimit(Resource::Data, Rlimit { current: most, maximum: most });
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
