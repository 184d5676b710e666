//! One proposal with what somebody needs to decide about it: what changes, both versions' figures, who they are to it.
//! Judges nothing that the gates do not.

use crate::app::home::App;
use crate::app::registry::approvals::{self, find_bar};
use crate::app::registry::versions;
use crate::app::runs::against;
use crate::base::canonical;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::evaluate::compare::production::{Tolerance, Verdict};
use crate::pipeline::evaluation::Evaluation;
use crate::registry::gate::approval::Tier;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::Act;
use crate::store::rows::approvals::ProposalRow;
use crate::store::rows::registry::VersionRow;

/// What somebody may do with an open proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    Decides,
    /// Made it, and may take it back.
    Proposer,
    /// Trained the version, and stays out of it.
    Trainer,
    Onlooker,
}

/// A figure of the proposed version beside that of the one it is to follow.
pub struct Beside {
    pub key: String,
    pub there: Option<f64>,
    pub proposed: f64,
}

pub struct Sheet {
    pub row: ProposalRow,
    pub version: VersionRow,
    pub tier: Option<Tier>,
    /// What the alias pointed to when it was proposed.
    pub there: Option<VersionRow>,
    pub figures: Vec<Beside>,
    /// How both do on the same test rows; nothing where they share none, or nobody asks who may see runs.
    pub verdict: Option<Verdict>,
    pub stance: Stance,
}

pub fn sheet(app: &App, id: u64, tolerance: &Tolerance) -> Result<Sheet, Failure> {
    let row = approvals::find(app, id)?;
    let numbered = |version: u64| ModelRef { name: row.name.clone(), which: Which::Number(version) };
    let (version, _) = versions::resolve(app, &numbered(row.version), false)?;
    let there = row.from.as_ref().map(|from| versions::resolve(app, &numbered(from.version), false));
    let there = there.transpose()?.map(|(version, _)| version);
    let proposed = versions::evaluation(app, &version)?;
    let standing = there.as_ref().and_then(|version| read_evaluation(app, version));
    let figure = |key: &String| {
        let there = standing.as_ref().and_then(|standing| standing.metrics.get(key).copied());
        let proposed = proposed.metrics.get(key).copied()?;
        Some(Beside { key: key.clone(), there, proposed })
    };
    let figures = proposed.intervals.keys().filter_map(figure).collect();
    let verdict = if row.is_open() { find_verdict(app, &row, tolerance) } else { None };
    let tier = proposed.gates.clone().check()?.approval().tier;
    Ok(Sheet { stance: stance(app, &row)?, row, version, tier, there, figures, verdict })
}

/// Figures of what is there now are of use, but a damaged one keeps nobody from deciding about the next.
fn read_evaluation(app: &App, version: &VersionRow) -> Option<Evaluation> {
    let bytes = app.store.blobs().read(&version.evaluation, limits::MANIFEST_BYTES_MAX).ok()?;
    canonical::parse(&bytes).ok()
}

fn find_verdict(app: &App, row: &ProposalRow, tolerance: &Tolerance) -> Option<Verdict> {
    let alias: Alias = row.to.parse().ok()?;
    if row.from.as_ref().is_none_or(|from| from.version == row.version) {
        return None;
    }
    let model = ModelRef { name: row.name.clone(), which: Which::Number(row.version) };
    against::check(app, &model, alias, tolerance).ok().map(|checked| checked.verdict)
}

/// Who this person is to an open proposal.
fn stance(app: &App, row: &ProposalRow) -> Result<Stance, Failure> {
    let name = app.person().name();
    if app.may(Act::ProposePromotion).is_ok() && row.proposed_by.eq_ignore_ascii_case(name) {
        return Ok(Stance::Proposer);
    }
    if app.may(Act::DecidePromotion).is_err() {
        return Ok(Stance::Onlooker);
    }
    let bar = find_bar(app, name, row, approvals::Attempt::Approve)?;
    Ok(if bar.is_some() { Stance::Trainer } else { Stance::Decides })
}
