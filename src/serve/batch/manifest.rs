//! manifest.json of a finished batch: which bytes went in, by which model, and which came out.
//! `content` depends on nothing but those; what differs from run to run stands beside it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::files::{self, at};
use crate::base::limits;
use crate::serve::batch::error::BatchError;
use crate::serve::batch::journal::RowCounts;
use crate::serve::batch::output::BatchOptions;

pub const FILE: &str = "manifest.json";
pub const FORMAT: &str = "tallystick.batch.v1";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub content: Content,
    pub run: Run,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    pub format: String,
    pub id: String,
    pub subject: Subject,
    pub model: Digest,
    pub rows: RowCounts,
    /// In the order of their names.
    pub outputs: Vec<Output>,
}

/// What a batch is of; its digest is the batch's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    pub input: InputFile,
    pub release: Digest,
    pub policy: Option<Digest>,
    pub options: BatchOptions,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFile {
    pub digest: Digest,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    pub name: String,
    pub digest: Digest,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The input's path as the first run was told it.
    pub input: String,
    pub started: String,
    pub finished: String,
}

impl Subject {
    /// The first 16 hex digits of the subject's digest.
    pub fn id(&self) -> Result<String, BatchError> {
        Ok(canonical::digest_of(self)?.to_hex().chars().take(16).collect())
    }
}

impl InputFile {
    pub fn of(path: &Path) -> Result<Self, BatchError> {
        let size = files::open_regular(path)?.metadata().map_err(at(path))?.len();
        Ok(Self { digest: Digest::of_file(path).map_err(at(path))?, size })
    }
}

impl Output {
    pub fn of(folder: &Path, name: &str) -> Result<Self, BatchError> {
        let InputFile { digest, size } = InputFile::of(&folder.join(name))?;
        Ok(Self { name: name.to_string(), digest, size })
    }
}

impl Manifest {
    pub fn save(&self, folder: &Path) -> Result<(), BatchError> {
        Ok(files::write_atomic(&folder.join(FILE), &canonical::to_bytes(self)?, 0o600)?)
    }

    /// The manifest of a folder that holds this batch, whole and unaltered; `None` where there is no manifest.
    pub fn find_verified(folder: &Path, subject: &Subject) -> Result<Option<Self>, BatchError> {
        let path = folder.join(FILE);
        let bytes = match files::read_at_most(&path, limits::MANIFEST_BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let altered = |path: &Path, what: String| BatchError::Altered { path: path.to_path_buf(), what };
        let manifest: Self = canonical::parse(&bytes).map_err(|error| altered(&path, error.to_string()))?;
        let content = &manifest.content;
        if content.format != FORMAT || content.subject != *subject || !content.rows.reconcile() {
            return Err(altered(&path, "it describes another batch, or its rows do not add up".into()));
        }
        for output in &content.outputs {
            let file = folder.join(&output.name);
            let found =
                Output::of(folder, &output.name).map_err(|error| altered(&file, error.to_string()))?;
            if found != *output {
                return Err(altered(
                    &file,
                    format!("its digest is {} where {} was written", found.digest, output.digest),
                ));
            }
        }
        Ok(Some(manifest))
    }
}
