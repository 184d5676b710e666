//! What is in production, scored on the very rows that tested a candidate of other data.
//! What is in production may have learned from some of these rows, which flatters it and never the candidate.

use crate::app::home::App;
use crate::app::registry::{VersionRow, versions};
use crate::app::runs;
use crate::app::runs::compare::{SEED, read_scores};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::data::import::reader::Purpose;
use crate::data::import::whole::read_table;
use crate::data::table::Table;
use crate::evaluate::compare::kept::KeptScores;
use crate::evaluate::compare::paired::plan_for;
use crate::evaluate::compare::production::{Tolerance, Verdict, judge};
use crate::evaluate::scores::Scores;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::serve::champion::Champion;
use crate::tracking::run::Run;

/// How a candidate stands beside what is in production.
pub enum Challenge {
    NoChampion,
    /// It is what is in production.
    Same,
    Judged {
        verdict: Verdict,
        rows: usize,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    #[error("the run {run} names no data set that is kept, so nothing else can be scored on its test rows")]
    NoData { run: String },
    #[error(
        "{name}@{version}, in production, cannot score {rows} of the rows that tested the candidate: they break its contract"
    )]
    OtherContract { name: String, version: u64, rows: u64 },
    #[error("{name}@{version}, in production, has another outcome as its positive one")]
    OtherOutcome { name: String, version: u64 },
}

impl Fact for ChallengeError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoData { .. } => "challenge.no_data",
            Self::OtherContract { .. } => "challenge.other_contract",
            Self::OtherOutcome { .. } => "challenge.other_outcome",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some(
            "Let the gate judge the candidate alone: `against_production = false`, and a person decide."
                .into(),
        )
    }
}

pub fn challenge(app: &App, candidate: &VersionRow, tolerance: &Tolerance) -> Result<Challenge, Failure> {
    let name = &candidate.name;
    let alias = app.store.read_ledger(|ledger| ledger.find_alias(name, Alias::Production.as_str()))?;
    let Some(alias) = alias else { return Ok(Challenge::NoChampion) };
    if alias.version == candidate.version {
        return Ok(Challenge::Same);
    }
    let model = ModelRef { name: name.clone(), which: Which::Alias(Alias::Production) };
    let (standing, policy) = versions::resolve(app, &model, true)?;
    let champion = versions::open_champion(app, &standing, &policy)?;
    check_outcome(app, candidate, &standing, &champion)?;
    let run = runs::find_unasked(app, &candidate.run_id)?;
    let kept = read_scores(app, &run)?;
    let table = test_rows(app, &run, &kept, (&standing, &champion))?;
    let scored = champion.score_table(&table, &[])?;
    let probabilities = (0..table.rows())
        .map(|row| Ok(scored.score(row)?.probability))
        .collect::<Result<Vec<f64>, Failure>>()?;
    let verdict = judge(
        &Scores::check(&kept.labels, &probabilities)?,
        &Scores::check(&kept.labels, &kept.probabilities)?,
        tolerance,
        &plan_for(kept.labels.len(), SEED),
    )?;
    Ok(Challenge::Judged { verdict, rows: kept.labels.len() })
}

fn check_outcome(
    app: &App,
    candidate: &VersionRow,
    standing: &VersionRow,
    champion: &Champion,
) -> Result<(), Failure> {
    let own = versions::open_champion(app, candidate, &candidate.policy)?;
    let said = |champion: &Champion| {
        let content = &champion.loaded().content;
        (content.contract.target().name.clone(), content.training.positive.clone())
    };
    if said(&own) == said(champion) {
        return Ok(());
    }
    Err(ChallengeError::OtherOutcome { name: standing.name.clone(), version: standing.version }.into())
}

/// The rows that tested the candidate, as what is in production reads them.
fn test_rows(
    app: &App,
    run: &Run,
    kept: &KeptScores,
    (standing, champion): (&VersionRow, &Champion),
) -> Result<Table, Failure> {
    let none = || ChallengeError::NoData { run: run.run_id.to_string() };
    let digest: Digest =
        run.tags.get("tallystick.data_digest").and_then(|text| text.parse().ok()).ok_or_else(none)?;
    let row = app.store.read_lab(|lab| lab.find_dataset(&standing.name, &digest))?.ok_or_else(none)?;
    let path = app.store.blobs().open_path(&row.parquet)?;
    let contract = &champion.loaded().content.contract;
    let (table, report) = read_table(&path, contract, Purpose::Scoring, limits::ROWS_MAX)?;
    if report.rows_rejected > 0 {
        let (name, version, rows) = (standing.name.clone(), standing.version, report.rows_rejected);
        return Err(ChallengeError::OtherContract { name, version, rows }.into());
    }
    let places: Vec<usize> = kept.places.iter().map(|place| *place as usize).collect();
    if places.last().is_some_and(|last| *last >= table.rows()) {
        return Err(none().into());
    }
    Ok(table.select(&places))
}
