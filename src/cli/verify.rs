//! `verify`: a receipt proved on the word of one public key or a trust root, without a home.
//! Never believes a key that came with the receipt.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::app::integrity;
use crate::base::clock::{TimeQuality, millis_to_text};
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::ledger::decision::{DecisionFacts, Flag};
use crate::ledger::receipt::{Anchor, Receipt, VerifiedReceipt};
use crate::security::key::{NotAPublicKey, PublicKey};
use crate::security::trust::TrustRoot;

#[derive(Args)]
#[command(after_help = "Examples:\n  tallystick verify receipt.json --trust trust.json\n  \
    tallystick verify receipt.json --key Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")]
pub struct VerifyArguments {
    /// The receipt's file, or a file with the text of its QR code
    receipt: PathBuf,
    /// The box's public key, as the bank publishes it (base64)
    #[arg(long, value_name = "BASE64", conflicts_with = "trust")]
    key: Option<String>,
    /// The box's trust root, learnt another way than the receipt
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum AnchorError {
    #[error("nothing says whose word counts")]
    Missing,
    #[error(transparent)]
    Key(#[from] NotAPublicKey),
}

impl Fact for AnchorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "verify.no_anchor",
            Self::Key(_) => "verify.key",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        let keys =
            "Give --key BASE64 or --trust FILE, as learnt from the bank and not from the receipt's sender.";
        Some(keys.to_string())
    }
}

pub fn run(arguments: VerifyArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let bytes = files::read_at_most(&arguments.receipt, limits::RECEIPT_BYTES_MAX)?;
    let verified = match (arguments.key, arguments.trust) {
        (Some(key), _) => {
            let key = PublicKey::try_from(key).map_err(AnchorError::Key)?;
            Receipt::parse_any(&bytes)?.verify(Anchor::Key(key))?
        }
        (None, Some(path)) => {
            let trust = TrustRoot::parse(&files::read_at_most(&path, limits::TRUST_FILE_BYTES_MAX)?)?;
            Receipt::parse_any(&bytes)?.verify(Anchor::Trust(&trust))?
        }
        (None, None) if invocation.home.is_some() => {
            let trust = integrity::trust_root(&invocation.app()?)?;
            Receipt::parse_any(&bytes)?.verify(Anchor::Trust(&trust))?
        }
        (None, None) => return Err(AnchorError::Missing.into()),
    };
    Ok(Answer::new(text(&verified), document(&verified)))
}

fn text(verified: &VerifiedReceipt) -> String {
    let header = &verified.header;
    let mut lines = vec![match &header.decision {
        Some(facts) => headline(facts),
        None => format!("The receipt holds: {} of {}.", kind(verified), header.subject),
    }];
    let rehearsal = if header.quality == TimeQuality::Simulated { ", a simulated time" } else { "" };
    lines.push(format!("  when      {}{rehearsal}", millis_to_text(header.time_ms)));
    lines.push(format!("  by        {}", header.actor));
    if let Some(facts) = &header.decision {
        lines.extend(details(facts));
    }
    lines.push(format!("  record    {} of the log of store {}", header.seq, verified.store_id));
    let name = verified.key_name.as_ref().map_or(String::new(), |name| format!(" ({name})"));
    lines.push(format!(
        "  shown by  the checkpoint at size {}, signed by key {}{name}",
        verified.head.size, verified.key_id
    ));
    lines.join("\n")
}

fn headline(facts: &DecisionFacts) -> String {
    match (&facts.case, &facts.outcome) {
        (Some(case), Some(outcome)) => format!("The receipt holds: case {case} was decided: {outcome}."),
        _ => format!("The receipt holds: prediction {}.", facts.id),
    }
}

fn details(facts: &DecisionFacts) -> Vec<String> {
    let version = facts.version.map_or(", no version".to_string(), |version| format!("@{version}"));
    let mut lines = vec![format!("  model     {}{version}", facts.name)];
    if let Some(ground) = &facts.by {
        let band = facts.band.map_or(String::new(), |band| format!(", in band {band}"));
        lines.push(format!("  ground    {ground}{band}"));
    }
    if !facts.flags.is_empty() {
        let flags: Vec<&str> = facts.flags.iter().map(|flag: &Flag| flag.as_str()).collect();
        lines.push(format!("  flags     {}", flags.join(", ")));
    }
    lines
}

fn kind(verified: &VerifiedReceipt) -> String {
    let kind = serde_json::to_value(verified.header.kind).ok();
    kind.as_ref().and_then(Value::as_str).unwrap_or_default().replace('_', " ")
}

fn document(verified: &VerifiedReceipt) -> Value {
    let facts = verified.header.decision.as_ref();
    json!({
        "verified": true,
        "case": facts.and_then(|facts| facts.case),
        "outcome": facts.and_then(|facts| facts.outcome.clone()),
        "actor": verified.header.actor,
        "time": millis_to_text(verified.header.time_ms),
        "header": verified.header,
        "leaf_hash": verified.leaf_hash,
        "log": {"size": verified.head.size, "root": verified.head.root, "store_id": verified.store_id},
        "signed_by": {"key_id": verified.key_id, "name": verified.key_name},
    })
}
