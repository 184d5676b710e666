//! Staging and promotion as steps: by the gates alone where the schedule and the gates leave it to them, else proposed
//! to a second person, for whom the step waits.

use crate::app::chains::ChainRunRow;
use crate::app::chains::beat::SCHEDULE;
use crate::app::chains::hands::{Done, Place};
use crate::app::chains::steps::Begun;
use crate::app::home::App;
use crate::app::registry::approvals::{self, ProposeRequest};
use crate::app::registry::promotion::{self, MoveAs, PromoteRequest};
use crate::app::registry::versions;
use crate::base::clock::millis_to_text;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::config::steps::PromoteStep;
use crate::registry::proposal::ProposalState;
use crate::registry::version::{Alias, Which};
use crate::schedule::chain_run::StepOutcome;

/// The proposal that a step waits for, by its number; followed by the step's name.
const PROPOSAL: &str = "proposal";
const NEEDS_SECOND_PERSON: &str = "gate.needs_second_person";

/// What a rule took back does not come back by itself: the same file would train the same version again and again.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name}@{version} was taken back from {alias} on {day} ({why}) and is not put there again by a chain"
)]
struct TakenBack {
    name: String,
    version: u64,
    alias: Alias,
    day: String,
    why: String,
}

impl Fact for TakenBack {
    fn code(&self) -> &'static str {
        "gate.taken_back"
    }

    fn class(&self) -> Class {
        Class::GateRefused
    }

    fn next_step(&self) -> Option<String> {
        let (name, version, alias) = (&self.name, self.version, self.alias);
        Some(format!(
            "Train on other rows; a person may still promote it: `tallystick model promote {name}@{version} --to {alias}`."
        ))
    }
}

fn check_not_taken_back(begun: &Begun, to: Alias) -> Result<(), Failure> {
    let (version, _) = versions::resolve(&begun.app, &begun.candidate()?, false)?;
    let moves = promotion::moves(&begun.app, &version.name, to)?;
    match promotion::find_taken_back(&moves, version.version, SCHEDULE) {
        None => Ok(()),
        Some(step) => {
            let (name, version, why) = (version.name, version.version, step.why);
            let day = millis_to_text(step.moved_ms).chars().take(10).collect();
            Err(TakenBack { name, version, alias: to, day, why }.into())
        }
    }
}

/// Points `staging` at the candidate.
pub(in crate::app::chains) fn stage(begun: &Begun) -> Result<Done, Failure> {
    move_to(begun, Alias::Staging)
}

/// Whether the alias points at the candidate: the same data and configuration trained the same version again.
fn is_there(begun: &Begun, to: Alias) -> Result<Option<Done>, Failure> {
    let model = begun.candidate()?;
    let standing = begun.app.store.read_ledger(|ledger| ledger.find_alias(&model.name, to.as_str()))?;
    let same = standing.is_some_and(|row| model.which == Which::Number(row.version));
    Ok(same.then(|| Done::well(format!("{to} points to {model} already"))))
}

fn move_to(begun: &Begun, to: Alias) -> Result<Done, Failure> {
    if let Some(done) = is_there(begun, to)? {
        return Ok(done);
    }
    let model = begun.candidate()?;
    let app = begun.as_approver()?;
    let name = model.to_string();
    let why = begun.why("passed its gates");
    let request = PromoteRequest { model, to, why, policy: None, gates: None, move_as: MoveAs::default() };
    promotion::promote(&app, &request)?;
    Ok(Done::well(format!("{to} points to {name}")))
}

/// Puts the candidate in force, or asks for it.
pub(in crate::app::chains) fn promote(begun: &Begun, plan: &PromoteStep) -> Result<Done, Failure> {
    if plan.second_person {
        return propose(begun, plan);
    }
    check_not_taken_back(begun, plan.to)?;
    match move_to(begun, plan.to) {
        Err(failure) if failure.code() == NEEDS_SECOND_PERSON => propose(begun, plan),
        moved => moved,
    }
}

fn propose(begun: &Begun, plan: &PromoteStep) -> Result<Done, Failure> {
    if let Some(done) = is_there(begun, plan.to)? {
        return Ok(done);
    }
    let model = begun.candidate()?;
    let name = model.to_string();
    let fact = format!("{PROPOSAL}.{}", begun.place.step);
    let (version, _) = versions::resolve(&begun.app, &model, false)?;
    // Begun again after a cut, it finds what it proposed.
    let known = approvals::find_open_of(&begun.app, &version, plan.to)?;
    let row = match known {
        Some(row) => row,
        None => {
            let taken = check_not_taken_back(begun, plan.to).err().map(|failure| failure.to_string());
            let why = taken
                .map_or("passed its gates".to_string(), |taken| format!("passed its gates, but {taken}"));
            let why: String = begun.why(&why).chars().take(limits::WHY_CHARS_MAX).collect();
            approvals::propose(&begun.app, &ProposeRequest { model, to: plan.to, why, policy: None })?
        }
    };
    let until_ms = row.expires_ms.min(begun.app.now().millis().saturating_add(plan.within_ms));
    let what = format!("somebody to decide about proposal {}: {name} to {}", row.id, plan.to);
    let outcome = StepOutcome::Waiting { what, until_ms };
    Ok(Done { outcome, facts: Default::default() }.with(&fact, row.id.to_string()))
}

/// What became of the proposal that a step waits for.
pub(in crate::app::chains) fn ask(
    app: &App,
    row: &ChainRunRow,
    place: &Place,
) -> Result<Option<Done>, Failure> {
    let id = row.facts.get(&format!("{PROPOSAL}.{}", place.step)).and_then(|text| text.parse().ok());
    let Some(id) = id else { return Ok(None) };
    let found = approvals::look_up(app, id)?;
    let by = found.decided_by.clone().unwrap_or_default();
    let failed = |code: &str, sentence: String| Done {
        outcome: StepOutcome::Failed { code: code.to_string(), sentence, retry: false },
        facts: Default::default(),
    };
    let comment = found.comment.clone().unwrap_or_default();
    Ok(match found.state {
        ProposalState::Open => None,
        ProposalState::Approved => Some(Done::well(format!(
            "{} points to {}@{}, approved by {by}",
            found.to, found.name, found.version
        ))),
        ProposalState::Rejected => {
            Some(failed("proposal.rejected", format!("proposal {id} was rejected by {by}: {comment}")))
        }
        ProposalState::Withdrawn => {
            Some(failed("proposal.withdrawn", format!("proposal {id} was withdrawn")))
        }
        ProposalState::Expired => {
            Some(failed("proposal.expired", format!("nobody decided about proposal {id} in time")))
        }
        ProposalState::Superseded => {
            Some(failed("proposal.superseded", format!("the alias moved before proposal {id} was decided")))
        }
    })
}
