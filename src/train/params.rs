//! What `train.toml` may say, and the checked parameters with every value written out.
//! Splits nothing and trains nothing; the file itself is read elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::fact::{Class, Fact, nearest};
use crate::base::limits;
use crate::model::reference::ComputeDevice;

/// `train.toml`. Absent keys have their defaults; unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawTrainParams {
    pub seed: u64,
    pub family: FamilyName,
    pub device: ComputeDevice,
    pub split: RawSplit,
    pub logistic: RawLogistic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FamilyName {
    Logistic,
    Baseline,
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
    pub epochs: usize,
    pub patience: usize,
    /// Times the learning rate, the share of a weight lost in one pass over the training rows,
    /// however many rows and steps that is: like a prior, it weighs less the more rows there are.
    pub weight_decay: f64,
    pub class_weight: ClassWeight,
}

/// How much a positive example counts beside a negative one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeight {
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
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogisticParams {
    pub learning_rate: f64,
    pub batch_rows: usize,
    pub epochs: usize,
    pub patience: usize,
    pub weight_decay: f64,
    pub class_weight: ClassWeight,
}

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
            device: ComputeDevice::Flex,
            split: RawSplit::default(),
            logistic: RawLogistic::default(),
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
            class_weight: ClassWeight::None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    #[error("{key} = {value}: must be between {min} and {max}")]
    Range { key: &'static str, value: f64, min: f64, max: f64 },
    #[error("{key} is needed when split.by = {by:?}")]
    Needed { key: &'static str, by: &'static str },
    #[error("{key} does not apply when split.by = {by:?}")]
    DoesNotApply { key: &'static str, by: &'static str },
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
            Self::Range { .. } => "train_params.range",
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
        let split = self.split.check()?;
        let logistic = self.logistic.check()?;
        let family = match self.family {
            FamilyName::Baseline => FamilyParams::Baseline,
            FamilyName::Logistic => FamilyParams::Logistic(logistic),
        };
        Ok(TrainParams { seed: self.seed, device: self.device, split, family })
    }

    /// Overrides one key, as in `logistic.epochs=20`. The value is read as JSON where it is JSON
    /// that fits, else as plain text.
    pub fn set(&mut self, assignment: &str) -> Result<(), ParamsError> {
        let Some((key, text)) = assignment.split_once('=') else {
            return Err(ParamsError::NotAnAssignment { text: assignment.to_string() });
        };
        let (key, text) = (key.trim(), text.trim());
        let plain = Value::String(text.to_string());
        *self = match serde_json::from_str(text) {
            // A column may be called 2020. The complaint about the number is the better one, though.
            Ok(value) => self.with(key, value).or_else(|error| match error {
                ParamsError::Value { .. } => self.with(key, plain).map_err(|_| error),
                _ => Err(error),
            }),
            Err(_) => self.with(key, plain),
        }?;
        Ok(())
    }

    /// A copy with one key changed.
    fn with(&self, key: &str, value: Value) -> Result<Self, ParamsError> {
        let shown = value.to_string();
        let misfit = |source| ParamsError::Value { key: key.to_string(), value: shown, source };
        let mut all = match serde_json::to_value(self) {
            Ok(all) => all,
            Err(source) => return Err(misfit(source)),
        };
        let known = known_keys(&all);
        match all.pointer_mut(&format!("/{}", key.replace('.', "/"))) {
            Some(place) if known.iter().any(|k| k == key) => *place = value,
            _ => {
                let meant = nearest(key, known.iter().map(String::as_str)).map(String::from);
                return Err(ParamsError::UnknownKey { key: key.to_string(), meant });
            }
        }
        serde_json::from_value(all).map_err(misfit)
    }
}

/// Every key that takes a value, as `seed` or `logistic.epochs`.
fn known_keys(all: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in all.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(section) => keys.extend(section.keys().map(|inner| format!("{key}.{inner}"))),
            None => keys.push(key.clone()),
        }
    }
    keys
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
        let count = |key, value: usize, max: usize| check_range(key, value as f64, (1.0, max as f64));
        check_range("logistic.learning_rate", self.learning_rate, LEARNING_RATE_RANGE)?;
        check_range("logistic.weight_decay", self.weight_decay, WEIGHT_DECAY_RANGE)?;
        count("logistic.batch_rows", self.batch_rows, limits::BATCH_ROWS_MAX)?;
        count("logistic.epochs", self.epochs, limits::EPOCHS_MAX)?;
        count("logistic.patience", self.patience, limits::EPOCHS_MAX)?;
        if let ClassWeight::Positive(weight) = self.class_weight {
            check_range("logistic.class_weight.positive", weight, POSITIVE_WEIGHT_RANGE)?;
        }
        Ok(LogisticParams {
            learning_rate: self.learning_rate,
            batch_rows: self.batch_rows,
            epochs: self.epochs,
            patience: self.patience,
            weight_decay: self.weight_decay,
            class_weight: self.class_weight,
        })
    }
}

fn check_range(key: &'static str, value: f64, (min, max): (f64, f64)) -> Result<(), ParamsError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(ParamsError::Range { key, value, min, max }) }
}

fn refuse(key: &'static str, given: bool, by: &'static str) -> Result<(), ParamsError> {
    if given { Err(ParamsError::DoesNotApply { key, by }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: Value) -> Result<RawTrainParams, serde_json::Error> {
        serde_json::from_value(value)
    }

    fn set(assignments: &[&str]) -> Result<TrainParams, ParamsError> {
        let mut raw = RawTrainParams::default();
        assignments.iter().try_for_each(|assignment| raw.set(assignment))?;
        raw.check()
    }

    #[test]
    fn an_empty_file_trains_with_every_value_written_out() {
        let params = parse(json!({})).unwrap().check().unwrap();
        let expected = json!({
            "seed": 1,
            "device": "flex",
            "split": {"by": "random", "test": 0.2, "valid": 0.2},
            "family": {"kind": "logistic", "learning_rate": 0.02, "batch_rows": 256, "epochs": 200,
                "patience": 10, "weight_decay": 1.0, "class_weight": "none"},
        });
        assert_eq!(serde_json::to_value(params).unwrap(), expected);
    }

    #[test]
    fn an_unknown_key_is_refused_at_any_depth() {
        assert!(parse(json!({"sed": 1})).is_err());
        assert!(parse(json!({"split": {"share": 0.1}})).is_err());
        assert!(parse(json!({"logistic": {"momentum": 0.1}})).is_err());
    }

    #[test]
    fn a_value_out_of_its_range_is_refused_with_the_range() {
        for (assignment, key) in [
            ("split.valid=0", "split.valid"),
            ("split.test=0.9", "split.test"),
            ("logistic.learning_rate=0", "logistic.learning_rate"),
            ("logistic.batch_rows=0", "logistic.batch_rows"),
            ("logistic.epochs=10001", "logistic.epochs"),
            ("logistic.patience=0", "logistic.patience"),
            ("logistic.weight_decay=-1", "logistic.weight_decay"),
            ("logistic.class_weight={\"positive\":0}", "logistic.class_weight.positive"),
            ("seed=9007199254740992", "seed"),
        ] {
            let refused = set(&[assignment]).unwrap_err();
            assert!(matches!(refused, ParamsError::Range { key: k, .. } if k == key), "{refused}");
        }
        let message = set(&["logistic.epochs=0"]).unwrap_err().to_string();
        assert_eq!(message, "logistic.epochs = 0: must be between 1 and 10000");
    }

    #[test]
    fn a_split_takes_what_it_needs_and_refuses_the_rest() {
        let by_column =
            set(&["split.by=column", "split.column=2020", "split.test_values=[0,\"b\"]"]).unwrap();
        let test_values = vec!["0".to_string(), "b".to_string()];
        let column = Some("2020".to_string());
        assert_eq!(by_column.split, SplitParams::Column { column, test_values, valid: 0.2 });
        let by_time = set(&["split.by=time", "split.column=issued"]).unwrap();
        let column = "issued".to_string();
        assert_eq!(by_time.split, SplitParams::Time { column, test: 0.2, valid: 0.2 });
        for needy in [vec!["split.by=time"], vec!["split.by=column"]] {
            assert!(matches!(set(&needy), Err(ParamsError::Needed { .. })), "{needy:?}");
        }
        for odd in [
            vec!["split.column=x"],
            vec!["split.by=time", "split.column=x", "split.test_values=[1]"],
            vec!["split.by=column", "split.test_values=[1]", "split.test=0.1"],
        ] {
            assert!(matches!(set(&odd), Err(ParamsError::DoesNotApply { .. })), "{odd:?}");
        }
    }

    #[test]
    fn an_override_reads_numbers_words_and_objects() {
        let params =
            set(&["seed=7", "logistic.epochs = 20", "logistic.class_weight={\"positive\":2.5}"]).unwrap();
        assert_eq!(params.seed, 7);
        let FamilyParams::Logistic(logistic) = params.family else { panic!() };
        assert_eq!((logistic.epochs, logistic.class_weight), (20, ClassWeight::Positive(2.5)));
        assert_eq!(set(&["family=baseline", "logistic.epochs=20"]).unwrap().family, FamilyParams::Baseline);
    }

    #[test]
    fn a_bad_override_names_its_key() {
        let refused = set(&["logistic.epoch=20"]).unwrap_err().to_string();
        assert!(refused.contains("did you mean \"logistic.epochs\""), "{refused}");
        assert!(matches!(set(&["logistic=1"]), Err(ParamsError::UnknownKey { .. })));
        assert!(matches!(set(&["split/by=time"]), Err(ParamsError::UnknownKey { .. })));
        assert!(matches!(set(&["epochs"]), Err(ParamsError::NotAnAssignment { .. })));
        let refused = set(&["logistic.epochs=many"]).unwrap_err().to_string();
        assert!(refused.starts_with("logistic.epochs = \"many\": "), "{refused}");
        let refused = set(&["logistic.epochs=1.5"]).unwrap_err().to_string();
        assert!(refused.starts_with("logistic.epochs = 1.5: "), "{refused}");
    }

    #[test]
    fn the_reference_device_is_there_only_if_it_was_built() {
        let refused = set(&["device=ndarray"]);
        if cfg!(feature = "ndarray") {
            assert_eq!(refused.unwrap().device, ComputeDevice::Ndarray);
        } else {
            let refused = refused.unwrap_err();
            assert!(refused.next_step().unwrap().contains("--features ndarray"));
        }
    }
}
