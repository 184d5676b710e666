//! The command line: arguments in, one answer and an exit code out. One file a noun.
//! Decides nothing; each command asks one thing of the API, of `app` or of a pure room, and prints what came back.
//!
//! API commands (a client of whoever has the home: a server, or this process): `model list|show|promote|propose|rollback|release-hold|history`, `approval`,
//! `policy list|show`, `check`, `data import|list`, `train`, `run`, `predict`, `decide`, `decision`, `outcome`, `why`, `bench`, `schedule`, `monitor`, `alert`, `user`, `key`,
//! `whoami`, `status`; `worker`,
//! of a server alone.
//! Home commands (this process owns the home while it runs): `model export`, `policy sign`, `batch`,
//! `audit`, `serve`, `demo`.
//! File commands (no home): `project`, `pipeline`, `data validate|profile|drift|row`, `release verify`, `verify`, `demo data|project`,
//! `self-test`, `manual`, `completions`.
//! Offline commands (the home as files): `init`, `store check`.

pub mod api;
pub mod audit;
pub mod data;
pub mod decision;
pub mod demo;
pub mod home;
pub mod manual;
pub mod people;
pub mod pipeline;
pub mod project;
pub mod registry;
pub mod run;
pub mod score;
pub mod self_test;
pub mod serve;
pub mod speak;
pub mod train;
pub mod verify;
pub mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::base::fact::{Class, Fact, Failure};
use crate::cli::api::RemoteArguments;
use crate::cli::registry::{approval, check, model, policy, release};
use crate::cli::speak::output::{Answer, Output};

const EXIT_CODES: &str = "\
Exit codes: 0 ok, 1 failed, 2 usage, 3 data refused, 4 gate refused,
5 integrity or signature refused, 6 permission, 7 unavailable,
78 the store is newer than this program.

The way through, from a CSV to a decision:
  tallystick init
  tallystick project new --from loans.csv --target loan_status --dir my-loans
  tallystick train my-loans --data loans.csv
  tallystick model promote my-loans --to production
  tallystick decide my-loans --row applicant.json
  tallystick batch my-loans new.csv scores/";

/// Trains, signs and runs loan-scoring models on a bank branch's own server.
#[derive(Parser)]
#[command(name = "tallystick", version, about, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Arguments {
    /// The folder that holds stores, keys and blobs [default: $TALLYSTICK_HOME, else $XDG_DATA_HOME/tallystick]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Answer with one JSON document on stdout
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but the answer
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(flatten)]
    remote: RemoteArguments,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the home: both stores, this box's signing key and its trust root
    Init(home::InitArguments),
    /// Write or check a project folder
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Import, validate, profile or list data
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Train a model in a child process and register it as a new version
    Train(train::TrainArguments),
    /// Try settings of a family on the same folds, and train the best
    Tune(train::search::TuneArguments),
    /// Compare families by cross-validation, without a home and without a model
    CrossValidate(train::search::CrossArguments),
    /// Run a project's flow node by node, without a home: only what is stale, and on after a crash
    #[command(subcommand)]
    Pipeline(pipeline::PipelineCommand),
    /// List and show training runs
    #[command(subcommand)]
    Run(run::RunCommand),
    /// List, show, promote, propose, roll back and export registered models
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// List and show proposals to promote, and decide about those of others
    #[command(subcommand)]
    Approval(approval::ApprovalCommand),
    /// Hold a version against what is in production, on the test rows of both
    Check(check::CheckArguments),
    /// Sign and show policies: what a probability leads to
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Score one row, with the exact contribution of every field
    Predict(score::RowArguments),
    /// Decide one row by the policy, with reasons
    Decide(score::RowArguments),
    /// List, show, explain and replay decisions, and write their receipts
    #[command(subcommand)]
    Decision(decision::DecisionCommand),
    /// Say what became of decisions
    #[command(subcommand)]
    Outcome(watch::outcome::OutcomeCommand),
    /// Put schedules in force, start, hold and follow their chains
    #[command(subcommand)]
    Schedule(watch::schedule::ScheduleCommand),
    /// Reports of a model, and its figures over days
    #[command(subcommand)]
    Monitor(watch::monitor::MonitorCommand),
    /// List and answer alerts, and try whether they arrive
    #[command(subcommand)]
    Alert(watch::alert::AlertCommand),
    /// Check live all that a decision stands on, down to the data it was learnt from
    Why(decision::why::WhyArguments),
    /// How long decisions take here, stage by stage, by rehearsals
    Bench(decision::bench::BenchArguments),
    /// Score a file into a folder; an interrupted batch resumes where it stopped
    Batch(score::BatchArguments),
    /// Serve the home over HTTPS and local sockets
    Serve(serve::ServeArguments),
    /// Work on the runs of a server that was started with --no-worker
    Worker(serve::worker::WorkerArguments),
    /// Whether a server lives and can decide
    Status,
    /// Whom a server takes the caller for
    Whoami,
    /// Add users, lock them, give them roles and passwords
    #[command(subcommand)]
    User(people::users::UserCommand),
    /// Make and revoke API keys of services
    #[command(subcommand)]
    Key(people::keys::KeyCommand),
    /// Verify or export the tally log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check the stores and blobs
    #[command(subcommand)]
    Store(home::StoreCommand),
    /// Verify an exported release without a home
    #[command(subcommand)]
    Release(release::ReleaseCommand),
    /// Prove that a receipt's record is in the log, on the word of a key and without a home
    Verify(verify::VerifyArguments),
    /// From nothing to a decision: make data, train, promote, decide, score a file
    Demo(demo::DemoArguments),
    /// Show that every part of this installation works on this machine
    SelfTest(self_test::SelfTestArguments),
    /// Write the manual: a page for each command, as `man` reads it
    Manual(manual::ManualArguments),
    /// Write what completes commands and options in a shell
    Completions(manual::CompletionsArguments),
    /// What a parent process starts; not for people
    #[command(hide = true, subcommand)]
    Child(train::ChildCommand),
}

/// Words that are no command, for a caller that reads JSON.
#[derive(Debug, thiserror::Error)]
#[error("{fault}")]
struct Usage {
    fault: String,
    tip: String,
}

impl From<clap::Error> for Usage {
    /// The fault and the tip; what else clap writes is for a terminal.
    fn from(error: clap::Error) -> Self {
        let see = "See `tallystick --help`, or `--help` after a command.";
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            || error.kind() == ErrorKind::MissingSubcommand
        {
            return Self { fault: "the command is missing".into(), tip: see.into() };
        }
        let text = error.to_string();
        let part = |start: &str| {
            let part = text.split("\n\n").find_map(|part| part.trim_start().strip_prefix(start))?;
            Some(part.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        Self { fault: part("error: ").unwrap_or_default(), tip: part("tip: ").unwrap_or(see.into()) }
    }
}

impl Fact for Usage {
    fn code(&self) -> &'static str {
        "usage"
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some(self.tip.clone())
    }
}

/// Everything a command needs to know of the invocation.
pub struct Invocation {
    pub home: Option<PathBuf>,
    pub remote: RemoteArguments,
    pub output: Output,
}

pub fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

fn run(arguments: Vec<OsString>) -> ExitCode {
    let wants_json = arguments.iter().skip(1).any(|word| word == "--json");
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) if wants_json && error.use_stderr() => {
            return conclude(Output { json: true, quiet: true }, Err(Usage::from(error).into()));
        }
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    let output = Output { json: parsed.json, quiet: parsed.quiet };
    let invocation = Invocation { home: parsed.home, remote: parsed.remote, output };
    conclude(output, dispatch(parsed.command, &invocation))
}

fn dispatch(command: Command, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        Command::Init(a) => home::init(a, invocation),
        Command::Project(c) => project::run(c, invocation),
        Command::Data(c) => data::run(c, invocation),
        Command::Train(a) => train::run(a, invocation),
        Command::Tune(a) => train::search::tune(a, invocation),
        Command::CrossValidate(a) => train::search::cross_validate(a, invocation),
        Command::Pipeline(c) => pipeline::run(c, invocation),
        Command::Run(c) => run::run(c, invocation),
        Command::Model(c) => model::run(c, invocation),
        Command::Approval(c) => approval::run(c, invocation),
        Command::Check(a) => check::run(&a, invocation),
        Command::Policy(c) => policy::run(c, invocation),
        Command::Predict(a) => score::predict(a, invocation),
        Command::Decide(a) => score::decide(a, invocation),
        Command::Decision(c) => decision::run(c, invocation),
        Command::Outcome(c) => watch::outcome::run(c, invocation),
        Command::Schedule(c) => watch::schedule::run(c, invocation),
        Command::Monitor(c) => watch::monitor::run(c, invocation),
        Command::Alert(c) => watch::alert::run(c, invocation),
        Command::Why(a) => decision::why::run(&a, invocation),
        Command::Bench(a) => decision::bench::run(a, invocation),
        Command::Status => api::server::status(invocation),
        Command::Whoami => api::server::whoami(invocation),
        Command::User(c) => people::users::run(c, invocation),
        Command::Key(c) => people::keys::run(c, invocation),
        Command::Batch(a) => score::batch(a, invocation),
        Command::Serve(a) => serve::run(a, invocation),
        Command::Worker(a) => serve::worker::run(a, invocation),
        Command::Audit(c) => audit::run(c, invocation),
        Command::Store(c) => home::run_store(c, invocation),
        Command::Release(c) => release::run(c, invocation),
        Command::Verify(a) => verify::run(a, invocation),
        Command::Demo(a) => demo::run(a, invocation),
        Command::SelfTest(a) => self_test::run(a, invocation),
        Command::Manual(a) => manual::run(&a, Arguments::command()),
        Command::Completions(a) => Ok(manual::complete(&a, Arguments::command())),
        Command::Child(c) => train::run_child(c),
    }
}

fn conclude(output: Output, result: Result<Answer, Failure>) -> ExitCode {
    let (written, code) = match &result {
        Ok(answer) => (output.answer(answer), answer.class.map_or(0, Class::exit_code)),
        Err(error) => {
            let code = error.class().exit_code();
            (output.error(error), code)
        }
    };
    match written {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Arguments, Usage};

    fn unexplained(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for argument in command.get_arguments().filter(|argument| argument.get_help().is_none()) {
            found.push(format!("{path} {}", argument.get_id()));
        }
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            unexplained(inner, &format!("{path} {}", inner.get_name()), found);
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_told_with_its_tip() {
        let error = Arguments::try_parse_from(["tallystick", "trian"]).err().unwrap();
        let usage = Usage::from(error);
        assert_eq!(usage.fault, "unrecognized subcommand 'trian'");
        assert!(usage.tip.contains("'train'"), "{}", usage.tip);
        let usage = Usage::from(Arguments::try_parse_from(["tallystick", "--json"]).err().unwrap());
        assert_eq!(usage.fault, "the command is missing");
    }

    #[test]
    fn every_argument_of_every_command_says_what_it_is() {
        let command = Arguments::command();
        command.clone().debug_assert();
        let mut found = Vec::new();
        unexplained(&command, "tallystick", &mut found);
        assert!(found.is_empty(), "no help: {found:#?}");
    }
}
