//! `key create|list|show|revoke`: API keys of services.
//! A key's text is shown once, or written to one file; nothing can show it again.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use crate::app::error::{UseCaseError, check_absent};
use crate::base::fact::Failure;
use crate::base::files;
use crate::cli::Invocation;
use crate::cli::api::pages::every;
use crate::cli::people::role_of;
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::people::{KeyList, KeyView, NewKeyBody, NewKeyView};
use crate::security::actor::Role;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick key create --name core@hq --role core-banking --days 90 --out core.key\n  tallystick key list\n  tallystick key revoke q3w8e1zk"
)]
pub enum KeyCommand {
    /// Make a key for a service
    Create {
        /// Who calls with it; the name its records carry
        #[arg(long)]
        name: String,
        /// core-banking, metrics, worker, sync or backup
        #[arg(long, value_parser = role_of)]
        role: Role,
        /// How long it is good [default: 365]
        #[arg(long)]
        days: Option<u32>,
        /// Write the key to this new file, mode 0600, instead of showing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Every key, without its secret
    List,
    /// One key, without its secret
    Show {
        /// The key's id, as `key list` shows it
        id: String,
    },
    /// End a key for good
    Revoke {
        /// The key's id, as `key list` shows it
        id: String,
    },
}

/// What is asked about one key; an id of nothing is the id of none.
fn of_key(id: &str) -> Result<Target, UseCaseError> {
    if id.is_empty() {
        return Err(UseCaseError::NoKey { id: String::new() });
    }
    Ok(Target::of(["v1", "keys", id]))
}

pub fn run(command: KeyCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        KeyCommand::Create { name, role, days, out } => {
            out.as_deref().map_or(Ok(()), check_absent)?;
            create(&invocation.client()?, &NewKeyBody { name, role, days }, out.as_deref())
        }
        KeyCommand::List => list(&invocation.client()?),
        KeyCommand::Show { id } => {
            let key: KeyView = invocation.client()?.get(&of_key(&id)?)?;
            Ok(Answer::new(columns(&lines(&key)), json!(key)))
        }
        KeyCommand::Revoke { id } => {
            let key: KeyView = invocation.client()?.delete(&of_key(&id)?)?;
            let text = format!("The key {} of {} is good for nothing any more.", key.id, key.name);
            Ok(Answer::new(text, json!(key)))
        }
    }
}

fn create(client: &Client, body: &NewKeyBody, out: Option<&Path>) -> Result<Answer, Failure> {
    let made: NewKeyView = client.post(&Target::of(["v1", "keys"]), body)?;
    let (key, secret) = (made.key, Zeroizing::new(made.secret));
    let about = format!("key {} of {} ({}), good until {}", key.id, key.name, key.role, key.expires);
    let Some(out) = out else {
        let text =
            format!("{}\n{about}\nIt is shown this once; keep it where only the service reads it.", *secret);
        let mut json = json!(key);
        json["secret"] = json!(*secret);
        return Ok(Answer::new(text, json));
    };
    let line = Zeroizing::new(format!("{}\n", *secret));
    if let Err(error) = files::write_atomic(out, line.as_bytes(), 0o600) {
        // Nobody has the key, so nobody shall be able to use it.
        let _: KeyView = client.delete(&of_key(&key.id)?)?;
        return Err(error.into());
    }
    let text = format!("{about}\nIt is in {}, which only you can read.", out.display());
    let mut json = json!(key);
    json["out"] = json!(out.display().to_string());
    Ok(Answer::new(text, json))
}

fn list(client: &Client) -> Result<Answer, Failure> {
    let keys = every(client, Target::of(["v1", "keys"]), |page: KeyList| (page.keys, page.next))?;
    let mut rows =
        vec![["key", "name", "role", "good until", "last used", "state"].map(String::from).to_vec()];
    rows.extend(keys.iter().map(|key| {
        let used = key.last_used.clone().unwrap_or("never".to_string());
        let state = if key.revoked.is_some() { "revoked" } else { "in force" };
        vec![key.id.clone(), key.name.clone(), key.role.clone(), key.expires.clone(), used, state.to_string()]
    }));
    let none = "No keys yet: `tallystick key create --name NAME --role ROLE`.";
    let text = if keys.is_empty() { none.to_string() } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "keys": keys })))
}

fn lines(key: &KeyView) -> Vec<Vec<String>> {
    let never = || "never".to_string();
    let lines = [
        ("key", key.id.clone()),
        ("name", key.name.clone()),
        ("role", key.role.clone()),
        ("made", format!("{} by {}", key.created, key.created_by)),
        ("good until", key.expires.clone()),
        ("revoked", key.revoked.clone().unwrap_or_else(never)),
        ("last used", key.last_used.clone().unwrap_or_else(never)),
    ];
    lines.map(|(name, value)| vec![name.to_string(), value]).to_vec()
}
