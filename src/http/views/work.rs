//! Sent files, ordered runs and how they go on; and what a worker is given and says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::datasets::DatasetRow;
use crate::app::training::OrderRow;
use crate::app::training::desk::Upload;
use crate::app::training::orders::OrderedData;
use crate::app::training::progress::{Progress, Trained};
use crate::base::digest::Digest;
use crate::pipeline::child::events::Event;

/// A data set that is kept, as Parquet. Digests are SHA-256 in hex.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataSet {
    /// Of the project it was imported for.
    #[schema(example = "loan-default")]
    pub name: String,
    /// Of the table, whatever file it came from.
    pub content: String,
    /// Of the Parquet file it lies in.
    pub parquet: String,
    pub rows: u64,
    pub columns: u64,
    pub source_name: String,
    /// Milliseconds since 1970.
    pub imported_ms: i64,
    /// Of the contract it was checked by.
    pub contract: String,
}

impl DataSet {
    pub fn of(row: &DatasetRow) -> Self {
        Self {
            name: row.name.clone(),
            content: row.content.to_hex(),
            parquet: row.parquet.to_hex(),
            rows: row.rows,
            columns: row.columns,
            source_name: row.source_name.clone(),
            imported_ms: row.imported_ms,
            contract: row.contract.to_hex(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DataSetList {
    pub datasets: Vec<DataSet>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// A file that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UploadView {
    /// Names it in an order, once, for who sent it.
    pub upload: String,
    pub bytes: u64,
    /// Of its bytes, in hex.
    pub sha256: String,
}

impl UploadView {
    pub fn of(upload: &Upload) -> Self {
        Self { upload: upload.id.clone(), bytes: upload.bytes, sha256: upload.sha256.to_hex() }
    }
}

/// Which data: a sent file with its name, a kept set, or, with nothing said, the project's newest set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// What the sent file is called where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The content digest of a kept set, or the beginning of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}

impl From<OrderData> for OrderedData {
    fn from(data: OrderData) -> Self {
        Self { upload: data.upload, file_name: data.file_name, set: data.set }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderBody {
    /// The text of each file of the project, by its name.
    pub project: BTreeMap<String, String>,
    /// `key=value` changes to train.toml.
    #[serde(default)]
    pub overrides: Vec<String>,
    #[serde(default)]
    pub data: OrderData,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBody {
    /// The text of each file of the project, by its name.
    pub project: BTreeMap<String, String>,
    /// The sent file and its name.
    pub data: OrderData,
}

/// Why a run made no version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FailureView {
    pub code: String,
    /// How the command line ends on it.
    pub exit_code: u8,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
}

/// The version a run led to, and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrainedView {
    #[schema(example = "loan-default")]
    pub name: String,
    pub version: u64,
    /// Of the model.
    pub digest: String,
    /// Of the signed release.
    pub release: String,
    /// The model was known: its version stands.
    pub reused: bool,
    /// The policy this run led to.
    pub policy: String,
    /// Whether the version was signed with another policy.
    pub policy_changed: bool,
    /// Why this family and these settings, where they were searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picked: Option<String>,
    pub cutoff: f64,
    pub metrics: BTreeMap<String, f64>,
    /// `value`, `low`, `high`, `level` and `rounds` of each.
    #[schema(value_type = Object)]
    pub intervals: Value,
    pub train_seconds: f64,
}

impl TrainedView {
    fn of(trained: &Trained) -> Self {
        let Trained { version, policy, reused, evaluation, train_seconds } = trained;
        Self {
            name: version.name.clone(),
            version: version.version,
            digest: version.model.to_hex(),
            release: version.release.to_hex(),
            reused: *reused,
            policy: policy.to_hex(),
            policy_changed: *policy != version.policy,
            picked: evaluation.picked.clone(),
            cutoff: evaluation.cutoff,
            metrics: evaluation.metrics.clone(),
            intervals: serde_json::json!(evaluation.intervals),
            train_seconds: *train_seconds,
        }
    }
}

/// A run as it stands now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProgressView {
    pub run_id: String,
    #[schema(example = "RUNNING")]
    pub status: String,
    /// How many wait before it, where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// What its worker does now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Steps of the stage that are done, of `total`; a stage without steps has none.
    pub done: u64,
    pub total: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<TrainedView>,
}

impl ProgressView {
    pub fn of(progress: Progress) -> Self {
        let Progress { run, position, live, failure, trained } = progress;
        let live = live.unwrap_or_default();
        Self {
            run_id: run.run_id.to_string(),
            status: run.status.as_str().to_string(),
            position,
            stage: live.stage,
            done: live.done,
            total: live.total,
            valid_loss: live.valid_loss,
            failure: failure.map(|ending| FailureView {
                code: ending.end,
                exit_code: ending.exit_code,
                message: ending.message,
                next_step: ending.next_step,
                details: ending.details,
            }),
            trained: trained.as_ref().map(TrainedView::of),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimBody {
    /// The worker's name.
    pub worker: String,
    /// This run and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// A run that is due: all its child needs but the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DueView {
    pub run_id: String,
    /// The text of each file of the project, by its name.
    pub project: BTreeMap<String, String>,
    pub overrides: Vec<String>,
    /// Digests in hex: of the configuration, of the data's content, and of the Parquet file it lies in.
    #[schema(value_type = String)]
    pub config: Digest,
    #[schema(value_type = String)]
    pub content: Digest,
    #[schema(value_type = String)]
    pub parquet: Digest,
}

impl DueView {
    fn of(order: OrderRow) -> Self {
        let OrderRow { run_id, project, overrides, config, content, parquet, .. } = order;
        Self { run_id: run_id.to_string(), project, overrides, config, content, parquet }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimedView {
    /// Null where nothing is due.
    pub due: Option<DueView>,
}

impl ClaimedView {
    pub fn of(order: Option<OrderRow>) -> Self {
        Self { due: order.map(DueView::of) }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsBody {
    /// What the run's child said, in order: objects with `event` and what goes with it.
    #[schema(value_type = Vec<Object>)]
    pub events: Vec<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeardView {
    /// Whether the run is to stop.
    pub cancel: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeptView {
    pub bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishBody {
    /// The candidate's table of contents as it was written.
    pub contents: String,
    /// The digest of its model.
    #[schema(value_type = String)]
    pub model: Digest,
    pub train_seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailBody {
    /// The event `failed`.
    #[schema(value_type = Object)]
    pub event: Event,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedView {
    pub run_id: String,
}
