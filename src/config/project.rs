//! A project folder: eight files with one owner each, read together and checked against each other.
//! A `Project` is the proof that they fit; nothing downstream reads a project file again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::files;
use crate::base::ids::{self, BadName};
use crate::base::limits;
use crate::config::text;
use crate::config::toml_file::{TomlError, read_toml};
use crate::data::contract::{Contract, ContractError, RawContract, Role};
use crate::data::expect::suite::{ExpectError, RawSuite, Suite};
use crate::decide::policy::{Policy, PolicyContext, PolicyError, RawPolicy};
use crate::features::error::FeatureError;
use crate::features::recipe::{RawRecipe, Recipe};
use crate::registry::content::Purpose;
use crate::registry::gate::{GateError, Gates, RawGates};
use crate::train::params::{ParamsError, RawTrainParams, TrainParams};

/// The files of a project, in the order they are read.
pub const FILES: [&str; 8] = [
    "project.toml",
    "contract.toml",
    "expectations.toml",
    "recipe.toml",
    "train.toml",
    "gates.toml",
    "policy.toml",
    "text/en.toml",
];

/// A column the leak guard refuses and somebody answers for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakWaiver {
    pub column: String,
    pub reason: String,
}

/// `project.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub name: String,
    #[serde(default)]
    pub title: String,
    pub purpose: Purpose,
    /// The value of the target column that counts as positive.
    pub positive: String,
    /// The id column that names the subject of a decision.
    #[serde(default)]
    pub subject: Option<String>,
    #[serde(default, rename = "leak_waiver")]
    pub leak_waivers: Vec<LeakWaiver>,
}

/// A project whose files hold together.
#[derive(Clone, Debug)]
pub struct Project {
    pub folder: PathBuf,
    pub settings: Settings,
    pub contract: Contract,
    pub suite: Suite,
    pub recipe: Recipe,
    pub params: TrainParams,
    pub gates: Gates,
    pub policy: Policy,
    pub texts: BTreeMap<String, String>,
    /// Names the whole configuration: every file by its bytes.
    pub digest: Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error(transparent)]
    Toml(#[from] TomlError),
    #[error("{path}: {source}", path = path.display())]
    Name { path: PathBuf, source: BadName },
    #[error("{path}: {source}", path = path.display())]
    Contract { path: PathBuf, source: ContractError },
    #[error("{path}: {source}", path = path.display())]
    Suite { path: PathBuf, source: ExpectError },
    #[error("{path}: {source}", path = path.display())]
    Recipe { path: PathBuf, source: FeatureError },
    #[error("{path}: {source}", path = path.display())]
    Params { path: PathBuf, source: ParamsError },
    #[error("{path}: {source}", path = path.display())]
    Gates { path: PathBuf, source: GateError },
    #[error("{path}: {source}", path = path.display())]
    Policy { path: PathBuf, source: PolicyError },
    #[error("{path}: the key {key:?} is neither a text nor a table of texts", path = path.display())]
    Text { path: PathBuf, key: String },
    #[error("{path}: positive = {positive:?} is not among the levels of the target {target:?}: {levels}", path = path.display())]
    Positive { path: PathBuf, positive: String, target: String, levels: String },
    #[error("{path}: subject = {subject:?} is not a column with the role `id`", path = path.display())]
    Subject { path: PathBuf, subject: String },
    #[error("{path}: the leak waiver for {column:?} names no feature, or gives no reason", path = path.display())]
    Waiver { path: PathBuf, column: String },
    #[error(transparent)]
    Digest(#[from] CanonicalError),
}

impl Fact for ProjectError {
    fn code(&self) -> &'static str {
        match self {
            Self::Toml(e) => e.code(),
            Self::Name { .. } => "project.name",
            Self::Contract { source, .. } => source.code(),
            Self::Suite { source, .. } => source.code(),
            Self::Recipe { source, .. } => source.code(),
            Self::Params { source, .. } => source.code(),
            Self::Gates { source, .. } => source.code(),
            Self::Policy { source, .. } => source.code(),
            Self::Text { .. } => "project.text",
            Self::Positive { .. } => "project.positive",
            Self::Subject { .. } => "project.subject",
            Self::Waiver { .. } => "project.leak_waiver",
            Self::Digest(_) => "project.digest",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Recipe { source, .. } => source.class(),
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Toml(e) => e.next_step(),
            Self::Recipe { source, .. } => source.next_step(),
            _ => Some("Correct the file and run `tallystick project check DIR`.".into()),
        }
    }
}

impl Project {
    /// Reads and checks a folder; `overrides` are `key=value` changes to train.toml.
    pub fn load(folder: &Path, overrides: &[String]) -> Result<Self, ProjectError> {
        let path = |name: &str| folder.join(name);
        let settings: Settings = read_toml(&path("project.toml"))?;
        let contract = read_toml::<RawContract>(&path("contract.toml"))?
            .check()
            .map_err(|source| ProjectError::Contract { path: path("contract.toml"), source })?;
        let suite = read_toml::<RawSuite>(&path("expectations.toml"))?
            .check(&contract)
            .map_err(|source| ProjectError::Suite { path: path("expectations.toml"), source })?;
        let recipe = read_toml::<RawRecipe>(&path("recipe.toml"))?
            .check(&contract)
            .map_err(|source| ProjectError::Recipe { path: path("recipe.toml"), source })?;
        let params = read_params(&path("train.toml"), overrides)?;
        let gates = read_gates(&path("gates.toml"))?;
        let texts = read_texts(&path("text/en.toml"))?;
        let fields: Vec<&str> = recipe.features().iter().map(|f| f.field.as_str()).collect();
        let policy = read_toml::<RawPolicy>(&path("policy.toml"))?
            .check(&PolicyContext {
                purpose: settings.purpose,
                contract: &contract,
                fields: &fields,
                texts: &texts,
            })
            .map_err(|source| ProjectError::Policy { path: path("policy.toml"), source })?;
        let digest = configuration_digest(folder, overrides)?;
        let folder = folder.to_path_buf();
        let project =
            Self { folder, settings, contract, suite, recipe, params, gates, policy, texts, digest };
        project.check_settings()?;
        Ok(project)
    }

    fn check_settings(&self) -> Result<(), ProjectError> {
        let path = || self.folder.join("project.toml");
        let settings = &self.settings;
        ids::check_name(&settings.name).map_err(|source| ProjectError::Name { path: path(), source })?;
        let target = self.contract.target();
        if let Some(levels) = &target.levels
            && !levels.contains(&settings.positive)
        {
            let (positive, target) = (settings.positive.clone(), target.name.clone());
            return Err(ProjectError::Positive { path: path(), positive, target, levels: levels.join(", ") });
        }
        if let Some(subject) = &settings.subject
            && self.contract.find(subject).is_none_or(|c| c.role != Role::Id)
        {
            return Err(ProjectError::Subject { path: path(), subject: subject.clone() });
        }
        let is_feature =
            |w: &LeakWaiver| self.contract.find(&w.column).is_some_and(|c| c.role == Role::Feature);
        match settings.leak_waivers.iter().find(|w| !is_feature(w) || w.reason.trim().is_empty()) {
            Some(w) => Err(ProjectError::Waiver { path: path(), column: w.column.clone() }),
            None => Ok(()),
        }
    }
}

/// Gates by themselves: a promotion may be judged by another file than the project's.
pub fn read_gates(path: &Path) -> Result<Gates, ProjectError> {
    let raw: RawGates = read_toml(path)?;
    raw.check().map_err(|source| ProjectError::Gates { path: path.to_path_buf(), source })
}

fn read_params(path: &Path, overrides: &[String]) -> Result<TrainParams, ProjectError> {
    let refuse = |source| ProjectError::Params { path: path.to_path_buf(), source };
    let mut raw: RawTrainParams = read_toml(path)?;
    for assignment in overrides {
        raw.set(assignment).map_err(refuse)?;
    }
    raw.check().map_err(refuse)
}

fn read_texts(path: &Path) -> Result<BTreeMap<String, String>, ProjectError> {
    let table: toml::Table = read_toml(path)?;
    text::flatten(&table).map_err(|key| ProjectError::Text { path: path.to_path_buf(), key })
}

fn configuration_digest(folder: &Path, overrides: &[String]) -> Result<Digest, ProjectError> {
    let mut named = BTreeMap::new();
    for name in FILES {
        let bytes = files::read_at_most(&folder.join(name), limits::PROJECT_FILE_BYTES_MAX);
        named.insert(name.to_string(), Digest::of(&bytes.map_err(TomlError::File)?).to_hex());
    }
    named.insert("overrides".to_string(), Digest::of(overrides.join("\n").as_bytes()).to_hex());
    Ok(canonical::digest_of(&named)?)
}
