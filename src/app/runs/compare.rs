//! Runs side by side: params that differ, metrics, and whether they score the same test rows differently.
//! Refuses runs that were tested on other rows: their figures say nothing about each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::runs;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::evaluate::compare::kept::{self, KeptScores};
use crate::evaluate::compare::paired::{Difference, compare as paired, plan_for};
use crate::evaluate::scores::Scores;
use crate::security::actor::Act;
use crate::tracking::run::Run;

/// The same draws each time: a comparison is no lottery.
pub(in crate::app) const SEED: u64 = 1;

/// Values side by side, one a run; nothing where a run has none.
pub struct Row<T> {
    pub key: String,
    pub values: Vec<Option<T>>,
}

/// How a run differs from the first.
pub struct Against {
    pub run: usize,
    pub differences: Vec<Difference>,
}

pub struct Comparison {
    /// As they were asked for; all others are measured against the first.
    pub runs: Vec<Run>,
    /// Those that are not the same in all runs.
    pub params: Vec<Row<String>>,
    pub metrics: Vec<Row<f64>>,
    pub rows: usize,
    pub positives: usize,
    pub rows_digest: Digest,
    pub against: Vec<Against>,
}

/// Two runs or more, each by its id or the beginning of it.
pub fn compare(app: &App, wanted: &[&str]) -> Result<Comparison, Failure> {
    app.may(Act::ReadRuns)?;
    let found = wanted.len();
    if !(2..=limits::RUNS_COMPARED_MAX).contains(&found) {
        return Err(UseCaseError::CompareCount { found }.into());
    }
    let runs: Vec<Run> = wanted.iter().map(|id| runs::find(app, id)).collect::<Result<_, _>>()?;
    let kept: Vec<KeptScores> = runs.iter().map(|run| read_scores(app, run)).collect::<Result<_, _>>()?;
    let (Some(first), Some(run)) = (kept.first(), runs.first()) else {
        return Err(UseCaseError::CompareCount { found }.into());
    };
    for (other, scores) in runs.iter().zip(&kept).skip(1) {
        check_same_rows((run, first), (other, scores))?;
    }
    let base = Scores::check(&first.labels, &first.probabilities)?;
    let plan = plan_for(first.labels.len(), SEED);
    let mut against = Vec::new();
    for (run, scores) in kept.iter().enumerate().skip(1) {
        let scores = Scores::check(&scores.labels, &scores.probabilities)?;
        against.push(Against { run, differences: paired(&base, &scores, &plan)? });
    }
    let positives = first.labels.iter().filter(|&&label| label).count();
    let (rows, rows_digest) = (first.labels.len(), first.rows_digest);
    let metric = |run: &Run| run.metrics.iter().map(|(key, point)| (key.clone(), point.value)).collect();
    let metrics = side_by_side(&runs.iter().map(metric).collect::<Vec<BTreeMap<String, f64>>>());
    let mut params = side_by_side(&runs.iter().map(|run| run.params.clone()).collect::<Vec<_>>());
    params.retain(|row| row.values.windows(2).any(|pair| pair[0] != pair[1]));
    Ok(Comparison { runs, params, metrics, rows, positives, rows_digest, against })
}

pub(in crate::app) fn read_scores(app: &App, run: &Run) -> Result<KeptScores, Failure> {
    let found = run.artifacts.iter().find(|artifact| artifact.path == kept::NAME);
    let id = run.run_id.to_string();
    let status = run.status.as_str();
    let artifact = found.ok_or(UseCaseError::NoTestScores { id, status })?;
    Ok(KeptScores::parse(&app.store.blobs().read(&artifact.digest, limits::BLOB_BYTES_MAX)?)?)
}

pub(super) fn check_same_rows(
    one: (&Run, &KeptScores),
    other: (&Run, &KeptScores),
) -> Result<(), UseCaseError> {
    let ids = || (one.0.run_id.to_string(), other.0.run_id.to_string());
    if one.1.rows_digest != other.1.rows_digest {
        let ((first, second), digests) = (ids(), (one.1.rows_digest, other.1.rows_digest));
        return Err(UseCaseError::OtherTestRows { first, second, digests });
    }
    if one.1.labels != other.1.labels {
        let (first, second) = ids();
        return Err(UseCaseError::OtherOutcome { first, second });
    }
    Ok(())
}

fn side_by_side<T: Clone>(maps: &[BTreeMap<String, T>]) -> Vec<Row<T>> {
    let keys: BTreeSet<&String> = maps.iter().flat_map(BTreeMap::keys).collect();
    let row = |key: &String| Row {
        key: key.clone(),
        values: maps.iter().map(|map| map.get(key).cloned()).collect(),
    };
    keys.into_iter().map(row).collect()
}
