//! `schedule`: projects in force, their chains, and what a person may ask of them.
//! Runs nothing itself: chains run in a server.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::base::fact::{Class, Fact, Failure};
use crate::cli::Invocation;
use crate::cli::api::Reached;
use crate::cli::api::pages::every;
use crate::cli::speak::output::{Answer, columns, list_limit};
use crate::cli::watch::chain_run;
use crate::client::call::Client;
use crate::client::target::Target;
use crate::config::project::Project;
use crate::http::views::watch::chain::{
    ApplyBody, BackfillBody, BackfillView, ChainList, ChainView, ScheduleView, WithdrawnView,
};

#[derive(Subcommand)]
#[command(
    after_help = "Chains run in a server (`tallystick serve`), by the project as it was put in force; files come from HOME/inbox/PROJECT.\n\nExamples:\n  tallystick schedule apply my-loans\n  tallystick schedule list\n  tallystick schedule start my-loans daily --wait\n  tallystick schedule backfill my-loans daily --from 2026-03-01 --to 2026-03-03"
)]
pub enum ScheduleCommand {
    /// Put a project's schedule.toml in force, or another in its place
    Apply {
        /// The project folder
        project: PathBuf,
    },
    /// Every chain: when it starts, and its last run
    List,
    /// A project in force, or one of its chains with its steps drawn
    Show {
        /// The project's name
        project: String,
        /// Only this chain
        chain: Option<String>,
    },
    /// Start a chain now, once
    Start {
        /// The project's name
        project: String,
        /// The chain's name
        chain: String,
        /// Follow the run to its end; exit 1 where it did not go well
        #[arg(long)]
        wait: bool,
    },
    /// Hold a chain: it starts by hand alone
    Pause {
        /// The project's name
        project: String,
        /// The chain's name
        chain: String,
    },
    /// Let a chain go on; what it missed is not made up for
    Resume {
        /// The project's name
        project: String,
        /// The chain's name
        chain: String,
    },
    /// Put the planned starts of past days in line that have had no run
    Backfill {
        /// The project's name
        project: String,
        /// The chain's name
        chain: String,
        /// The first day, such as 2026-03-01
        #[arg(long, value_name = "DAY")]
        from: String,
        /// The last day
        #[arg(long, value_name = "DAY")]
        to: String,
    },
    /// Runs of chains, the latest first
    History {
        /// Only runs of a chain of this project
        #[arg(requires = "chain")]
        project: Option<String>,
        /// The chain's name
        chain: Option<String>,
        /// How many
        #[arg(long, default_value = "20", value_parser = list_limit)]
        limit: usize,
    },
    /// One run: why it began, how its steps stand, what each attempt came to
    Run {
        /// The run's id, as `schedule history` lists it
        run: String,
    },
    /// Ask a run to end
    Cancel {
        /// The run's id, as `schedule history` lists it
        run: String,
    },
    /// A new run from where an ended one failed
    Rerun {
        /// The run's id, as `schedule history` lists it
        run: String,
        /// Begin with this step
        #[arg(long, value_name = "STEP")]
        from: Option<String>,
        /// Follow the new run to its end; exit 1 where it did not go well
        #[arg(long)]
        wait: bool,
    },
    /// Take a project out of force; its history stays
    Withdraw {
        /// The project's name
        project: String,
    },
}

/// Nobody would move what was started.
#[derive(Debug, thiserror::Error)]
#[error("chains run in a server, and no server has this home")]
struct NoServer;

impl Fact for NoServer {
    fn code(&self) -> &'static str {
        "schedule.no_server"
    }

    fn class(&self) -> Class {
        Class::Unavailable
    }

    fn next_step(&self) -> Option<String> {
        Some("Start one: `tallystick serve`; what is due begins by itself then.".into())
    }
}

pub fn run(command: ScheduleCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        ScheduleCommand::Apply { project } => apply(&project, invocation),
        ScheduleCommand::List => list(&invocation.client()?),
        ScheduleCommand::Show { project, chain } => show(&invocation.client()?, &project, chain.as_deref()),
        ScheduleCommand::Start { project, chain, wait } => {
            let client = of_server(invocation)?;
            let begun = client.act(&of_chain(&project, &chain, &["start"]))?;
            chain_run::begun(&client, begun, wait, invocation)
        }
        ScheduleCommand::Pause { project, chain } => hold(&invocation.client()?, &project, &chain, "pause"),
        ScheduleCommand::Resume { project, chain } => hold(&invocation.client()?, &project, &chain, "resume"),
        ScheduleCommand::Backfill { project, chain, from, to } => {
            let body = BackfillBody { from, to };
            backfill(&project, &chain, &body, invocation)
        }
        ScheduleCommand::History { project, chain, limit } => {
            chain_run::history(&invocation.client()?, project.zip(chain), limit)
        }
        ScheduleCommand::Run { run } => chain_run::show(&invocation.client()?, &run),
        ScheduleCommand::Cancel { run } => chain_run::cancel(&invocation.client()?, &run),
        ScheduleCommand::Rerun { run, from, wait } => {
            let client = of_server(invocation)?;
            let begun = chain_run::rerun(&client, &run, from)?;
            chain_run::begun(&client, begun, wait, invocation)
        }
        ScheduleCommand::Withdraw { project } => withdraw(&invocation.client()?, &project),
    }
}

/// A server that will move what is started; the router of this process would not.
fn of_server(invocation: &Invocation) -> Result<Client, Failure> {
    match invocation.reach()? {
        Reached::There(client) => Ok(client),
        Reached::Here { .. } => Err(NoServer.into()),
    }
}

fn of_project(project: &str, rest: &[&str]) -> Target {
    Target::of(["v1", "schedules", project].into_iter().chain(rest.iter().copied()))
}

fn of_chain(project: &str, chain: &str, rest: &[&str]) -> Target {
    of_project(project, &[&["chains", chain], rest].concat())
}

fn apply(project: &Path, invocation: &Invocation) -> Result<Answer, Failure> {
    // Read and checked here first: an error names the file.
    let project = Project::load(project, &[])?;
    let (server, client) = match invocation.reach()? {
        Reached::There(client) => (true, client),
        Reached::Here { server, app } => (false, Client::inside(server, app.person().clone())?),
    };
    let body = ApplyBody { project: project.sources.texts() };
    let view: ScheduleView = client.post(&Target::of(["v1", "schedules"]), &body)?;
    let mut text = format!("{} is in force, as it is now.\n{}", view.project, table(&view.chains));
    if !server {
        text += "No server has this home yet; the chains start once one does: `tallystick serve`.\n";
    }
    Ok(Answer::new(text, json!(view)))
}

fn list(client: &Client) -> Result<Answer, Failure> {
    let chains = every(client, Target::of(["v1", "schedules"]), |page: ChainList| (page.chains, page.next))?;
    let none = "Nothing runs by itself yet: `tallystick schedule apply DIR`.";
    let text = if chains.is_empty() { none.to_string() } else { table(&chains) };
    Ok(Answer::new(text, json!({ "chains": chains })))
}

fn table(chains: &[ChainView]) -> String {
    let head = ["project", "chain", "cron", "zone", "next", "last run", "status"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(chains.iter().map(|chain| {
        let next = match (chain.paused, chain.next.first()) {
            (true, _) => "paused".to_string(),
            (false, Some(next)) => next.clone(),
            (false, None) => "-".to_string(),
        };
        let last = chain.last_run.as_ref();
        vec![
            chain.project.clone(),
            chain.chain.clone(),
            chain.cron.clone().unwrap_or("-".into()),
            chain.timezone.clone(),
            next,
            last.map_or("-".into(), |run| run.started.clone()),
            last.map_or("-".into(), |run| run.status.clone()),
        ]
    }));
    columns(&rows)
}

fn show(client: &Client, project: &str, chain: Option<&str>) -> Result<Answer, Failure> {
    match chain {
        None => {
            let view: ScheduleView = client.get(&of_project(project, &[]))?;
            let mut text =
                format!("{}, as {} put it in force {}\n", view.project, view.applied_by, view.applied);
            for chain in &view.chains {
                text += &format!("\n{}", chain_text(chain));
            }
            Ok(Answer::new(text, json!(view)))
        }
        Some(chain) => {
            let view: ChainView = client.get(&of_chain(project, chain, &[]))?;
            Ok(Answer::new(chain_text(&view), json!(view)))
        }
    }
}

fn chain_text(chain: &ChainView) -> String {
    let mut lines = vec![("chain", format!("{} of {}", chain.chain, chain.project))];
    let hours = chain.cron.as_ref().map(|cron| format!("{cron} ({})", chain.timezone));
    lines.push(("starts", hours.unwrap_or("by hand and by what is below".into())));
    lines.extend(chain.triggers.iter().map(|trigger| ("also by", trigger.clone())));
    match (&chain.paused_by, chain.paused) {
        (Some(by), true) => {
            let since = chain.paused_since.as_deref().unwrap_or_default();
            lines.push(("paused", format!("by {by}, {since}")));
        }
        (None, true) => lines.push(("paused", "by schedule.toml".into())),
        (_, false) if chain.next.is_empty() => {}
        (_, false) => lines.push(("next", chain.next.join(", "))),
    }
    if chain.waiting > 0 {
        lines.push(("in line", format!("{} starts", chain.waiting)));
    }
    lines.extend(chain.finish_by.iter().map(|time| ("finish by", time.clone())));
    if let Some(last) = &chain.last_run {
        lines.push(("last run", format!("{} {} ({})", last.started, last.status, last.id)));
    }
    let rows: Vec<Vec<String>> = lines.into_iter().map(|(key, value)| vec![key.to_string(), value]).collect();
    let drawn: String = chain.picture.lines().map(|line| format!("  {line}\n")).collect();
    format!("{}{drawn}", columns(&rows))
}

fn hold(client: &Client, project: &str, chain: &str, verb: &str) -> Result<Answer, Failure> {
    let view: ChainView = client.act(&of_chain(project, chain, &[verb]))?;
    let text = match (view.paused, view.next.first()) {
        (true, _) => format!("{} of {} is paused; it starts by hand alone.", view.chain, view.project),
        (false, Some(next)) => format!("{} of {} goes on; it starts next {next}.", view.chain, view.project),
        (false, None) => format!("{} of {} goes on.", view.chain, view.project),
    };
    Ok(Answer::new(text, json!(view)))
}

fn backfill(
    project: &str,
    chain: &str,
    body: &BackfillBody,
    invocation: &Invocation,
) -> Result<Answer, Failure> {
    let (server, client) = match invocation.reach()? {
        Reached::There(client) => (true, client),
        Reached::Here { server, app } => (false, Client::inside(server, app.person().clone())?),
    };
    let view: BackfillView = client.post(&of_chain(project, chain, &["backfill"]), body)?;
    let mut text = match view.starts.len() {
        0 => "Every planned start of those days has had its run, or there was none.\n".to_string(),
        1 => format!("1 start is in line: {}\n", view.starts.join(", ")),
        many => format!("{many} starts are in line, one after the other:\n  {}\n", view.starts.join("\n  ")),
    };
    if !server && !view.starts.is_empty() {
        text += "No server has this home; they begin once one does: `tallystick serve`.\n";
    }
    Ok(Answer::new(text, json!(view)))
}

fn withdraw(client: &Client, project: &str) -> Result<Answer, Failure> {
    let view: WithdrawnView = client.delete(&of_project(project, &[]))?;
    let text = format!("{} is no longer in force; runs under way go on, its history stays.", view.project);
    Ok(Answer::new(text, json!(view)))
}
