//! Whether a version scores the rows that tested both about as well as the one an alias points at.
//! Judges and moves nothing; what is refused is the caller's to act on.

use crate::app::home::App;
use crate::app::registry::{VersionRow, versions};
use crate::app::runs;
use crate::app::runs::compare::{SEED, check_same_rows, read_scores};
use crate::base::fact::Failure;
use crate::evaluate::compare::kept::KeptScores;
use crate::evaluate::compare::paired::plan_for;
use crate::evaluate::compare::production::{Tolerance, Verdict, judge};
use crate::evaluate::scores::Scores;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::Act;
use crate::tracking::run::Run;

pub struct Checked {
    pub candidate: VersionRow,
    /// What it is held against.
    pub against: VersionRow,
    pub verdict: Verdict,
}

pub fn check(app: &App, model: &ModelRef, alias: Alias, tolerance: &Tolerance) -> Result<Checked, Failure> {
    app.may(Act::ReadRuns)?;
    tolerance.check()?;
    let (candidate, _) = versions::resolve(app, model, false)?;
    let standing = ModelRef { name: model.name.clone(), which: Which::Alias(alias) };
    let (against, _) = versions::resolve(app, &standing, true)?;
    let (one, other) = (scores_of(app, &against)?, scores_of(app, &candidate)?);
    check_same_rows((&one.0, &one.1), (&other.0, &other.1))?;
    let (one, other) = (&one.1, &other.1);
    let verdict = judge(
        &Scores::check(&one.labels, &one.probabilities)?,
        &Scores::check(&other.labels, &other.probabilities)?,
        tolerance,
        &plan_for(one.labels.len(), SEED),
    )?;
    Ok(Checked { candidate, against, verdict })
}

fn scores_of(app: &App, version: &VersionRow) -> Result<(Run, KeptScores), Failure> {
    let run = runs::find_unasked(app, &version.run_id)?;
    let scores = read_scores(app, &run)?;
    Ok((run, scores))
}
