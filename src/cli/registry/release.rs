//! `release verify`: an exported release, without a home.
//! Never takes the folder's own trust root for the bank's without saying so.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::app::registry::exported;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;

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

pub fn run(command: ReleaseCommand, _invocation: &Invocation) -> Result<Answer, Failure> {
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
