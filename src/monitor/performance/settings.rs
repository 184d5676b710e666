//! `[performance]` of monitor.toml: raw, then checked.
//! Never reads a file.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::monitor::performance::limits;

/// As it is written; what is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPerformance {
    /// Days after the end of a month until its outcomes count as known: 90.
    pub maturity_days: Option<u64>,
    /// The share of a month's outcomes that, once known, makes the wait unnecessary: 0.9.
    pub maturity_share: Option<f64>,
    /// Known outcomes below which no figure is given: 50.
    pub min_known: Option<u64>,
    /// Known outcomes of either class below which nothing is said of how well the classes are told apart: 10.
    pub min_class: Option<u64>,
    /// By how much the AUC may fall below the one that training measured: 0.05.
    pub auc_drop: Option<f64>,
    /// By which part of the bad rate (of the good rate, where that is less) the mean probability may miss it: 0.2.
    pub calibration_gap: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PerformanceSettings {
    pub(super) maturity_days: u64,
    pub(super) maturity_share: f64,
    pub(super) min_known: u64,
    pub(super) min_class: u64,
    pub(super) auc_drop: f64,
    pub(super) calibration_gap: f64,
}

impl Default for PerformanceSettings {
    fn default() -> Self {
        Self {
            maturity_days: 90,
            maturity_share: 0.9,
            min_known: 50,
            min_class: 10,
            auc_drop: 0.05,
            calibration_gap: 0.2,
        }
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum PerformanceSettingsError {
    #[error("monitor.toml: [performance] {field} is {found}; it must lie between {min} and {max}")]
    Whole { field: &'static str, found: u64, min: u64, max: u64 },
    #[error("monitor.toml: [performance] {field} is {found}; it must lie {range}")]
    Figure { field: &'static str, found: f64, range: &'static str },
    #[error(
        "monitor.toml: [performance] min_known {min_known} is less than two classes of min_class {min_class}"
    )]
    Classes { min_known: u64, min_class: u64 },
}

impl Fact for PerformanceSettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Whole { .. } | Self::Figure { .. } => "monitor.performance_figure",
            Self::Classes { .. } => "monitor.performance_classes",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some("Correct monitor.toml and run `tallystick project check`.".into())
    }
}

impl RawPerformance {
    pub fn check(&self) -> Result<PerformanceSettings, PerformanceSettingsError> {
        let usual = PerformanceSettings::default();
        let checked = PerformanceSettings {
            maturity_days: whole("maturity_days", self.maturity_days.unwrap_or(usual.maturity_days), 0)?,
            maturity_share: share("maturity_share", self.maturity_share.unwrap_or(usual.maturity_share))?,
            min_known: whole("min_known", self.min_known.unwrap_or(usual.min_known), limits::MIN_KNOWN_MIN)?,
            min_class: whole("min_class", self.min_class.unwrap_or(usual.min_class), limits::MIN_CLASS_MIN)?,
            auc_drop: share("auc_drop", self.auc_drop.unwrap_or(usual.auc_drop))?,
            calibration_gap: share("calibration_gap", self.calibration_gap.unwrap_or(usual.calibration_gap))?,
        };
        if checked.min_known < 2 * checked.min_class {
            let (min_known, min_class) = (checked.min_known, checked.min_class);
            return Err(PerformanceSettingsError::Classes { min_known, min_class });
        }
        Ok(checked)
    }
}

fn whole(field: &'static str, found: u64, min: u64) -> Result<u64, PerformanceSettingsError> {
    let max = limits::SETTING_MAX;
    if (min..=max).contains(&found) {
        Ok(found)
    } else {
        Err(PerformanceSettingsError::Whole { field, found, min, max })
    }
}

fn share(field: &'static str, found: f64) -> Result<f64, PerformanceSettingsError> {
    if found > 0.0 && found <= 1.0 {
        Ok(found)
    } else {
        Err(PerformanceSettingsError::Figure { field, found, range: "above 0 and at most at 1" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_written_counts() {
        assert_eq!(RawPerformance::default().check().unwrap(), PerformanceSettings::default());
        let raw: RawPerformance = toml::from_str("maturity_days = 30\nauc_drop = 0.02").unwrap();
        let settings = raw.check().unwrap();
        assert_eq!((settings.maturity_days, settings.auc_drop, settings.min_known), (30, 0.02, 50));
        assert!(toml::from_str::<RawPerformance>("maturity = 30").is_err());
    }

    #[test]
    fn figures_out_of_range_are_refused_by_name() {
        let refused = |text: &str| {
            let raw: RawPerformance = toml::from_str(text).unwrap();
            raw.check().unwrap_err().to_string()
        };
        for (text, field) in [
            ("maturity_days = 100000000", "maturity_days"),
            ("maturity_share = 0.0", "maturity_share"),
            ("min_known = 1", "min_known"),
            ("min_class = 0", "min_class"),
            ("auc_drop = nan", "auc_drop"),
            ("calibration_gap = 1.5", "calibration_gap"),
            ("min_known = 15", "min_class 10"),
        ] {
            assert!(refused(text).contains(field), "{}", refused(text));
        }
    }
}
