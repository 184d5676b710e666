//! `[calibration]` of train.toml: how margins become probabilities, and on which rows that is learned.

use serde::{Deserialize, Serialize};

use crate::model::calibrate::CalibrationKind;
use crate::train::params::ensemble::FOLDS_RANGE;
use crate::train::params::{FamilyParams, ParamsError};

/// As many as leave each model four fifths of the rows.
const FOLDS: usize = 5;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawCalibration {
    /// `platt`, or `beta`, which may bend the low and the high end apart.
    pub method: CalibrationKind,
    /// Folds whose out-of-fold margins the curve is fitted on; 0 fits it on the validation part. Where it is not
    /// written: 5, and 0 for families that watch a validation part anyway.
    pub folds: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CalibrationParams {
    pub method: CalibrationKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folds: Option<usize>,
}

impl CalibrationParams {
    /// Folds whose out-of-fold margins make probabilities; 0 where the validation part does.
    pub fn folds_for(&self, family: &FamilyParams, rows: usize) -> usize {
        self.folds.unwrap_or(if family.watches(rows) { 0 } else { FOLDS })
    }

    /// Whether some rows must be held out for validation.
    pub fn holds_out(&self, family: &FamilyParams, rows: usize) -> bool {
        family.watches(rows) || self.folds_for(family, rows) == 0
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl RawCalibration {
    pub(super) fn check(self) -> Result<CalibrationParams, ParamsError> {
        if let Some(folds) = self.folds.filter(|folds| *folds != 0) {
            super::check_range("calibration.folds", folds as f64, FOLDS_RANGE)?;
        }
        Ok(CalibrationParams { method: self.method, folds: self.folds })
    }
}
