//! `init` and `store check`: the home as a folder.
//! Never opens a home that it should make, nor makes one that it should open.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::home;
use crate::app::integrity;
use crate::base::clock::SystemClock;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;

#[derive(Args)]
#[command(after_help = "Examples:\n  tallystick init\n  tallystick --home /srv/tallystick init")]
pub struct InitArguments {}

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Check every page, row and blob of the home; exit 5 names what is damaged
    Check,
}

pub fn init(_arguments: InitArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let folder = invocation.home_folder()?;
    let made = home::init(&folder, &home::local_person()?, &SystemClock)?;
    let text = format!(
        "The home is {}.\nThis box signs with the key {}; its trust root has the digest\n  {}\n\
         Next: `tallystick project new --from FILE` or `tallystick demo`.",
        folder.display(),
        made.key_id,
        made.trust_digest
    );
    let json = json!({
        "home": folder.display().to_string(),
        "store_id": made.store_id,
        "key_id": made.key_id,
        "trust_digest": made.trust_digest,
    });
    Ok(Answer::new(text, json))
}

pub fn run_store(command: StoreCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        StoreCommand::Check => {
            let report = integrity::check_store(&invocation.home_folder()?)?;
            let text = format!(
                "No damage found: {} rows and {} blobs are as they were written.",
                report.rows, report.blobs
            );
            Ok(Answer::new(text, json!({"problems": [], "rows": report.rows, "blobs": report.blobs})))
        }
    }
}
