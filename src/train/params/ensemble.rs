//! `[ensemble]` of train.toml: which families make one model together.
//! Their own sections say how each is trained.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::train::params::{FamilyName, FamilyParams, ParamsError};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawEnsemble {
    pub members: Vec<FamilyName>,
    /// Folds whose out-of-fold margins say what each member counts.
    pub folds: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnsembleParams {
    /// Each with its own parameters; no ensemble among them.
    pub members: Vec<FamilyParams>,
    pub folds: usize,
}

impl Default for RawEnsemble {
    fn default() -> Self {
        let members =
            vec![FamilyName::Boosting, FamilyName::Forest, FamilyName::Logistic, FamilyName::Scorecard];
        Self { members, folds: 5 }
    }
}

impl RawEnsemble {
    /// `params_of` gives a named family's own.
    pub(super) fn check(
        &self,
        params_of: impl Fn(FamilyName) -> FamilyParams,
    ) -> Result<EnsembleParams, ParamsError> {
        let (found, max) = (self.members.len(), limits::ENSEMBLE_MEMBERS_MAX);
        if found < 2 || found > max {
            return Err(ParamsError::Count { key: "ensemble.members", found, min: 2, max });
        }
        let mut seen = Vec::new();
        for &member in &self.members {
            if member == FamilyName::Ensemble || member == FamilyName::Baseline || seen.contains(&member) {
                return Err(ParamsError::Member { member: member.as_str() });
            }
            seen.push(member);
        }
        super::check_range("ensemble.folds", self.folds as f64, FOLDS_RANGE)?;
        Ok(EnsembleParams {
            members: self.members.iter().map(|&m| params_of(m)).collect(),
            folds: self.folds,
        })
    }
}

pub(super) const FOLDS_RANGE: (f64, f64) = (2.0, 20.0);
