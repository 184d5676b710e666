//! monitor.toml of a project: what counts as a change, which groups are watched, and which rules raise an alarm.
//! A project without the file is watched by the defaults.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::monitor::alarm::error::RuleError;
use crate::monitor::alarm::rules::{Named, RawRule, RawRules, Rules};
use crate::monitor::business::{BusinessError, Gains};
use crate::monitor::drift::bank::BankRules;
use crate::monitor::fairness::settings::{FairnessSettings, FairnessSettingsError, RawFairness};
use crate::monitor::performance::settings::{PerformanceSettings, PerformanceSettingsError, RawPerformance};
use crate::monitor::quality::QualityRules;

/// The file as it is written; what is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawWatching {
    drift: RawDrift,
    quality: RawQuality,
    performance: RawPerformance,
    fairness: RawFairness,
    business: RawBusiness,
    /// Groups that come with outcomes and are compared, such as `sex`.
    attributes: Vec<String>,
    keep_days: Option<u64>,
    rule: Option<Vec<RawRule>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawDrift {
    min_rows: Option<u64>,
    alarm_rate: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawQuality {
    min_rows: Option<u64>,
    alarm_rate: Option<f64>,
    watch: Option<f64>,
    shifted: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawBusiness {
    /// Outcomes that count as an approval; the best band's where absent.
    approved: Option<Vec<String>>,
    good: Option<f64>,
    bad: Option<f64>,
}

/// How a project is watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Watching {
    pub drift: BankRules,
    pub quality: QualityRules,
    pub performance: PerformanceSettings,
    pub fairness: FairnessSettings,
    pub attributes: Vec<String>,
    pub approved: Option<Vec<String>>,
    pub gains: Option<Gains>,
    pub rules: Rules,
    /// How long reports are kept.
    pub keep_days: u64,
}

const KEEP_DAYS: u64 = 1_100;
const KEEP_DAYS_MAX: u64 = 4_000;
const ATTRIBUTES_MAX: usize = 8;
const ROWS_MIN_MAX: u64 = 1_000_000;

#[derive(Debug, thiserror::Error)]
pub enum WatchingError {
    #[error(transparent)]
    Performance(#[from] PerformanceSettingsError),
    #[error(transparent)]
    Fairness(#[from] FairnessSettingsError),
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Business(#[from] BusinessError),
    #[error("monitor.toml: {key} = {found}; it must be {allowed}")]
    Value { key: &'static str, found: String, allowed: &'static str },
    #[error("monitor.toml: [business] has one of good and bad; a profit needs both")]
    HalfGains,
}

impl Fact for WatchingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Performance(error) => error.code(),
            Self::Fairness(error) => error.code(),
            Self::Rule(error) => error.code(),
            Self::Business(error) => error.code(),
            Self::Value { .. } => "monitor.value",
            Self::HalfGains => "monitor.half_gains",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Rule(error) => error.next_step(),
            _ => Some("Correct monitor.toml and run `tallystick project check DIR`.".into()),
        }
    }
}

impl RawWatching {
    /// `fields` are those of the recipe, `model` is the project's.
    pub fn check(self, fields: &[String], model: &str) -> Result<Watching, WatchingError> {
        if self.attributes.len() > ATTRIBUTES_MAX {
            return Err(value("attributes", self.attributes.len(), "at most 8 names"));
        }
        let models = [model.to_string()];
        let named = Named { fields, attributes: &self.attributes, models: &models };
        let rules = match self.rule {
            Some(rule) => RawRules { rule }.check(&named)?,
            None => Rules::standard(),
        };
        let keep_days = self.keep_days.unwrap_or(KEEP_DAYS);
        if !(1..=KEEP_DAYS_MAX).contains(&keep_days) {
            return Err(value("keep_days", keep_days, "from 1 to 4000"));
        }
        Ok(Watching {
            drift: self.drift.check()?,
            quality: self.quality.check()?,
            performance: self.performance.check()?,
            fairness: self.fairness.check()?,
            gains: self.business.gains()?,
            approved: self.business.approved,
            attributes: self.attributes,
            rules,
            keep_days,
        })
    }
}

fn value(key: &'static str, found: impl ToString, allowed: &'static str) -> WatchingError {
    WatchingError::Value { key, found: found.to_string(), allowed }
}

fn check_rows(key: &'static str, found: Option<u64>, otherwise: u64) -> Result<u64, WatchingError> {
    let found = found.unwrap_or(otherwise);
    let fits = (1..=ROWS_MIN_MAX).contains(&found);
    if fits { Ok(found) } else { Err(value(key, found, "from 1 to 1000000")) }
}

fn check_share(key: &'static str, found: Option<f64>, otherwise: f64) -> Result<f64, WatchingError> {
    let found = found.unwrap_or(otherwise);
    if found > 0.0 && found < 1.0 { Ok(found) } else { Err(value(key, found, "above 0 and below 1")) }
}

impl RawDrift {
    fn check(&self) -> Result<BankRules, WatchingError> {
        let standard = BankRules::default();
        let current_rows_min = check_rows("[drift] min_rows", self.min_rows, standard.current_rows_min)?;
        let alarm_rate = check_share("[drift] alarm_rate", self.alarm_rate, standard.alarm_rate)?;
        Ok(BankRules { current_rows_min, alarm_rate, ..standard })
    }
}

impl RawQuality {
    fn check(&self) -> Result<QualityRules, WatchingError> {
        let standard = QualityRules::default();
        Ok(QualityRules {
            rows_min: check_rows("[quality] min_rows", self.min_rows, standard.rows_min)?,
            alarm_rate: check_share("[quality] alarm_rate", self.alarm_rate, standard.alarm_rate)?,
            watch: check_share("[quality] watch", self.watch, standard.watch)?,
            shifted: check_share("[quality] shifted", self.shifted, standard.shifted)?,
        })
    }
}

impl RawBusiness {
    fn gains(&self) -> Result<Option<Gains>, WatchingError> {
        match (self.good, self.bad) {
            (None, None) => Ok(None),
            (Some(good), Some(bad)) => {
                let gains = Gains { good, bad };
                gains.check()?;
                Ok(Some(gains))
            }
            _ => Err(WatchingError::HalfGains),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Watching, WatchingError> {
        toml::from_str::<RawWatching>(text).unwrap().check(&["income".to_string()], "loans")
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        let watching = check("").unwrap();
        assert_eq!((watching.drift, watching.keep_days), (BankRules::default(), 1_100));
        assert_eq!(watching.rules, Rules::standard());
        assert!(check("rule = []").unwrap().rules != Rules::standard(), "none is none");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for text in [
            "keep_days = 0",
            "[drift]\nmin_rows = 0",
            "[quality]\nwatch = 1.5",
            "[business]\ngood = 1",
            "[performance]\nmin_known = 3",
            "[[rule]]\nname = \"r\"\nwatch = \"drift\"\nfield = \"incme\"\nat = \"shifted\"",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
