//! `why CASE`: everything a decision stands on, checked now, on one screen.
//! Decides nothing: whoever has the home checked; this prints what was found.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::app::error::{UseCaseError, check_absent};
use crate::base::fact::{Class, Failure};
use crate::base::files;
use crate::cli::Invocation;
use crate::cli::decision::{answer, of_decision};
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::evaluate::charts::explain::waterfall::draw_waterfall;
use crate::evaluate::importance::waterfall::{Step, waterfall};
use crate::http::views::decision::{ExplanationView, Share};
use crate::http::views::why::{WhyReason, WhyView};

#[derive(Args)]
#[command(
    after_help = "Checked are the record in the signed log, the outcome by the policy, each reason, the decision made\nonce more, the model, release and policy with their signatures, who put them in force, the run and its data.\nExit 5 where anything does not verify.\n\nExamples:\n  tallystick why 0421-26-00317-K\n  tallystick why 0421-26-00317-K --waterfall steps.svg"
)]
pub struct WhyArguments {
    /// The case number or the id
    decision: String,
    /// Also draw what each field added to the score, into a file that does not exist yet
    #[arg(long, value_name = "FILE.svg")]
    waterfall: Option<PathBuf>,
}

pub fn run(arguments: &WhyArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    let why: WhyView = client.get(&of_decision(&arguments.decision, &["why"])?)?;
    if let Some(path) = &arguments.waterfall {
        draw(&client, &arguments.decision, path)?;
    }
    let answer = Answer::new(text(&why), json!(why));
    Ok(if why.verified { answer } else { answer.ending(Class::Integrity) })
}

/// The record's own shares, one step a field; a case that had no score has no steps.
fn draw(client: &Client, decision: &str, path: &Path) -> Result<(), Failure> {
    check_absent(path)?;
    let told: ExplanationView = client.get(&of_decision(decision, &["explanation"])?)?;
    let (Some(base), Some(margin)) = (told.base, told.margin) else {
        return Err(UseCaseError::Unscored { id: decision.to_string() }.into());
    };
    let reasons = told.reasons.iter().flat_map(|reasons| &reasons.list);
    let values: Vec<_> = reasons.map(|reason| (reason.field.as_str(), reason.value.as_deref())).collect();
    let step = |share: &Share| {
        // The explanation tells the values of reasons alone; the others' are not known here.
        let value = match values.iter().find(|(field, _)| share.field == *field) {
            Some((_, value)) => value.unwrap_or_default(),
            None => NOT_TOLD,
        };
        Step { field: share.field.to_string(), value: value.to_string(), contribution: share.value }
    };
    let steps: Vec<Step> = told.contributions.iter().map(step).collect();
    let walk = waterfall(base, &steps, margin, told.probability)?;
    files::write_atomic(path, draw_waterfall(&walk).as_bytes(), 0o600)?;
    Ok(())
}

/// In place of a value that is no reason's.
const NOT_TOLD: &str = "\u{b7}";

fn text(why: &WhyView) -> String {
    let mut text = answer::headline(&why.record, why.outcome.as_deref()) + "\n";
    if !why.reasons.is_empty() {
        text += &columns(&why.reasons.iter().map(reason).collect::<Vec<_>>());
    }
    for check in &why.checks {
        // Whole, where a column would be cut; what was written as a reason cannot move the cursor.
        let found = check.found.replace(char::is_control, " ");
        text += &format!("{:<6}  {:<9}  {found}\n", mark(check.verified), check.what);
    }
    let parts = why.checks.iter().map(|check| check.verified).chain(why.reasons.iter().map(|r| r.verified));
    let (all, wrong) = (why.checks.len() + why.reasons.len(), parts.filter(|verified| !verified).count());
    text + &match wrong {
        0 => format!("All {all} parts verify."),
        _ => format!("{wrong} of {all} parts do not verify."),
    }
}

fn mark(verified: bool) -> &'static str {
    if verified { "ok" } else { "NOT OK" }
}

fn reason(reason: &WhyReason) -> Vec<String> {
    let value = reason.value.as_deref().unwrap_or("missing");
    let beside = match (&reason.reference, reason.contribution) {
        (Some(reference), Some(share)) => format!("measured from {reference}, {share:+.4}"),
        (None, Some(share)) => format!("{share:+.4}"),
        (_, None) => "by a rule".to_string(),
    };
    vec![
        mark(reason.verified).to_string(),
        format!("{} = {value}", reason.field),
        reason.text.clone(),
        beside,
    ]
}
