//! Recorded answers read again: by id or case number, as a list, restored by the champion that made them.
//! Never changes one. Whoever calls for a core-banking system sees what that system asked for, and no other's.

use crate::app::decisions::lineup;
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::clock::year_of;
use crate::base::fact::Failure;
use crate::base::ids::DecisionId;
use crate::base::limits;
use crate::decide::outcome::DecidedBy;
use crate::ledger::case::CaseNumber;
use crate::ledger::decision::{DecisionFacts, Ground};
use crate::ledger::leaf::{Header, Record};
use crate::security::actor::{Act, Role};
use crate::security::seal::record::{SubjectTag, WrappedKey};
use crate::serve::answer::{AnswerBody, Clear};
use crate::serve::champion::{Champion, Explained};
use crate::serve::scorer::{Decision, Prediction};
use crate::store::error::StoreError;
use crate::store::rows::registry::VersionRow;
use crate::store::views::answers::Placed;

/// An answer and its record.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The clear part of the record; `seq` is its place.
    pub header: Header,
    pub content: Content,
    /// The value of the target that the probability is of; nothing where no model was there.
    pub positive: Option<String>,
    /// How contributions were found; nothing where nothing was scored.
    pub explained: Option<Explained>,
    /// A repeated request got the first one's answer.
    pub replayed: bool,
}

impl Answered {
    /// The record has its place, and with it its case number.
    pub(in crate::app) fn settle(&mut self, placed: Placed) {
        self.header.put_at(placed.seq, placed.case);
    }
}

#[derive(Clone, Debug)]
pub enum Content {
    Decision(Box<Decision>),
    Prediction(Box<Prediction>),
    /// No model scored; a person decides.
    Unscored,
}

impl Content {
    /// The score before calibration, where there is one.
    pub fn margin(&self) -> Option<f64> {
        match self {
            Self::Decision(decision) => Some(decision.margin),
            Self::Prediction(prediction) => Some(prediction.margin),
            Self::Unscored => None,
        }
    }
}

/// What a caller names an answer by.
pub enum Wanted {
    Id(DecisionId),
    Case(CaseNumber),
}

impl Wanted {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        match DecisionId::try_from(text.to_string()) {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => Ok(Self::Case(CaseNumber::parse(text)?)),
        }
    }
}

/// One page of a list, newest first.
pub struct Page {
    pub headers: Vec<Header>,
    /// Where the next page begins, if there may be one.
    pub next: Option<u64>,
}

/// Which answers a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub model: Option<String>,
    pub outcome: Option<String>,
    /// Only records before this place.
    pub before: Option<u64>,
    pub limit: usize,
}

pub fn find(app: &App, wanted: &str) -> Result<Answered, Failure> {
    app.may(Act::ReadDecisions)?;
    restore(app, &find_record(app, wanted)?)
}

/// The record of an answer that this person may see.
pub(in crate::app) fn find_record(app: &App, wanted: &str) -> Result<Record, Failure> {
    let missing = || UseCaseError::NoDecision { wanted: wanted.to_string() };
    let parsed = Wanted::parse(wanted)?;
    let record = app.store.read_ledger(|ledger| {
        let seq = match &parsed {
            Wanted::Id(id) => ledger.find_seq_of_id(id.as_bytes())?,
            Wanted::Case(case) => {
                let year = full_year(case, app.now().millis());
                ledger.find_seq_of_case(year, case.number())?
            }
        };
        seq.map(|seq| ledger.find_record(seq)).transpose().map(Option::flatten)
    });
    let record = record.map_err(|error: StoreError| Failure::from(error))?.ok_or_else(missing)?;
    let facts = facts_of(&record)?;
    let fits = match &parsed {
        Wanted::Id(id) => facts.id == *id,
        Wanted::Case(case) => facts.case.as_ref() == Some(case),
    };
    if fits && may_see(app, record.header()) { Ok(record) } else { Err(missing().into()) }
}

/// The century of a case is the latest that is not ahead of the clock by more than a year.
fn full_year(case: &CaseNumber, now_ms: i64) -> u64 {
    let this = year_of(now_ms);
    let century = this - this % 100;
    let year = century + u64::from(case.year());
    if year > this + 1 { year.saturating_sub(100) } else { year }
}

pub(in crate::app::decisions) fn may_see(app: &App, header: &Header) -> bool {
    let machine = app.person().roles().iter().all(|role| *role == Role::CoreBanking);
    !machine || header.actor.name() == app.person().name()
}

pub(in crate::app) fn facts_of(record: &Record) -> Result<&DecisionFacts, UseCaseError> {
    let seq = record.header().seq;
    record.header().decision.as_ref().ok_or(UseCaseError::NotADecision { seq })
}

/// An answer by its place in the log, for a request that was answered before.
pub(in crate::app::decisions) fn find_at(app: &App, seq: u64) -> Result<Answered, Failure> {
    let record = app.store.read_ledger(|ledger| ledger.find_record(seq))?;
    let record = record.ok_or(UseCaseError::NotADecision { seq })?;
    restore(app, &record)
}

pub(in crate::app) fn restore(app: &App, record: &Record) -> Result<Answered, Failure> {
    let facts = facts_of(record)?;
    let header = record.header().clone();
    let Some(version) = version_of(app, facts)? else {
        return Ok(Answered {
            header,
            content: Content::Unscored,
            positive: None,
            explained: None,
            replayed: false,
        });
    };
    let body = open_body(app, record)?;
    let standing = lineup::of_record(app, &version, &facts.policy.unwrap_or(version.policy))?;
    let champion = &standing.champion;
    let positive = Some(champion.loaded().content.training.positive.clone());
    let content = content_of(&body, facts, champion)?;
    Ok(Answered { header, content, positive, explained: Some(champion.explained()), replayed: false })
}

/// What a body says, read by the champion that made it.
pub(in crate::app::decisions) fn content_of(
    body: &AnswerBody<'_>,
    facts: &DecisionFacts,
    champion: &Champion,
) -> Result<Content, Failure> {
    let content = match &facts.outcome {
        Some(outcome) => {
            let clear = Clear { outcome, by: decided_by(facts), band: facts.band.unwrap_or(0) as usize };
            body.to_decision(champion, clear)?.map(|decision| Content::Decision(Box::new(decision)))
        }
        None => body.to_prediction(champion)?.map(|prediction| Content::Prediction(Box::new(prediction))),
    };
    Ok(content.unwrap_or(Content::Unscored))
}

fn decided_by(facts: &DecisionFacts) -> DecidedBy {
    match &facts.by {
        Some(Ground::Rule(id)) => DecidedBy::Rule(id.clone()),
        Some(Ground::Fallback) => DecidedBy::Fallback,
        Some(Ground::Band) | None => DecidedBy::Band,
    }
}

/// The version a record says it was made by, which must be the one that has this release.
pub(in crate::app) fn version_of(app: &App, facts: &DecisionFacts) -> Result<Option<VersionRow>, Failure> {
    let (Some(version), Some(release)) = (facts.version, facts.release) else { return Ok(None) };
    let found = app.store.read_ledger(|ledger| ledger.find_version(&facts.name, version))?;
    match found.filter(|row| row.release == release) {
        Some(row) => Ok(Some(row)),
        None => Err(UseCaseError::OtherRelease { id: facts.id.to_string(), release }.into()),
    }
}

/// The sealed part of a record, opened by the key that is kept for its subject.
pub(in crate::app) fn open_body(app: &App, record: &Record) -> Result<AnswerBody<'static>, Failure> {
    let facts = facts_of(record)?;
    let (id, seq) = (facts.id, record.header().seq);
    let erased = || UseCaseError::Erased { id: id.to_string() };
    let tag = SubjectTag::find_in(record.body()).ok_or_else(erased)?;
    let wrapped = app.store.read_ledger(|ledger| ledger.find_subject_key(&tag.0, seq))?;
    let wrapped: WrappedKey = wrapped.and_then(|bytes| bytes.try_into().ok()).ok_or_else(erased)?;
    Ok(AnswerBody::parse(&app.sealer.open_body(record.body(), &wrapped, &id)?)?)
}

/// Answers newest first, in clear headers only: nothing of a person is opened for a list.
pub fn list(app: &App, filter: &Filter) -> Result<Page, Failure> {
    app.may(Act::ReadDecisions)?;
    let before = match filter.before {
        Some(before) => before,
        None => app.store.read_ledger(|ledger| ledger.log_size())?,
    };
    let wanted = |record: &Record| {
        let header = record.header();
        header.decision.as_ref().is_some_and(|facts| {
            filter.model.as_ref().is_none_or(|model| facts.name == *model)
                && filter.outcome.as_ref().is_none_or(|outcome| facts.outcome.as_ref() == Some(outcome))
        }) && may_see(app, header)
    };
    let limit = filter.limit.clamp(1, limits::LIST_MAX);
    let (records, next) = app.store.read_ledger(|ledger| {
        ledger.list_records_back(before, limit, limits::RECORDS_LOOKED_AT_MAX, &wanted)
    })?;
    Ok(Page { headers: records.iter().map(|record| record.header().clone()).collect(), next })
}
