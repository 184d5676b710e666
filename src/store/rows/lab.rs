//! Rows of the laboratory: experiments, runs, metric histories, data sets; and their way from and to the domain's
//! types. Never checks a rule of tracking; those rules ran before a row was made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::security::actor::Role;
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::tables::{
    DATASETS, EXPERIMENT_NAMES, EXPERIMENTS, METRICS, RUN_BLOBS, RUN_QUEUE, RUNS, RUNS_BY_START, RUNS_LISTED,
    RUNS_OPEN, Table,
};
use crate::tracking::experiment::{Experiment, LifecycleStage};
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::{Artifact, DatasetInput, Run, RunStatus};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentRow {
    pub number: u64,
    pub name: String,
    pub artifact_location: String,
    pub lifecycle_stage: LifecycleStage,
    pub creation_time: i64,
    pub last_update_time: i64,
    pub tags: BTreeMap<String, String>,
}

impl ExperimentRow {
    pub fn key_of(number: u64) -> Vec<u8> {
        Key::new().number(number).finish()
    }

    pub fn from_experiment(number: u64, experiment: &Experiment) -> Self {
        Self {
            number,
            name: experiment.name.clone(),
            artifact_location: experiment.artifact_location.clone(),
            lifecycle_stage: experiment.lifecycle_stage,
            creation_time: experiment.creation_time,
            last_update_time: experiment.last_update_time,
            tags: experiment.tags.clone(),
        }
    }
}

impl From<ExperimentRow> for Experiment {
    fn from(row: ExperimentRow) -> Self {
        Self {
            experiment_id: row.number.to_string(),
            name: row.name,
            artifact_location: row.artifact_location,
            lifecycle_stage: row.lifecycle_stage,
            creation_time: row.creation_time,
            last_update_time: row.last_update_time,
            tags: row.tags,
        }
    }
}

impl JsonRow for ExperimentRow {
    const TABLE: Table = EXPERIMENTS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(self.number)
    }
}

/// Whose a name is; a deleted experiment keeps its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentNameRow {
    pub name: String,
    pub number: u64,
}

impl ExperimentNameRow {
    pub fn key_of(name: &str) -> Vec<u8> {
        Key::new().text(name).finish()
    }
}

impl JsonRow for ExperimentNameRow {
    const TABLE: Table = EXPERIMENT_NAMES;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.name)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRow {
    pub run_id: RunId,
    pub experiment_id: String,
    pub name: String,
    pub user_id: String,
    pub status: RunStatus,
    pub start_time: i64,
    pub end_time: Option<i64>,
    pub lifecycle_stage: LifecycleStage,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub metrics: BTreeMap<String, MetricPoint>,
    pub datasets: Vec<DatasetInput>,
    pub artifacts: Vec<Artifact>,
}

impl RunRow {
    pub fn key_of(run_id: &RunId) -> Vec<u8> {
        Key::new().text(run_id.as_str()).finish()
    }

    /// Of every run whose id begins so.
    pub fn prefix(beginning: &str) -> Vec<u8> {
        Key::new().beginning(beginning).finish()
    }
}

impl From<&Run> for RunRow {
    fn from(run: &Run) -> Self {
        Self {
            run_id: run.run_id.clone(),
            experiment_id: run.experiment_id.clone(),
            name: run.name.clone(),
            user_id: run.user_id.clone(),
            status: run.status,
            start_time: run.start_time,
            end_time: run.end_time,
            lifecycle_stage: run.lifecycle_stage,
            params: run.params.clone(),
            tags: run.tags.clone(),
            metrics: run.metrics.clone(),
            datasets: run.datasets.clone(),
            artifacts: run.artifacts.clone(),
        }
    }
}

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        Self {
            run_id: row.run_id,
            experiment_id: row.experiment_id,
            name: row.name,
            user_id: row.user_id,
            status: row.status,
            start_time: row.start_time,
            end_time: row.end_time,
            lifecycle_stage: row.lifecycle_stage,
            params: row.params,
            tags: row.tags,
            metrics: row.metrics,
            datasets: row.datasets,
            artifacts: row.artifacts,
        }
    }
}

impl JsonRow for RunRow {
    const TABLE: Table = RUNS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.run_id)
    }
}

/// The order in which runs are listed: latest start first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOrderRow {
    pub start_time: i64,
    pub run_id: RunId,
}

impl JsonRow for RunOrderRow {
    const TABLE: Table = RUNS_BY_START;

    fn key(&self) -> Vec<u8> {
        Key::new().signed_descending(self.start_time).text(self.run_id.as_str()).finish()
    }
}

/// The order in which runs of a project, of an experiment, or of a project in an experiment are listed: latest start
/// first. The empty name stands for every one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlaceRow {
    pub project: String,
    pub experiment: String,
    pub start_time: i64,
    pub run_id: RunId,
}

impl RunPlaceRow {
    pub fn prefix(project: &str, experiment: &str) -> Vec<u8> {
        Key::new().text(project).text(experiment).finish()
    }

    /// Every place of a run.
    pub fn all_of(run: &Run) -> Vec<Self> {
        let place = |project: &str, experiment: &str| Self {
            project: project.to_string(),
            experiment: experiment.to_string(),
            start_time: run.start_time,
            run_id: run.run_id.clone(),
        };
        let experiment = run.experiment_id.as_str();
        let mut places = vec![place("", experiment)];
        if let Some(project) = run.project() {
            places.extend([place(project, ""), place(project, experiment)]);
        }
        places
    }
}

impl JsonRow for RunPlaceRow {
    const TABLE: Table = RUNS_LISTED;

    fn key(&self) -> Vec<u8> {
        Key::new()
            .text(&self.project)
            .text(&self.experiment)
            .signed_descending(self.start_time)
            .text(self.run_id.as_str())
            .finish()
    }
}

/// A run that has not ended: after a start only these are looked through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenTrainingRow {
    pub run_id: RunId,
}

impl OpenTrainingRow {
    pub fn key_of(run_id: &RunId) -> Vec<u8> {
        Key::new().text(run_id.as_str()).finish()
    }
}

impl JsonRow for OpenTrainingRow {
    const TABLE: Table = RUNS_OPEN;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.run_id)
    }
}

/// A blob that is or was an artifact of some run: what must not be swept is known without a look through all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunBlobRow {
    pub digest: Digest,
}

impl RunBlobRow {
    pub fn key_of(digest: &Digest) -> Vec<u8> {
        Key::new().digest(digest).finish()
    }
}

impl JsonRow for RunBlobRow {
    const TABLE: Table = RUN_BLOBS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.digest)
    }
}

/// One point of a metric's history; `n` tells points of the same step and time apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricRow {
    pub run_id: RunId,
    pub key: String,
    pub point: MetricPoint,
    pub n: u64,
}

impl MetricRow {
    pub fn prefix(run_id: &RunId, key: &str) -> Vec<u8> {
        Key::new().text(run_id.as_str()).text(key).finish()
    }

    pub fn prefix_of_point(run_id: &RunId, key: &str, point: &MetricPoint) -> Vec<u8> {
        Key::new().text(run_id.as_str()).text(key).signed(point.step).signed(point.timestamp).finish()
    }
}

impl JsonRow for MetricRow {
    const TABLE: Table = METRICS;

    fn key(&self) -> Vec<u8> {
        let (step, time) = (self.point.step, self.point.timestamp);
        Key::new()
            .text(self.run_id.as_str())
            .text(&self.key)
            .signed(step)
            .signed(time)
            .number(self.n)
            .finish()
    }
}

/// An imported data set: what it contains by digest, and the Parquet blob it lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRow {
    pub name: String,
    pub content: Digest,
    pub parquet: Digest,
    pub rows: u64,
    pub columns: u64,
    pub source_name: String,
    pub imported_ms: i64,
    pub contract: Digest,
}

impl DatasetRow {
    pub fn key_of(name: &str, content: &Digest) -> Vec<u8> {
        Key::new().text(name).digest(content).finish()
    }

    pub fn prefix(name: &str) -> Vec<u8> {
        Key::new().text(name).finish()
    }
}

impl JsonRow for DatasetRow {
    const TABLE: Table = DATASETS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.name, &self.content)
    }
}

/// Which worker has a run, and since when. When it was last heard of is kept in memory: a restart ends the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub worker: String,
    pub claimed_ms: i64,
}

/// A run that waits for a worker or is with one: all that its child needs, as it was when it was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRow {
    pub run_id: RunId,
    /// The project's files by their names.
    pub project: BTreeMap<String, String>,
    pub overrides: Vec<String>,
    /// The digest of the configuration: files and overrides.
    pub config: Digest,
    pub dataset: String,
    pub content: Digest,
    pub parquet: Digest,
    pub ordered_by: String,
    /// The roles that who ordered it had then: the version is registered in their name.
    pub roles: Vec<Role>,
    pub ordered_ms: i64,
    pub claim: Option<Claim>,
}

impl OrderRow {
    pub fn key_of(run_id: &RunId) -> Vec<u8> {
        Key::new().text(run_id.as_str()).finish()
    }
}

impl JsonRow for OrderRow {
    const TABLE: Table = RUN_QUEUE;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.run_id)
    }
}
