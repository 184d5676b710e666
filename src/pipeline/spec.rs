//! What a run's child is given: where the frozen project and the data are, and where the candidate goes.
//! Never names the store; the child has no business there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::files::{self, FileError};
use crate::base::limits;
use crate::base::{canonical, canonical::CanonicalError};
use crate::config::project;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// A copy of the project folder, frozen when the run began.
    pub project: PathBuf,
    /// Changes to train.toml, as `key=value`.
    pub overrides: Vec<String>,
    pub data: PathBuf,
    pub content: Digest,
    pub candidate: PathBuf,
}

impl TrainSpec {
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        files::write_atomic(path, &canonical::to_bytes(self)?, 0o600)?;
        Ok(())
    }

    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = files::read_at_most(path, limits::MANIFEST_BYTES_MAX)?;
        Ok(serde_json::from_slice(&bytes).map_err(CanonicalError::Parse)?)
    }
}

/// Copies the files of a project, so that edits during a run change nothing.
pub fn freeze(from: &Path, to: &Path) -> Result<(), FileError> {
    for name in project::FILES {
        let bytes = files::read_at_most(&from.join(name), limits::PROJECT_FILE_BYTES_MAX)?;
        let target = to.join(name);
        if let Some(folder) = target.parent() {
            files::create_folder(folder)?;
        }
        std::fs::write(&target, bytes).map_err(files::at(&target))?;
    }
    Ok(())
}
