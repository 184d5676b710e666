//! From a margin to a probability: the curves a model may carry, and how odds move with the base rate.
//! Always strictly rising, so that calibration never changes who ranks before whom.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};

pub mod beta;
mod newton;
pub mod platt;
pub mod prior;

pub use crate::model::calibrate::beta::Beta;
pub use crate::model::calibrate::platt::Platt;

/// The flattest curve a fit may give: a model that ranks the wrong way round is not turned round here.
const SLOPE_MIN: f64 = 1e-3;

/// Which curve is fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationKind {
    /// Two parameters: stretches and moves the margin.
    #[default]
    Platt,
    /// Three parameters: may bend the low and the high end apart.
    Beta,
}

impl CalibrationKind {
    pub const ALL: [Self; 2] = [Self::Platt, Self::Beta];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platt => "platt",
            Self::Beta => "beta",
        }
    }
}

impl FromStr for CalibrationKind {
    type Err = CalibrationError;

    fn from_str(text: &str) -> Result<Self, CalibrationError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| CalibrationError::Kind { found: text.chars().take(40).collect() })
    }
}

/// The curve of one model, as a release keeps it: `{"method":"platt","slope":…,"intercept":…}` or
/// `{"method":"beta","a":…,"b":…,"c":…}`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCalibration", into = "RawCalibration")]
pub enum Calibration {
    Platt(Platt),
    Beta(Beta),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalibration {
    method: CalibrationKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slope: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intercept: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    b: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<f64>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    #[error("calibration {found:?} is not known: platt and beta are")]
    Kind { found: String },
    #[error(
        "a platt calibration has slope and intercept, a beta calibration a, b and c, and neither has more"
    )]
    Shape,
    #[error(transparent)]
    Platt(#[from] platt::BadPlatt),
    #[error(transparent)]
    Beta(#[from] beta::BadBeta),
}

impl Fact for CalibrationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "model.calibration_kind",
            Self::Shape => "model.calibration_shape",
            Self::Platt(bad) => bad.code(),
            Self::Beta(bad) => bad.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Kind { .. } => Class::Usage,
            Self::Shape | Self::Platt(_) | Self::Beta(_) => Class::Integrity,
        }
    }
}

impl Calibration {
    /// The margin is already a log-odds.
    pub fn identity() -> Self {
        Self::Platt(Platt::identity())
    }

    pub fn fit(kind: CalibrationKind, margins: &[f64], labels: &[bool]) -> Self {
        match kind {
            CalibrationKind::Platt => Self::Platt(Platt::fit(margins, labels)),
            CalibrationKind::Beta => Self::Beta(Beta::fit(margins, labels)),
        }
    }

    pub fn kind(&self) -> CalibrationKind {
        match self {
            Self::Platt(_) => CalibrationKind::Platt,
            Self::Beta(_) => CalibrationKind::Beta,
        }
    }

    pub fn probability(&self, margin: f64) -> f64 {
        match self {
            Self::Platt(curve) => curve.probability(margin),
            Self::Beta(curve) => curve.probability(margin),
        }
    }

    /// The same curve for rows of another base rate: all odds are multiplied alike.
    pub fn moved(&self, shift: prior::PriorShift) -> Result<Self, CalibrationError> {
        Ok(match self {
            Self::Platt(curve) => Self::Platt(curve.moved(shift.log_odds())?),
            Self::Beta(curve) => Self::Beta(curve.moved(shift.log_odds())?),
        })
    }
}

impl From<Platt> for Calibration {
    fn from(curve: Platt) -> Self {
        Self::Platt(curve)
    }
}

impl From<Beta> for Calibration {
    fn from(curve: Beta) -> Self {
        Self::Beta(curve)
    }
}

impl TryFrom<RawCalibration> for Calibration {
    type Error = CalibrationError;

    fn try_from(raw: RawCalibration) -> Result<Self, CalibrationError> {
        let RawCalibration { method, slope, intercept, a, b, c } = raw;
        match (method, slope, intercept, (a, b, c)) {
            (CalibrationKind::Platt, Some(slope), Some(intercept), (None, None, None)) => {
                Ok(Self::Platt(Platt::new(slope, intercept)?))
            }
            (CalibrationKind::Beta, None, None, (Some(a), Some(b), Some(c))) => {
                Ok(Self::Beta(Beta::new(a, b, c)?))
            }
            _ => Err(CalibrationError::Shape),
        }
    }
}

impl From<Calibration> for RawCalibration {
    fn from(calibration: Calibration) -> Self {
        let none =
            Self { method: calibration.kind(), slope: None, intercept: None, a: None, b: None, c: None };
        match calibration {
            Calibration::Platt(curve) => {
                Self { slope: Some(curve.slope()), intercept: Some(curve.intercept()), ..none }
            }
            Calibration::Beta(curve) => {
                let (a, b, c) = curve.parameters();
                Self { a: Some(a), b: Some(b), c: Some(c), ..none }
            }
        }
    }
}

/// The logistic function, exact in both tails.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// Platt's targets: a little inside 0 and 1, so that classes which margins separate have a finite curve.
fn smoothed_targets(labels: &[bool]) -> Vec<f64> {
    let positives = labels.iter().filter(|&&label| label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    labels.iter().map(|&label| if label { high } else { low }).collect()
}

#[cfg(test)]
mod tests;
