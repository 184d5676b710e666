//! What a rule can watch: what it may name, which limits fit, and the series it reads.
//! Never judges.

use serde::{Deserialize, Serialize};

use crate::monitor::trend::names;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// Fields against the reference.
    Drift,
    /// The score against the reference.
    ScoreDrift,
    /// The share of missing values of a field.
    Missing,
    /// The share of values of a field that training never saw.
    Unseen,
    /// The verdict on the day's data, or on one field's.
    Quality,
    /// How far the AUC lies below the one the model was released with.
    AucDrop,
    /// The verdict on all that outcomes tell.
    Performance,
    /// The verdict on the release in force, by its own matured outcomes.
    Release,
    /// How far its AUC lies below that of its test part, by the end of the interval that is kindest to it.
    ReleaseAucDrop,
    /// How many bad ones came for each that it foretold, by the end of the interval that is kindest to it.
    ReleaseCalibration,
    /// How far probabilities are from what came.
    Calibration,
    /// Differences between the groups of an attribute.
    Fairness,
    ApprovalRate,
    /// The bad among the approved whose outcome is known.
    BadRate,
    /// Rows of the window.
    Volume,
    /// The share that the fallback answered.
    Degraded,
}

/// The figures a rule on calibration may name; the first where it names none.
const CALIBRATION_FIGURES: [&str; 5] =
    [names::ECE, "calibration_slope", "calibration_intercept", "brier", "log_loss"];
const FAIRNESS_FIGURES: [&str; 5] = [
    names::PARITY_DIFFERENCE,
    "demographic_parity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "equal_opportunity_difference",
];

impl Watch {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::ScoreDrift => "score_drift",
            Self::Missing => "missing",
            Self::Unseen => "unseen",
            Self::Quality => "quality",
            Self::AucDrop => "auc_drop",
            Self::Performance => "performance",
            Self::Release => "release",
            Self::ReleaseAucDrop => "release_auc_drop",
            Self::ReleaseCalibration => "release_calibration",
            Self::Calibration => "calibration",
            Self::Fairness => "fairness",
            Self::ApprovalRate => "approval_rate",
            Self::BadRate => "bad_rate",
            Self::Volume => "volume",
            Self::Degraded => "degraded",
        }
    }

    pub(super) fn takes_field(self) -> bool {
        matches!(self, Self::Drift | Self::Missing | Self::Unseen | Self::Quality)
    }

    pub(super) fn takes_attribute(self) -> bool {
        self == Self::Fairness
    }

    /// Figures it may name, the one it means by itself first.
    pub(super) fn figures(self) -> &'static [&'static str] {
        match self {
            Self::Calibration => &CALIBRATION_FIGURES,
            Self::Fairness => &FAIRNESS_FIGURES,
            _ => &[],
        }
    }

    /// Whether there is a verdict that `at` can mean.
    pub(super) fn has_verdict(self) -> bool {
        matches!(
            self,
            Self::Drift
                | Self::ScoreDrift
                | Self::Quality
                | Self::Performance
                | Self::Release
                | Self::Fairness
        )
    }

    pub(super) fn takes_above(self) -> bool {
        !matches!(self, Self::Quality | Self::Performance | Self::Release)
    }

    /// Where less is always better, a lower limit is a mistake.
    pub(super) fn takes_below(self) -> bool {
        matches!(
            self,
            Self::ReleaseCalibration
                | Self::Calibration
                | Self::Fairness
                | Self::ApprovalRate
                | Self::BadRate
                | Self::Volume
        )
    }

    /// Whether its values lie between 0 and 1.
    pub(super) fn is_share(self) -> bool {
        matches!(
            self,
            Self::Missing
                | Self::Unseen
                | Self::AucDrop
                | Self::ReleaseAucDrop
                | Self::ApprovalRate
                | Self::BadRate
                | Self::Degraded
        )
    }
}
