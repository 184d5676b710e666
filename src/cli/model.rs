//! `model`, `policy` and `release`: the registry as people see it.
//! Never moves an alias past a gate; the use case refuses.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::home::App;
use crate::app::registry::promotion::{self, MoveAs, PromoteRequest};
use crate::app::registry::{exported, policies, versions};
use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns};
use crate::config::project::{Project, read_gates};
use crate::registry::gate::GateReport;
use crate::registry::version::{Alias, ModelRef};
use crate::store::rows::registry::VersionRow;

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
    /// Every move of an alias: what, when, by whom and why
    History {
        /// The model's name
        name: String,
        /// Whose moves
        #[arg(long, default_value = "production")]
        alias: Alias,
    },
    /// Write a release as a folder that anybody can verify
    Export {
        /// NAME (what is in production), NAME@3 or NAME:staging
        model: ModelRef,
        /// A folder that does not exist yet
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
#[command(after_help = "Examples:\n  tallystick policy list\n  tallystick policy sign my-loans")]
pub enum PolicyCommand {
    /// Every signed policy
    List,
    /// One policy: its bands, rules and cut-off
    Show {
        /// The policy's digest, or the beginning of it
        digest: String,
    },
    /// Sign the policy of a project whose cut-off is written down
    Sign {
        /// The project folder
        project: PathBuf,
    },
}

#[derive(Subcommand)]
pub enum ReleaseCommand {
    /// Check digests, signatures and golden rows of an exported folder
    Verify {
        /// What `model export` wrote
        folder: PathBuf,
        /// Trust this root instead of the one in the folder
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
    },
}

pub fn run(command: ModelCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    let app = invocation.app()?;
    match command {
        ModelCommand::List => list(&app),
        ModelCommand::Show { model } => show(&app, &model),
        ModelCommand::Promote { model, to, why, policy, gates, dry_run } => {
            let policy = policy.map(|wanted| policies::find_digest(&app, &wanted)).transpose()?;
            let gates = gates.as_deref().map(read_gates).transpose()?;
            let move_as = MoveAs { dry_run, from: Vec::new() };
            promote(&app, &PromoteRequest { model, to, why, policy, gates, move_as })
        }
        ModelCommand::Rollback { name, alias, why, dry_run } => {
            let version =
                promotion::rollback(&app, &name, alias, &why, &MoveAs { dry_run, from: Vec::new() })?;
            let verb = if dry_run { "would go" } else { "went" };
            let text = format!("{name}:{alias} {verb} back to version {}.", version.version);
            Ok(Answer::new(
                text,
                version_json(&version, &[("alias", json!(alias)), ("dry_run", json!(dry_run))]),
            ))
        }
        ModelCommand::History { name, alias } => history(&app, &name, alias),
        ModelCommand::Export { model, folder } => {
            let version = versions::export(&app, &model, &folder)?;
            let text = format!("{}@{} is in {}.", version.name, version.version, folder.display());
            Ok(Answer::new(text, version_json(&version, &[("folder", json!(folder))])))
        }
    }
}

fn version_json(version: &VersionRow, more: &[(&str, Value)]) -> Value {
    let mut out = json!({
        "name": version.name,
        "version": version.version,
        "label": version.label,
        "digest": version.model,
        "release": version.release,
        "policy": version.policy,
        "run_id": version.run_id,
        "created": millis_to_text(version.created_ms),
    });
    for (key, value) in more {
        out[*key] = value.clone();
    }
    out
}

fn list(app: &App) -> Result<Answer, Failure> {
    let models = versions::list_models(app)?;
    let mut rows = vec![["model", "newest", "label", "created", "aliases"].map(String::from).to_vec()];
    let mut json = Vec::new();
    for (version, aliases) in &models {
        let named: Vec<String> = aliases.iter().map(|a| format!("{} -> {}", a.alias, a.version)).collect();
        let created = millis_to_text(version.created_ms);
        let number = version.version.to_string();
        rows.push(vec![version.name.clone(), number, version.label.clone(), created, named.join(", ")]);
        let aliases: Value = aliases.iter().map(|a| (a.alias.clone(), json!(a.version))).collect();
        json.push(version_json(version, &[("aliases", aliases)]));
    }
    let text =
        if models.is_empty() { "No models yet: `tallystick train DIR`.".into() } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "models": json })))
}

fn show(app: &App, model: &ModelRef) -> Result<Answer, Failure> {
    let (version, policy) = versions::find_version(app, model, false)?;
    let evaluation = versions::evaluation(app, &version)?;
    let release = versions::load_release(app, &version)?;
    let signed_by = release.signed_by().key_id.to_string();
    let lines = [
        ("model", format!("{}@{} ({})", version.name, version.version, version.label)),
        ("digest", version.model.to_hex()),
        ("release", version.release.to_hex()),
        ("policy", policy.to_hex()),
        ("signed by", signed_by.clone()),
        ("run", version.run_id.clone()),
        ("created", millis_to_text(version.created_ms)),
    ];
    let mut rows: Vec<Vec<String>> = lines.map(|(k, v)| vec![k.to_string(), v]).to_vec();
    for (key, interval) in &evaluation.intervals {
        let (value, low, high) = (interval.value, interval.low, interval.high);
        rows.push(vec![key.clone(), format!("{value:.4}  ({low:.4} to {high:.4})")]);
    }
    let more = [
        ("policy", json!(policy)),
        ("signed_by", json!(signed_by)),
        ("evaluation", json!(evaluation)),
        ("lineage", json!(release.release().lineage)),
    ];
    Ok(Answer::new(columns(&rows), version_json(&version, &more)))
}

fn promote(app: &App, request: &PromoteRequest) -> Result<Answer, Failure> {
    let promoted = promotion::promote(app, request)?;
    let version = &promoted.version;
    let verb = if request.move_as.dry_run { "would be" } else { "is now" };
    let text = format!(
        "{}\n{}:{} {verb} version {}, decided by policy {}.",
        gate_text(&promoted.gate),
        version.name,
        request.to,
        version.version,
        promoted.policy.short()
    );
    let more = [
        ("alias", json!(request.to)),
        ("policy", json!(promoted.policy)),
        ("gate", json!(promoted.gate)),
        ("dry_run", json!(request.move_as.dry_run)),
    ];
    Ok(Answer::new(text, version_json(version, &more)))
}

fn gate_text(gate: &GateReport) -> String {
    let rows: Vec<Vec<String>> = gate
        .rules
        .iter()
        .map(|rule| {
            let value = rule.value.map_or("absent".into(), |v| format!("{v:.4}"));
            let mark = if rule.passed { "passed" } else { "refused" };
            vec![mark.into(), rule.metric.clone(), value, format!("{} {}", rule.bound.as_str(), rule.limit)]
        })
        .collect();
    columns(&rows).trim_end().to_string()
}

fn history(app: &App, name: &str, alias: Alias) -> Result<Answer, Failure> {
    let moves = promotion::history(app, name, alias)?;
    let mut rows = vec![["when", "from", "to", "policy", "by", "why"].map(String::from).to_vec()];
    let mut json = Vec::new();
    for step in &moves {
        let from = step.from.as_ref().map(|t| t.version);
        let when = millis_to_text(step.moved_ms);
        let (to, policy) = (step.to.version, step.to.policy);
        let from_text = from.map_or("-".into(), |v| v.to_string());
        rows.push(vec![
            when.clone(),
            from_text,
            to.to_string(),
            policy.short(),
            step.by.clone(),
            step.why.clone(),
        ]);
        json.push(
            json!({"when": when, "from": from, "to": to, "policy": policy, "by": step.by, "why": step.why}),
        );
    }
    Ok(Answer::new(columns(&rows), json!({"name": name, "alias": alias, "moves": json})))
}

pub fn run_policy(command: PolicyCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        PolicyCommand::List => {
            let rows = policies::list(&invocation.app()?)?;
            let mut table = vec![["policy", "name", "signed"].map(String::from).to_vec()];
            table.extend(
                rows.iter().map(|r| vec![r.digest.to_hex(), r.name.clone(), millis_to_text(r.created_ms)]),
            );
            let text = if rows.is_empty() { "No policies yet.".into() } else { columns(&table) };
            Ok(Answer::new(text, json!({ "policies": rows })))
        }
        PolicyCommand::Show { digest } => {
            let policy = policies::find(&invocation.app()?, &digest)?;
            let object = policy.policy().object();
            let mut text =
                format!("{} ({})\ncut-off {}\n", object.name, policy.digest(), object.cutoff.value);
            for band in &object.bands {
                let upto = band.upto.map_or("otherwise".into(), |p| format!("below {p:.4}"));
                text += &format!("  {:<10} {upto}\n", band.outcome);
            }
            Ok(Answer::new(text, json!({"digest": policy.digest(), "policy": object})))
        }
        PolicyCommand::Sign { project } => {
            let app = invocation.app()?;
            let row = policies::sign(&app, &Project::load(&project, &[])?)?;
            let text = format!(
                "Signed policy {} ({}).\nNext: `tallystick model promote NAME --to production --policy {}`.",
                row.name,
                row.digest,
                row.digest.short()
            );
            Ok(Answer::new(text, json!({"name": row.name, "digest": row.digest})))
        }
    }
}

pub fn run_release(command: ReleaseCommand, _invocation: &Invocation) -> Result<Answer, Failure> {
    let ReleaseCommand::Verify { folder, trust } = command;
    let seen = exported::verify(&folder, trust.as_deref())?;
    let text = format!(
        "{}@{} holds: model {}\nsigned by {} ({}); {} golden rows give their margins to the bit.{}",
        seen.name,
        seen.version,
        seen.model,
        seen.signed_by,
        seen.key_id,
        seen.golden_rows,
        if trust.is_some() {
            ""
        } else {
            "\nThe trust root is the folder's own: compare its digest with the box's."
        }
    );
    let json = json!({
        "name": seen.name, "version": seen.version, "digest": seen.model, "key_id": seen.key_id,
        "trust_digest": seen.trust, "golden_rows": seen.golden_rows,
    });
    Ok(Answer::new(text, json))
}
