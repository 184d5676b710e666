//! Moving an alias: through the gate forwards, back by the history. Each move is one record.
//! Never changes a version.

use std::path::Path;

use serde_json::json;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::versions;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::config::project::read_gates;
use crate::ledger::leaf::Kind;
use crate::registry::gate::GateReport;
use crate::registry::version::{Alias, ModelRef};
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

/// Judges the version by its gates and points the alias at it.
pub fn promote(app: &App, request: &PromoteRequest<'_>) -> Result<Promoted, Failure> {
    let actor = app.may(Act::PromoteModel)?;
    let (version, own_policy) = versions::find_version(app, &request.model, false)?;
    let policy = request.policy.unwrap_or(own_policy);
    check_fit(app, &version, &policy)?;
    let evaluation = versions::evaluation(app, &version)?;
    let gates = match request.gates {
        Some(path) => read_gates(path)?,
        None => evaluation.gates.clone().check()?,
    };
    let gate = gates.judge(&evaluation.metrics).into_result()?;
    if !request.dry_run {
        let target = AliasTarget { version: version.version, policy };
        move_alias(app, &actor, &version.name, (request.to, target), &request.why)?;
    }
    Ok(Promoted { version, policy, gate })
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
    let moves = history(app, name, alias)?;
    let nothing = || UseCaseError::NothingBefore { name: name.to_string(), alias: alias.to_string() };
    let target = find_before(&moves).ok_or_else(nothing)?;
    let model =
        ModelRef { name: name.to_string(), which: crate::registry::version::Which::Number(target.version) };
    let (version, _) = versions::find_version(app, &model, false)?;
    check_fit(app, &version, &target.policy)?;
    if !dry_run {
        move_alias(app, &actor, name, (alias, target), why)?;
    }
    Ok(version)
}

/// Where an alias was before it came to where it is: a rollback undoes one promotion, and a second
/// rollback the one before that.
fn find_before(moves: &[AliasHistoryRow]) -> Option<AliasTarget> {
    let mut stack: Vec<&AliasTarget> = Vec::new();
    for step in moves {
        match stack.iter().position(|t| **t == step.to) {
            Some(place) => stack.truncate(place + 1),
            None => stack.push(&step.to),
        }
    }
    stack.pop()?;
    stack.pop().cloned()
}

pub fn history(app: &App, name: &str, alias: Alias) -> Result<Vec<AliasHistoryRow>, Failure> {
    versions::list_versions(app, name)?;
    Ok(app.store.read_ledger(|l| l.list_alias_history(name, alias.as_str()))?)
}

/// Nothing that would not load may be promoted.
fn check_fit(app: &App, version: &VersionRow, policy: &Digest) -> Result<(), Failure> {
    versions::open_champion(app, version, policy)?;
    Ok(())
}

fn move_alias(
    app: &App,
    actor: &Actor,
    name: &str,
    (alias, to): (Alias, AliasTarget),
    why: &str,
) -> Result<(), Failure> {
    let now = app.now();
    let body = json!({"alias": alias, "version": to.version, "policy": to.policy, "why": why});
    let change = AliasMove {
        name: name.to_string(),
        alias: alias.as_str().to_string(),
        to,
        moved_ms: now.millis(),
        by: actor.name().to_string(),
        why: why.to_string(),
    };
    let entry = App::entry(actor, Kind::AliasMoved, format!("model/{name}"), &body)?;
    app.store.write_ledger(move |ledger| {
        ledger.move_alias(&change)?;
        ledger.append_record(entry.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}
