//! `model list|show|promote|propose|rollback|release-hold|history|export`: models, their versions and where their aliases point.
//! Export is a file of its own; the rest is asked of whoever has the home.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::pages::{every, typed};
use crate::cli::registry::approval;
use crate::cli::registry::export::{self, ExportArguments};
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::config::project::read_gates;
use crate::evaluate::intervals::Interval;
use crate::http::views::approval::ProposeBody;
use crate::http::views::registry::{
    AliasView, Gate, History, ModelList, PromoteBody, Promoted, RollbackBody, RolledBack, VersionDetail,
};
use crate::http::views::watch::report::HoldView;
use crate::registry::version::{Alias, ModelRef, Which};

#[derive(Subcommand)]
#[command(
    after_help = "A model is named as NAME, NAME@3 or NAME:production.\n\nExamples:\n  tallystick model list\n  tallystick model promote loan-default --to production --why 'first release'\n  tallystick model rollback loan-default --why 'complaints from the branch'"
)]
pub enum ModelCommand {
    /// Every model with its newest version and its aliases
    List,
    /// One version: digests, figures, gates
    Show {
        /// NAME (what is in production), NAME@3 or NAME:staging
        model: ModelRef,
    },
    /// Point an alias at a version, if its gates allow it
    Promote {
        /// NAME (what is in production), NAME@3 or NAME:staging
        model: ModelRef,
        /// The alias to point there: staging or production
        #[arg(long, value_name = "ALIAS")]
        to: Alias,
        /// Kept with the move
        #[arg(long, default_value = "")]
        why: String,
        /// Decide by another signed policy (its digest, or the beginning of it)
        #[arg(long)]
        policy: Option<String>,
        /// Judge by another gates.toml
        #[arg(long, value_name = "FILE")]
        gates: Option<PathBuf>,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// Propose that an alias points at a version; somebody else approves
    Propose {
        /// NAME (the newest version), NAME@3 or NAME:staging
        model: ModelRef,
        /// The alias to point there: staging or production
        #[arg(long, value_name = "ALIAS")]
        to: Alias,
        /// Kept with the proposal, and with the move once it is approved
        #[arg(long)]
        why: String,
        /// Decide by another signed policy (its digest, or the beginning of it)
        #[arg(long)]
        policy: Option<String>,
    },
    /// Point an alias back at the version before
    Rollback {
        /// The model's name
        name: String,
        /// The alias to point back
        #[arg(long, default_value = "production")]
        alias: Alias,
        /// Kept with the move
        #[arg(long, default_value = "")]
        why: String,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
    /// Let a model go that a rule of monitor.toml held back
    ReleaseHold {
        /// The model's name
        name: String,
    },
    /// Every move of an alias: what, when, by whom and why
    History {
        /// The model's name
        name: String,
        /// Whose moves
        #[arg(long, default_value = "production")]
        alias: Alias,
    },
    /// Write a release as a folder that anybody can verify, or the model as SQL, PMML or a table of points
    Export(ExportArguments),
}

/// What is asked about one model.
pub fn of_model(name: &str, rest: &[&str]) -> Target {
    Target::of(["v1", "models", name].into_iter().chain(rest.iter().copied()))
}

pub fn run(command: ModelCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        ModelCommand::List => list(&invocation.client()?),
        ModelCommand::Show { model } => show(&invocation.client()?, &model),
        ModelCommand::Promote { model, to, why, policy, gates, dry_run } => {
            let client = invocation.client()?;
            let gates = gates.as_deref().map(gates_text).transpose()?;
            let (version, from) = named(model.which);
            promote(&client, &model.name, &PromoteBody { version, from, to, why, policy, gates, dry_run })
        }
        ModelCommand::Propose { model, to, why, policy } => {
            let (version, from) = named(model.which);
            let body = ProposeBody { version, from, to, why, policy };
            approval::propose(&invocation.client()?, &model.name, &body)
        }
        ModelCommand::Rollback { name, alias, why, dry_run } => {
            rollback(&invocation.client()?, &name, &RollbackBody { alias, why, dry_run })
        }
        ModelCommand::ReleaseHold { name } => release_hold(&invocation.client()?, &name),
        ModelCommand::History { name, alias } => history(&invocation.client()?, &name, alias),
        ModelCommand::Export(arguments) => export::run(&arguments, invocation),
    }
}

/// A version as a body names it: by number, by alias, or not at all.
fn named(which: Which) -> (Option<u64>, Option<Alias>) {
    match which {
        Which::Unstated => (None, None),
        Which::Number(version) => (Some(version), None),
        Which::Alias(alias) => (None, Some(alias)),
    }
}

/// The text of a gates.toml, which is read here first: an error names the file.
fn gates_text(path: &Path) -> Result<String, Failure> {
    read_gates(path)?;
    let bytes = files::read_at_most(path, limits::PROJECT_FILE_BYTES_MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn list(client: &Client) -> Result<Answer, Failure> {
    let models = every(client, Target::of(["v1", "models"]), |page: ModelList| (page.models, page.next))?;
    let mut rows = vec![["model", "newest", "label", "created", "aliases"].map(String::from).to_vec()];
    rows.extend(models.iter().map(|model| {
        let newest = &model.newest;
        let named: Vec<String> = model.aliases.iter().map(|(alias, to)| format!("{alias} -> {to}")).collect();
        let (number, label) = (newest.version.to_string(), newest.label.clone());
        vec![newest.name.clone(), number, label, newest.created.clone(), named.join(", ")]
    }));
    let text =
        if models.is_empty() { "No models yet: `tallystick train DIR`.".into() } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "models": models })))
}

/// A version, under an alias with the policy that it decides by there.
fn find(client: &Client, model: &ModelRef) -> Result<VersionDetail, Failure> {
    let numbered = |version: u64| client.get(&of_model(&model.name, &["versions", &version.to_string()]));
    match model.which {
        Which::Unstated => Ok(client.get(&of_model(&model.name, &[]))?),
        Which::Number(version) => Ok(numbered(version)?),
        Which::Alias(alias) => {
            let alias: AliasView = client.get(&of_model(&model.name, &["aliases", alias.as_str()]))?;
            let mut detail: VersionDetail = numbered(alias.version)?;
            detail.version.policy = alias.policy;
            Ok(detail)
        }
    }
}

fn show(client: &Client, model: &ModelRef) -> Result<Answer, Failure> {
    let detail = find(client, model)?;
    let version = &detail.version;
    let lines = [
        ("model", format!("{}@{} ({})", version.name, version.version, version.label)),
        ("digest", version.digest.clone()),
        ("release", version.release.clone()),
        ("policy", version.policy.clone()),
        ("signed by", detail.signed_by.clone()),
        ("run", version.run_id.clone()),
        ("created", version.created.clone()),
    ];
    let mut rows: Vec<Vec<String>> = lines.map(|(k, v)| vec![k.to_string(), v]).to_vec();
    let intervals: std::collections::BTreeMap<String, Interval> =
        typed(client, detail.evaluation["intervals"].clone())?;
    for (key, interval) in &intervals {
        let (value, low, high) = (interval.value, interval.low, interval.high);
        rows.push(vec![key.clone(), format!("{value:.4}  ({low:.4} to {high:.4})")]);
    }
    if let Some(hold) = &detail.hold {
        rows.push(vec![
            "held back".into(),
            format!("by the rule {} since {}: {}", hold.rule, hold.since, hold.why),
        ]);
    }
    Ok(Answer::new(columns(&rows), json!(detail)))
}

fn promote(client: &Client, name: &str, body: &PromoteBody) -> Result<Answer, Failure> {
    let promoted: Promoted = client.post(&of_model(name, &["promote"]), body)?;
    let version = &promoted.version;
    let verb = if promoted.dry_run { "would be" } else { "is now" };
    let text = format!(
        "{}\n{}:{} {verb} version {}, decided by policy {}.",
        gate_text(&promoted.gate),
        version.name,
        promoted.alias,
        version.version,
        short(&version.policy)
    );
    Ok(Answer::new(text, json!(promoted)))
}

/// As much of a digest as a person needs.
pub fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}

pub fn gate_text(gate: &Gate) -> String {
    let rows: Vec<Vec<String>> = gate
        .rules
        .iter()
        .map(|rule| {
            let value = rule.value.map_or("absent".into(), |v| format!("{v:.4}"));
            let mark = if rule.passed { "passed" } else { "refused" };
            vec![mark.into(), rule.metric.clone(), value, format!("{} {}", rule.bound, rule.limit)]
        })
        .collect();
    columns(&rows).trim_end().to_string()
}

fn rollback(client: &Client, name: &str, body: &RollbackBody) -> Result<Answer, Failure> {
    let back: RolledBack = client.post(&of_model(name, &["rollback"]), body)?;
    let verb = if back.dry_run { "would go" } else { "went" };
    let text = format!("{name}:{} {verb} back to version {}.", back.alias, back.version.version);
    Ok(Answer::new(text, json!(back)))
}

fn release_hold(client: &Client, name: &str) -> Result<Answer, Failure> {
    let hold: HoldView = client.delete(&of_model(name, &["hold"]))?;
    let text =
        format!("{} is free again; the rule {} held it back since {}.", hold.model, hold.rule, hold.since);
    Ok(Answer::new(text, json!(hold)))
}

fn history(client: &Client, name: &str, alias: Alias) -> Result<Answer, Failure> {
    let history: History = client.get(&of_model(name, &["aliases", alias.as_str(), "history"]))?;
    let mut rows = vec![["when", "from", "to", "policy", "by", "why"].map(String::from).to_vec()];
    rows.extend(history.moves.iter().map(|step| {
        let from = step.from.map_or("-".into(), |version| version.to_string());
        let (to, policy) = (step.to.to_string(), short(&step.policy));
        vec![step.when.clone(), from, to, policy, step.by.clone(), step.why.clone()]
    }));
    Ok(Answer::new(columns(&rows), json!(history)))
}
