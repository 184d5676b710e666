//! A project folder: eight files with one owner each, and those of what runs by itself where there are any, read together
//! and checked against each other.
//! A `Project` is the proof that they fit; nothing downstream reads a project file again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::files::{self, FileError};
use crate::base::ids::{self, BadName};
use crate::base::limits;
use crate::config::steps::{StepError, check_steps};
use crate::config::text;
use crate::config::toml_file::{TomlError, parse_toml, read_text, read_toml};
use crate::config::watching::{RawWatching, Watching, WatchingError};
use crate::data::contract::protected::{self, Strictness};
use crate::data::contract::{Contract, ContractError, RawContract, Role};
use crate::data::expect::processed::ProcessedSuite;
use crate::data::expect::suite::{ExpectError, RawSuite, Suite};
use crate::decide::policy::{Policy, PolicyContext, PolicyError, RawPolicy};
use crate::evaluate::metrics::{FREE_KEYS, THRESHOLD_KEYS};
use crate::features::error::FeatureError;
use crate::features::recipe::{RawRecipe, Recipe};
use crate::registry::content::Purpose;
use crate::registry::gate::{GateError, Gates, POLICY_PREFIX, RawGates};
use crate::schedule::definition::Schedule;
use crate::schedule::error::ScheduleError;
use crate::schedule::raw::RawSchedule;
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

/// Files that a project may have: what runs by itself. No model depends on them.
pub const COMPANIONS: [&str; 2] = ["schedule.toml", "monitor.toml"];

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
    pub sources: Sources,
    pub settings: Settings,
    pub contract: Contract,
    pub suite: Suite,
    /// What the encoded rows must look like.
    pub processed: ProcessedSuite,
    pub recipe: Recipe,
    pub params: TrainParams,
    pub gates: Gates,
    pub policy: Policy,
    /// What runs by itself, and when.
    pub schedule: Option<Schedule>,
    /// How it is watched once it is in force.
    pub watching: Watching,
    /// Names the configuration of a training: its files by their bytes.
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
    #[error("{path}: the metric {metric:?} is none that a training measures{hint}", path = path.display())]
    UnknownMetric { path: PathBuf, metric: String, hint: String },
    #[error("{path}: {source}", path = path.display())]
    Policy { path: PathBuf, source: PolicyError },
    #[error("{path}: {source}", path = path.display())]
    Schedule { path: PathBuf, source: Box<ScheduleError> },
    #[error("{path}: {source}", path = path.display())]
    Watching { path: PathBuf, source: Box<WatchingError> },
    #[error("{path}: {source}", path = path.display())]
    Step { path: PathBuf, source: Box<StepError> },
    #[error("{path}: the key {key:?} is neither a text nor a table of texts", path = path.display())]
    Text { path: PathBuf, key: String },
    #[error("{path}: the section {section:?} of contract.toml has no title; it is the text section.{section}", path = path.display())]
    SectionTitle { path: PathBuf, section: String },
    #[error("{path}: positive = {positive:?} is not among the levels of the target {target:?}: {levels}", path = path.display())]
    Positive { path: PathBuf, positive: String, target: String, levels: String },
    #[error("{path}: subject = {subject:?} is not a column with the role `id`", path = path.display())]
    Subject { path: PathBuf, subject: String },
    #[error("{path}: the leak waiver for {column:?} names no feature, or gives no reason", path = path.display())]
    Waiver { path: PathBuf, column: String },
    #[error("a project has no file {name:?}; it has {}, and may have {}", FILES.join(", "), COMPANIONS.join(", "))]
    UnknownFile { name: String },
    #[error("the project's file {name} is missing")]
    MissingFile { name: &'static str },
    #[error("{name} is larger than the {} bytes that are read", limits::PROJECT_FILE_BYTES_MAX)]
    LargeFile { name: &'static str },
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
            Self::UnknownMetric { .. } => "gate.unknown_metric",
            Self::Policy { source, .. } => source.code(),
            Self::Schedule { source, .. } => source.code(),
            Self::Step { source, .. } => source.code(),
            Self::Watching { source, .. } => source.code(),
            Self::Text { .. } => "project.text",
            Self::SectionTitle { .. } => "project.section_title",
            Self::Positive { .. } => "project.positive",
            Self::Subject { .. } => "project.subject",
            Self::Waiver { .. } => "project.leak_waiver",
            Self::UnknownFile { .. } => "project.unknown_file",
            Self::MissingFile { .. } => "project.missing_file",
            Self::LargeFile { .. } => "project.large_file",
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
            Self::Contract { source, .. } => source.next_step(),
            Self::Step { source, .. } => source.next_step(),
            Self::Watching { source, .. } => source.next_step(),
            Self::Schedule { source, .. } if source.next_step().is_some() => source.next_step(),
            _ => Some("Correct the file and run `tallystick project check DIR`.".into()),
        }
    }
}

/// The texts of a project's files, read once: what is parsed, what is hashed and what is frozen is the same.
#[derive(Clone, Debug)]
pub struct Sources {
    folder: PathBuf,
    texts: BTreeMap<&'static str, String>,
}

impl Sources {
    fn read(folder: &Path) -> Result<Self, ProjectError> {
        let read = |name: &'static str| Ok((name, read_text(&folder.join(name))?));
        let mut texts: BTreeMap<_, _> = FILES.into_iter().map(read).collect::<Result<_, TomlError>>()?;
        for name in COMPANIONS {
            match read_text(&folder.join(name)) {
                Ok(text) => drop(texts.insert(name, text)),
                Err(TomlError::File(error)) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { folder: folder.to_path_buf(), texts })
    }

    /// Files that came without a folder, by their names.
    fn of_texts(mut given: BTreeMap<String, String>) -> Result<Self, ProjectError> {
        let mut take = |name: &'static str| match given.remove(name) {
            Some(text) if text.len() as u64 > limits::PROJECT_FILE_BYTES_MAX => {
                Err(ProjectError::LargeFile { name })
            }
            Some(text) => Ok((name, text)),
            None => Err(ProjectError::MissingFile { name }),
        };
        let mut texts: BTreeMap<_, _> =
            FILES.into_iter().map(&mut take).collect::<Result<_, ProjectError>>()?;
        for name in COMPANIONS {
            match take(name) {
                Ok((name, text)) => drop(texts.insert(name, text)),
                Err(ProjectError::MissingFile { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        match given.into_keys().next() {
            Some(name) => Err(ProjectError::UnknownFile { name }),
            None => Ok(Self { folder: PathBuf::new(), texts }),
        }
    }

    /// Every file by its name.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.texts.iter().map(|(name, text)| (name.to_string(), text.clone())).collect()
    }

    /// Writes the files elsewhere, so that edits during a run change nothing.
    pub fn write(&self, folder: &Path) -> Result<(), FileError> {
        for (name, text) in &self.texts {
            let path = folder.join(name);
            files::create_folder(path.parent().unwrap_or(folder))?;
            std::fs::write(&path, text).map_err(files::at(&path))?;
        }
        Ok(())
    }

    /// One file as plain values, as it is written: no default stands in it.
    pub fn value(&self, name: &str) -> Result<serde_json::Value, ProjectError> {
        Ok(self.parse(name)?)
    }

    fn parse<T: DeserializeOwned>(&self, name: &str) -> Result<T, TomlError> {
        parse_toml(&self.path(name), self.texts.get(name).map_or("", String::as_str))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Names what a training depends on: each file by its bytes, and the changes made to train.toml.
    fn digest(&self, overrides: &[String]) -> Result<Digest, CanonicalError> {
        let hash = |(name, text): (&&str, &String)| (name.to_string(), Digest::of(text.as_bytes()).to_hex());
        let own = self.texts.iter().filter(|(name, _)| !COMPANIONS.contains(name));
        let mut named: BTreeMap<String, String> = own.map(hash).collect();
        named.insert("overrides".to_string(), Digest::of(overrides.join("\n").as_bytes()).to_hex());
        canonical::digest_of(&named)
    }
}

impl Project {
    /// Reads and checks a folder; `overrides` are `key=value` changes to train.toml.
    pub fn load(folder: &Path, overrides: &[String]) -> Result<Self, ProjectError> {
        Self::of(Sources::read(folder)?, overrides)
    }

    /// The same from the files' texts by their names.
    pub fn from_texts(texts: BTreeMap<String, String>, overrides: &[String]) -> Result<Self, ProjectError> {
        Self::of(Sources::of_texts(texts)?, overrides)
    }

    fn of(sources: Sources, overrides: &[String]) -> Result<Self, ProjectError> {
        let path = |name: &str| sources.path(name);
        let settings: Settings = sources.parse("project.toml")?;
        let contract = check_contract(&sources, settings.purpose)?;
        let recipe = sources
            .parse::<RawRecipe>("recipe.toml")?
            .check(&contract)
            .map_err(|source| ProjectError::Recipe { path: path("recipe.toml"), source })?;
        let params = check_params(&path("train.toml"), sources.parse("train.toml")?, overrides)?;
        let gates = check_gates(&path("gates.toml"), sources.parse("gates.toml")?)?;
        let texts = flatten_texts(&path("text/en.toml"), &sources.parse("text/en.toml")?)?;
        check_sections(&path("text/en.toml"), &contract, &texts)?;
        let fields: Vec<&str> = recipe.features().iter().map(|f| f.field.as_str()).collect();
        let (suite, processed) = check_suites(&sources, &contract, &fields)?;
        let purpose = settings.purpose;
        let policy = sources
            .parse::<RawPolicy>("policy.toml")?
            .check(&PolicyContext { purpose, contract: &contract, fields: &fields, texts: &texts })
            .and_then(|policy| policy.rehearse().map(|()| policy))
            .map_err(|source| ProjectError::Policy { path: path("policy.toml"), source })?;
        let digest = sources.digest(overrides)?;
        let schedule = check_schedule(&sources)?;
        let watching = check_watching(&sources, &fields, &settings.name)?;
        let project = Self {
            sources,
            settings,
            contract,
            suite,
            processed,
            recipe,
            params,
            gates,
            policy,
            schedule,
            watching,
            digest,
        };
        project.check_settings()?;
        Ok(project)
    }

    fn check_settings(&self) -> Result<(), ProjectError> {
        let path = || self.sources.path("project.toml");
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

fn check_contract(sources: &Sources, purpose: Purpose) -> Result<Contract, ProjectError> {
    let refuse = |source| ProjectError::Contract { path: sources.path("contract.toml"), source };
    let contract = sources.parse::<RawContract>("contract.toml")?.check().map_err(refuse)?;
    let strictness = match purpose {
        Purpose::Credit => Strictness::Barred,
        Purpose::Marketing | Purpose::Education => Strictness::WithReason,
    };
    protected::check_features(&contract, strictness).map_err(refuse)?;
    Ok(contract)
}

fn check_watching(sources: &Sources, fields: &[&str], model: &str) -> Result<Watching, ProjectError> {
    const NAME: &str = "monitor.toml";
    let raw = match sources.texts.contains_key(NAME) {
        true => sources.parse::<RawWatching>(NAME)?,
        false => RawWatching::default(),
    };
    let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
    let refuse = |source| ProjectError::Watching { path: sources.path(NAME), source: Box::new(source) };
    raw.check(&fields, model).map_err(refuse)
}

fn check_schedule(sources: &Sources) -> Result<Option<Schedule>, ProjectError> {
    const NAME: &str = "schedule.toml";
    if !sources.texts.contains_key(NAME) {
        return Ok(None);
    }
    let refuse = |source| ProjectError::Schedule { path: sources.path(NAME), source: Box::new(source) };
    let schedule = sources.parse::<RawSchedule>(NAME)?.check().map_err(refuse)?;
    let path = || sources.path(NAME);
    check_steps(&schedule).map_err(|source| ProjectError::Step { path: path(), source: Box::new(source) })?;
    Ok(Some(schedule))
}

/// What the rows must look like as they come, and encoded.
fn check_suites(
    sources: &Sources,
    contract: &Contract,
    fields: &[&str],
) -> Result<(Suite, ProcessedSuite), ProjectError> {
    let refuse = |source| ProjectError::Suite { path: sources.path("expectations.toml"), source };
    let raw = sources.parse::<RawSuite>("expectations.toml")?;
    let processed = raw.check_processed(fields, &contract.target().name).map_err(refuse)?;
    Ok((raw.check(contract).map_err(refuse)?, processed))
}

/// A section that a form would show without a title.
fn check_sections(
    path: &Path,
    contract: &Contract,
    texts: &BTreeMap<String, String>,
) -> Result<(), ProjectError> {
    let is_told = |section: &str| {
        texts.get(&format!("section.{section}")).is_some_and(|title| !title.trim().is_empty())
    };
    let mut sections = contract.columns().iter().filter_map(|column| column.section.as_deref());
    match sections.find(|section| !is_told(section)) {
        Some(section) => {
            Err(ProjectError::SectionTitle { path: path.to_path_buf(), section: section.to_string() })
        }
        None => Ok(()),
    }
}

/// Gates by themselves: a promotion may be judged by another file beside the version's own.
pub fn read_gates(path: &Path) -> Result<Gates, ProjectError> {
    check_gates(path, read_toml(path)?)
}

/// The same from a text that came without a file.
pub fn parse_gates(text: &str) -> Result<Gates, ProjectError> {
    let path = Path::new("gates.toml");
    check_gates(path, parse_toml(path, text)?)
}

fn check_gates(path: &Path, raw: RawGates) -> Result<Gates, ProjectError> {
    let path = || path.to_path_buf();
    let gates = raw.check().map_err(|source| ProjectError::Gates { path: path(), source })?;
    let known = known_metrics();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match gates.unknown_metrics(&known).into_iter().next() {
        None => Ok(gates),
        Some((metric, near)) => {
            let hint = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            Err(ProjectError::UnknownMetric { path: path(), metric, hint })
        }
    }
}

/// What a gate may name: every figure, and those that need a threshold also at the policy's cut-off.
fn known_metrics() -> Vec<String> {
    let at_policy = THRESHOLD_KEYS.iter().map(|key| format!("{POLICY_PREFIX}{key}"));
    FREE_KEYS.iter().chain(&THRESHOLD_KEYS).map(ToString::to_string).chain(at_policy).collect()
}

fn check_params(
    path: &Path,
    mut raw: RawTrainParams,
    overrides: &[String],
) -> Result<TrainParams, ProjectError> {
    let refuse = |source| ProjectError::Params { path: path.to_path_buf(), source };
    for assignment in overrides {
        raw.set(assignment).map_err(refuse)?;
    }
    raw.check().map_err(refuse)
}

fn flatten_texts(path: &Path, table: &toml::Table) -> Result<BTreeMap<String, String>, ProjectError> {
    text::flatten(table).map_err(|key| ProjectError::Text { path: path.to_path_buf(), key })
}
