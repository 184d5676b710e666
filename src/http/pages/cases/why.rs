//! Why a case is what it is, on one screen: every line of it checked when the page is made.

use serde::Serialize;

use crate::app::decisions::sheet::ScoredBy;
use crate::app::decisions::why::Why;
use crate::http::pages::cases::outcome_of;
use crate::http::pages::cases::sheet::label_of;
use crate::http::pages::text::Texts;
use crate::http::pages::words::{grouped, moment, spoken};
use crate::ledger::case::CaseNumber;

#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckLine {
    pub title: String,
    pub holds: bool,
    pub found: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct MeasuredLine {
    pub text: String,
    pub field: String,
    pub value: String,
    pub reference: Option<String>,
    pub holds: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct WhyPage {
    pub case: String,
    pub outcome: String,
    pub tone: &'static str,
    pub holds: bool,
    pub checked: String,
    pub checks: Vec<CheckLine>,
    pub reasons: Vec<MeasuredLine>,
}

/// What a check is called, by its stable word.
fn title_of(what: &str) -> &'static str {
    match what {
        "record" => "why.check.record",
        "outcome" => "why.check.outcome",
        "replay" => "why.check.replay",
        "content" => "why.check.content",
        "model" => "why.check.model",
        "release" => "why.check.release",
        "policy" => "why.check.policy",
        "promotion" => "why.check.promotion",
        "run" => "why.check.run",
        "data" => "why.check.data",
        _ => "why.check.other",
    }
}

/// `by` is what the case was scored by, where that can be told: it knows what fields are called.
pub fn why_view(texts: &Texts, case: &CaseNumber, why: &Why, by: Option<&ScoredBy>, now_ms: i64) -> WhyPage {
    let facts = why.header.decision.as_ref();
    let outcome = outcome_of(texts, facts.and_then(|facts| facts.outcome.as_deref()).unwrap_or_default());
    let checks = why.checks.iter().map(|check| CheckLine {
        title: texts.say(title_of(check.what)),
        holds: check.holds,
        found: check.found.clone(),
    });
    let reasons = why.reasons.iter().map(|measured| MeasuredLine {
        text: measured.reason.text.clone(),
        field: by.map_or_else(|| spoken(&measured.reason.field), |by| label_of(by, &measured.reason.field)),
        value: measured.reason.value.as_deref().map_or_else(|| texts.say("case.entered.nothing"), grouped),
        reference: measured.reference.as_deref().map(grouped),
        holds: measured.holds,
    });
    WhyPage {
        case: case.to_string(),
        outcome: outcome.word,
        tone: outcome.tone,
        holds: why.holds(),
        checked: moment(texts, now_ms),
        checks: checks.collect(),
        reasons: reasons.collect(),
    }
}
