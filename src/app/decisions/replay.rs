//! A decision made once more: the recorded inputs through the recorded release and policy, compared to the bit.
//! Records nothing: a replay is a proof, not a decision.

use crate::app::decisions::found::{Answered, Content, find_record, open_body, restore, version_of};
use crate::app::decisions::lineup;
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::decide::outcome::DecidedBy;
use crate::security::actor::Act;
use crate::serve::answer::AnswerBody;
use crate::serve::champion::Champion;
use crate::serve::scorer::Decision;

/// What was decided, and what the same inputs lead to now.
pub struct Replay {
    pub recorded: Answered,
    pub again: Option<Decision>,
    /// What differs; nothing where every bit is the same.
    pub differences: Vec<&'static str>,
}

pub fn replay(app: &App, wanted: &str) -> Result<Replay, Failure> {
    app.may(Act::ReplayDecisions)?;
    let record = find_record(app, wanted)?;
    let recorded = restore(app, &record)?;
    let Content::Decision(decision) = &recorded.content else {
        return Ok(Replay { recorded, again: None, differences: Vec::new() });
    };
    let facts = record.header().decision.as_ref();
    let facts = facts.ok_or(UseCaseError::NotADecision { seq: record.header().seq })?;
    let version = version_of(app, facts)?;
    let version = version.ok_or(UseCaseError::NotADecision { seq: record.header().seq })?;
    let standing = lineup::of_record(app, &version, &decision.policy)?;
    let again = decide_again(&open_body(app, &record)?, &standing.champion)?;
    let differences = compare(decision, &again);
    Ok(Replay { recorded, again: Some(again), differences })
}

/// The recorded inputs through a champion.
pub(in crate::app::decisions) fn decide_again(
    body: &AnswerBody<'_>,
    champion: &Champion,
) -> Result<Decision, Failure> {
    let table = body.to_table(champion)?;
    let defaulted = [body.defaulted(&table)];
    Ok(champion.score_table(&table, &defaulted)?.decide(0)?)
}

/// What two decisions differ in.
pub(in crate::app::decisions) fn compare(recorded: &Decision, again: &Decision) -> Vec<&'static str> {
    // A stand-in's outcome was a person's to decide; its score still has to be the same.
    let referred = recorded.by == DecidedBy::Fallback;
    let same_bits = |a: f64, b: f64| a.to_bits() == b.to_bits();
    let shares = recorded.shares.len() == again.shares.len()
        && recorded.shares.iter().zip(&again.shares).all(|(a, b)| same_bits(a.value, b.value));
    let checks = [
        ("margin", same_bits(recorded.margin, again.margin)),
        ("probability", same_bits(recorded.probability, again.probability)),
        ("base", same_bits(recorded.base, again.base)),
        ("contributions", shares),
        ("band", recorded.band == again.band),
        ("rules", recorded.rules == again.rules),
        ("notes", recorded.notes == again.notes),
        ("outcome", referred || recorded.outcome == again.outcome),
        ("reasons", referred || recorded.reasons == again.reasons),
    ];
    checks.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}
