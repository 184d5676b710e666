//! `why CASE`: everything a decision stands on, checked now, on one screen.
//! Decides nothing: whoever has the home checked; this prints what was found.

use clap::Args;
use serde_json::json;

use crate::base::fact::{Class, Failure};
use crate::cli::Invocation;
use crate::cli::decision::{answer, of_decision};
use crate::cli::speak::output::{Answer, columns};
use crate::http::views::why::{WhyReason, WhyView};

#[derive(Args)]
#[command(
    after_help = "Checked are the record in the signed log, the outcome by the policy, each reason, the decision made\nonce more, the model, release and policy with their signatures, who put them in force, the run and its data.\nExit 5 where anything does not verify.\n\nExamples:\n  tallystick why 0421-26-00317-K"
)]
pub struct WhyArguments {
    /// The case number or the id
    decision: String,
}

pub fn run(arguments: &WhyArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    let why: WhyView = client.get(&of_decision(&arguments.decision, &["why"])?)?;
    let answer = Answer::new(text(&why), json!(why));
    Ok(if why.verified { answer } else { answer.ending(Class::Integrity) })
}

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
