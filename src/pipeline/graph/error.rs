//! What is refused of a graph, of a selection and of the state folder, by name and with the next step.
//! A node's own failure keeps its code and its class.

use std::fmt;
use std::path::PathBuf;

use crate::base::canonical::CanonicalError;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::FileError;

#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error("the graph has {found} {what}; at most {max} are taken")]
    TooMany { what: String, found: usize, max: usize },
    #[error(
        "{name:?} is no name of a node or an artifact: a small letter, then small letters, digits, - and _"
    )]
    Name { name: String },
    #[error("two nodes are called {name:?}")]
    SameName { name: String },
    #[error("the nodes {first:?} and {second:?} both make {artifact:?}")]
    TwoProducers { artifact: String, first: String, second: String },
    #[error("the node {node:?} makes {artifact:?}, which is given from outside")]
    ProducesSource { node: String, artifact: String },
    #[error("the node {node:?} reads {input:?}, which no node makes{}", hint(.near))]
    MissingInput { node: String, input: String, near: Option<String> },
    #[error("nodes wait for each other: {}", .nodes.join(" -> "))]
    Cycle { nodes: Vec<String> },
    #[error("there is no {what} {name:?}{}", hint(.near))]
    Unknown { what: &'static str, name: String, near: Option<String> },
    #[error("the selection leaves no node")]
    NothingSelected,
    #[error("the node {node:?} needs {input:?}, which {by:?} has not made, and {by:?} is not selected")]
    NotMade { node: String, input: String, by: String },
    #[error("{input:?} is read by {node:?}, but no file is given for it")]
    NoSource { node: String, input: String },
    #[error("no run was interrupted, so there is none to resume")]
    NothingToResume,
    #[error("{}: what was asked of the interrupted run cannot be read", path.display())]
    UnreadableRun { path: PathBuf },
    #[error("another run works in {}", folder.display())]
    Busy { folder: PathBuf },
    #[error("the node {node:?} has ended without its output {output:?}")]
    NoOutput { node: String, output: String },
    #[error("the node {node:?} is not said to have an artifact {artifact:?}")]
    NoArtifact { node: String, artifact: String },
    #[error("{} is neither a file nor a folder of files", path.display())]
    NotContent { path: PathBuf },
    #[error("{}: its name is not UTF-8", path.display())]
    OutputName { path: PathBuf },
    #[error("{} has more than {max} files, or files that lie too deep", path.display())]
    LargeOutput { path: PathBuf, max: usize },
    #[error("{} holds {needed} bytes of artifacts that are still needed; {max} are allowed", folder.display())]
    Full { folder: PathBuf, needed: u64, max: u64 },
    #[error("{input:?} ({}) was changed while {node:?} read it", path.display())]
    SourceChanged { node: String, input: String, path: PathBuf },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map_or(String::new(), |near| format!("; did you mean {near:?}?"))
}

impl Fact for GraphError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "graph.too_many",
            Self::Name { .. } => "graph.name",
            Self::SameName { .. } => "graph.same_name",
            Self::TwoProducers { .. } => "graph.two_producers",
            Self::ProducesSource { .. } => "graph.produces_source",
            Self::MissingInput { .. } => "graph.missing_input",
            Self::Cycle { .. } => "graph.cycle",
            Self::Unknown { .. } => "graph.unknown",
            Self::NothingSelected => "graph.nothing_selected",
            Self::NotMade { .. } => "graph.not_made",
            Self::NoSource { .. } => "graph.no_source",
            Self::NothingToResume => "graph.nothing_to_resume",
            Self::UnreadableRun { .. } => "graph.unreadable_run",
            Self::Busy { .. } => "graph.busy",
            Self::NoOutput { .. } => "graph.no_output",
            Self::NoArtifact { .. } => "graph.no_artifact",
            Self::NotContent { .. } => "graph.not_content",
            Self::OutputName { .. } => "graph.output_name",
            Self::LargeOutput { .. } => "graph.large_output",
            Self::Full { .. } => "graph.full",
            Self::SourceChanged { .. } => "graph.source_changed",
            Self::File(error) => error.code(),
            Self::Canonical(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } | Self::Full { .. } => Class::Unavailable,
            Self::NoOutput { .. }
            | Self::NoArtifact { .. }
            | Self::NotContent { .. }
            | Self::OutputName { .. }
            | Self::LargeOutput { .. } => Class::Failed,
            Self::SourceChanged { .. } | Self::UnreadableRun { .. } => Class::Integrity,
            Self::File(error) => error.class(),
            Self::Canonical(error) => error.class(),
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } | Self::NothingSelected => {
                Some("`tallystick pipeline plan DIR` names every node and its tags.".into())
            }
            Self::NotMade { by, .. } => Some(format!("Begin with it: `--from {by}`.")),
            Self::NoSource { .. } => Some("Name the data file.".into()),
            Self::NothingToResume | Self::UnreadableRun { .. } => {
                Some("Run the pipeline without --resume.".into())
            }
            Self::Busy { .. } => Some("Wait until it has ended, or stop it.".into()),
            Self::Full { folder, .. } => Some(format!(
                "Remove {}; everything in it can be made again, or allow it more room.",
                folder.display()
            )),
            Self::SourceChanged { .. } => Some("Run it again once the file is complete.".into()),
            Self::File(error) => error.next_step(),
            _ => None,
        }
    }
}

/// A failure within a node, told with the node's name.
#[derive(Debug)]
pub struct NodeFailed {
    pub node: String,
    pub failure: Failure,
}

impl fmt::Display for NodeFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}: {}", self.node, self.failure)
    }
}

impl std::error::Error for NodeFailed {}

impl Fact for NodeFailed {
    fn code(&self) -> &'static str {
        self.failure.code()
    }

    fn class(&self) -> Class {
        self.failure.class()
    }

    fn next_step(&self) -> Option<String> {
        self.failure.next_step()
    }

    fn details(&self) -> Option<serde_json::Value> {
        self.failure.details()
    }
}
