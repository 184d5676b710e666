//! Four eyes: one proposes that an alias moves, another approves, and only then does it move. Each act is one
//! transaction with its records, a refused attempt among them.
//! Never lets anybody decide about what they proposed or trained.

use std::fmt;
use std::str::FromStr;

use serde_json::json;

use crate::app::decisions::lineup;
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::approvals::error::ApprovalError;
use crate::app::registry::promotion::{self, AliasStep, tag_of};
use crate::app::registry::versions;
use crate::app::runs;
use crate::base::canonical;
use crate::base::clock::Stamp;
use crate::base::digest::Digest;
use crate::base::fact::{Fact, Failure};
use crate::base::limits;
use crate::ledger::leaf::{Entry, Kind};
use crate::pipeline::evaluation::Evaluation;
use crate::registry::gate::approval::Approval;
use crate::registry::proposal::ProposalState;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::{Act, Actor};
use crate::store::rows::approvals::ProposalRow;
use crate::store::rows::registry::{AliasRow, AliasTarget, VersionRow};
use crate::store::views::LedgerWrite;
use crate::store::views::approvals::ProposalPlace;

pub mod error;
pub mod sheet;

/// A proposal as it is asked for.
pub struct ProposeRequest {
    pub model: ModelRef,
    pub to: Alias,
    pub why: String,
    /// Another policy than the one made with the version.
    pub policy: Option<Digest>,
}

/// What to list: all, or those of a state or a model; from a place on.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub state: Option<ProposalState>,
    pub model: Option<String>,
    pub after: Option<Place>,
    pub limit: usize,
}

/// A proposal's place in the list, in writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(ProposalPlace);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0.is_open { "o" } else { "c" }, self.0.id)
    }
}

impl FromStr for Place {
    type Err = ApprovalError;

    fn from_str(text: &str) -> Result<Self, ApprovalError> {
        let unknown = || ApprovalError::Unknown { wanted: text.to_string() };
        let (is_open, digits) = match (text.strip_prefix('o'), text.strip_prefix('c')) {
            (Some(digits), _) => (true, digits),
            (_, Some(digits)) => (false, digits),
            _ => return Err(unknown()),
        };
        Ok(Self(ProposalPlace { is_open, id: digits.parse().map_err(|_| unknown())? }))
    }
}

pub struct Listed {
    pub proposals: Vec<ProposalRow>,
    /// Where the next page begins, if there is more.
    pub next: Option<Place>,
}

/// What somebody tried to do with a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Approve,
    Reject,
    Withdraw,
}

impl Attempt {
    fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }
}

/// Who must put this version where the alias points: what its gates ask for and, so that nobody weakens that alone,
/// what those of the version in production, `there`, ask for.
pub(in crate::app) fn demanded(
    app: &App,
    version: &VersionRow,
    there: Option<&AliasRow>,
    own: Approval,
) -> Result<Approval, Failure> {
    let Some(there) = there.filter(|there| there.version != version.version) else { return Ok(own) };
    let standing = app.store.read_ledger(|l| l.find_version(&version.name, there.version))?;
    let there = standing.and_then(|row| approval_of(app, &row)).unwrap_or(Approval::UNREADABLE);
    Ok(own.and(there))
}

/// What a version's gates say of who decides; by its own digest, so that a release that no longer serves still says it.
fn approval_of(app: &App, version: &VersionRow) -> Option<Approval> {
    let bytes = app.store.blobs().read(&version.evaluation, limits::MANIFEST_BYTES_MAX).ok()?;
    let evaluation: Evaluation = canonical::parse(&bytes).ok()?;
    Some(evaluation.gates.check().ok()?.approval())
}

/// Whether this version decides in earnest only after two people put it into production.
pub(in crate::app) fn needs_second_person(app: &App, version: &VersionRow) -> bool {
    let own = approval_of(app, version).unwrap_or(Approval::UNREADABLE);
    let demanded =
        in_production(app, &version.name).and_then(|there| demanded(app, version, there.as_ref(), own));
    demanded.unwrap_or(Approval::UNREADABLE).needs_second_person()
}

fn in_production(app: &App, name: &str) -> Result<Option<AliasRow>, Failure> {
    Ok(app.store.read_ledger(|ledger| ledger.find_alias(name, Alias::Production.as_str()))?)
}

/// Judges the version by its gates at once, refuses as a promotion does, and keeps the proposal for somebody else.
pub fn propose(app: &App, request: &ProposeRequest) -> Result<ProposalRow, Failure> {
    let actor = app.may(Act::ProposePromotion)?;
    let why = check_text(&request.why, ApprovalError::NoReason)?;
    let (version, own_policy) = versions::resolve(app, &request.model, false)?;
    let judged = promotion::judge(app, &version, request.policy.unwrap_or(own_policy), None)?;
    let there = in_production(app, &version.name)?;
    let expires_ms = demanded(app, &version, there.as_ref(), judged.approval)?.expires_ms;
    let now = app.now();
    let row = ProposalRow {
        id: 0,
        name: version.name,
        version: version.version,
        policy: judged.policy,
        to: request.to.to_string(),
        why,
        from: None,
        from_tag: None,
        gate: judged.gate,
        proposed_by: actor.name().to_string(),
        proposed_ms: now.millis(),
        expires_ms: now.millis().saturating_add(expires_ms),
        state: ProposalState::Open,
        decided_by: None,
        comment: None,
        decided_ms: None,
    };
    app.store.write_ledger(move |ledger| keep(ledger, row.clone(), &actor, now))
}

/// Gives a proposal its number and the state it is against, and keeps it with its record.
fn keep(
    ledger: &LedgerWrite<'_>,
    mut row: ProposalRow,
    actor: &Actor,
    now: Stamp,
) -> Result<ProposalRow, Failure> {
    let open = ledger.list_open_proposals()?;
    let same = |other: &&ProposalRow| {
        (&other.name, other.version, other.policy, &other.to) == (&row.name, row.version, row.policy, &row.to)
            && other.expires_ms > now.millis()
    };
    if let Some(other) = open.iter().find(same) {
        return Err(ApprovalError::Exists { id: other.id }.into());
    }
    if open.len() >= limits::PROPOSALS_OPEN_MAX {
        return Err(ApprovalError::TooManyOpen.into());
    }
    let alias = ledger.find_alias(&row.name, &row.to)?;
    let target = AliasTarget { version: row.version, policy: row.policy };
    if alias.as_ref().is_some_and(|alias| alias.target() == target) {
        let (name, alias, version) = (row.name, row.to, row.version);
        return Err(ApprovalError::NoChange { name, alias, version }.into());
    }
    row.id = ledger.next_proposal()?;
    row.from = alias.as_ref().map(|alias| alias.target());
    row.from_tag = alias.as_ref().map(tag_of);
    let body = json!({
        "proposal": row.id, "name": row.name, "version": row.version, "policy": row.policy, "alias": row.to,
        "why": row.why, "from": row.from, "gate": row.gate.rules, "expires_ms": row.expires_ms,
    });
    ledger.put_proposal(&row)?;
    ledger.append_record(App::entry(actor, Kind::PromotionProposed, subject_of(&row), &body)?, now)?;
    Ok(row)
}

fn subject_of(row: &ProposalRow) -> String {
    format!("proposal/{}", row.id)
}

/// A reason or comment as it is kept: said, and no longer than is kept.
fn check_text(text: &str, missing: ApprovalError) -> Result<String, Failure> {
    let (text, found) = (text.trim(), text.trim().chars().count());
    if found == 0 {
        return Err(missing.into());
    }
    if found > limits::WHY_CHARS_MAX {
        return Err(UseCaseError::LongWhy { found }.into());
    }
    Ok(text.to_string())
}

/// Judges the gates once more and moves the alias, in one transaction with what it makes of the proposal.
pub fn approve(app: &App, id: u64, comment: &str) -> Result<ProposalRow, Failure> {
    let actor = app.may(Act::DecidePromotion)?;
    let row = find_to_decide(app, &actor, id, Attempt::Approve)?;
    promotion::check_not_held(app, &row.name, &row.to)?;
    let comment = check_text(comment, ApprovalError::NoComment)?;
    let model = ModelRef { name: row.name.clone(), which: Which::Number(row.version) };
    let (version, _) = versions::resolve(app, &model, false)?;
    let judged = promotion::judge(app, &version, row.policy, None)?;
    let (name, now) = (row.name.clone(), app.now());
    let approved = app.store.write_ledger(move |ledger| {
        let row = find_open(ledger, id)?;
        let alias = ledger.find_alias(&row.name, &row.to)?;
        if alias.as_ref().map(tag_of) != row.from_tag {
            return Err(ApprovalError::AliasMoved { id, name: row.name, alias: row.to }.into());
        }
        // Closed first: the move supersedes whatever else is open for the alias.
        let closed = Closing { state: ProposalState::Approved, comment: Some(comment.clone()) };
        let row = close(ledger, row, closed, &actor, now)?;
        let step = AliasStep {
            name: row.name.clone(),
            alias: row.to.clone(),
            to: AliasTarget { version: row.version, policy: row.policy },
            why: row.why.clone(),
            back: false,
            figures: json!(judged.gate.rules),
        };
        promotion::take_step(ledger, &step, &actor, now)?;
        Ok::<_, Failure>(row)
    })?;
    lineup::refresh(app, &name);
    Ok(approved)
}

/// Closes a proposal without moving anything.
pub fn reject(app: &App, id: u64, comment: &str) -> Result<ProposalRow, Failure> {
    let actor = app.may(Act::DecidePromotion)?;
    find_to_decide(app, &actor, id, Attempt::Reject)?;
    let comment = Some(check_text(comment, ApprovalError::NoComment)?);
    close_now(app, id, Closing { state: ProposalState::Rejected, comment }, actor)
}

/// Takes one's own proposal back.
pub fn withdraw(app: &App, id: u64) -> Result<ProposalRow, Failure> {
    let actor = app.may(Act::ProposePromotion)?;
    find_to_decide(app, &actor, id, Attempt::Withdraw)?;
    close_now(app, id, Closing { state: ProposalState::Withdrawn, comment: None }, actor)
}

fn close_now(app: &App, id: u64, closing: Closing, actor: Actor) -> Result<ProposalRow, Failure> {
    let now = app.now();
    app.store.write_ledger(move |ledger| {
        let row = find_open(ledger, id)?;
        close(ledger, row, closing.clone(), &actor, now)
    })
}

/// What an open proposal becomes.
#[derive(Clone)]
struct Closing {
    state: ProposalState,
    comment: Option<String>,
}

fn close(
    ledger: &LedgerWrite<'_>,
    mut row: ProposalRow,
    closing: Closing,
    actor: &Actor,
    now: Stamp,
) -> Result<ProposalRow, Failure> {
    let body = json!({"proposal": row.id, "state": closing.state, "comment": closing.comment});
    row.state = closing.state;
    row.comment = closing.comment;
    row.decided_by = Some(actor.name().to_string());
    row.decided_ms = Some(now.millis());
    ledger.close_proposal(&row)?;
    ledger.append_record(App::entry(actor, Kind::ProposalClosed, subject_of(&row), &body)?, now)?;
    Ok(row)
}

/// What was proposed for an alias that moves otherwise was proposed against a state that is gone.
pub(in crate::app) fn supersede(
    ledger: &LedgerWrite<'_>,
    (name, alias): (&str, &str),
    actor: &Actor,
    now: Stamp,
) -> Result<(), Failure> {
    for row in ledger.list_open_proposals()?.into_iter().filter(|row| row.name == name && row.to == alias) {
        let closing = Closing { state: ProposalState::Superseded, comment: None };
        close(ledger, row, closing, actor, now)?;
    }
    Ok(())
}

/// Closes every open proposal whose time is over; answers them.
pub fn expire_due(app: &App, now: Stamp) -> Result<Vec<ProposalRow>, Failure> {
    let actor = app.may(Act::ProposePromotion)?;
    let is_due = move |row: &ProposalRow| row.is_open() && row.expires_ms <= now.millis();
    let open = app.store.read_ledger(|ledger| ledger.list_open_proposals())?;
    if !open.iter().any(is_due) {
        return Ok(Vec::new());
    }
    app.store.write_ledger(move |ledger| {
        let due = ledger.list_open_proposals()?.into_iter().filter(is_due);
        let closing = Closing { state: ProposalState::Expired, comment: None };
        due.map(|row| close(ledger, row, closing.clone(), &actor, now)).collect::<Result<Vec<_>, Failure>>()
    })
}

fn unknown(id: u64) -> ApprovalError {
    ApprovalError::Unknown { wanted: id.to_string() }
}

/// A proposal that a transaction closes: it may have been closed since it was looked at.
fn find_open(ledger: &LedgerWrite<'_>, id: u64) -> Result<ProposalRow, Failure> {
    let row = ledger.find_proposal(id)?.ok_or_else(|| unknown(id))?;
    if row.is_open() { Ok(row) } else { Err(closed(&row).into()) }
}

/// Why nothing more can be done with a proposal.
fn closed(row: &ProposalRow) -> ApprovalError {
    let id = row.id;
    match row.state {
        ProposalState::Superseded => {
            ApprovalError::AliasMoved { id, name: row.name.clone(), alias: row.to.clone() }
        }
        ProposalState::Expired => ApprovalError::Expired { id },
        state => ApprovalError::Closed { id, state },
    }
}

/// An open proposal that this person may close so. One whose time is over is closed as that; an attempt by
/// somebody who may not is put on record.
fn find_to_decide(app: &App, actor: &Actor, id: u64, attempt: Attempt) -> Result<ProposalRow, Failure> {
    let row = app.store.read_ledger(|ledger| ledger.find_proposal(id))?.ok_or_else(|| unknown(id))?;
    if !row.is_open() {
        return Err(closed(&row).into());
    }
    if let Some(refused) = find_bar(app, actor.name(), &row, attempt)? {
        let body = json!({"proposal": id, "attempt": attempt.as_str(), "because": refused.code()});
        let entry: Entry = App::entry(actor, Kind::ApprovalRefused, subject_of(&row), &body)?;
        let now = app.now();
        app.store.write_ledger(move |ledger| {
            ledger.append_record(entry.clone(), now)?;
            Ok::<_, Failure>(())
        })?;
        return Err(refused.into());
    }
    if row.expires_ms <= app.now().millis() {
        close_now(app, id, Closing { state: ProposalState::Expired, comment: None }, actor.clone())?;
        return Err(ApprovalError::Expired { id }.into());
    }
    Ok(row)
}

/// What keeps somebody from closing a proposal so.
fn find_bar(
    app: &App,
    name: &str,
    row: &ProposalRow,
    attempt: Attempt,
) -> Result<Option<ApprovalError>, Failure> {
    let (id, who) = (row.id, name.to_string());
    // Names that differ in case alone are no two people.
    let is_proposer = row.proposed_by.eq_ignore_ascii_case(name);
    if attempt == Attempt::Withdraw {
        let other = (!is_proposer).then(|| ApprovalError::NotProposer { id, by: row.proposed_by.clone() });
        return Ok(other);
    }
    if is_proposer {
        return Ok(Some(ApprovalError::OwnProposal { id, who }));
    }
    let is_trainer = trainer_of(app, row)?.eq_ignore_ascii_case(name);
    Ok(is_trainer.then_some(ApprovalError::OwnModel { id, who }))
}

/// Who ordered the run that the version came from.
fn trainer_of(app: &App, row: &ProposalRow) -> Result<String, Failure> {
    let model = ModelRef { name: row.name.clone(), which: Which::Number(row.version) };
    let (version, _) = versions::resolve(app, &model, false)?;
    Ok(runs::find_unasked(app, &version.run_id)?.user_id)
}

/// A proposal as it stands now: one that nobody decided in time is over, whether that is written down yet or not.
fn as_of(mut row: ProposalRow, now_ms: i64) -> ProposalRow {
    if row.is_open() && row.expires_ms <= now_ms {
        row.state = ProposalState::Expired;
    }
    row
}

pub fn find(app: &App, id: u64) -> Result<ProposalRow, Failure> {
    app.may(Act::ReadRegistry)?;
    look_up(app, id)
}

/// The same for a use case that has asked already whether its actor may.
pub(in crate::app) fn look_up(app: &App, id: u64) -> Result<ProposalRow, Failure> {
    let row = app.store.read_ledger(|ledger| ledger.find_proposal(id))?.ok_or_else(|| unknown(id))?;
    Ok(as_of(row, app.now().millis()))
}

/// The open proposal to point an alias at a version, if there is one.
pub(in crate::app) fn find_open_of(
    app: &App,
    version: &VersionRow,
    to: Alias,
) -> Result<Option<ProposalRow>, Failure> {
    let open = app.store.read_ledger(|ledger| ledger.list_open_proposals())?;
    let now = app.now().millis();
    let fits = |row: &ProposalRow| {
        row.name == version.name && row.version == version.version && row.to == to.as_str()
    };
    Ok(open.into_iter().map(|row| as_of(row, now)).find(|row| row.is_open() && fits(row)))
}

/// Open ones first, the latest first among each.
pub fn list(app: &App, wanted: &Wanted) -> Result<Listed, Failure> {
    app.may(Act::ReadRegistry)?;
    let now_ms = app.now().millis();
    let (mut proposals, mut next, mut last) = (Vec::new(), None, wanted.after);
    app.store.read_ledger(|ledger| {
        ledger.each_proposal(wanted.after.map(|place| place.0), &mut |row| {
            let place = Place(ProposalPlace { is_open: row.is_open(), id: row.id });
            let row = as_of(row, now_ms);
            let fits = wanted.state.is_none_or(|state| state == row.state)
                && wanted.model.as_ref().is_none_or(|name| *name == row.name);
            if !fits {
                return Ok(true);
            }
            if proposals.len() == wanted.limit {
                next = last;
                return Ok(false);
            }
            proposals.push(row);
            last = Some(place);
            Ok(true)
        })
    })?;
    Ok(Listed { proposals, next })
}
