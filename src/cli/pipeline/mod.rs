//! `pipeline plan|run|viz|status`: a project's flow node by node, kept beside the project, without a home.
//! Registers nothing: what comes out is a candidate, the one that `train` would make.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::pipeline::graph::select::Selection;

mod error;
mod order;
mod place;
mod show;
mod told;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick pipeline plan my-loans --data loans.csv --only-stale\n  tallystick pipeline run my-loans --data loans.csv --only-stale --params train.toml.seed=8\n  tallystick pipeline run my-loans --data loans.csv --resume\n  tallystick pipeline viz my-loans -o flow.svg"
)]
pub enum PipelineCommand {
    /// What a run would do with each node, and why; runs nothing
    Plan(PlanArguments),
    /// Run the nodes that are selected, in their order
    Run(RunArguments),
    /// Draw the graph: in the terminal, as SVG or as a page
    Viz(VizArguments),
    /// What is kept of each node, and whether a run was interrupted
    Status(StatusArguments),
}

#[derive(Args)]
struct PlaceArguments {
    /// The project folder
    project: PathBuf,
    /// Where records and artifacts are kept [default: .tallystick/pipeline in the project folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Args)]
struct SelectionArguments {
    /// These nodes and all that needs them
    #[arg(long, value_name = "NODE,...", value_delimiter = ',')]
    from: Vec<String>,
    /// These nodes and all they need
    #[arg(long, value_name = "NODE,...", value_delimiter = ',')]
    to: Vec<String>,
    /// These nodes alone
    #[arg(long, value_name = "NODE,...", value_delimiter = ',')]
    nodes: Vec<String>,
    /// Nodes with one of these tags
    #[arg(long, value_name = "TAG,...", value_delimiter = ',')]
    tags: Vec<String>,
    /// Change a key of train.toml for this run
    #[arg(long, value_name = "train.toml.KEY=VALUE", value_parser = change)]
    params: Vec<String>,
    /// Spare nodes of which nothing has changed
    #[arg(long)]
    only_stale: bool,
}

impl SelectionArguments {
    fn wanted(self) -> Selection {
        let Self { from, to, nodes, tags, params, only_stale } = self;
        Selection { from, to, nodes, tags, params, only_stale }
    }
}

#[derive(Args)]
pub struct PlanArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The rows, as CSV or Parquet
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    selection: SelectionArguments,
}

#[derive(Args)]
#[command(
    after_help = "Ctrl-C stops between two steps. What was done stays done, also when the machine dies: --resume goes on.\n\nExamples:\n  tallystick pipeline run my-loans --data loans.csv --only-stale\n  tallystick pipeline run my-loans --data loans.csv --from evaluate --out candidate\n  tallystick pipeline run my-loans --data loans.csv --resume"
)]
pub struct RunArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The rows, as CSV or Parquet
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Go on with the run that was interrupted, as it was asked for
    #[arg(long, conflicts_with_all = ["from", "to", "nodes", "tags", "params", "only_stale"])]
    resume: bool,
    /// A folder that does not exist yet, for the candidate
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub struct VizArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// A file that ends in .svg or .html; one that is there is replaced [default: text in the terminal]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The rows to hold against what is kept [default: as if they had not changed]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
}

#[derive(Args)]
pub struct StatusArguments {
    #[command(flatten)]
    place: PlaceArguments,
    /// The rows to hold against what is kept [default: as if they had not changed]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
}

pub fn run(command: PipelineCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        PipelineCommand::Plan(arguments) => show::plan(arguments, invocation),
        PipelineCommand::Run(arguments) => order::run(arguments, invocation),
        PipelineCommand::Viz(arguments) => show::viz(&arguments, invocation),
        PipelineCommand::Status(arguments) => show::status(&arguments, invocation),
    }
}

/// With or without the file's name; the other files are changed where they stand.
fn change(text: &str) -> Result<String, String> {
    let key = text.split_once('=').map(|(key, _)| key).ok_or("write train.toml.KEY=VALUE")?;
    match (text.strip_prefix("train.toml."), key.split_once(".toml.")) {
        (Some(own), _) => Ok(own.to_string()),
        (None, Some((file, _))) => Err(format!("only train.toml is changed by a run; edit {file}.toml")),
        (None, None) => Ok(text.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn a_change_is_to_train_toml_and_names_it_or_not() {
        assert_eq!(change("train.toml.logistic.epochs=3").unwrap(), "logistic.epochs=3");
        assert_eq!(change("seed=8").unwrap(), "seed=8");
        assert!(change("recipe.toml.x=1").unwrap_err().contains("edit recipe.toml"));
        assert!(change("seed").is_err());
    }
}
