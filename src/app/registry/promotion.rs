//! Moving an alias: through the gate forwards, back by the history. Each move is one record.
//! Never changes a version.

use std::path::Path;

use serde_json::json;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::versions;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::config::project::read_gates;
use crate::ledger::leaf::Kind;
use crate::registry::gate::GateReport;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::{Act, Actor};
use crate::store::error::StoreError;
use crate::store::rows::registry::{AliasHistoryRow, AliasTarget, VersionRow};
use crate::store::views::registry::AliasMove;

/// A promotion as it is asked for.
pub struct PromoteRequest<'a> {
    pub model: ModelRef,
    pub to: Alias,
    pub why: String,
    /// Another policy than the one made with the version.
    pub policy: Option<Digest>,
    /// Other gates than those the version was trained under.
    pub gates: Option<&'a Path>,
    pub dry_run: bool,
}

pub struct Promoted {
    pub version: VersionRow,
    pub policy: Digest,
    pub gate: GateReport,
}

/// Judges the version by its gates, at the cut-off of the policy it is to decide by, and points the
/// alias at it. Gates from a file are held beside the version's own, never instead of them.
pub fn promote(app: &App, request: &PromoteRequest<'_>) -> Result<Promoted, Failure> {
    let actor = app.may(Act::PromoteModel)?;
    let (version, own_policy) = versions::resolve(app, &request.model, false)?;
    let policy = request.policy.unwrap_or(own_policy);
    let champion = versions::open_champion(app, &version, &policy)?;
    let cutoff = &champion.deciding_policy()?.policy().object().cutoff;
    if let Some(found) = cutoff.model.filter(|found| *found != version.model) {
        let (policy, found) = (policy.short(), found.short());
        return Err(UseCaseError::OtherModelsPolicy { policy, found }.into());
    }
    let evaluation = versions::evaluation(app, &version)?;
    let metrics = evaluation.metrics_at(cutoff.value);
    let mut gate = evaluation.gates.clone().check()?.judge(&metrics);
    if let Some(path) = request.gates {
        gate = gate.and(read_gates(path)?.judge(&metrics));
    }
    let gate = gate.into_result()?;
    if !request.dry_run {
        let target = AliasTarget { version: version.version, policy };
        let figures = json!(gate.rules);
        let change = Change { alias: request.to, to: target, why: &request.why, back: false, figures };
        move_alias(app, &actor, &version.name, change)?;
    }
    Ok(Promoted { version, policy, gate })
}

/// A move of an alias and what it rests on.
struct Change<'a> {
    alias: Alias,
    to: AliasTarget,
    why: &'a str,
    /// A rollback undoes moves; it is none that a later rollback could undo.
    back: bool,
    /// The gate's rules with both numbers; null for a rollback, which was judged when it was promoted.
    figures: serde_json::Value,
}

/// Points the alias back at the version before the present one.
pub fn rollback(
    app: &App,
    name: &str,
    alias: Alias,
    why: &str,
    dry_run: bool,
) -> Result<VersionRow, Failure> {
    let actor = app.may(Act::RollbackModel)?;
    let moves = moves(app, name, alias)?;
    let nothing = || UseCaseError::NothingBefore { name: name.to_string(), alias: alias.to_string() };
    let to = find_before(&moves).ok_or_else(nothing)?;
    let model = ModelRef { name: name.to_string(), which: Which::Number(to.version) };
    let (version, _) = versions::resolve(app, &model, false)?;
    versions::open_champion(app, &version, &to.policy)?;
    if !dry_run {
        let change = Change { alias, to, why, back: true, figures: serde_json::Value::Null };
        move_alias(app, &actor, name, change)?;
    }
    Ok(version)
}

/// Where an alias was before it came to where it is: each rollback undoes the last promotion that no
/// rollback has undone yet.
fn find_before(moves: &[AliasHistoryRow]) -> Option<AliasTarget> {
    let mut stack: Vec<&AliasTarget> = Vec::new();
    for step in moves {
        if step.back {
            stack.pop();
        } else {
            stack.push(&step.to);
        }
    }
    stack.pop()?;
    stack.pop().cloned()
}

pub(in crate::app) fn moves(app: &App, name: &str, alias: Alias) -> Result<Vec<AliasHistoryRow>, Failure> {
    let model = ModelRef { name: name.to_string(), which: Which::Unstated };
    versions::resolve(app, &model, false)?;
    let mut moves = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_alias_move(name, alias.as_str(), &mut |step| {
            moves.push(step);
            Ok(())
        })
    })?;
    Ok(moves)
}

pub fn history(app: &App, name: &str, alias: Alias) -> Result<Vec<AliasHistoryRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    moves(app, name, alias)
}

fn move_alias(app: &App, actor: &Actor, name: &str, change: Change<'_>) -> Result<(), Failure> {
    let (now, Change { alias, to, why, back, figures }) = (app.now(), change);
    let found = why.chars().count();
    if found > limits::WHY_CHARS_MAX {
        return Err(UseCaseError::LongWhy { found }.into());
    }
    let body = json!({
        "alias": alias, "version": to.version, "policy": to.policy, "why": why, "back": back, "gate": figures,
    });
    let entry = App::entry(actor, Kind::AliasMoved, format!("model/{name}"), &body)?;
    let change = AliasMove {
        name: name.to_string(),
        alias: alias.as_str().to_string(),
        to,
        moved_ms: now.millis(),
        by: actor.name().to_string(),
        why: why.to_string(),
        back,
    };
    app.store.write_ledger(move |ledger| {
        ledger.move_alias(&change)?;
        ledger.append_record(entry.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}
