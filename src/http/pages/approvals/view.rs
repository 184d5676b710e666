//! Proposals as their pages show them: in a list, and one with all that somebody needs to decide about it.

use serde::Serialize;

use crate::app::registry::ProposalRow;
use crate::app::registry::approvals::sheet::{Beside, Sheet, Stance};
use crate::evaluate::compare::production::{Judged, Verdict};
use crate::http::pages::text::Texts;
use crate::http::pages::words::{days_ago, grouped, moment, spoken};
use crate::registry::gate::{Bound, RuleResult};
use crate::registry::proposal::ProposalState;

/// A proposal as a list shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProposalLine {
    pub address: String,
    pub id: u64,
    pub model: String,
    pub version: u64,
    pub to: String,
    pub state: String,
    pub tone: &'static str,
    pub who: String,
    pub when: String,
    pub ago: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ProposalsView {
    pub lines: Vec<ProposalLine>,
    /// The address of the next page.
    pub next: Option<String>,
}

/// One rule of the gate.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RuleLine {
    pub figure: String,
    pub value: Option<String>,
    pub limit: String,
    pub passed: bool,
}

/// A figure of what is there and of what is proposed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FigureLine {
    pub figure: String,
    pub there: Option<String>,
    pub proposed: String,
}

/// What the rows that tested both say.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerdictLine {
    pub holds: bool,
    pub text: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct ProposalView {
    pub id: u64,
    pub model: String,
    pub version: u64,
    pub to: String,
    pub state: String,
    pub tone: &'static str,
    pub is_open: bool,
    pub why: String,
    /// The version that the alias pointed to.
    pub there: Option<u64>,
    pub who: String,
    pub when: String,
    pub expires: String,
    pub trained: String,
    pub policy: String,
    pub tier: Option<String>,
    pub decided_by: Option<String>,
    pub decided: String,
    pub comment: Option<String>,
    pub rules: Vec<RuleLine>,
    pub figures: Vec<FigureLine>,
    pub verdict: Option<VerdictLine>,
    /// Of `decides`, `proposer`, `trainer`, `onlooker`: what the visitor may do while it is open.
    pub stance: &'static str,
    /// What was typed before, kept.
    pub typed: String,
    /// What was wrong with it.
    pub trouble: Option<String>,
}

fn state_of(texts: &Texts, state: ProposalState) -> (String, &'static str) {
    let (key, tone) = match state {
        ProposalState::Open => ("approvals.state.open", "refer"),
        ProposalState::Approved => ("approvals.state.approved", "good"),
        ProposalState::Rejected => ("approvals.state.rejected", "bad"),
        ProposalState::Withdrawn => ("approvals.state.withdrawn", "other"),
        ProposalState::Expired => ("approvals.state.expired", "other"),
        ProposalState::Superseded => ("approvals.state.superseded", "other"),
    };
    (texts.say(key), tone)
}

pub fn address_of(id: u64) -> String {
    format!("/approvals/{id}")
}

pub fn line_of(texts: &Texts, row: &ProposalRow, now_ms: i64) -> ProposalLine {
    let (state, tone) = state_of(texts, row.state);
    ProposalLine {
        address: address_of(row.id),
        id: row.id,
        model: spoken(&row.name),
        version: row.version,
        to: row.to.clone(),
        state,
        tone,
        who: row.proposed_by.clone(),
        when: moment(texts, row.proposed_ms),
        ago: days_ago(texts, now_ms, row.proposed_ms),
    }
}

pub fn proposal_view(texts: &Texts, sheet: &Sheet) -> ProposalView {
    let row = &sheet.row;
    let (state, tone) = state_of(texts, row.state);
    ProposalView {
        id: row.id,
        model: spoken(&row.name),
        version: row.version,
        to: row.to.clone(),
        state,
        tone,
        is_open: row.is_open(),
        why: row.why.clone(),
        there: sheet.there.as_ref().map(|there| there.version),
        who: row.proposed_by.clone(),
        when: moment(texts, row.proposed_ms),
        expires: moment(texts, row.expires_ms),
        trained: moment(texts, sheet.version.created_ms),
        policy: row.policy.short(),
        tier: sheet.tier.map(|tier| tier.as_str().to_string()),
        decided_by: row.decided_by.clone(),
        decided: row.decided_ms.map_or(String::new(), |millis| moment(texts, millis)),
        comment: row.comment.clone(),
        rules: row.gate.rules.iter().map(|rule| rule_line(texts, rule)).collect(),
        figures: sheet.figures.iter().map(figure_line).collect(),
        verdict: sheet.verdict.as_ref().map(|verdict| verdict_line(texts, verdict)),
        stance: match sheet.stance {
            Stance::Decides => "decides",
            Stance::Proposer => "proposer",
            Stance::Trainer => "trainer",
            Stance::Onlooker => "onlooker",
        },
        typed: String::new(),
        trouble: None,
    }
}

fn rule_line(texts: &Texts, rule: &RuleResult) -> RuleLine {
    let key = match rule.bound {
        Bound::Min => "approvals.rule.min",
        Bound::Max => "approvals.rule.max",
    };
    RuleLine {
        figure: rule.metric.clone(),
        value: rule.value.map(shown),
        limit: texts.fill(key, &[("limit", &rule.limit.to_string())]),
        passed: rule.passed,
    }
}

fn figure_line(beside: &Beside) -> FigureLine {
    let (figure, proposed) = (beside.key.clone(), shown(beside.proposed));
    FigureLine { figure, there: beside.there.map(shown), proposed }
}

fn shown(value: f64) -> String {
    format!("{value:.4}")
}

fn verdict_line(texts: &Texts, verdict: &Verdict) -> VerdictLine {
    let holds = verdict.standing.holds();
    let key = if holds { "approvals.verdict.holds" } else { "approvals.verdict.falls" };
    let told = |judged: &Judged| {
        let (there, proposed) = (shown(judged.production), shown(judged.candidate));
        let values =
            [("figure", judged.metric.as_str()), ("there", there.as_str()), ("proposed", proposed.as_str())];
        texts.fill("approvals.verdict.figure", &values)
    };
    let figures = verdict.judged.iter().map(told).collect::<Vec<_>>().join("; ");
    let rows = grouped(&verdict.rows.to_string());
    VerdictLine { holds, text: texts.fill(key, &[("rows", &rows), ("figures", &figures)]) }
}
