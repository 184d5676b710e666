//! `[fairness]` of monitor.toml: raw, then checked.
//! Never reads a file.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::monitor::fairness::limits;

/// As it is written; what is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawFairness {
    /// Decisions below which a group is named but not compared: 50.
    pub min_group: Option<u64>,
    /// Known good cases (or bad ones) below which a group has no rate among them: 10.
    pub min_class: Option<u64>,
    /// The least that the lowest selection rate may be of the highest: 0.8, the four-fifths rule.
    pub selection_ratio: Option<f64>,
    /// By how much the rates among good cases, or among bad ones, may differ: 0.1.
    pub odds_difference: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FairnessSettings {
    pub(super) min_group: u64,
    pub(super) min_class: u64,
    pub(super) selection_ratio: f64,
    pub(super) odds_difference: f64,
}

impl Default for FairnessSettings {
    fn default() -> Self {
        Self { min_group: 50, min_class: 10, selection_ratio: 0.8, odds_difference: 0.1 }
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum FairnessSettingsError {
    #[error("monitor.toml: [fairness] {field} is {found}; it must lie between {min} and {max}")]
    Whole { field: &'static str, found: u64, min: u64, max: u64 },
    #[error("monitor.toml: [fairness] {field} is {found}; it must lie above 0 and at most at 1")]
    Figure { field: &'static str, found: f64 },
}

impl Fact for FairnessSettingsError {
    fn code(&self) -> &'static str {
        "monitor.fairness_figure"
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some("Correct monitor.toml and run `tallystick project check`.".into())
    }
}

impl RawFairness {
    pub fn check(&self) -> Result<FairnessSettings, FairnessSettingsError> {
        let usual = FairnessSettings::default();
        let ratio = self.selection_ratio.unwrap_or(usual.selection_ratio);
        let difference = self.odds_difference.unwrap_or(usual.odds_difference);
        Ok(FairnessSettings {
            min_group: whole("min_group", self.min_group.unwrap_or(usual.min_group))?,
            min_class: whole("min_class", self.min_class.unwrap_or(usual.min_class))?,
            selection_ratio: share("selection_ratio", ratio)?,
            odds_difference: share("odds_difference", difference)?,
        })
    }
}

fn whole(field: &'static str, found: u64) -> Result<u64, FairnessSettingsError> {
    let (min, max) = (1, limits::SETTING_MAX);
    if (min..=max).contains(&found) {
        Ok(found)
    } else {
        Err(FairnessSettingsError::Whole { field, found, min, max })
    }
}

fn share(field: &'static str, found: f64) -> Result<f64, FairnessSettingsError> {
    if found > 0.0 && found <= 1.0 { Ok(found) } else { Err(FairnessSettingsError::Figure { field, found }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_out_of_range_is_refused_by_name() {
        assert_eq!(RawFairness::default().check().unwrap(), FairnessSettings::default());
        let raw = |text: &str| toml::from_str::<RawFairness>(text).unwrap().check();
        assert_eq!(raw("min_group = 30\nselection_ratio = 0.9").unwrap().min_group, 30);
        for (text, field) in [
            ("min_group = 0", "min_group"),
            ("min_class = 2000000", "min_class"),
            ("selection_ratio = 0.0", "selection_ratio"),
            ("odds_difference = nan", "odds_difference"),
        ] {
            assert!(raw(text).unwrap_err().to_string().contains(field), "{text}");
        }
        assert!(toml::from_str::<RawFairness>("four_fifths = true").is_err());
    }
}
