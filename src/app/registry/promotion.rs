//! Moving an alias: through the gate forwards, back by the history. Each move is one record.
//! Never changes a version.

use serde_json::json;

use crate::app::decisions::lineup;
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::versions;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::ledger::leaf::Kind;
use crate::registry::gate::{GateReport, Gates};
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::{Act, Actor};
use crate::store::rows::registry::{AliasHistoryRow, AliasRow, AliasTarget, VersionRow};
use crate::store::views::registry::AliasMove;

/// A promotion as it is asked for.
pub struct PromoteRequest {
    pub model: ModelRef,
    pub to: Alias,
    pub why: String,
    /// Another policy than the one made with the version.
    pub policy: Option<Digest>,
    /// Other gates than those the version was trained under.
    pub gates: Option<Gates>,
    pub move_as: MoveAs,
}

/// A move of an alias as its caller wants it done.
#[derive(Clone, Debug, Default)]
pub struct MoveAs {
    /// Only say what would happen.
    pub dry_run: bool,
    /// The states, by their tags, from which the alias may move; none means from any.
    pub from: Vec<String>,
}

/// Stands for any state in which an alias points somewhere.
pub const ANY_STATE: &str = "*";

/// A name for where an alias points and since when; another move gives another name.
pub fn tag_of(alias: &AliasRow) -> String {
    let state = format!("{} {} {}", alias.version, alias.policy, alias.moved_ms);
    Digest::of(state.as_bytes()).short()
}

impl MoveAs {
    fn check(&self, name: &str, alias: Alias, now: Option<&AliasRow>) -> Result<(), UseCaseError> {
        let fits = |tag: &String| now.is_some_and(|row| tag == ANY_STATE || *tag == tag_of(row));
        if self.from.is_empty() || self.from.iter().any(fits) {
            Ok(())
        } else {
            Err(UseCaseError::AliasMoved { name: name.to_string(), alias: alias.to_string() })
        }
    }
}

pub struct Promoted {
    pub version: VersionRow,
    pub policy: Digest,
    pub gate: GateReport,
}

/// Judges the version by its gates, at the cut-off of the policy it is to decide by, and points the
/// alias at it. Gates from a file are held beside the version's own, never instead of them.
pub fn promote(app: &App, request: &PromoteRequest) -> Result<Promoted, Failure> {
    let actor = app.may(Act::PromoteModel)?;
    let (version, own_policy) = versions::resolve(app, &request.model, false)?;
    check_state(app, &version.name, request.to, &request.move_as)?;
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
    if let Some(gates) = &request.gates {
        gate = gate.and(gates.judge(&metrics));
    }
    let gate = gate.into_result()?;
    if !request.move_as.dry_run {
        let to = AliasTarget { version: version.version, policy };
        let (alias, figures, how) = (request.to, json!(gate.rules), &request.move_as);
        let change = Change { alias, to, why: &request.why, back: false, figures, how };
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
    how: &'a MoveAs,
}

fn check_state(app: &App, name: &str, alias: Alias, how: &MoveAs) -> Result<(), Failure> {
    let now = app.store.read_ledger(|ledger| ledger.find_alias(name, alias.as_str()))?;
    Ok(how.check(name, alias, now.as_ref())?)
}

/// Points the alias back at the version before the present one.
pub fn rollback(app: &App, name: &str, alias: Alias, why: &str, how: &MoveAs) -> Result<VersionRow, Failure> {
    let actor = app.may(Act::RollbackModel)?;
    let moves = moves(app, name, alias)?;
    check_state(app, name, alias, how)?;
    let nothing = || UseCaseError::NothingBefore { name: name.to_string(), alias: alias.to_string() };
    let to = find_before(&moves).ok_or_else(nothing)?;
    let model = ModelRef { name: name.to_string(), which: Which::Number(to.version) };
    let (version, _) = versions::resolve(app, &model, false)?;
    versions::open_champion(app, &version, &to.policy)?;
    if !how.dry_run {
        let change = Change { alias, to, why, back: true, figures: serde_json::Value::Null, how };
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
    let (now, Change { alias, to, why, back, figures, how }) = (app.now(), change);
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
    let how = how.clone();
    app.store.write_ledger(move |ledger| {
        how.check(&change.name, alias, ledger.find_alias(&change.name, &change.alias)?.as_ref())?;
        ledger.move_alias(&change)?;
        ledger.append_record(entry.clone(), now)?;
        Ok::<_, Failure>(())
    })?;
    lineup::refresh(app, name);
    Ok(())
}
