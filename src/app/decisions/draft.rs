//! An answer on its way to the record: scored, decided, explained, sealed; all of it but its place in the log.
//! Never writes and never waits: this is the part of a request that only computes.

use std::cell::Cell;
use std::time::Instant;

use crate::app::decisions::found::{Answered, Content};
use crate::app::decisions::lineup::{Seat, Standing};
use crate::app::decisions::repetition::DAY_MS;
use crate::app::decisions::stages::{Stage, Stages};
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::clock::{Stamp, TimeQuality, year_of};
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::ids::DecisionId;
use crate::data::row::{ParsedRow, RowError};
use crate::decide::outcome::DecidedBy;
use crate::decide::reasons::Reasons;
use crate::ledger::case::CaseNumber;
use crate::ledger::decision::{DecisionFacts, Flag, Ground, subject_of};
use crate::ledger::leaf::{Header, Kind};
use crate::security::actor::Actor;
use crate::serve::answer::AnswerBody;
use crate::serve::scorer::Notes;
use crate::store::views::answers::{Counted, NewAnswer, NewCase, NewRepetition};

/// The outcome where no model may decide: a person does.
pub const REFER: &str = "refer";

/// Who asks for what, and since when.
pub struct Asking<'a> {
    pub app: &'a App,
    pub actor: &'a Actor,
    pub seat: &'a Seat,
    pub row: &'a str,
    /// A rehearsal: recorded as one.
    pub simulated: bool,
    pub started: Instant,
    pub stages: Cell<Stages>,
}

/// An answer and the record it is to be.
pub struct Draft {
    pub record: NewAnswer,
    pub answered: Answered,
    pub stages: Stages,
    /// A rehearsal counts as no decision anywhere.
    pub is_rehearsal: bool,
}

impl Asking<'_> {
    fn mark(&self, stage: Stage) {
        let mut stages = self.stages.get();
        stages.mark(stage);
        self.stages.set(stages);
    }

    pub fn decide(&self, repetition: Option<NewRepetition>) -> Result<Draft, Failure> {
        let now = self.app.now();
        let standing = self.seat.standing.as_ref().filter(|standing| !standing.has_ended(now.millis()));
        match standing {
            Some(standing) => self.decide_by(standing, now, repetition),
            None => self.refer_unscored(now, repetition),
        }
    }

    fn decide_by(
        &self,
        standing: &Standing,
        now: Stamp,
        repetition: Option<NewRepetition>,
    ) -> Result<Draft, Failure> {
        let champion = &standing.champion;
        let row = standing.parser.parse(self.row)?;
        self.mark(Stage::Parse);
        let defaulted = std::slice::from_ref(&row.defaulted);
        let table = champion.score_table(&row.table, defaulted)?;
        let measured = table.measure(0)?;
        self.mark(Stage::Score);
        let mut decision = table.decide_measured(0, measured)?;
        decision.recorded = true;
        if self.seat.is_degraded() && self.seat.refers {
            decision.outcome = REFER.to_string();
            decision.by = DecidedBy::Fallback;
            decision.reasons = Reasons { reference: decision.reasons.reference, list: Vec::new() };
        }
        let body = AnswerBody::of_decision(&row, &decision, champion)?.to_bytes();
        let mut facts = self.facts(now, Some(standing), &decision.notes);
        facts.case = Some(self.unnumbered(now)?);
        facts.band = Some(decision.band as u32);
        facts.by = Some(ground_of(&decision.by));
        facts.outcome = Some(decision.outcome.clone());
        facts.policy = Some(decision.policy);
        let made = Made { kind: Kind::DecisionMade, facts, content: Content::Decision(Box::new(decision)) };
        self.seal(made, now, (Some(standing), Some(&row), &body), repetition)
    }

    /// No model may score: the row is kept, and a person decides.
    fn refer_unscored(&self, now: Stamp, repetition: Option<NewRepetition>) -> Result<Draft, Failure> {
        let ended = self.seat.standing.as_ref();
        let row = match ended {
            Some(standing) => Some(standing.parser.parse(self.row)?),
            None => {
                check_object(self.row)?;
                None
            }
        };
        let body = AnswerBody::unscored(row.as_ref(), self.row)?.to_bytes();
        let mut facts = self.facts(now, ended.map(|standing| &**standing), &Notes::default());
        facts.case = Some(self.unnumbered(now)?);
        facts.by = Some(Ground::Fallback);
        facts.outcome = Some(REFER.to_string());
        facts.flags = vec![Flag::Degraded];
        let made = Made { kind: Kind::DecisionMade, facts, content: Content::Unscored };
        self.seal(made, now, (ended.map(|standing| &**standing), row.as_ref(), &body), repetition)
    }

    pub fn predict(&self, repetition: Option<NewRepetition>) -> Result<Draft, Failure> {
        let now = self.app.now();
        let asked = &self.seat.asked;
        let named = || (asked.name.clone(), asked.version);
        let Some(standing) = &self.seat.standing else {
            let (name, version) = named();
            return Err(UseCaseError::NoScore { name, version }.into());
        };
        if standing.has_ended(now.millis()) {
            let (name, version) = named();
            let end = standing.champion.release().release().serve_until.clone().unwrap_or_default();
            return Err(UseCaseError::ReleaseEnded { name, version, end }.into());
        }
        let row = standing.parser.parse(self.row)?;
        self.mark(Stage::Parse);
        let defaulted = std::slice::from_ref(&row.defaulted);
        let prediction = standing.champion.score_table(&row.table, defaulted)?.predict(0)?;
        self.mark(Stage::Score);
        let body = AnswerBody::of_prediction(&row, &prediction, &standing.champion)?.to_bytes();
        let facts = self.facts(now, Some(standing), &prediction.notes);
        let content = Content::Prediction(Box::new(prediction));
        let made = Made { kind: Kind::PredictionMade, facts, content };
        self.seal(made, now, (Some(standing), Some(&row), &body), repetition)
    }

    fn facts(&self, now: Stamp, standing: Option<&Standing>, notes: &Notes) -> DecisionFacts {
        let release = standing.map(|standing| standing.champion.release());
        let flags = [
            (self.seat.is_degraded(), Flag::Degraded),
            (!notes.defaulted.is_empty(), Flag::Defaulted),
            (!notes.out_of_range.is_empty(), Flag::OutOfRange),
            (self.simulated || now.quality == TimeQuality::Simulated, Flag::Simulated),
            (!notes.unseen.is_empty(), Flag::Unseen),
        ];
        DecisionFacts {
            band: None,
            by: None,
            case: None,
            flags: flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect(),
            id: DecisionId::draw(now),
            latency_us: 0,
            model: standing.map(|standing| standing.champion.loaded().digest),
            name: self.seat.asked.name.clone(),
            outcome: None,
            policy: None,
            release: release.map(|release| release.digest()),
            version: release.map(|release| release.release().version),
        }
    }

    /// A case in the place of the one that is given together with the record's own place.
    fn unnumbered(&self, now: Stamp) -> Result<CaseNumber, Failure> {
        let year = year_of(now.millis());
        Ok(CaseNumber::new(self.app.answering.branch, (year % 100) as u8, 1)?)
    }

    fn seal(
        &self,
        mut made: Made,
        now: Stamp,
        (standing, row, body): (Option<&Standing>, Option<&ParsedRow>, &[u8]),
        repetition: Option<NewRepetition>,
    ) -> Result<Draft, Failure> {
        let (app, id) = (self.app, made.facts.id);
        self.mark(Stage::Decide);
        let tag = match standing.zip(row).and_then(|(standing, row)| subject_text(standing, row)) {
            Some(subject) => app.sealer.tag_of_subject(&subject),
            None => app.sealer.tag_of_record(&id),
        };
        let sealed = app.sealer.seal(&tag, &id, body)?;
        made.facts.latency_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let counted = self.counted(&made, now, standing, row);
        let case = made.facts.case;
        let case = case.map(|case| NewCase { branch: case.branch(), year: year_of(now.millis()) });
        let header = Header {
            actor: self.actor.clone(),
            body_sha256: Digest::of(&sealed.body),
            kind: made.kind,
            quality: now.quality,
            seq: 0,
            subject: subject_of(&made.facts),
            time_ms: now.millis(),
            decision: Some(made.facts),
        };
        let record = NewAnswer {
            header: header.clone(),
            body: sealed.body,
            id: *id.as_bytes(),
            case,
            subject_tag: tag.0,
            wrapped_key: sealed.wrapped.to_vec(),
            repetition,
            counted,
        };
        let positive = standing.map(|standing| standing.champion.loaded().content.training.positive.clone());
        let explained = standing.map(|standing| standing.champion.explained());
        let answered = Answered { header, content: made.content, positive, explained, replayed: false };
        self.mark(Stage::Seal);
        Ok(Draft { record, answered, stages: self.stages.get(), is_rehearsal: self.simulated })
    }

    fn counted(
        &self,
        made: &Made,
        now: Stamp,
        standing: Option<&Standing>,
        row: Option<&ParsedRow>,
    ) -> Counted {
        let facts = &made.facts;
        let (release, day) = (
            facts.release.unwrap_or(self.seat.asked.release),
            u64::try_from(now.millis() / DAY_MS).unwrap_or_default(),
        );
        // A rehearsal is no applicant: it has no part in what is watched.
        if self.simulated {
            return Counted { release, day, names: vec!["rehearsals".into()], bins: Vec::new() };
        }
        let what = if made.kind == Kind::DecisionMade { "decisions" } else { "predictions" };
        let mut names = Vec::with_capacity(2 + facts.flags.len());
        names.push(what.into());
        names.extend(facts.outcome.iter().map(|outcome| ["outcome:", outcome].concat().into()));
        names.extend(facts.flags.iter().map(|flag| ["flag:", flag.as_str()].concat().into()));
        let margin = made.content.margin();
        let bins = standing.zip(row).map(|(standing, row)| standing.bins_of(&row.table, margin));
        Counted { release, day, names, bins: bins.unwrap_or_default() }
    }
}

/// An answer before it is sealed.
struct Made {
    kind: Kind,
    facts: DecisionFacts,
    content: Content,
}

fn ground_of(by: &DecidedBy) -> Ground {
    match by {
        DecidedBy::Band => Ground::Band,
        DecidedBy::Rule(id) => Ground::Rule(id.clone()),
        DecidedBy::Fallback => Ground::Fallback,
    }
}

/// Whom a row is about, by its id columns; nobody where they are empty.
pub(in crate::app::decisions) fn subject_text(standing: &Standing, row: &ParsedRow) -> Option<String> {
    let columns = standing.subject.iter().filter_map(|column| row.table.columns().get(*column));
    let parts: Vec<String> = columns
        .filter_map(|column| crate::decide::reasons::shown_cell(&row.table, 0, &column.name).ok().flatten())
        .collect();
    (!parts.is_empty() && parts.len() == standing.subject.len()).then(|| parts.join("|"))
}

/// Where no contract is at hand a request is at least one JSON object.
fn check_object(text: &str) -> Result<(), RowError> {
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(RowError::Syntax { line: error.line(), column: error.column() }),
    }
}
