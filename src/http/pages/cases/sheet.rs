//! A case as its page and its letter show it: the outcome, why, what was entered, and both halves of its tally.
//! Shows what is recorded; it finds nothing out by itself.

use serde::Serialize;

use crate::app::decisions::Content;
use crate::app::decisions::sheet::{ScoredBy, Sheet};
use crate::base::clock::TimeQuality;
use crate::base::fact::Failure;
use crate::data::contract::Cast;
use crate::decide::outcome::DecidedBy;
use crate::http::pages::cases::qr::{self, QrView};
use crate::http::pages::cases::tally::{self, Tally};
use crate::http::pages::cases::{OutcomeWord, outcome_of};
use crate::http::pages::text::Texts;
use crate::http::pages::words::{age, chance, grouped, moment, spoken};
use crate::ledger::decision::{DecisionFacts, Flag};
use crate::registry::content::Purpose;
use crate::serve::scorer::{Decision, Notes};

/// A field and its value.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Pair {
    pub label: String,
    pub value: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ReasonLine {
    pub text: String,
    pub label: String,
    pub value: Option<String>,
}

/// What is to be known beside the outcome.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NoteLine {
    /// Of `missing`, `defaulted`, `unseen`, `out_of_range`.
    pub kind: &'static str,
    pub text: String,
}

/// Where the probability lies among the bands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BandStep {
    pub word: String,
    pub tone: &'static str,
    pub here: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct CaseView {
    pub case: String,
    /// The parts of the number between its dashes, for a person who reads it out.
    pub parts: Vec<String>,
    pub outcome: String,
    /// Of `good`, `refer`, `bad`, `other`.
    pub tone: &'static str,
    pub chance: Option<String>,
    pub band: Option<String>,
    pub bands: Vec<BandStep>,
    /// Whether there is an applicant to write to.
    pub has_letter: bool,
    /// What the outcome stands on.
    pub ground: String,
    pub reasons: Vec<ReasonLine>,
    pub notes: Vec<NoteLine>,
    pub entered: Vec<Pair>,
    pub degraded: bool,
    pub simulated: bool,
    pub model: String,
    /// Nothing where no version could score.
    pub version: Option<String>,
    pub age: Option<String>,
    pub when: String,
    pub who: String,
    pub record: String,
    pub log_size: String,
    pub key: String,
    pub leaf: String,
    pub tally: Tally,
    pub qr: Option<QrView>,
}

pub fn case_view(texts: &Texts, sheet: &Sheet, now_ms: i64) -> Result<CaseView, Failure> {
    let header = &sheet.answered.header;
    let Some(facts) = &header.decision else { return Ok(CaseView::default()) };
    let case = facts.case.map_or(String::new(), |case| case.to_string());
    let scored = sheet.scored_by.as_ref();
    let outcome = outcome_by(texts, scored, facts.outcome.as_deref().unwrap_or_default());
    let mut view = CaseView {
        parts: case.split('-').map(str::to_string).collect(),
        case,
        outcome: outcome.word,
        tone: outcome.tone,
        ground: texts.say("case.ground.fallback"),
        degraded: facts.flags.contains(&Flag::Degraded),
        simulated: facts.flags.contains(&Flag::Simulated) || header.quality == TimeQuality::Simulated,
        model: spoken(&facts.name),
        has_letter: scored.is_none_or(|by| by.standing.champion.loaded().content.purpose == Purpose::Credit),
        version: facts.version.map(|version| version.to_string()),
        age: scored.map(|by| age(texts, now_ms, by.created_ms)),
        when: moment(texts, header.time_ms),
        who: header.actor.name().to_string(),
        record: grouped(&header.seq.to_string()),
        log_size: grouped(&sheet.proved.head.size.to_string()),
        key: sheet.proved.key_id.to_string(),
        leaf: sheet.proved.leaf_hash.to_hex(),
        tally: tally::draw(&sheet.proved.leaf_hash),
        qr: qr::draw(&sheet.receipt.to_text()?),
        ..CaseView::default()
    };
    if let (Some(by), Content::Decision(decision)) = (scored, &sheet.answered.content) {
        add_score(texts, &mut view, by, decision, sheet.answered.positive.as_deref().unwrap_or_default());
        view.ground = ground_of(texts, facts, decision);
    }
    if let Some(by) = scored {
        view.entered = entered_of(texts, sheet, by);
    }
    Ok(view)
}

fn add_score(texts: &Texts, view: &mut CaseView, by: &ScoredBy, decision: &Decision, positive: &str) {
    let label = |field: &str| label_of(by, field);
    let told = text_of(by, "project.positive");
    view.chance = Some(chance(texts, decision.probability, positive, told));
    if let Some(policy) = by.standing.champion.policy() {
        let bands = &policy.policy().object().bands;
        let step = |(at, band): (usize, &crate::decide::resolved::Band)| {
            let outcome = outcome_by(texts, Some(by), &band.outcome);
            BandStep { word: outcome.word, tone: outcome.tone, here: at == decision.band }
        };
        view.bands = bands.iter().enumerate().map(step).collect();
        let (at, of) = ((decision.band + 1).to_string(), bands.len().to_string());
        view.band = Some(texts.fill("case.band", &[("at", &at), ("of", &of)]));
    }
    let line = |reason: &crate::decide::reasons::Reason| ReasonLine {
        text: reason.text.clone(),
        label: label(&reason.field),
        value: reason.value.as_deref().map(|value| value_text(by, &reason.field, value)),
    };
    view.reasons = decision.reasons.list.iter().map(line).collect();
    view.notes = notes_of(texts, &decision.notes, &label);
}

fn ground_of(texts: &Texts, facts: &DecisionFacts, decision: &Decision) -> String {
    match &decision.by {
        DecidedBy::Band => texts.say("case.ground.band"),
        DecidedBy::Rule(id) => texts.fill("case.ground.rule", &[("rule", &spoken(id))]),
        DecidedBy::Fallback if facts.flags.contains(&Flag::Degraded) => texts.say("case.ground.stand_in"),
        DecidedBy::Fallback => texts.say("case.ground.fallback"),
    }
}

/// A text that was signed with the policy.
fn text_of<'a>(by: &'a ScoredBy, key: &str) -> Option<&'a str> {
    by.standing.champion.policy().and_then(|policy| policy.policy().find_text(key))
}

/// What a field is called there.
pub fn label_of(by: &ScoredBy, field: &str) -> String {
    text_of(by, &format!("label.{field}")).map_or_else(|| spoken(field), str::to_string)
}

/// An outcome in the project's own words, where it has some for it.
fn outcome_by(texts: &Texts, by: Option<&ScoredBy>, outcome: &str) -> OutcomeWord {
    let known = outcome_of(texts, outcome);
    match by.and_then(|by| text_of(by, &format!("outcome.{outcome}"))) {
        Some(word) => OutcomeWord { word: word.to_string(), ..known },
        None => known,
    }
}

fn notes_of(texts: &Texts, notes: &Notes, label: &dyn Fn(&str) -> String) -> Vec<NoteLine> {
    let mut lines = Vec::new();
    let mut add = |kind, key, field: &str| {
        lines.push(NoteLine { kind, text: texts.fill(key, &[("field", &label(field))]) });
    };
    notes.out_of_range.iter().for_each(|field| add("out_of_range", "case.note.out_of_range", field));
    notes.missing.iter().for_each(|field| add("missing", "case.note.missing", field));
    notes.defaulted.iter().for_each(|field| add("defaulted", "case.note.defaulted", field));
    for unseen in &notes.unseen {
        let text =
            texts.fill("case.note.unseen", &[("field", &label(&unseen.field)), ("level", &unseen.level)]);
        lines.insert(0, NoteLine { kind: "unseen", text });
    }
    lines
}

fn entered_of(texts: &Texts, sheet: &Sheet, by: &ScoredBy) -> Vec<Pair> {
    let entered = sheet.entered.iter().map(|entered| {
        let value = match &entered.value {
            None => texts.say("case.entered.nothing"),
            Some(value) => value_text(by, &entered.field, value),
        };
        Pair { label: label_of(by, &entered.field), value }
    });
    entered.collect()
}

/// A value as it is typed in the form.
fn value_text(by: &ScoredBy, field: &str, value: &str) -> String {
    let column = by.standing.champion.loaded().content.contract.find(field);
    if column.is_some_and(|column| column.cast == Some(Cast::Percent)) {
        percent_text(value)
    } else {
        grouped(value)
    }
}

/// A share as it was typed: in percent.
fn percent_text(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(share) => format!("{} %", (share * 1e11).round() / 1e9),
        Err(_) => value.to_string(),
    }
}
