//! An experiment: the named drawer runs are kept in. Id "0" is named Default and always exists.
//! Never lists its runs; they name it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::tracking::rule::{TrackingError, check_length, check_tag_key};

pub const DEFAULT_ID: &str = "0";
pub const DEFAULT_NAME: &str = "Default";

/// Deleting hides; it never destroys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecycleStage {
    Active,
    Deleted,
}

impl LifecycleStage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deleted => "deleted",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// A decimal number as text.
    pub experiment_id: String,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle_stage: LifecycleStage,
    pub creation_time: i64,
    pub last_update_time: i64,
    pub tags: BTreeMap<String, String>,
}

impl Experiment {
    pub fn new(number: u64, name: &str, now_ms: i64) -> Result<Self, TrackingError> {
        check_name(name)?;
        let experiment_id = number.to_string();
        Ok(Self {
            artifact_location: format!("mlflow-artifacts:/{experiment_id}"),
            experiment_id,
            name: name.to_string(),
            lifecycle_stage: LifecycleStage::Active,
            creation_time: now_ms,
            last_update_time: now_ms,
            tags: BTreeMap::new(),
        })
    }

    pub fn rename(&mut self, name: &str, now_ms: i64) -> Result<(), TrackingError> {
        check_name(name)?;
        self.name = name.to_string();
        self.last_update_time = now_ms;
        Ok(())
    }

    pub fn set_tag(&mut self, key: &str, value: &str, now_ms: i64) -> Result<(), TrackingError> {
        check_tag_key(key)?;
        check_length("value", value, limits::EXPERIMENT_TAG_VALUE_CHARS_MAX)?;
        self.tags.insert(key.to_string(), value.to_string());
        self.last_update_time = now_ms;
        Ok(())
    }
}

/// The number an experiment id stands for; one id has one spelling.
pub fn parse_experiment_id(id: &str) -> Result<u64, TrackingError> {
    let refused = || TrackingError::ExperimentId { id: id.to_string() };
    let number: u64 = id.parse().map_err(|_| refused())?;
    if number.to_string() == id { Ok(number) } else { Err(refused()) }
}

fn check_name(name: &str) -> Result<(), TrackingError> {
    if name.is_empty() {
        return Err(TrackingError::ExperimentNameEmpty);
    }
    check_length("name", name, limits::EXPERIMENT_NAME_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_experiment_id_has_one_spelling() {
        assert_eq!(parse_experiment_id("0"), Ok(0));
        assert_eq!(parse_experiment_id("12"), Ok(12));
        for bad in ["", "+1", "01", "-1", "abc", "99999999999999999999999"] {
            assert!(parse_experiment_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rename_moves_the_update_time_only() {
        let mut experiment = Experiment::new(3, "loans", 10).unwrap();
        experiment.rename("cards", 20).unwrap();
        assert_eq!((experiment.creation_time, experiment.last_update_time), (10, 20));
        assert_eq!(experiment.artifact_location, "mlflow-artifacts:/3");
        assert!(experiment.rename(&"x".repeat(501), 30).is_err());
    }
}
