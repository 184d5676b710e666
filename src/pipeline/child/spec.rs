//! What a run's child is given: where the frozen project and the data are, and where the candidate goes.
//! Never names the store; the child has no business there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::base::{canonical, canonical::CanonicalError};
use crate::config::project::Project;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// A copy of the project folder, frozen when the run began.
    pub project: PathBuf,
    /// Changes to train.toml, as `key=value`.
    pub overrides: Vec<String>,
    /// The digest of the configuration the run was begun with.
    pub config: Digest,
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

    /// Whether the frozen project is the one the run was begun with.
    pub fn check(&self, project: &Project) -> Result<(), OtherConfig> {
        let (expected, found) = (self.config, project.digest);
        if found == expected { Ok(()) } else { Err(OtherConfig { expected, found }) }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the frozen project has the digest {found}, but the run was begun with {expected}")]
pub struct OtherConfig {
    expected: Digest,
    found: Digest,
}

impl Fact for OtherConfig {
    fn code(&self) -> &'static str {
        "run.other_config"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}
