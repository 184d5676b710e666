//! Runs in the shapes MLflow's clients know, with the artifacts beside.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::tracking::run::Run;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pair {
    pub key: String,
    pub value: String,
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<Pair> {
    map.iter().map(|(key, value)| Pair { key: key.clone(), value: value.clone() }).collect()
}

/// The latest point of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Metric {
    pub key: String,
    /// Null where it is no number.
    pub value: Option<f64>,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub step: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunInfo {
    pub run_id: String,
    pub run_uuid: String,
    pub experiment_id: String,
    pub run_name: String,
    pub user_id: String,
    #[schema(example = "FINISHED")]
    pub status: String,
    /// Milliseconds since 1970.
    pub start_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    pub artifact_uri: String,
    #[schema(example = "active")]
    pub lifecycle_stage: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunData {
    pub params: Vec<Pair>,
    pub metrics: Vec<Metric>,
    pub tags: Vec<Pair>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunDataset {
    pub name: String,
    pub digest: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunInput {
    pub dataset: RunDataset,
    pub tags: Vec<Pair>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunInputs {
    pub dataset_inputs: Vec<RunInput>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RunArtifact {
    pub path: String,
    pub digest: String,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunView {
    pub info: RunInfo,
    pub data: RunData,
    pub inputs: RunInputs,
    pub artifacts: Vec<RunArtifact>,
}

impl RunView {
    pub fn of(run: &Run) -> Self {
        let metrics = run.metrics.iter().map(|(key, point)| Metric {
            key: key.clone(),
            value: Some(point.value).filter(|value| value.is_finite()),
            timestamp: point.timestamp,
            step: point.step,
        });
        let datasets = run.datasets.iter().map(|set| RunInput {
            dataset: RunDataset { name: set.name.clone(), digest: set.digest.clone() },
            tags: vec![Pair { key: "mlflow.data.context".into(), value: set.context.clone() }],
        });
        let artifacts = run.artifacts.iter().map(|artifact| RunArtifact {
            path: artifact.path.clone(),
            digest: artifact.digest.to_hex(),
            size: artifact.size,
        });
        Self {
            info: info(run),
            data: RunData { params: pairs(&run.params), metrics: metrics.collect(), tags: pairs(&run.tags) },
            inputs: RunInputs { dataset_inputs: datasets.collect() },
            artifacts: artifacts.collect(),
        }
    }
}

fn info(run: &Run) -> RunInfo {
    let run_id = run.run_id.to_string();
    RunInfo {
        run_uuid: run_id.clone(),
        experiment_id: run.experiment_id.clone(),
        run_name: run.name.clone(),
        user_id: run.user_id.clone(),
        status: run.status.as_str().to_string(),
        start_time: run.start_time,
        end_time: run.end_time,
        artifact_uri: format!("mlflow-artifacts:/{}/{run_id}/artifacts", run.experiment_id),
        lifecycle_stage: run.lifecycle_stage.as_str().to_string(),
        run_id,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunList {
    pub runs: Vec<RunView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A metric at one step; a value that JSON cannot hold is "NaN", "Infinity" or "-Infinity".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricHistory {
    pub key: String,
    /// Oldest step first: `value`, `timestamp`, `step`.
    #[schema(value_type = Vec<Object>)]
    pub metrics: Vec<Value>,
}
