//! A candidate: the packed model, its evaluation and its artifacts, in memory and as a folder.
//! The folder is what a child leaves behind; its reader believes nothing but digests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::config::project::Project;
use crate::features::golden::draw_golden;
use crate::features::reference::Reference;
use crate::model::trained::Model;
use crate::pipeline::artifacts::Artifact;
use crate::pipeline::evaluation::Evaluation;
use crate::pipeline::parts::EncodedParts;
use crate::registry::content::{Pack, Parts, Training, assemble};

/// Synthetic rows whose margins a model must reproduce before it serves.
const GOLDEN_ROWS: usize = 64;

pub struct Candidate {
    pub pack: Pack,
    pub evaluation: Evaluation,
    pub artifacts: Vec<Artifact>,
}

/// The folder's table of contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    model: Digest,
    blobs: Vec<Digest>,
    evaluation: Digest,
    /// Artifact path to the digest of its bytes.
    artifacts: BTreeMap<String, Digest>,
}

pub fn pack(
    project: &Project,
    parts: &EncodedParts<'_>,
    model: &Model,
    evaluation: Evaluation,
    artifacts: Vec<Artifact>,
) -> Result<Candidate, Failure> {
    let train = &parts.rows.train;
    let reference = Reference::fit(&model.recipe, &train.table)?.with_score(&model.margins(&parts.test));
    let golden = draw_golden(&reference, &parts.rows.whole, project.params.seed, GOLDEN_ROWS)?;
    let positives = train.labels.iter().filter(|&&label| label).count();
    let training = Training {
        params: serde_json::to_value(&project.params).map_err(CanonicalError::Write)?,
        data: parts.rows.whole.content_digest(),
        rows: train.table.rows() as u64,
        positive: project.settings.positive.clone(),
        base_rate: positives as f64 / train.table.rows().max(1) as f64,
        seed: project.params.seed,
    };
    let purpose = project.settings.purpose;
    let contract = &project.contract;
    let subject = project.settings.subject.as_deref();
    let (reference, golden) = (&reference, &golden);
    let pack = assemble(Parts { purpose, contract, model, reference, golden, subject, training })?;
    Ok(Candidate { pack, evaluation, artifacts })
}

impl Candidate {
    /// Writes the folder; the table of contents comes last, so a folder without it is no candidate.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        files::create_folder(folder)?;
        let put = |bytes: &[u8]| -> Result<Digest, Failure> {
            let digest = Digest::of(bytes);
            let path = folder.join(digest.to_hex());
            std::fs::write(&path, bytes).map_err(files::at(&path))?;
            Ok(digest)
        };
        let evaluation = put(&canonical::to_bytes(&self.evaluation)?)?;
        let model = put(&self.pack.model_json)?;
        let blobs = self.pack.blobs.iter().map(|(_, bytes)| put(bytes)).collect::<Result<_, _>>()?;
        let artifacts = self
            .artifacts
            .iter()
            .map(|artifact| Ok((artifact.path.clone(), put(&artifact.bytes)?)))
            .collect::<Result<_, Failure>>()?;
        let contents = Contents { model, blobs, evaluation, artifacts };
        files::write_atomic(&folder.join("contents.json"), &canonical::to_bytes(&contents)?, 0o600)?;
        Ok(())
    }

    /// Reads a folder back; every file must have the digest it is named by, and the model must load.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        let fetch = |digest: Digest| -> Result<Vec<u8>, Failure> {
            let path = folder.join(digest.to_hex());
            let bytes = files::read_at_most(&path, limits::BLOB_BYTES_MAX)?;
            let found = Digest::of(&bytes);
            if found == digest { Ok(bytes) } else { Err(Altered { path, found }.into()) }
        };
        let bytes = files::read_at_most(&folder.join("contents.json"), limits::MANIFEST_BYTES_MAX)?;
        let contents: Contents = canonical::parse(&bytes)?;
        let blobs = contents.blobs.iter().map(|&d| Ok((d, fetch(d)?))).collect::<Result<_, Failure>>()?;
        let pack = Pack { model_json: fetch(contents.model)?, digest: contents.model, blobs };
        pack.load()?;
        let artifacts = contents
            .artifacts
            .iter()
            .map(|(path, &digest)| Ok(Artifact { path: path.clone(), bytes: fetch(digest)? }))
            .collect::<Result<_, Failure>>()?;
        Ok(Self { pack, evaluation: canonical::parse(&fetch(contents.evaluation)?)?, artifacts })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}: its content has the digest {found}, not the one it is named by", path.display())]
struct Altered {
    path: PathBuf,
    found: Digest,
}

impl Fact for Altered {
    fn code(&self) -> &'static str {
        "run.candidate_altered"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}
