//! Answers to a row: predictions and decisions, their lists, explanations and replays.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::decisions::replay::Replay;
use crate::app::decisions::{Answered, Content};
use crate::base::clock::millis_to_text;
use crate::base::ids::FieldName;
use crate::decide::outcome::DecidedBy;
use crate::decide::reasons::{Reasons, ReferenceKind};
use crate::ledger::decision::Flag;
use crate::ledger::leaf::Header;
use crate::serve::scorer::{Decision, FieldShare, Notes, Prediction};

/// The outcome where nothing could score.
const REFER: &str = "refer";

/// Which record an answer is, and by which release it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    pub decision_id: String,
    /// What a person names the decision by; a prediction has none.
    #[schema(example = "0421-26-00317-K")]
    pub case: Option<String>,
    /// The place in the tally log.
    pub seq: u64,
    /// RFC 3339 in UTC.
    pub time: String,
    /// The model's name.
    pub name: String,
    /// Null where no version could score.
    pub version: Option<u64>,
    /// Whether anything else than the version asked for made it.
    pub degraded: bool,
    /// Of degraded, defaulted, out_of_range, simulated, unseen.
    pub flags: Vec<String>,
}

impl RecordView {
    pub fn of(header: &Header) -> Self {
        let facts = header.decision.as_ref();
        let flags = facts.map(|facts| facts.flags.as_slice()).unwrap_or_default();
        Self {
            decision_id: facts.map(|facts| facts.id.to_string()).unwrap_or_default(),
            case: facts.and_then(|facts| facts.case).map(String::from),
            seq: header.seq,
            time: millis_to_text(header.time_ms),
            name: facts.map(|facts| facts.name.clone()).unwrap_or_default(),
            version: facts.and_then(|facts| facts.version),
            degraded: flags.contains(&Flag::Degraded),
            flags: flags.iter().map(|flag| flag.as_str().to_string()).collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnseenLevel {
    pub field: String,
    pub level: String,
}

/// What a person must know of a row beside its score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotesView {
    pub missing: Vec<String>,
    /// Levels that no training row had.
    pub unseen: Vec<UnseenLevel>,
    pub out_of_range: Vec<String>,
    /// Fields in which the contract's default stands in.
    pub defaulted: Vec<String>,
}

impl From<Notes> for NotesView {
    fn from(notes: Notes) -> Self {
        let unseen = notes.unseen.into_iter().map(|u| UnseenLevel { field: u.field, level: u.level });
        Self {
            missing: notes.missing,
            unseen: unseen.collect(),
            out_of_range: notes.out_of_range,
            defaulted: notes.defaulted,
        }
    }
}

/// What a field adds to the margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    #[schema(value_type = String)]
    pub field: FieldName,
    pub value: f64,
}

fn shares(shares: Vec<FieldShare>) -> Vec<Share> {
    shares.into_iter().map(|share| Share { field: share.field, value: share.value }).collect()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictionView {
    #[serde(flatten)]
    pub record: RecordView,
    pub probability: f64,
    pub margin: f64,
    /// `base` and all contributions sum to the margin.
    pub base: f64,
    pub contributions: Vec<Share>,
    pub notes: NotesView,
    pub model: String,
    pub release: String,
}

impl PredictionView {
    pub fn of(header: &Header, prediction: Prediction) -> Self {
        Self {
            record: RecordView::of(header),
            probability: prediction.probability,
            margin: prediction.margin,
            base: prediction.base,
            contributions: shares(prediction.contributions),
            notes: prediction.notes.into(),
            model: prediction.model.to_hex(),
            release: prediction.release.to_hex(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReasonView {
    #[schema(value_type = String)]
    pub field: FieldName,
    /// Where the text is found in the policy.
    pub key: String,
    pub text: String,
    /// What the field adds to the margin; null where a rule decided.
    pub contribution: Option<f64>,
    /// The row's value as text; null where it was missing.
    pub value: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReasonsView {
    /// `accepted` or `population`: whose mean the contributions are measured from.
    pub reference: String,
    pub list: Vec<ReasonView>,
}

impl From<Reasons> for ReasonsView {
    fn from(reasons: Reasons) -> Self {
        let list = reasons.list.into_iter().map(|reason| ReasonView {
            field: reason.field,
            key: reason.key,
            text: reason.text,
            contribution: reason.contribution,
            value: reason.value,
        });
        Self { reference: name_of(reasons.reference).to_string(), list: list.collect() }
    }
}

fn name_of(reference: ReferenceKind) -> &'static str {
    match reference {
        ReferenceKind::Accepted => "accepted",
        ReferenceKind::Population => "population",
    }
}

/// What a decision stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Band,
    /// The rule of this id.
    Rule(String),
    /// No model could score; a person decides.
    Fallback,
}

impl From<DecidedBy> for By {
    fn from(by: DecidedBy) -> Self {
        match by {
            DecidedBy::Band => Self::Band,
            DecidedBy::Rule(id) => Self::Rule(id),
            DecidedBy::Fallback => Self::Fallback,
        }
    }
}

/// How a decision was scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoredView {
    /// The value of the target that the probability is of.
    #[schema(example = "Charged Off")]
    pub positive: String,
    /// The ids of all rules that held, in the policy's order.
    pub rules: Vec<String>,
    pub band: usize,
    pub probability: f64,
    pub margin: f64,
    pub reasons: ReasonsView,
    pub notes: NotesView,
    pub model: String,
    pub release: String,
    pub policy: String,
    pub recorded: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    #[serde(flatten)]
    pub record: RecordView,
    #[schema(example = "approve")]
    pub outcome: String,
    pub by: By,
    /// Absent where no release could score.
    #[serde(flatten)]
    pub scored: Option<ScoredView>,
}

impl DecisionView {
    pub fn of(header: &Header, decision: Decision, positive: String) -> Self {
        Self {
            record: RecordView::of(header),
            outcome: decision.outcome,
            by: decision.by.into(),
            scored: Some(ScoredView {
                positive,
                rules: decision.rules,
                band: decision.band,
                probability: decision.probability,
                margin: decision.margin,
                reasons: decision.reasons.into(),
                notes: decision.notes.into(),
                model: decision.model.to_hex(),
                release: decision.release.to_hex(),
                policy: decision.policy.to_hex(),
                recorded: decision.recorded,
            }),
        }
    }

    pub fn unscored(header: &Header) -> Self {
        let record = RecordView::of(header);
        Self { record, outcome: REFER.to_string(), by: By::Fallback, scored: None }
    }
}

/// Whatever a record answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AnswerView {
    Prediction(PredictionView),
    Decision(DecisionView),
}

impl AnswerView {
    pub fn of(answered: Answered) -> Self {
        let Answered { header, content, positive, .. } = answered;
        match content {
            Content::Decision(decision) => {
                Self::Decision(DecisionView::of(&header, *decision, positive.unwrap_or_default()))
            }
            Content::Prediction(prediction) => Self::Prediction(PredictionView::of(&header, *prediction)),
            Content::Unscored => Self::Decision(DecisionView::unscored(&header)),
        }
    }
}

/// Why: what every field adds, measured from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExplanationView {
    #[serde(flatten)]
    pub record: RecordView,
    pub outcome: Option<String>,
    pub probability: Option<f64>,
    pub margin: Option<f64>,
    /// `base` and all contributions sum to the margin.
    pub base: Option<f64>,
    pub contributions: Vec<Share>,
    /// How the contributions were found: `terms` where the margin is a sum of them, `path` where they are summed
    /// along the straight way from the reference to the row.
    #[schema(example = "terms")]
    pub method: Option<String>,
    /// What base and contributions missed the margin by at most, as a share of the sizes added up, before the gap
    /// was spread over them.
    pub gap_max: Option<f64>,
    pub reasons: Option<ReasonsView>,
}

impl ExplanationView {
    pub fn of(answered: Answered) -> Self {
        let record = RecordView::of(&answered.header);
        let outcome = answered.header.decision.and_then(|facts| facts.outcome);
        let method = answered.explained.map(|explained| explained.method.to_string());
        let gap_max = answered.explained.map(|explained| explained.gap_max);
        match answered.content {
            Content::Decision(d) => Self {
                record,
                outcome,
                probability: Some(d.probability),
                margin: Some(d.margin),
                base: Some(d.base),
                contributions: shares(d.shares),
                method,
                gap_max,
                reasons: Some(d.reasons.into()),
            },
            Content::Prediction(p) => Self {
                record,
                outcome,
                probability: Some(p.probability),
                margin: Some(p.margin),
                base: Some(p.base),
                contributions: shares(p.contributions),
                method,
                gap_max,
                reasons: None,
            },
            Content::Unscored => Self {
                record,
                outcome,
                probability: None,
                margin: None,
                base: None,
                contributions: Vec::new(),
                method: None,
                gap_max: None,
                reasons: None,
            },
        }
    }
}

/// A record as a list shows it: nothing of a person is opened for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedDecision {
    #[serde(flatten)]
    pub record: RecordView,
    /// Null for a prediction.
    pub outcome: Option<String>,
    /// `band`, `rule:<id>` or `fallback`; null for a prediction.
    pub by: Option<String>,
    pub policy: Option<String>,
    /// Who asked.
    pub actor: String,
}

impl ListedDecision {
    pub fn of(header: &Header) -> Self {
        let facts = header.decision.as_ref();
        Self {
            record: RecordView::of(header),
            outcome: facts.and_then(|facts| facts.outcome.clone()),
            by: facts.and_then(|facts| facts.by.as_ref()).map(ToString::to_string),
            policy: facts.and_then(|facts| facts.policy).map(|policy| policy.to_hex()),
            actor: header.actor.name().to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionList {
    /// Newest first.
    pub decisions: Vec<ListedDecision>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A decision made once more from what was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayView {
    pub decision_id: String,
    pub case: Option<String>,
    /// Whether there was a score to be made again.
    pub replayed: bool,
    /// Whether every bit is the same.
    pub same: bool,
    /// What differs.
    pub differences: Vec<String>,
}

impl ReplayView {
    pub fn of(replay: &Replay) -> Self {
        let record = RecordView::of(&replay.recorded.header);
        Self {
            decision_id: record.decision_id,
            case: record.case,
            replayed: replay.again.is_some(),
            same: replay.differences.is_empty(),
            differences: replay.differences.iter().map(ToString::to_string).collect(),
        }
    }
}
