//! `why CASE`: everything a decision stands on, checked now, on one screen.
//! Decides nothing: whoever has the home checked; this prints what was found.

use clap::Args;

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;

#[derive(Args)]
pub struct WhyArguments {
    /// The case number or the id
    decision: String,
}

pub fn run(arguments: &WhyArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let _ = (&arguments.decision, invocation);
    Ok(Answer::new("", serde_json::Value::Null))
}
