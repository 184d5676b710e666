//! What the clear header of a decision or prediction says of it: which model, which outcome, on what ground.
//! Never holds what was scored nor the score: those are in the sealed body.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::ids::{DecisionId, check_name};
use crate::base::limits;
use crate::ledger::case::CaseNumber;
use crate::ledger::leaf::{Header, Kind};

/// What is to be known of a decision beside its outcome. Written in this order, which is that of the letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Made without the model that was to make it.
    Degraded,
    /// A value that was absent was filled in.
    Defaulted,
    /// A number lay outside what the model was trained on.
    OutOfRange,
    /// A rehearsal: its time or its case is not real.
    Simulated,
    /// A level was never seen in training.
    Unseen,
}

impl Flag {
    pub const ALL: [Self; 5] =
        [Self::Degraded, Self::Defaulted, Self::OutOfRange, Self::Simulated, Self::Unseen];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Degraded => "degraded",
            Self::Defaulted => "defaulted",
            Self::OutOfRange => "out_of_range",
            Self::Simulated => "simulated",
            Self::Unseen => "unseen",
        }
    }
}

/// What an outcome stands on; on disk `band`, `rule:<id>` or `fallback`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Ground {
    /// The band that the probability lies in.
    Band,
    /// The rule of this id.
    Rule(String),
    /// What the release says to do where no model can score.
    Fallback,
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not what an outcome stands on: band, rule:<id> or fallback")]
pub struct BadGround(String);

impl TryFrom<String> for Ground {
    type Error = BadGround;

    fn try_from(text: String) -> Result<Self, BadGround> {
        match text.as_str() {
            "band" => Ok(Self::Band),
            "fallback" => Ok(Self::Fallback),
            other => match other.strip_prefix("rule:") {
                Some(id) if check_name(id).is_ok() => Ok(Self::Rule(id.to_string())),
                _ => Err(BadGround(text)),
            },
        }
    }
}

impl From<Ground> for String {
    fn from(ground: Ground) -> String {
        ground.to_string()
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Band => f.write_str("band"),
            Self::Rule(id) => write!(f, "rule:{id}"),
            Self::Fallback => f.write_str("fallback"),
        }
    }
}

/// The member `decision` of a header, field by field in the order of canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionFacts {
    /// Where the probability lies among the policy's bands, from 0; absent where nothing was scored.
    pub band: Option<u32>,
    pub by: Option<Ground>,
    pub case: Option<CaseNumber>,
    /// In their order, none twice.
    pub flags: Vec<Flag>,
    pub id: DecisionId,
    pub latency_us: u64,
    pub model: Option<Digest>,
    /// The model's name, also where no version of it could score.
    pub name: String,
    pub outcome: Option<String>,
    pub policy: Option<Digest>,
    pub release: Option<Digest>,
    pub version: Option<u64>,
}

/// The facts do not belong to the record they stand in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactsError {
    #[error("a record of this kind has the facts of a decision, and these are missing")]
    Missing,
    #[error("a record of this kind has no facts of a decision")]
    Surplus,
    #[error("the decision {id}: {what}")]
    Shape { id: DecisionId, what: &'static str },
    #[error("the decision {id}: the record's subject is {found:?} where {expected:?} belongs")]
    Subject { id: DecisionId, expected: String, found: String },
}

const OF_CASE: &str = "case/";
const OF_PREDICTION: &str = "prediction/";

/// What a record with these facts is about.
pub fn subject_of(facts: &DecisionFacts) -> String {
    match facts.case {
        Some(case) => [OF_CASE, &String::from(case)].concat(),
        None => format!("{OF_PREDICTION}{}", facts.id),
    }
}

fn is_about(subject: &str, facts: &DecisionFacts) -> bool {
    match facts.case {
        Some(case) => subject.strip_prefix(OF_CASE).is_some_and(|text| case.is_spelled(text)),
        None => subject == subject_of(facts),
    }
}

/// Whether a header has facts just where its kind has them, and facts that fit each other.
pub fn check_facts(header: &Header) -> Result<(), FactsError> {
    let wanted = matches!(header.kind, Kind::DecisionMade | Kind::PredictionMade);
    let facts = match &header.decision {
        Some(facts) if wanted => facts,
        None if !wanted => return Ok(()),
        Some(_) => return Err(FactsError::Surplus),
        None => return Err(FactsError::Missing),
    };
    let what = find_misfit(facts, header.kind);
    if let Some(what) = what {
        return Err(FactsError::Shape { id: facts.id, what });
    }
    if is_about(&header.subject, facts) {
        return Ok(());
    }
    let (expected, found) = (subject_of(facts), header.subject.clone());
    Err(FactsError::Subject { id: facts.id, expected, found })
}

fn find_misfit(facts: &DecisionFacts, kind: Kind) -> Option<&'static str> {
    if check_name(&facts.name).is_err() {
        return Some("its model's name is none");
    }
    if facts.flags.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Some("its flags are not in their order or stand twice");
    }
    if facts.band.is_some_and(|band| band as usize >= limits::BANDS_MAX) {
        return Some("its band is beyond what a policy has");
    }
    if facts.model.is_some() != facts.version.is_some() || facts.model.is_some() != facts.release.is_some() {
        return Some("model, release and version are there together or not at all");
    }
    match kind {
        Kind::PredictionMade => find_misfit_of_prediction(facts),
        _ => find_misfit_of_decision(facts),
    }
}

fn find_misfit_of_decision(facts: &DecisionFacts) -> Option<&'static str> {
    let Some(outcome) = &facts.outcome else { return Some("it has no outcome") };
    if check_name(outcome).is_err() {
        return Some("its outcome is no name");
    }
    match &facts.by {
        None => return Some("it does not say what its outcome stands on"),
        Some(Ground::Band) if facts.band.is_none() => return Some("it was made by a band and names none"),
        Some(Ground::Band | Ground::Rule(_)) if facts.policy.is_none() => {
            return Some("it was made by a policy and names none");
        }
        Some(_) => (),
    }
    facts.case.is_none().then_some("it has no case number")
}

fn find_misfit_of_prediction(facts: &DecisionFacts) -> Option<&'static str> {
    let decides = facts.band.is_some() || facts.by.is_some() || facts.outcome.is_some();
    if decides || facts.policy.is_some() || facts.case.is_some() {
        return Some("a prediction has neither case nor policy, band, outcome or ground");
    }
    facts.model.is_none().then_some("a prediction names its model")
}

#[cfg(test)]
pub mod tests;
