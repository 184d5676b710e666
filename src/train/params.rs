//! What `train.toml` may say, and the checked parameters with every value written out.
//! Splits nothing and trains nothing; the file itself is read elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::features::binning::codes::CodeRules;
use crate::features::fit::Form;
use crate::model::reference::ComputeDevice;
use crate::train::monotone::{Direction, Directions};
pub use crate::train::params::calibration::{CalibrationParams, RawCalibration};
pub use crate::train::params::ensemble::{EnsembleParams, RawEnsemble};
pub use crate::train::params::mlp::{MlpParams, RawMlp};
pub use crate::train::params::scorecard::{FieldBinning, ScorecardSettings};
pub use crate::train::params::search::{Pick, RawSearch, SearchCandidate, SearchMethod, SearchParams};
pub use crate::train::params::trees::{BoostingSettings, ForestSettings, RawBoosting, RawForest};
use crate::train::sampling::Sampling;
use crate::train::scorecard::params::{RawScorecardParams, ScorecardParamsError};
use crate::train::trees::error::TreesError;

mod calibration;
mod ensemble;
mod mlp;
mod scorecard;
mod search;
mod trees;

/// `train.toml`. Absent keys have their defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawTrainParams {
    pub seed: u64,
    pub family: FamilyName,
    pub device: ComputeDevice,
    pub split: RawSplit,
    pub logistic: RawLogistic,
    pub mlp: RawMlp,
    pub boosting: RawBoosting,
    pub forest: RawForest,
    pub scorecard: RawScorecardParams,
    /// What a scorecard's bins of single fields are asked.
    pub binning: BTreeMap<String, FieldBinning>,
    pub ensemble: RawEnsemble,
    pub calibration: RawCalibration,
    /// Rows left out or repeated before training: `"none"`, `{ under = 1.0 }` or `{ over = 1.0 }`.
    pub sampling: Sampling,
    pub search: RawSearch,
    /// Which way the margin may go as a field rises: `"rising"` or `"falling"`, by field.
    pub monotone: BTreeMap<String, Direction>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FamilyName {
    Logistic,
    Mlp,
    Boosting,
    Forest,
    Scorecard,
    Ensemble,
    Baseline,
}

impl FamilyName {
    /// As train.toml writes them.
    pub const ALL: [&str; 7] = ["logistic", "mlp", "boosting", "forest", "scorecard", "ensemble", "baseline"];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::Mlp => "mlp",
            Self::Boosting => "boosting",
            Self::Forest => "forest",
            Self::Scorecard => "scorecard",
            Self::Ensemble => "ensemble",
            Self::Baseline => "baseline",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    Random,
    Column,
    Time,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawSplit {
    pub by: SplitBy,
    /// Share of all rows; absent is `TEST_SHARE`. Does not apply to `by = "column"`.
    pub test: Option<f64>,
    /// Share of the rows that are not test.
    pub valid: f64,
    pub column: Option<String>,
    /// The values of the column that mark test rows.
    pub test_values: Vec<SplitValue>,
}

/// A value of the split column: folds are often written as numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SplitValue {
    Text(String),
    Number(i64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawLogistic {
    pub learning_rate: f64,
    pub batch_rows: usize,
    /// Passes over the training rows at most; the learning rate falls to zero over as many.
    pub epochs: usize,
    /// Epochs without a worthwhile gain in validation loss after which training stops.
    pub patience: usize,
    /// Times the learning rate, the share of a weight lost in one pass over the training rows,
    /// however many rows and steps that is: like a prior, it weighs less the more rows there are.
    pub weight_decay: f64,
    /// How many lines are averaged, each stopped by rows of its own; what is not written follows from the rows: one
    /// from 3,000 on, up to ten below.
    pub models: Option<usize>,
    pub class_weight: ClassWeight,
}

/// How much a positive example counts beside a negative one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
    #[default]
    None,
    /// Both classes count the same in sum.
    Balanced,
    Positive(f64),
}

/// The parameters a run trains with; part of the signed content, so nothing is left implicit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainParams {
    pub seed: u64,
    pub device: ComputeDevice,
    pub split: SplitParams,
    pub family: FamilyParams,
    #[serde(skip_serializing_if = "CalibrationParams::is_default")]
    pub calibration: CalibrationParams,
    #[serde(skip_serializing_if = "Sampling::is_none")]
    pub sampling: Sampling,
    #[serde(skip_serializing_if = "Directions::is_empty")]
    pub monotone: Directions,
    /// What is tried before; of a trained model, nothing: its family is what was picked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchParams>,
}

/// Where the test rows come from; `valid` is a share of the rows that are not test.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum SplitParams {
    /// A seeded draw.
    Random { test: f64, valid: f64 },
    /// Rows whose `column` has one of these values; without a name, the contract's split column.
    Column { column: Option<String>, test_values: Vec<String>, valid: f64 },
    /// The last rows by `column`.
    Time { column: String, test: f64, valid: f64 },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FamilyParams {
    Baseline,
    Logistic(LogisticParams),
    Mlp(MlpParams),
    Boosting(BoostingSettings),
    Forest(ForestSettings),
    Scorecard(ScorecardSettings),
    Ensemble(EnsembleParams),
}

impl FamilyParams {
    /// What the family reads of a field.
    pub fn form(&self) -> Form {
        match self {
            Self::Baseline | Self::Logistic(_) | Self::Mlp(_) => Form::Columns,
            Self::Boosting(_) | Self::Forest(_) => Form::Codes(CodeRules::default()),
            Self::Scorecard(settings) => Form::Codes(settings.rules()),
            Self::Ensemble(ensemble) => form_of_all(&ensemble.members),
        }
    }

    /// Its own name, or those of its members.
    pub fn kinds(&self) -> Vec<&'static str> {
        match self {
            Self::Ensemble(ensemble) => ensemble.members.iter().map(Self::as_str).collect(),
            alone => vec![alone.as_str()],
        }
    }

    /// Whether, of so many rows, it watches a validation part to know when to stop. The baseline has nothing to watch, but with no more
    /// than one margin it has no use for folds either.
    pub fn watches(&self, rows: usize) -> bool {
        match self {
            Self::Logistic(logistic) => logistic.models_for(rows) == 1,
            Self::Mlp(mlp) => mlp.models_for(rows) == 1,
            Self::Baseline => true,
            Self::Boosting(_) | Self::Forest(_) | Self::Scorecard(_) | Self::Ensemble(_) => false,
        }
    }

    /// The family's stable name in files and messages.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Logistic(_) => "logistic",
            Self::Mlp(_) => "mlp",
            Self::Boosting(_) => "boosting",
            Self::Forest(_) => "forest",
            Self::Scorecard(_) => "scorecard",
            Self::Ensemble(_) => "ensemble",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogisticParams {
    pub learning_rate: f64,
    pub batch_rows: usize,
    pub epochs: usize,
    pub patience: usize,
    pub weight_decay: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<usize>,
    pub class_weight: ClassWeight,
}

impl LogisticParams {
    /// How many lines are averaged over so many training rows.
    pub fn models_for(&self, rows: usize) -> usize {
        let few = 2.0 * (AVERAGED_ROWS / rows.max(1) as f64).sqrt();
        let usual = if rows < WATCHED_ROWS_MIN { few.round().clamp(2.0, 10.0) as usize } else { 1 };
        self.models.unwrap_or(usual)
    }
}

/// Below this many rows one held-out part says too little to stop by.
const WATCHED_ROWS_MIN: usize = 3_000;
/// So many rows are worth two models.
const AVERAGED_ROWS: f64 = 20_000.0;

const TEST_SHARE: f64 = 0.2;
const VALID_SHARE: f64 = 0.2;
const SHARE_RANGE: (f64, f64) = (0.01, 0.5);
const LEARNING_RATE_RANGE: (f64, f64) = (1e-6, 1.0);
const WEIGHT_DECAY_RANGE: (f64, f64) = (0.0, 100.0);
const POSITIVE_WEIGHT_RANGE: (f64, f64) = (0.001, 1_000.0);

impl Default for RawTrainParams {
    fn default() -> Self {
        Self {
            seed: 1,
            family: FamilyName::Logistic,
            device: ComputeDevice::Flat,
            split: RawSplit::default(),
            logistic: RawLogistic::default(),
            mlp: RawMlp::default(),
            boosting: RawBoosting::default(),
            forest: RawForest::default(),
            scorecard: RawScorecardParams::default(),
            binning: BTreeMap::new(),
            ensemble: RawEnsemble::default(),
            calibration: RawCalibration::default(),
            sampling: Sampling::None,
            search: RawSearch::default(),
            monotone: BTreeMap::new(),
        }
    }
}

impl Default for RawSplit {
    fn default() -> Self {
        Self { by: SplitBy::Random, test: None, valid: VALID_SHARE, column: None, test_values: Vec::new() }
    }
}

/// Chosen on six public credit, churn and enrolment sets of 1,000 to 42,000 rows: many epochs for
/// small and badly scaled sets, and a patience that ends large ones after a dozen.
impl Default for RawLogistic {
    fn default() -> Self {
        Self {
            learning_rate: 0.02,
            batch_rows: 256,
            epochs: 200,
            patience: 10,
            weight_decay: 1.0,
            models: None,
            class_weight: ClassWeight::None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    #[error("{key} = {value}: must be between {min} and {max}")]
    Range { key: &'static str, value: f64, min: f64, max: f64 },
    #[error("{key} has {found} entries; {min} to {max} are allowed")]
    Count { key: &'static str, found: usize, min: usize, max: usize },
    #[error("{key} is needed when split.by = {by:?}")]
    Needed { key: &'static str, by: &'static str },
    #[error("{key} does not apply when split.by = {by:?}")]
    DoesNotApply { key: &'static str, by: &'static str },
    #[error("ensemble.members names {member:?}, which can be no member, or names it twice")]
    Member { member: &'static str },
    #[error("search.space.{key}: {what}")]
    Space { key: String, what: &'static str },
    #[error("binning.{field}: {what}")]
    Binning { field: String, what: &'static str },
    #[error(transparent)]
    Scorecard(#[from] ScorecardParamsError),
    #[error("[{section}] {source}")]
    Trees { section: &'static str, source: Box<TreesError> },
    #[error("device = \"ndarray\": this program was built without that device")]
    DeviceNotBuiltIn,
    #[error("{text:?} is no setting; write key=value, such as logistic.epochs=20")]
    NotAnAssignment { text: String },
    #[error("{key:?} is no key of train.toml{hint}", hint = meant.as_ref().map(|m| format!(" (did you mean {m:?}?)")).unwrap_or_default())]
    UnknownKey { key: String, meant: Option<String> },
    #[error("{key} = {value}: {source}")]
    Value { key: String, value: String, source: serde_json::Error },
}

impl Fact for ParamsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Range { .. } | Self::Count { .. } => "train_params.range",
            Self::Member { .. } => "train_params.member",
            Self::Space { .. } => "train_params.space",
            Self::Binning { .. } => "train_params.binning",
            Self::Scorecard(_) | Self::Trees { .. } => "train_params.range",
            Self::Needed { .. } => "train_params.needed",
            Self::DoesNotApply { .. } => "train_params.does_not_apply",
            Self::DeviceNotBuiltIn => "train_params.device_not_built_in",
            Self::NotAnAssignment { .. } => "train_params.not_an_assignment",
            Self::UnknownKey { .. } => "train_params.unknown_key",
            Self::Value { .. } => "train_params.value",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::DeviceNotBuiltIn => Some(
                "Write device = \"flex\", or build with `cargo build --release --features ndarray`.".into(),
            ),
            _ => None,
        }
    }
}

impl RawTrainParams {
    pub fn check(self) -> Result<TrainParams, ParamsError> {
        check_range("seed", self.seed as f64, (0.0, limits::SEED_MAX as f64))?;
        if !self.device.is_built_in() {
            return Err(ParamsError::DeviceNotBuiltIn);
        }
        let search = self.search.check(&self)?;
        let split = self.split.check()?;
        let (logistic, mlp) = (self.logistic.check()?, self.mlp.check()?);
        let (boosting, forest) = (self.boosting.check()?, self.forest.check()?);
        let card = self.scorecard.check()?;
        let card = ScorecardSettings::check(card, self.binning)?;
        let params_of = |name: FamilyName| match name {
            FamilyName::Baseline | FamilyName::Ensemble => FamilyParams::Baseline,
            FamilyName::Logistic => FamilyParams::Logistic(logistic.clone()),
            FamilyName::Mlp => FamilyParams::Mlp(mlp.clone()),
            FamilyName::Boosting => FamilyParams::Boosting(boosting.clone()),
            FamilyName::Forest => FamilyParams::Forest(forest.clone()),
            FamilyName::Scorecard => FamilyParams::Scorecard(card.clone()),
        };
        let ensemble = self.ensemble.check(params_of)?;
        let family = match self.family {
            FamilyName::Ensemble => FamilyParams::Ensemble(ensemble),
            other => params_of(other),
        };
        let calibration = self.calibration.check()?;
        if let Sampling::Under(ratio) | Sampling::Over(ratio) = self.sampling {
            check_range("sampling", ratio, POSITIVE_WEIGHT_RANGE)?;
        }
        let sampling = self.sampling;
        let monotone = Directions::new(self.monotone);
        Ok(TrainParams {
            seed: self.seed,
            device: self.device,
            split,
            family,
            calibration,
            sampling,
            monotone,
            search,
        })
    }
}

/// What families that share a recipe read of a field, all together.
fn form_of_all(members: &[FamilyParams]) -> Form {
    let (mut columns, mut codes) = (false, None::<CodeRules>);
    for member in members {
        match member.form() {
            Form::Columns => columns = true,
            // Only a scorecard asks for edges of its own; trees may have them too.
            Form::Codes(rules) | Form::Both(rules) => {
                let known = codes.take().filter(|known| !known.edges.is_empty());
                codes = Some(known.unwrap_or(rules));
            }
        }
    }
    match (columns, codes) {
        (true, Some(rules)) => Form::Both(rules),
        (false, Some(rules)) => Form::Codes(rules),
        (_, None) => Form::Columns,
    }
}

impl SplitParams {
    /// The share of the rows that do not test.
    pub fn valid_share(&self) -> f64 {
        match self {
            Self::Random { valid, .. } | Self::Column { valid, .. } | Self::Time { valid, .. } => *valid,
        }
    }
}

impl RawSplit {
    fn check(self) -> Result<SplitParams, ParamsError> {
        check_range("split.valid", self.valid, SHARE_RANGE)?;
        let valid = self.valid;
        let test = self.test.unwrap_or(TEST_SHARE);
        check_range("split.test", test, SHARE_RANGE)?;
        match self.by {
            SplitBy::Random => {
                refuse("split.column", self.column.is_some(), "random")?;
                refuse("split.test_values", !self.test_values.is_empty(), "random")?;
                Ok(SplitParams::Random { test, valid })
            }
            SplitBy::Time => {
                refuse("split.test_values", !self.test_values.is_empty(), "time")?;
                let column = self.column.ok_or(ParamsError::Needed { key: "split.column", by: "time" })?;
                Ok(SplitParams::Time { column, test, valid })
            }
            SplitBy::Column => {
                refuse("split.test", self.test.is_some(), "column")?;
                if self.test_values.is_empty() {
                    return Err(ParamsError::Needed { key: "split.test_values", by: "column" });
                }
                let test_values = self.test_values.into_iter().map(SplitValue::into_text).collect();
                Ok(SplitParams::Column { column: self.column, test_values, valid })
            }
        }
    }
}

impl SplitValue {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}

impl RawLogistic {
    fn check(self) -> Result<LogisticParams, ParamsError> {
        check_range("logistic.learning_rate", self.learning_rate, LEARNING_RATE_RANGE)?;
        check_range("logistic.weight_decay", self.weight_decay, WEIGHT_DECAY_RANGE)?;
        check_count("logistic.batch_rows", self.batch_rows, limits::BATCH_ROWS_MAX)?;
        check_count("logistic.epochs", self.epochs, limits::EPOCHS_MAX)?;
        check_count("logistic.patience", self.patience, limits::EPOCHS_MAX)?;
        if let Some(models) = self.models {
            check_count("logistic.models", models, 20)?;
        }
        self.class_weight.check("logistic.class_weight.positive")?;
        Ok(LogisticParams {
            learning_rate: self.learning_rate,
            batch_rows: self.batch_rows,
            epochs: self.epochs,
            patience: self.patience,
            weight_decay: self.weight_decay,
            models: self.models,
            class_weight: self.class_weight,
        })
    }
}

impl ClassWeight {
    fn check(self, key: &'static str) -> Result<(), ParamsError> {
        match self {
            Self::Positive(weight) => check_range(key, weight, POSITIVE_WEIGHT_RANGE),
            Self::None | Self::Balanced => Ok(()),
        }
    }
}

/// From 1 on.
fn check_count(key: &'static str, value: usize, max: usize) -> Result<(), ParamsError> {
    check_range(key, value as f64, (1.0, max as f64))
}

fn check_range(key: &'static str, value: f64, (min, max): (f64, f64)) -> Result<(), ParamsError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ParamsError::Range { key, value, min, max }) }
}

fn refuse(key: &'static str, given: bool, by: &'static str) -> Result<(), ParamsError> {
    if given { Err(ParamsError::DoesNotApply { key, by }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
