//! What became of a decision, reported when it is known, which may be months later. Each report stands beside the
//! score it is held against; a later word on the same decision takes the place of the earlier one.
//! Never opens more of a record than its score.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use serde_json::json;

use crate::app::decisions::found::{self, open_body, version_of};
use crate::app::home::App;
use crate::app::registry::versions;
use crate::app::watch::OutcomeRow;
use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::data::label::outcome_of;
use crate::ledger::leaf::Kind;
use crate::registry::content::ModelContent;
use crate::registry::version::{ModelRef, Which};
use crate::security::actor::Act;

/// One word on one decision.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Its case number or its id.
    pub decision: String,
    /// The target's value as the data has it.
    pub value: String,
    /// When it was so; now where nothing is said.
    pub known_ms: Option<i64>,
    pub groups: BTreeMap<String, String>,
}

/// What came of a report.
#[derive(Debug, Default)]
pub struct Summary {
    pub recorded: u64,
    /// Took the place of another word on the same decision.
    pub corrected: u64,
    /// Said what was known already.
    pub unchanged: u64,
    pub refused: Vec<Refused>,
}

/// A word that was not taken down, by its place in the report.
#[derive(Debug)]
pub struct Refused {
    pub index: usize,
    pub failure: Failure,
}

#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    #[error("a report has {found} outcomes; 1 to {max} are taken at once", max = limits::OUTCOMES_REPORTED_MAX)]
    Count { found: usize },
    #[error("the decision {decision} was made by the model {found:?}, not by {name:?}")]
    OtherModel { decision: String, name: String, found: String },
    #[error("the decision {decision} was made without a score, so no outcome can be held against it")]
    Unscored { decision: String },
    #[error("{value:?} is no outcome of {target:?}{}", hint(.known))]
    Value { target: String, value: String, known: Vec<String> },
    #[error("the outcome is said to be known before the decision {decision} was made")]
    TooEarly { decision: String },
    #[error("the outcome is said to be known in the future")]
    Future,
    #[error("the decision {decision} is in the report twice")]
    Twice { decision: String },
    #[error("an outcome has at most {most} groups, and their names and values 1 to {chars} characters",
        most = limits::OUTCOME_GROUPS_MAX, chars = limits::OUTCOME_GROUP_CHARS_MAX)]
    Groups,
}

fn hint(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) }
}

impl Fact for OutcomeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "outcome.count",
            Self::OtherModel { .. } => "outcome.other_model",
            Self::Unscored { .. } => "outcome.unscored",
            Self::Value { .. } => "outcome.value",
            Self::TooEarly { .. } => "outcome.too_early",
            Self::Future => "outcome.future",
            Self::Twice { .. } => "outcome.twice",
            Self::Groups => "outcome.groups",
        }
    }

    fn class(&self) -> Class {
        Class::DataRefused
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::Count { .. } => "Send it in parts.".into(),
            Self::Value { .. } => "Say the target's value as the training data has it.".into(),
            Self::Twice { .. } => "Send each decision once; what is sent last counts.".into(),
            _ => return None,
        })
    }
}

/// Takes down what became of decisions of a model. What cannot be taken down is refused by its place; the rest stands.
pub fn report(app: &App, name: &str, reported: Vec<Reported>) -> Result<Summary, Failure> {
    let actor = app.may(Act::ReportOutcomes)?;
    if reported.is_empty() || reported.len() > limits::OUTCOMES_REPORTED_MAX {
        return Err(OutcomeError::Count { found: reported.len() }.into());
    }
    versions::resolve(app, &ModelRef { name: name.to_string(), which: Which::Unstated }, false)?;
    let mut reader = Reader { app, name, models: BTreeMap::new(), seen: BTreeSet::new() };
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    for (index, one) in reported.into_iter().enumerate() {
        match reader.read(one) {
            Ok(row) => rows.push(row),
            // A store that cannot be read refuses the report, not the row.
            Err(failure) if matches!(failure.class(), Class::Failed | Class::Unavailable) => {
                return Err(failure);
            }
            Err(failure) => refused.push(Refused { index, failure }),
        }
    }
    let mut summary = Summary { refused, ..Summary::default() };
    if rows.is_empty() {
        return Ok(summary);
    }
    let body = json!({"count": rows.len(), "rows": Digest::of(&canonical::to_bytes(&rows)?)});
    let entry = App::entry(&actor, Kind::OutcomesReported, format!("model/{name}"), &body)?;
    let now = app.now();
    let (recorded, corrected, unchanged) = app.store.write_ledger(move |ledger| {
        let (mut recorded, mut corrected, mut unchanged) = (0, 0, 0);
        for row in &rows {
            match ledger.find_outcome(&row.release, row.seq)? {
                Some(known) if known.agrees_with(row) => {
                    unchanged += 1;
                    continue;
                }
                Some(_) => corrected += 1,
                None => recorded += 1,
            }
            ledger.put_outcome(row)?;
        }
        if recorded + corrected > 0 {
            ledger.append_record(entry.clone(), now)?;
        }
        Ok::<_, Failure>((recorded, corrected, unchanged))
    })?;
    (summary.recorded, summary.corrected, summary.unchanged) = (recorded, corrected, unchanged);
    note_known(app, name, recorded);
    Ok(summary)
}

/// How many outcomes of a model are known: counted once, and kept up from then on.
pub(in crate::app) fn count_known(app: &App, model: &str) -> Result<u64, Failure> {
    let held =
        |app: &App| app.watched.outcomes.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied();
    if let Some(known) = held(app) {
        return Ok(known);
    }
    let mut releases = Vec::new();
    let mut known = 0;
    app.store.read_ledger(|ledger| {
        ledger.each_version(&mut |version| {
            if version.name == model {
                releases.push(version.release);
            }
            Ok(())
        })?;
        let mut count = |_| {
            known += 1;
            Ok(())
        };
        releases.iter().try_for_each(|release| ledger.each_outcome(release, &mut count))
    })?;
    app.watched.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_string(), known);
    Ok(known)
}

fn note_known(app: &App, model: &str, recorded: u64) {
    let mut held = app.watched.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = held.get_mut(model) {
        *known += recorded;
    }
}

/// Finds the decisions of one report; a release's model is looked at once.
struct Reader<'a> {
    app: &'a App,
    name: &'a str,
    models: BTreeMap<Digest, ModelContent>,
    seen: BTreeSet<u64>,
}

impl Reader<'_> {
    fn read(&mut self, one: Reported) -> Result<OutcomeRow, Failure> {
        check_groups(&one.groups)?;
        let record = found::find_record(self.app, &one.decision)?;
        let header = record.header();
        let facts = found::facts_of(&record)?;
        let decision = one.decision;
        if facts.name != self.name {
            let (name, found) = (self.name.to_string(), facts.name.clone());
            return Err(OutcomeError::OtherModel { decision, name, found }.into());
        }
        let now_ms = self.app.now().millis();
        let known_ms = one.known_ms.unwrap_or(now_ms);
        if known_ms < header.time_ms {
            return Err(OutcomeError::TooEarly { decision }.into());
        }
        if known_ms > now_ms {
            return Err(OutcomeError::Future.into());
        }
        let scored = open_body(self.app, &record)?.scored;
        let unscored = || OutcomeError::Unscored { decision: decision.clone() };
        let (scored, release) = scored.zip(facts.release).ok_or_else(unscored)?;
        if !self.seen.insert(header.seq) {
            return Err(OutcomeError::Twice { decision }.into());
        }
        let version = version_of(self.app, facts)?.ok_or_else(unscored)?;
        let happened = happened(self.content(&version.model)?, &one.value)?;
        Ok(OutcomeRow {
            release,
            seq: header.seq,
            decided_ms: header.time_ms,
            outcome: facts.outcome.clone(),
            probability: scored.probability,
            happened,
            groups: one.groups,
            known_ms,
            reported_ms: now_ms,
            reported_by: self.app.person().name().to_string(),
        })
    }

    fn content(&mut self, model: &Digest) -> Result<&ModelContent, Failure> {
        if !self.models.contains_key(model) {
            let bytes = self.app.store.blobs().read(model, limits::MANIFEST_BYTES_MAX)?;
            self.models.insert(*model, canonical::parse(&bytes)?);
        }
        Ok(&self.models[model])
    }
}

/// Whether a value of the target is the one the probability is of.
fn happened(content: &ModelContent, value: &str) -> Result<bool, OutcomeError> {
    let (target, positive) = (content.contract.target(), &content.training.positive);
    let levels = target.levels.as_deref().unwrap_or_default();
    let is_known = levels.is_empty() || levels.iter().any(|level| level == value);
    let happened = outcome_of(target.kind, positive, value).filter(|_| is_known);
    happened.ok_or_else(|| OutcomeError::Value {
        target: target.name.clone(),
        value: value.to_string(),
        known: levels.to_vec(),
    })
}

fn check_groups(groups: &BTreeMap<String, String>) -> Result<(), OutcomeError> {
    let fits = |text: &String| {
        let length = text.chars().count();
        (1..=limits::OUTCOME_GROUP_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control)
    };
    let all = groups.iter().all(|(name, value)| fits(name) && fits(value));
    if all && groups.len() <= limits::OUTCOME_GROUPS_MAX { Ok(()) } else { Err(OutcomeError::Groups) }
}
