//! model.json: the deterministic content of a model, whose digest is the model, and the blobs it names.
//! Never fetches a blob itself; nothing of it is believed before its digest and its golden rows hold.

use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::limits;
use crate::data::contract::{Contract, RawContract, Role};
use crate::data::table::{Kind, Table};
use crate::features::recipe::FittedRecipe;
use crate::features::reference::Reference;
use crate::model::calibrate::Calibration;
use crate::model::trained::Model;
use crate::model::weights;
use crate::registry::content_error::ContentError;
use crate::registry::golden::{self, Golden, same_margin};

pub const FORMAT: &str = "tallystick.model.v1";

/// What a project decides about; it binds which fields and outcomes are lawful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    Credit,
    Marketing,
    Education,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Marketing => "marketing",
            Self::Education => "education",
        }
    }
}

/// model.json, field by field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelContent {
    pub format: String,
    pub purpose: Purpose,
    /// The family's stable name; it says how the weights are read.
    pub family: String,
    /// The columns a scoring reads (features and ids), and the target, which names what is predicted.
    pub contract: Contract,
    pub recipe: FittedRecipe,
    pub weights: BlobRef,
    pub calibration: Calibration,
    pub background: Vec<f64>,
    pub accepted_reference: Option<Vec<f64>>,
    /// The baseline of drift.
    pub reference: BlobRef,
    pub golden: BlobRef,
    /// The id column that names whom a row is about; absent where the project names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub training: Training,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobRef {
    pub digest: Digest,
    pub size: u64,
}

/// How the model came about, as far as it decides the content: no time, no machine, no name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    pub params: Value,
    /// The content digest of the training table.
    pub data: Digest,
    pub rows: u64,
    /// The target's value that the probability is of.
    pub positive: String,
    pub base_rate: f64,
    pub seed: u64,
}

/// What a model is made of.
pub struct Parts<'a> {
    pub purpose: Purpose,
    pub contract: &'a Contract,
    pub model: &'a Model,
    pub reference: &'a Reference,
    /// Synthetic rows of the recipe's fields; their margins are computed here.
    pub golden: &'a Table,
    pub subject: Option<&'a str>,
    pub training: Training,
}

/// A model as bytes: model.json and every blob it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    pub model_json: Vec<u8>,
    pub digest: Digest,
    pub blobs: Vec<(Digest, Vec<u8>)>,
}

/// A model whose bytes are those of its digest and whose golden rows give their margins. That alone
/// vouches for nobody: what serves is a `Champion`, which also takes a verified release.
#[derive(Clone, Debug)]
pub struct LoadedModel {
    pub digest: Digest,
    pub content: ModelContent,
    pub model: Model,
    pub reference: Reference,
    pub golden: Golden,
}

/// Gives the bytes of a blob, reading at most so many.
pub type FetchBlob<'a, E> = &'a dyn Fn(Digest, u64) -> Result<Vec<u8>, E>;

/// Writes a model, and proves that what was written loads.
pub fn assemble(parts: Parts<'_>) -> Result<Pack, ContentError> {
    let model = parts.model;
    let margins = model.margins(&model.recipe.transform(parts.golden)?);
    let weights = weights::to_safetensors(&model.family)?;
    let reference = canonical::to_bytes(parts.reference).map_err(ContentError::in_part("the reference"))?;
    let golden = canonical::to_bytes(&Golden::new(parts.golden, &margins))
        .map_err(ContentError::in_part("the golden rows"))?;
    let content = ModelContent {
        format: FORMAT.to_string(),
        purpose: parts.purpose,
        family: model.family.kind().to_string(),
        contract: scoring_contract(parts.contract)?,
        recipe: model.recipe.clone(),
        weights: BlobRef::of(&weights),
        calibration: model.calibration,
        background: model.background.clone(),
        accepted_reference: model.accepted.clone(),
        reference: BlobRef::of(&reference),
        golden: BlobRef::of(&golden),
        subject: parts.subject.map(str::to_string),
        training: parts.training,
    };
    let model_json = canonical::to_bytes(&content).map_err(ContentError::in_part("model.json"))?;
    let digest = Digest::of(&model_json);
    let blobs = [weights, reference, golden].map(|bytes| (Digest::of(&bytes), bytes)).to_vec();
    let pack = Pack { model_json, digest, blobs };
    pack.load()?;
    Ok(pack)
}

/// Reads a model strictly: digest, canonical form, every part, and the golden rows to the bit.
pub fn load<E: Error + Send + Sync + 'static>(
    model_json: &[u8],
    expected: Digest,
    fetch: FetchBlob<'_, E>,
) -> Result<LoadedModel, ContentError> {
    let (size, max) = (model_json.len() as u64, limits::MANIFEST_BYTES_MAX);
    if size > max {
        return Err(ContentError::TooLarge { what: "model.json", size, max });
    }
    let found = Digest::of(model_json);
    if found != expected {
        return Err(ContentError::Digest { what: "model.json", expected, found });
    }
    let content: ModelContent = canonical::parse(model_json).map_err(ContentError::in_part("model.json"))?;
    content.check()?;
    let model = load_model(&content, fetch)?;
    let reference: Reference = canonical::parse(&fetch_blob("the reference", content.reference, fetch)?)
        .map_err(ContentError::in_part("the reference"))?;
    reference.check_fits(&content.recipe)?;
    let golden: Golden = canonical::parse(&fetch_blob("the golden rows", content.golden, fetch)?)
        .map_err(ContentError::in_part("the golden rows"))?;
    run_golden(&model, &golden)?;
    Ok(LoadedModel { digest: expected, content, model, reference, golden })
}

impl Pack {
    pub fn find_blob(&self, digest: Digest) -> Option<&[u8]> {
        self.blobs.iter().find(|(own, _)| *own == digest).map(|(_, bytes)| bytes.as_slice())
    }

    /// Loads the pack as any other copy of the model is loaded.
    pub fn load(&self) -> Result<LoadedModel, ContentError> {
        load(&self.model_json, self.digest, &|digest, _| {
            self.find_blob(digest).map(<[u8]>::to_vec).ok_or(NotInPack(digest))
        })
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the pack has no blob {0}")]
pub struct NotInPack(pub Digest);

impl LoadedModel {
    /// The fields that explain a score, in the recipe's order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.model.recipe.fields.iter().map(|field| field.field.as_str())
    }
}

impl BlobRef {
    fn of(bytes: &[u8]) -> Self {
        Self { digest: Digest::of(bytes), size: bytes.len() as u64 }
    }
}

impl ModelContent {
    /// The blobs without which the model does not load.
    pub fn blobs(&self) -> [BlobRef; 3] {
        [self.weights, self.reference, self.golden]
    }

    fn check(&self) -> Result<(), ContentError> {
        if self.format != FORMAT {
            return Err(ContentError::Format { what: "model.json", found: self.format.clone() });
        }
        let rate = self.training.base_rate;
        if !(0.0..=1.0).contains(&rate) {
            return Err(ContentError::BaseRate { found: rate });
        }
        self.recipe.check()?;
        if self.contract != scoring_contract(&self.contract)? {
            return Err(ContentError::Contract);
        }
        self.check_subject()?;
        match self.recipe.fields.iter().find(|fitted| {
            let column = self.contract.find(&fitted.field).filter(|column| column.role == Role::Feature);
            column.is_none_or(|column| (column.kind != Kind::Text) != fitted.is_numeric())
        }) {
            Some(fitted) => Err(ContentError::Field { field: fitted.field.to_string() }),
            None => Ok(()),
        }
    }
}

impl ModelContent {
    fn check_subject(&self) -> Result<(), ContentError> {
        let Some(subject) = &self.subject else { return Ok(()) };
        match self.contract.find(subject).filter(|column| column.role == Role::Id) {
            Some(_) => Ok(()),
            None => Err(ContentError::Subject { field: subject.clone() }),
        }
    }
}

/// The columns a scoring needs and the target; what only training read is left out of a model.
pub fn scoring_contract(contract: &Contract) -> Result<Contract, ContentError> {
    let needed = |role| matches!(role, Role::Feature | Role::Id | Role::Target);
    let columns = contract.columns().iter().filter(|column| needed(column.role)).cloned().collect();
    Ok(RawContract { columns }.check()?)
}

fn fetch_blob<E: Error + Send + Sync + 'static>(
    what: &'static str,
    blob: BlobRef,
    fetch: FetchBlob<'_, E>,
) -> Result<Vec<u8>, ContentError> {
    let BlobRef { digest: expected, size } = blob;
    if size > limits::BLOB_BYTES_MAX {
        return Err(ContentError::TooLarge { what, size, max: limits::BLOB_BYTES_MAX });
    }
    let bytes = fetch(expected, size).map_err(|source| ContentError::Fetch {
        what,
        digest: expected,
        source: Box::new(source),
    })?;
    let found = Digest::of(&bytes);
    if found == expected && bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(ContentError::Digest { what, expected, found })
    }
}

fn load_model<E: Error + Send + Sync + 'static>(
    content: &ModelContent,
    fetch: FetchBlob<'_, E>,
) -> Result<Model, ContentError> {
    let bytes = fetch_blob("the weights", content.weights, fetch)?;
    let family = weights::parse_safetensors(&content.family, &content.recipe, &bytes)?;
    let model = Model {
        recipe: content.recipe.clone(),
        family,
        calibration: content.calibration,
        background: content.background.clone(),
        accepted: content.accepted_reference.clone(),
    };
    Ok(model.check()?)
}

/// Scores the golden rows by the very code that serves, and compares with what was promised.
fn run_golden(model: &Model, golden: &Golden) -> Result<(), ContentError> {
    if golden.format != golden::FORMAT {
        return Err(ContentError::Format { what: "the golden rows", found: golden.format.clone() });
    }
    if golden.rows.is_empty() {
        return Err(ContentError::GoldenEmpty);
    }
    if let Some(row) = golden.find_uneven_row() {
        return Err(ContentError::GoldenShape { row });
    }
    let found = model.margins(&model.recipe.transform(&golden.to_table())?);
    for (row, (golden, found)) in golden.rows.iter().zip(found).enumerate() {
        if !same_margin(golden.margin, found) {
            return Err(ContentError::Golden { row, expected: golden.margin, found });
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
