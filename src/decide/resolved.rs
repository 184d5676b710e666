//! The policy as it is signed: bands in probabilities, rules, and every reason text it may need.
//! Its canonical bytes are its name; a checked one is the proof that a decision can be made by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::ids::check_name;
use crate::base::limits;
use crate::data::contract::Contract;
use crate::decide::policy::{CutoffBy, PolicyError, PositiveIs, check_outcomes, check_rules};
use crate::decide::rules::Rule;
use crate::decide::texts::missing_keys;
use crate::registry::content::Purpose;
use crate::registry::signing::VerifiedPolicy;

pub const FORMAT: &str = "tallystick.policy.v1";

/// The signed object, field by field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyObject {
    pub format: String,
    pub name: String,
    pub purpose: Purpose,
    pub positive_is: PositiveIs,
    pub cutoff: ResolvedCutoff,
    /// In rising order of the probability; the last is open.
    pub bands: Vec<Band>,
    pub rules: Vec<Rule>,
    pub reasons: BTreeMap<String, String>,
    pub texts: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolvedCutoff {
    pub found_by: CutoffBy,
    pub value: f64,
    /// The model on whose scores it was found; null where it was written down.
    pub model: Option<Digest>,
}

/// Holds for probabilities below `upto` and not below the band before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    pub outcome: String,
    pub upto: Option<f64>,
}

/// A policy that a decision can be made by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PolicyObject", into = "PolicyObject")]
pub struct ResolvedPolicy {
    object: PolicyObject,
}

impl TryFrom<PolicyObject> for ResolvedPolicy {
    type Error = PolicyError;

    fn try_from(object: PolicyObject) -> Result<Self, PolicyError> {
        object.check()?;
        Ok(Self { object })
    }
}

impl From<ResolvedPolicy> for PolicyObject {
    fn from(policy: ResolvedPolicy) -> Self {
        policy.object
    }
}

impl ResolvedPolicy {
    /// The one sequence of bytes that is signed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PolicyError> {
        Ok(canonical::to_bytes(&self.object)?)
    }

    pub fn digest(&self) -> Result<Digest, PolicyError> {
        Ok(Digest::of(&self.to_bytes()?))
    }

    /// Reads and checks canonical bytes; says nothing about who made them.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        canonical::parse::<PolicyObject>(bytes)?.try_into()
    }

    pub fn object(&self) -> &PolicyObject {
        &self.object
    }

    /// The stem of a field's text keys.
    pub fn stem<'a>(&'a self, field: &'a str) -> &'a str {
        self.object.reasons.get(field).map_or(field, String::as_str)
    }

    pub fn find_text(&self, key: &str) -> Option<&str> {
        self.object.texts.get(key).map(String::as_str)
    }

    /// The outcome a person would wish for.
    pub fn best_outcome(&self) -> &str {
        let bands = &self.object.bands;
        let best = match self.object.positive_is {
            PositiveIs::Bad => bands.first(),
            PositiveIs::Good => bands.last(),
        };
        // `check` has made sure that there are two bands at least.
        best.map_or("", |band| band.outcome.as_str())
    }

    /// Where the best band ends on the side of the others: the last case that is accepted lies there.
    pub fn accepted_edge(&self) -> f64 {
        let bands = &self.object.bands;
        let before_last = bands.len().saturating_sub(2);
        let edge = match self.object.positive_is {
            PositiveIs::Bad => bands.first(),
            PositiveIs::Good => bands.get(before_last),
        };
        edge.and_then(|band| band.upto).unwrap_or(self.object.cutoff.value)
    }

    /// Whether every decision of a model with this purpose, contract and fields can be made and explained.
    pub fn covers<'a>(
        &self,
        purpose: Purpose,
        contract: &Contract,
        fields: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), PolicyError> {
        let policy = &self.object;
        if policy.purpose != purpose {
            return Err(PolicyError::Purpose { policy: policy.purpose, model: purpose });
        }
        policy.rules.iter().try_for_each(|rule| rule.check(contract))?;
        let keys = missing_keys(contract, fields, &policy.reasons, &policy.texts);
        if keys.is_empty() { Ok(()) } else { Err(PolicyError::NoText { keys }) }
    }
}

impl PolicyObject {
    fn check(&self) -> Result<(), PolicyError> {
        if self.format != FORMAT {
            return Err(PolicyError::Format { found: self.format.clone() });
        }
        check_name(&self.name)?;
        self.cutoff.found_by.check()?;
        CutoffBy::Value { value: self.cutoff.value }.check()?;
        self.check_bands()?;
        let outcomes: Vec<&str> = self.bands.iter().map(|band| band.outcome.as_str()).collect();
        check_outcomes(self.purpose, self.positive_is, &outcomes, &self.rules)?;
        check_rules(&self.rules)?;
        self.check_texts()
    }

    fn check_bands(&self) -> Result<(), PolicyError> {
        let (found, max) = (self.bands.len(), limits::BANDS_MAX);
        if !(2..=max).contains(&found) {
            return Err(PolicyError::Count { what: "bands", found, min: 2, max });
        }
        let mut below = 0.0;
        for (n, band) in self.bands.iter().enumerate() {
            check_name(&band.outcome)?;
            let outcome = || band.outcome.clone();
            match band.upto {
                None if n + 1 == found => {}
                Some(upto) if n + 1 < found && upto > below && upto < 1.0 => below = upto,
                Some(upto) if n + 1 < found => {
                    return Err(PolicyError::BandOrder { outcome: outcome(), upto, below });
                }
                Some(_) => {
                    return Err(PolicyError::Band {
                        outcome: outcome(),
                        what: "is the last and must be open",
                    });
                }
                None => {
                    return Err(PolicyError::Band {
                        outcome: outcome(),
                        what: "has no end; only the last is open",
                    });
                }
            }
        }
        Ok(())
    }

    fn check_texts(&self) -> Result<(), PolicyError> {
        let max = limits::REASON_TEXT_CHARS_MAX;
        let long = self.texts.iter().map(|(key, text)| (key, text.chars().count())).find(|(_, n)| *n > max);
        if let Some((key, found)) = long {
            return Err(PolicyError::LongText { key: key.clone(), found, max });
        }
        let told = |key: &str| self.texts.get(key).is_some_and(|text| !text.trim().is_empty());
        let reasons = self.rules.iter().map(|rule| &rule.reason);
        let keys: Vec<String> = reasons.chain(self.texts.keys()).filter(|key| !told(key)).cloned().collect();
        if keys.is_empty() { Ok(()) } else { Err(PolicyError::NoText { keys }) }
    }
}

/// A policy whose signatures were verified, ready for decisions.
#[derive(Clone, Debug)]
pub struct LoadedPolicy {
    verified: VerifiedPolicy,
    policy: ResolvedPolicy,
}

impl LoadedPolicy {
    pub fn open(verified: VerifiedPolicy) -> Result<Self, PolicyError> {
        let policy = ResolvedPolicy::parse(verified.bytes())?;
        Ok(Self { verified, policy })
    }

    pub fn digest(&self) -> Digest {
        self.verified.digest()
    }

    pub fn verified(&self) -> &VerifiedPolicy {
        &self.verified
    }

    pub fn policy(&self) -> &ResolvedPolicy {
        &self.policy
    }
}
