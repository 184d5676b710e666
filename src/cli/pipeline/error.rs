//! What the pipeline's commands refuse before a node is asked, and how a stopped run says how to go on.

use std::path::PathBuf;

use crate::base::fact::{Class, Fact, Failure};

#[derive(Debug, thiserror::Error)]
pub enum PipelineFault {
    #[error("{} holds other things than a pipeline's state", folder.display())]
    ForeignFolder { folder: PathBuf },
    #[error("what is selected leaves out {by:?}, so that there is no candidate to copy to {}", out.display())]
    NoCandidate { by: String, out: PathBuf },
    #[error("{}: a picture is a file that ends in .svg or .html", path.display())]
    Form { path: PathBuf },
    #[error("{failure}")]
    Stopped { failure: Failure, again: String },
}

impl Fact for PipelineFault {
    fn code(&self) -> &'static str {
        match self {
            Self::ForeignFolder { .. } => "pipeline.foreign_folder",
            Self::NoCandidate { .. } => "pipeline.no_candidate",
            Self::Form { .. } => "pipeline.picture_form",
            Self::Stopped { failure, .. } => failure.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Stopped { failure, .. } => failure.class(),
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::ForeignFolder { .. } => {
                Some("Name a folder with --state that is empty or not there.".into())
            }
            Self::NoCandidate { by, .. } => Some(format!("Leave out --out, or select {by:?} too.")),
            Self::Form { .. } => Some("Name it with -o flow.svg or -o flow.html.".into()),
            Self::Stopped { again, .. } => {
                Some(format!("Go on with `{again}`; what was done is not done again."))
            }
        }
    }
}
