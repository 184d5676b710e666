//! `audit verify|log|export`: the tally log as people and other programs check it.
//! Never writes to the log.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::app::integrity;
use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::output::{Answer, columns, list_limit};

#[derive(Subcommand)]
#[command(after_help = "Examples:\n  tallystick audit verify\n  tallystick audit export log/")]
pub enum AuditCommand {
    /// Recompute the whole log and prove that it was only ever appended to
    Verify,
    /// List what was done, by whom and when
    Log {
        /// The first record to show
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many at most
        #[arg(long, default_value_t = 50, value_parser = list_limit)]
        limit: usize,
    },
    /// Write checkpoint, leaves and trust root for another program to verify
    Export {
        /// A folder that does not exist yet
        folder: PathBuf,
    },
}

pub fn run(command: AuditCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        AuditCommand::Verify => verify(invocation),
        AuditCommand::Log { from, limit } => log(from, limit, invocation),
        AuditCommand::Export { folder } => {
            let size = integrity::export_log(&invocation.app()?, &folder)?;
            let text = format!("{size} leaves are in {}.", folder.display());
            Ok(Answer::new(text, json!({"folder": folder.display().to_string(), "size": size})))
        }
    }
}

fn verify(invocation: &Invocation) -> Result<Answer, Failure> {
    let report = integrity::verify_log(&invocation.app()?)?;
    let text = format!(
        "The log holds: {} records, {} signed checkpoints, root\n  {}",
        report.records, report.checkpoints, report.root
    );
    let json = json!({
        "records": report.records,
        "checkpoints": report.checkpoints,
        "root": report.root,
    });
    Ok(Answer::new(text, json))
}

fn log(from: u64, limit: usize, invocation: &Invocation) -> Result<Answer, Failure> {
    let headers = integrity::list_records(&invocation.app()?, from, limit)?;
    let mut rows = vec![["seq", "time", "kind", "actor", "subject"].map(String::from).to_vec()];
    rows.extend(headers.iter().map(|h| {
        let kind = serde_json::to_value(h.kind).ok().and_then(|v| v.as_str().map(String::from));
        vec![
            h.seq.to_string(),
            millis_to_text(h.time_ms),
            kind.unwrap_or_default(),
            format!("{} ({})", h.actor.name(), h.actor.role()),
            h.subject.clone(),
        ]
    }));
    Ok(Answer::new(columns(&rows), json!({"records": headers})))
}
