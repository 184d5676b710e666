//! Moving an alias: through the gate forwards, back by the history. Each move is one record.
//! Never changes a version.

use serde_json::json;

use crate::app::decisions::lineup;
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::approvals::error::ApprovalError;
use crate::app::registry::{approvals, versions};
use crate::base::clock::Stamp;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::ledger::leaf::Kind;
use crate::registry::gate::approval::Approval;
use crate::registry::gate::{GateReport, Gates};
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::{Act, Actor};
use crate::store::rows::registry::{AliasHistoryRow, AliasRow, AliasTarget, VersionRow};
use crate::store::views::LedgerWrite;
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
/// Where they ask for a second person, production is for `approvals` to move.
pub fn promote(app: &App, request: &PromoteRequest) -> Result<Promoted, Failure> {
    let actor = app.may(Act::PromoteModel)?;
    let (version, own_policy) = versions::resolve(app, &request.model, false)?;
    check_not_held(app, &version.name, request.to.as_str())?;
    check_state(app, &version.name, request.to, &request.move_as)?;
    let policy = request.policy.unwrap_or(own_policy);
    let Judged { gate, approval, .. } = judge(app, &version, policy, request.gates.as_ref())?;
    let there = find_alias(app, &version.name, request.to)?;
    if request.to == Alias::Production
        && approvals::demanded(app, &version, there.as_ref(), approval)?.needs_second_person()
    {
        return Err(ApprovalError::SecondPerson { name: version.name, version: version.version }.into());
    }
    if !request.move_as.dry_run {
        let to = AliasTarget { version: version.version, policy };
        let (alias, figures, how) = (request.to, json!(gate.rules), &request.move_as);
        let seen = (alias == Alias::Production).then(|| there.as_ref().map(tag_of));
        let change = Change { alias, to, why: &request.why, back: false, figures, how, seen };
        move_alias(app, &actor, &version.name, change)?;
    }
    Ok(Promoted { version, policy, gate })
}

/// A rule of monitoring may hold a model back; then nothing takes the place of what is in production.
pub(in crate::app) fn check_not_held(app: &App, name: &str, to: &str) -> Result<(), Failure> {
    if to != Alias::Production.as_str() {
        return Ok(());
    }
    match app.store.read_lab(|lab| lab.find_hold(name))? {
        None => Ok(()),
        Some(row) => Err(UseCaseError::Held { model: row.model, rule: row.rule, why: row.why }.into()),
    }
}

/// A version that its gates let through, and who else they ask for.
pub(in crate::app) struct Judged {
    pub policy: Digest,
    pub gate: GateReport,
    pub approval: Approval,
}

/// Judges a version under a policy, which it must be able to serve with. Asks nobody whether they may: the use case has.
pub(in crate::app) fn judge(
    app: &App,
    version: &VersionRow,
    policy: Digest,
    beside: Option<&Gates>,
) -> Result<Judged, Failure> {
    let champion = versions::open_champion(app, version, &policy)?;
    let cutoff = &champion.deciding_policy()?.policy().object().cutoff;
    if let Some(found) = cutoff.model.filter(|found| *found != version.model) {
        let (policy, found) = (policy.short(), found.short());
        return Err(UseCaseError::OtherModelsPolicy { policy, found }.into());
    }
    let evaluation = versions::evaluation(app, version)?;
    let metrics = evaluation.metrics_at(cutoff.value);
    let own = evaluation.gates.clone().check()?;
    let (mut gate, mut approval) = (own.judge(&metrics), own.approval());
    if let Some(gates) = beside {
        gate = gate.and(gates.judge(&metrics));
        approval = approval.and(gates.approval());
    }
    Ok(Judged { policy, gate: gate.into_result()?, approval })
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
    /// The state, by its tag, by which it was judged whether a second person is needed.
    seen: Option<Option<String>>,
}

fn check_state(app: &App, name: &str, alias: Alias, how: &MoveAs) -> Result<(), Failure> {
    let now = find_alias(app, name, alias)?;
    Ok(how.check(name, alias, now.as_ref())?)
}

fn find_alias(app: &App, name: &str, alias: Alias) -> Result<Option<AliasRow>, Failure> {
    Ok(app.store.read_ledger(|ledger| ledger.find_alias(name, alias.as_str()))?)
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
        let change = Change { alias, to, why, back: true, figures: serde_json::Value::Null, how, seen: None };
        move_alias(app, &actor, name, change)?;
    }
    Ok(version)
}

/// Where an alias was before it came to where it is: each rollback undoes the last promotion that no
/// rollback has undone yet.
pub(in crate::app) fn find_before(moves: &[AliasHistoryRow]) -> Option<AliasTarget> {
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

/// The move by which a rule took a version back, where no person has put it there again since.
pub(in crate::app) fn find_taken_back(
    moves: &[AliasHistoryRow],
    version: u64,
    by_itself: &str,
) -> Option<AliasHistoryRow> {
    let (mut stack, mut taken): (Vec<u64>, Option<&AliasHistoryRow>) = (Vec::new(), None);
    for step in moves {
        if !step.back {
            stack.push(step.to.version);
            taken = taken.filter(|_| step.to.version != version || step.by == by_itself);
        } else if stack.pop() == Some(version) && step.by == by_itself {
            taken = Some(step);
        }
    }
    taken.cloned()
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

/// A move of an alias as its record tells it.
#[derive(Clone)]
pub(in crate::app) struct AliasStep {
    pub name: String,
    pub alias: String,
    pub to: AliasTarget,
    pub why: String,
    pub back: bool,
    pub figures: serde_json::Value,
}

/// Moves an alias inside a transaction, with its record; what was proposed for it meanwhile is over.
pub(in crate::app) fn take_step(
    ledger: &LedgerWrite<'_>,
    step: &AliasStep,
    actor: &Actor,
    now: Stamp,
) -> Result<(), Failure> {
    let body = json!({
        "alias": step.alias, "version": step.to.version, "policy": step.to.policy, "why": step.why,
        "back": step.back, "gate": step.figures,
    });
    let entry = App::entry(actor, Kind::AliasMoved, format!("model/{}", step.name), &body)?;
    ledger.move_alias(&AliasMove {
        name: step.name.clone(),
        alias: step.alias.clone(),
        to: step.to.clone(),
        moved_ms: now.millis(),
        by: actor.name().to_string(),
        why: step.why.clone(),
        back: step.back,
    })?;
    ledger.append_record(entry, now)?;
    approvals::supersede(ledger, (&step.name, &step.alias), actor, now)
}

fn move_alias(app: &App, actor: &Actor, name: &str, change: Change<'_>) -> Result<(), Failure> {
    let (now, Change { alias, to, why, back, figures, how, seen }) = (app.now(), change);
    let found = why.chars().count();
    if found > limits::WHY_CHARS_MAX {
        return Err(UseCaseError::LongWhy { found }.into());
    }
    let (why, by_name) = (why.to_string(), alias.as_str().to_string());
    let step = AliasStep { name: name.to_string(), alias: by_name, to, why, back, figures };
    let (how, actor) = (how.clone(), actor.clone());
    app.store.write_ledger(move |ledger| {
        let there = ledger.find_alias(&step.name, &step.alias)?;
        how.check(&step.name, alias, there.as_ref())?;
        if seen.as_ref().is_some_and(|seen| *seen != there.as_ref().map(tag_of)) {
            return Err(
                UseCaseError::AliasMoved { name: step.name.clone(), alias: step.alias.clone() }.into()
            );
        }
        take_step(ledger, &step, &actor, now)
    })?;
    lineup::refresh(app, name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moves as they are told: where to, by whom; a `-` before a version is a rollback to it.
    fn told(steps: &[(i64, &str)]) -> Vec<AliasHistoryRow> {
        let row = |(n, (to, by)): (usize, &(i64, &str))| AliasHistoryRow {
            name: "loans".into(),
            alias: "production".into(),
            n: n as u64,
            from: None,
            to: AliasTarget { version: to.unsigned_abs(), policy: Digest::of(b"policy") },
            moved_ms: n as i64,
            by: by.to_string(),
            why: "a reason".into(),
            back: *to < 0,
        };
        steps.iter().enumerate().map(row).collect()
    }

    #[test]
    fn what_was_taken_back_by_itself_stays_so_until_a_person_puts_it_there_again() {
        let taken =
            |steps: &[(i64, &str)], version| find_taken_back(&told(steps), version, "schedule").map(|s| s.n);
        let back = [(1, "paul"), (2, "schedule"), (-1, "schedule")];
        assert_eq!((taken(&back, 2), taken(&back, 1)), (Some(2), None));
        let on = [&back[..], &[(3, "schedule")]].concat();
        assert_eq!(taken(&on, 2), Some(2), "another version since changes nothing of it");
        assert_eq!(taken(&[&on[..], &[(2, "schedule")]].concat(), 2), Some(2), "nor does it by itself");
        assert_eq!(taken(&[&on[..], &[(2, "paul")]].concat(), 2), None);
        let by_person = [(1, "paul"), (2, "schedule"), (-1, "paul")];
        assert_eq!(taken(&by_person, 2), None, "what a person took back a chain may bring again");
    }

    #[test]
    fn going_back_twice_goes_further_and_never_forth() {
        let steps = [(1, "paul"), (2, "paul"), (3, "schedule"), (-2, "schedule")];
        assert_eq!(find_before(&told(&steps)).map(|to| to.version), Some(1));
        let down = [&steps[..], &[(-1, "schedule")]].concat();
        assert_eq!(find_before(&told(&down)), None);
    }
}
