//! `project new|check`: the folder a data scientist owns.
//! Guesses are written as comments; nothing is decided behind anybody's back.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::output::Answer;
use crate::config::project::Project;

#[derive(Subcommand)]
pub enum ProjectCommand {
    /// Check every file of a project, and that they fit each other
    Check { project: PathBuf },
}

pub fn run(command: ProjectCommand, _invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        ProjectCommand::Check { project } => {
            let loaded = Project::load(&project, &[])?;
            let name = &loaded.settings.name;
            let features = loaded.recipe.features().len();
            let text = format!(
                "{name} holds together: {features} features, configuration {}.",
                loaded.digest.short()
            );
            Ok(Answer::new(text, json!({"name": name, "features": features, "config": loaded.digest})))
        }
    }
}
