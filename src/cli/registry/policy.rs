//! `policy list|show|sign`: what a probability leads to.
//! Signing reads a project's files and needs the home itself; the rest is asked of whoever has the home.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::app::error::UseCaseError;
use crate::app::registry::policies;
use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::api::pages::{every, typed};
use crate::cli::speak::output::{Answer, columns};
use crate::client::target::Target;
use crate::config::project::Project;
use crate::decide::resolved::PolicyObject;
use crate::http::views::policy::{PolicyList, PolicyView};

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

pub fn run(command: PolicyCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        PolicyCommand::List => list(invocation),
        PolicyCommand::Show { digest } => show(&digest, invocation),
        PolicyCommand::Sign { project } => sign(&project, invocation),
    }
}

fn list(invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    let policies =
        every(&client, Target::of(["v1", "policies"]), |page: PolicyList| (page.policies, page.next))?;
    let mut table = vec![["policy", "name", "signed"].map(String::from).to_vec()];
    table.extend(
        policies.iter().map(|p| vec![p.digest.clone(), p.name.clone(), millis_to_text(p.created_ms)]),
    );
    let text = if policies.is_empty() { "No policies yet.".into() } else { columns(&table) };
    Ok(Answer::new(text, json!({ "policies": policies })))
}

fn show(digest: &str, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    if digest.is_empty() {
        return Err(UseCaseError::NoPolicy { wanted: String::new() }.into());
    }
    let policy: PolicyView = client.get(&Target::of(["v1", "policies", digest]))?;
    let object: PolicyObject = typed(&client, policy.policy.clone())?;
    let mut text = format!("{} ({})\ncut-off {}\n", object.name, policy.digest, object.cutoff.value);
    for band in &object.bands {
        let upto = band.upto.map_or("otherwise".into(), |p| format!("below {p:.4}"));
        text += &format!("  {:<10} {upto}\n", band.outcome);
    }
    Ok(Answer::new(text, json!(policy)))
}

fn sign(project: &std::path::Path, invocation: &Invocation) -> Result<Answer, Failure> {
    let app = invocation.app()?;
    let row = policies::sign(&app, &Project::load(project, &[])?)?;
    let text = format!(
        "Signed policy {} ({}).\nNext: `tallystick model promote NAME --to production --policy {}`.",
        row.name,
        row.digest,
        row.digest.short()
    );
    Ok(Answer::new(text, json!({"name": row.name, "digest": row.digest})))
}
