//! What can be wrong with what is asked of a schedule.

use crate::base::fact::{Class, Fact};
use crate::base::limits;

#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    #[error("no schedule of a project {project:?} is in force here{known}")]
    NoProject { project: String, known: String },
    #[error("the project {project:?} has no chain {chain:?}{hint}")]
    NoChain { project: String, chain: String, hint: String },
    #[error("there is no run {id:?} of a chain in this home")]
    NoRun { id: String },
    #[error("the project {project:?} has no schedule.toml")]
    NoSchedule { project: String },
    #[error("{max} projects are in force here; that is how many there may be", max = limits::PROJECTS_APPLIED_MAX)]
    ManyProjects,
    #[error("the chain {chain:?} is {what} already")]
    Already { chain: String, what: &'static str },
    #[error("the run {id} has ended: {status}")]
    Ended { id: String, status: &'static str },
    #[error("a run of the chain {chain:?} has not ended: {id}")]
    StillRuns { chain: String, id: String },
    /// Whoever asks over the network hears of the project's inbox, and not where the home lies.
    #[error("no file in the inbox of {project} fits {pattern:?}")]
    NoFile { project: String, pattern: String },
    #[error("the run was not started by a file, and the step names none")]
    NoFileNamed,
    #[error("the run has trained no version before this step")]
    NothingTrained,
}

impl Fact for ChainError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoProject { .. } => "schedule.unknown_project",
            Self::NoChain { .. } => "schedule.unknown_chain",
            Self::NoRun { .. } => "chain_run.unknown",
            Self::NoSchedule { .. } => "schedule.none",
            Self::ManyProjects => "schedule.many_projects",
            Self::Already { .. } => "schedule.already",
            Self::Ended { .. } => "chain_run.ended",
            Self::StillRuns { .. } => "chain_run.still_runs",
            Self::NoFile { .. } => "chain_run.no_file",
            Self::NoFileNamed => "chain_run.no_file_named",
            Self::NothingTrained => "chain_run.nothing_trained",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoFile { .. } => Class::DataRefused,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoProject { .. } => "Put it in force: `tallystick schedule apply DIR`.".into(),
            Self::NoChain { .. } => "See what there is: `tallystick schedule list`.".into(),
            Self::NoRun { .. } => "See the latest: `tallystick schedule history`.".into(),
            Self::NoSchedule { .. } => "Write one beside project.toml; docs/SCHEDULE.md shows how.".into(),
            Self::StillRuns { .. } => "Wait until it has ended, or cancel it.".into(),
            Self::NoFile { project, .. } => {
                format!("Put the file into the folder inbox/{project} of the home.")
            }
            Self::NoFileNamed => "Give the step a `file` in schedule.toml.".into(),
            Self::NothingTrained => "Put a step that runs train before it.".into(),
            Self::ManyProjects | Self::Already { .. } | Self::Ended { .. } => return None,
        })
    }
}
