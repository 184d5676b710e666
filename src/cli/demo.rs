//! `demo`: from nothing to a decision, on invented loans.
//! Does what a person would do with the other commands, by the same use cases.

use clap::Args;

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::output::Answer;

#[derive(Args)]
pub struct DemoArguments {}

pub fn run(_arguments: DemoArguments, _invocation: &Invocation) -> Result<Answer, Failure> {
    Ok(Answer::new("", serde_json::json!(null)))
}
