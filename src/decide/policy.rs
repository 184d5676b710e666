//! policy.toml: raw, then checked against the purpose, the contract and the texts.
//! Never finds a cut-off (evaluation does) and never signs; `resolve` makes the object that is signed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::canonical::CanonicalError;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::ids::{BadName, check_name};
use crate::base::limits;
use crate::data::contract::{ColumnSpec, Contract, Role};
use crate::decide::resolved::{Band, FORMAT, PolicyObject, ResolvedCutoff, ResolvedPolicy};
use crate::decide::rules::{Rule, RuleError};
use crate::decide::texts::missing_keys;
use crate::evaluate::thresholds::Rule as ThresholdRule;
use crate::registry::content::Purpose;

/// Outcomes under `purpose = "credit"`, the best first.
pub const CREDIT_OUTCOMES: [&str; 3] = ["approve", "refer", "decline"];

/// Which side of the probability is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositiveIs {
    /// The positive class is the unwanted one (a default): low probabilities are the best band.
    Bad,
    /// The positive class is the wanted one (a purchase): high probabilities are the best band.
    Good,
}

/// How the cut-off is found, with its figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum CutoffBy {
    /// Written down.
    Value { value: f64 },
    /// Where the expected cost is lowest.
    Cost { missed_bad: f64, refused_good: f64 },
    /// Where at most this share of cases lies at or above it.
    Rate { rate: f64 },
}

/// Where a policy's cut-off comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CutoffSource {
    Written(f64),
    Scores(ThresholdRule),
}

/// `[[band]]`: every band but the last ends below `upto`, or where the odds are `upto_cutoff` times
/// those of the cut-off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawBand {
    pub outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upto: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upto_cutoff: Option<f64>,
}

/// `policy.toml` as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPolicy {
    pub name: String,
    pub positive_is: PositiveIs,
    pub cutoff: CutoffBy,
    #[serde(default)]
    pub band: Vec<RawBand>,
    #[serde(default)]
    pub rule: Vec<Rule>,
    /// Field to the stem of its text keys; a field that is not here is its own stem.
    #[serde(default)]
    pub reasons: BTreeMap<String, String>,
}

/// What a policy is checked against.
pub struct PolicyContext<'a> {
    pub purpose: Purpose,
    pub contract: &'a Contract,
    /// The fields the model explains its score by: those of the recipe.
    pub fields: &'a [&'a str],
    /// All texts, by key.
    pub texts: &'a BTreeMap<String, String>,
}

/// A policy that holds together but for its cut-off, which a model's scores may have to give.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    purpose: Purpose,
    raw: RawPolicy,
    texts: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("policy: {0}")]
    Name(#[from] BadName),
    #[error("policy: {0}")]
    Rule(#[from] RuleError),
    #[error("policy: rule {id:?} is there twice")]
    RuleTwice { id: String },
    #[error("policy: {found} {what}; {min} to {max} are allowed")]
    Count { what: &'static str, found: usize, min: usize, max: usize },
    #[error("policy: [cutoff] {field} is {found}; it must lie {range}")]
    Figure { field: &'static str, found: f64, range: &'static str },
    #[error("policy: the cut-off is written as {written} but {found} was given")]
    CutoffDiffers { written: f64, found: f64 },
    #[error("policy: band {outcome:?} {what}")]
    Band { outcome: String, what: &'static str },
    #[error("policy: band {outcome:?} ends at {upto}, which is not above {below} and below 1")]
    BandOrder { outcome: String, upto: f64, below: f64 },
    #[error("policy: the outcome {outcome:?} is not one of approve, refer and decline, as credit has them")]
    CreditOutcome { outcome: String },
    #[error(
        "policy: from the best band to the worst credit has approve, refer, decline; here it is {found:?}"
    )]
    CreditOrder { found: Vec<String> },
    #[error("policy: [reasons] names {field:?}, which explains no score")]
    NoField { field: String },
    #[error("policy: texts are missing or empty: {}", keys.join(", "))]
    NoText { keys: Vec<String> },
    #[error("policy: the text {key:?} has {found} characters; at most {max} are allowed")]
    LongText { key: String, found: usize, max: usize },
    #[error("policy: it is made for {policy:?} and the model for {model:?}")]
    Purpose { policy: Purpose, model: Purpose },
    #[error("policy: it has the format {found:?}; this program reads {FORMAT:?}")]
    Format { found: String },
    #[error("policy: {0}")]
    Form(#[from] CanonicalError),
}

impl Fact for PolicyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "policy.name",
            Self::Rule(inner) => inner.code(),
            Self::RuleTwice { .. } => "policy.duplicate_rule",
            Self::Count { .. } => "policy.count",
            Self::Figure { .. } => "policy.figure",
            Self::CutoffDiffers { .. } => "policy.cutoff_differs",
            Self::Band { .. } => "policy.band",
            Self::BandOrder { .. } => "policy.band_order",
            Self::CreditOutcome { .. } => "policy.credit_outcome",
            Self::CreditOrder { .. } => "policy.credit_order",
            Self::NoField { .. } => "policy.no_field",
            Self::NoText { .. } => "policy.no_text",
            Self::LongText { .. } => "policy.long_text",
            Self::Purpose { .. } => "policy.purpose",
            Self::Format { .. } => "policy.format",
            Self::Form(_) => "policy.form",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Format { .. } | Self::Form(_) => Class::Integrity,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoText { .. } => Some("Add the texts to text/en.toml.".into()),
            Self::Rule(inner) => inner.next_step(),
            Self::Format { .. } => Some("Install the program version the policy was made for.".into()),
            Self::Purpose { .. } => Some("Choose a policy made for the model's purpose.".into()),
            Self::Form(_) => Some("Ask the issuer for the policy again.".into()),
            _ => Some("Correct policy.toml and run `tallystick project check`.".into()),
        }
    }
}

impl RawPolicy {
    pub fn check(self, context: &PolicyContext<'_>) -> Result<Policy, PolicyError> {
        check_name(&self.name)?;
        self.cutoff.check()?;
        check_bands(&self.band)?;
        check_outcomes(context.purpose, self.positive_is, &self.outcomes(), &self.rule)?;
        check_rules(&self.rule)?;
        self.rule.iter().try_for_each(|rule| rule.check(context.contract))?;
        if let Some(field) = self.reasons.keys().find(|f| !context.fields.contains(&f.as_str())) {
            return Err(PolicyError::NoField { field: field.clone() });
        }
        let texts = self.select_texts(context)?;
        Ok(Policy { purpose: context.purpose, raw: self, texts })
    }

    fn outcomes(&self) -> Vec<&str> {
        self.band.iter().map(|band| band.outcome.as_str()).collect()
    }

    /// The texts this policy may need and no others: they are signed with it.
    fn select_texts(&self, context: &PolicyContext<'_>) -> Result<BTreeMap<String, String>, PolicyError> {
        let none = BTreeMap::new();
        let fields = context.fields.iter().copied();
        let mut needed = missing_keys(context.contract, fields, &self.reasons, &none);
        needed.extend(self.rule.iter().map(|rule| rule.reason.clone()));
        let told = |key: &String| context.texts.get(key).filter(|text| !text.trim().is_empty()).cloned();
        let keys: Vec<String> = needed.iter().filter(|key| told(key).is_none()).cloned().collect();
        if !keys.is_empty() {
            return Err(PolicyError::NoText { keys });
        }
        needed.extend(self.shown_keys(context));
        Ok(needed.into_iter().filter_map(|key| told(&key).map(|text| (key, text))).collect())
    }

    /// What a form and a letter may call things by, where the project says it; nothing of it is needed to decide.
    fn shown_keys<'a>(&'a self, context: &'a PolicyContext<'_>) -> impl Iterator<Item = String> + 'a {
        let inputs = context.contract.columns().iter();
        let inputs = inputs.filter(|column| matches!(column.role, Role::Feature | Role::Id));
        let of_input = |column: &ColumnSpec| {
            let levels = column.levels.iter().flatten().map(|level| format!("level.{}.{level}", column.name));
            let named = ["label", "help", "unit", "example"].map(|what| format!("{what}.{}", column.name));
            named.into_iter().chain(levels).collect::<Vec<_>>()
        };
        let rest = context.texts.keys().filter(|key| SHOWN.iter().any(|prefix| key.starts_with(prefix)));
        inputs.flat_map(of_input).chain(rest.cloned())
    }
}

/// Texts a form or a letter shows that belong to no field.
const SHOWN: [&str; 3] = ["section.", "outcome.", "project."];

impl CutoffBy {
    pub fn check(&self) -> Result<(), PolicyError> {
        let within = |field, found: f64| {
            let good = found > 0.0 && found < 1.0;
            if good { Ok(()) } else { Err(PolicyError::Figure { field, found, range: "between 0 and 1" }) }
        };
        let above = |field, found: f64| {
            let good = found > 0.0 && found.is_finite();
            if good { Ok(()) } else { Err(PolicyError::Figure { field, found, range: "above 0" }) }
        };
        match *self {
            Self::Value { value } => within("value", value),
            Self::Rate { rate } => within("rate", rate),
            Self::Cost { missed_bad, refused_good } => {
                above("missed_bad", missed_bad).and_then(|()| above("refused_good", refused_good))
            }
        }
    }
}

fn check_bands(bands: &[RawBand]) -> Result<(), PolicyError> {
    let (found, max) = (bands.len(), limits::BANDS_MAX);
    if !(2..=max).contains(&found) {
        return Err(PolicyError::Count { what: "bands", found, min: 2, max });
    }
    for (n, band) in bands.iter().enumerate() {
        let refuse = |what| Err(PolicyError::Band { outcome: band.outcome.clone(), what });
        check_name(&band.outcome)?;
        match (band.upto, band.upto_cutoff) {
            (None, None) if n + 1 < found => refuse("has no end; only the last is open")?,
            (Some(_), _) | (_, Some(_)) if n + 1 == found => refuse("is the last and must be open")?,
            (Some(_), Some(_)) => refuse("has both `upto` and `upto_cutoff`")?,
            _ => {}
        }
    }
    Ok(())
}

/// Outcomes are unique, and under credit they are the known three in their order.
pub(crate) fn check_outcomes(
    purpose: Purpose,
    positive_is: PositiveIs,
    bands: &[&str],
    rules: &[Rule],
) -> Result<(), PolicyError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = bands.iter().find(|outcome| !seen.insert(**outcome)) {
        return Err(PolicyError::Band { outcome: (*twice).to_string(), what: "is there twice" });
    }
    if purpose != Purpose::Credit {
        return Ok(());
    }
    let all = bands.iter().copied().chain(rules.iter().map(|rule| rule.outcome.as_str()));
    if let Some(outcome) = all.into_iter().find(|outcome| !CREDIT_OUTCOMES.contains(outcome)) {
        return Err(PolicyError::CreditOutcome { outcome: outcome.to_string() });
    }
    let mut places: Vec<_> = bands.iter().map(|o| CREDIT_OUTCOMES.iter().position(|c| c == o)).collect();
    if positive_is == PositiveIs::Good {
        places.reverse();
    }
    if places.is_sorted() {
        Ok(())
    } else {
        Err(PolicyError::CreditOrder { found: bands.iter().map(|o| (*o).to_string()).collect() })
    }
}

pub(crate) fn check_rules(rules: &[Rule]) -> Result<(), PolicyError> {
    let (found, max) = (rules.len(), limits::POLICY_RULES_MAX);
    if found > max {
        return Err(PolicyError::Count { what: "rules", found, min: 0, max });
    }
    let mut seen = BTreeSet::new();
    for rule in rules {
        check_name(&rule.id)?;
        check_name(&rule.outcome)?;
        if !seen.insert(&rule.id) {
            return Err(PolicyError::RuleTwice { id: rule.id.clone() });
        }
    }
    Ok(())
}

impl Policy {
    pub fn name(&self) -> &str {
        &self.raw.name
    }

    pub fn positive_is(&self) -> PositiveIs {
        self.raw.positive_is
    }

    /// Where the cut-off comes from: the policy itself, or a rule over a model's scores.
    pub fn cutoff_source(&self) -> CutoffSource {
        let rule = match (self.raw.cutoff, self.raw.positive_is) {
            (CutoffBy::Value { value }, _) => return CutoffSource::Written(value),
            (CutoffBy::Rate { rate }, _) => ThresholdRule::Rate { at_most: rate },
            (CutoffBy::Cost { missed_bad, refused_good }, PositiveIs::Bad) => {
                ThresholdRule::Cost { missed_positive: missed_bad, flagged_negative: refused_good }
            }
            // What is flagged is what is accepted: a missed positive is a good one refused.
            (CutoffBy::Cost { missed_bad, refused_good }, PositiveIs::Good) => {
                ThresholdRule::Cost { missed_positive: refused_good, flagged_negative: missed_bad }
            }
        };
        CutoffSource::Scores(rule)
    }

    /// Whether the bands can be resolved: with the cut-off that is written, or, where scores will find
    /// it, with any one, since bands that are all told from it rise alike for each.
    pub fn rehearse(&self) -> Result<(), PolicyError> {
        const ANY: f64 = 0.5;
        let relative = self.raw.band.iter().all(|band| band.upto.is_none());
        match self.cutoff_source() {
            CutoffSource::Written(value) => self.resolve(value, None).map(drop),
            CutoffSource::Scores(_) if relative => self.resolve(ANY, None).map(drop),
            CutoffSource::Scores(_) => Ok(()),
        }
    }

    /// Makes the object that is signed: `cutoff` is the probability the policy's figures led to on
    /// the scores of `model`. A cut-off that is written down must be the one that is given.
    pub fn resolve(&self, cutoff: f64, model: Option<Digest>) -> Result<ResolvedPolicy, PolicyError> {
        if let CutoffBy::Value { value } = self.raw.cutoff
            && value != cutoff
        {
            return Err(PolicyError::CutoffDiffers { written: value, found: cutoff });
        }
        ResolvedPolicy::try_from(PolicyObject {
            format: FORMAT.to_string(),
            name: self.raw.name.clone(),
            purpose: self.purpose,
            positive_is: self.raw.positive_is,
            cutoff: ResolvedCutoff { found_by: self.raw.cutoff, value: cutoff, model },
            bands: self.raw.band.iter().map(|band| resolve_band(band, cutoff)).collect(),
            rules: self.raw.rule.clone(),
            reasons: self.raw.reasons.clone(),
            texts: self.texts.clone(),
        })
    }
}

fn resolve_band(band: &RawBand, cutoff: f64) -> Band {
    let upto = band.upto.or(band.upto_cutoff.map(|factor| scale_odds(cutoff, factor)));
    Band { outcome: band.outcome.clone(), upto }
}

/// The probability whose odds are `factor` times those of `probability`: it never leaves 0 to 1.
fn scale_odds(probability: f64, factor: f64) -> f64 {
    if factor == 1.0 {
        return probability;
    }
    let odds = factor * probability / (1.0 - probability);
    odds / (1.0 + odds)
}

#[cfg(test)]
pub(crate) mod tests;
