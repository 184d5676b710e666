//! A run: what was tried, with what, and what came of it. Params are written once; the latest of each metric
//! stays with the run. Never holds a metric's history and never decides a run's fate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::tracking::experiment::LifecycleStage;
use crate::tracking::metric::MetricPoint;
use crate::tracking::rule::{TrackingError, check_length, check_param_key, check_tag_key, cut};

/// The tag in which MLflow keeps a run's name; it always equals `Run::name`.
pub const RUN_NAME_TAG: &str = "mlflow.runName";
/// The tag that names a run's project.
pub const PROJECT_TAG: &str = "tallystick.project";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunStatus {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

impl RunStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// Whether something may still come of it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Scheduled)
    }
}

/// A data set a run read; `context` says what for, such as "training".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetInput {
    pub name: String,
    pub digest: String,
    pub context: String,
}

/// A file a run left, by its path below the run's artifact root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    pub path: String,
    pub digest: Digest,
    pub size: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
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
    /// The latest point of each metric.
    pub metrics: BTreeMap<String, MetricPoint>,
    pub datasets: Vec<DatasetInput>,
    pub artifacts: Vec<Artifact>,
}

impl Run {
    pub fn start(run_id: RunId, experiment_id: &str, name: &str, user_id: &str, now_ms: i64) -> Self {
        let mut run = Self {
            run_id,
            experiment_id: experiment_id.to_string(),
            name: String::new(),
            user_id: user_id.to_string(),
            status: RunStatus::Running,
            start_time: now_ms,
            end_time: None,
            lifecycle_stage: LifecycleStage::Active,
            params: BTreeMap::new(),
            tags: BTreeMap::new(),
            metrics: BTreeMap::new(),
            datasets: Vec::new(),
            artifacts: Vec::new(),
        };
        run.put_tag(RUN_NAME_TAG, name);
        run
    }

    /// The project it is of, if it says so.
    pub fn project(&self) -> Option<&str> {
        self.tags.get(PROJECT_TAG).map(String::as_str).filter(|project| !project.is_empty())
    }

    /// Logs a param; the same value again is no change, another value is refused.
    pub fn log_param(&mut self, key: &str, value: &str) -> Result<(), TrackingError> {
        self.check_active()?;
        check_param_key(key)?;
        let new = cut(value, limits::PARAM_VALUE_CHARS_MAX);
        match self.params.get(key) {
            Some(old) if old != new => Err(TrackingError::ParamChanged {
                run_id: self.run_id.clone(),
                key: key.to_string(),
                old: old.clone(),
                new: new.to_string(),
            }),
            Some(_) => Ok(()),
            None => {
                self.params.insert(key.to_string(), new.to_string());
                Ok(())
            }
        }
    }

    /// Keeps the point if it is the latest of its metric; the history is the store's.
    pub fn log_metric(&mut self, key: &str, point: MetricPoint) -> Result<(), TrackingError> {
        self.check_active()?;
        point.check(key)?;
        if self.metrics.get(key).is_none_or(|latest| point.newer(latest)) {
            self.metrics.insert(key.to_string(), point);
        }
        Ok(())
    }

    pub fn set_tag(&mut self, key: &str, value: &str) -> Result<(), TrackingError> {
        self.check_active()?;
        check_tag_key(key)?;
        self.put_tag(key, value);
        Ok(())
    }

    /// Names a data set as an input; the same name and digest again is no change.
    pub fn log_input(&mut self, input: DatasetInput) -> Result<(), TrackingError> {
        self.check_active()?;
        check_length("name", &input.name, limits::DATASET_NAME_CHARS_MAX)?;
        check_length("digest", &input.digest, limits::DATASET_DIGEST_CHARS_MAX)?;
        let known = |old: &DatasetInput| old.name == input.name && old.digest == input.digest;
        if !self.datasets.iter().any(known) {
            self.datasets.push(input);
        }
        Ok(())
    }

    /// Names a file the run left; the same path again replaces it.
    pub fn log_artifact(&mut self, artifact: Artifact) -> Result<(), TrackingError> {
        self.check_active()?;
        self.artifacts.retain(|old| old.path != artifact.path);
        self.artifacts.push(artifact);
        self.artifacts.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(())
    }

    /// Ends the run with what became of it; one that was deleted meanwhile ends as well.
    pub fn finish(&mut self, status: RunStatus, end_ms: i64) {
        self.status = status;
        self.end_time = Some(end_ms);
    }

    fn put_tag(&mut self, key: &str, value: &str) {
        let value = cut(value, limits::RUN_TAG_VALUE_CHARS_MAX).to_string();
        if key == RUN_NAME_TAG {
            self.name = value.clone();
        }
        self.tags.insert(key.to_string(), value);
    }

    fn check_active(&self) -> Result<(), TrackingError> {
        match self.lifecycle_stage {
            LifecycleStage::Active => Ok(()),
            LifecycleStage::Deleted => Err(TrackingError::RunDeleted { run_id: self.run_id.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run::start(RunId::draw(), "0", "calm-oak-001", "anna", 1_000)
    }

    #[test]
    fn a_param_may_be_repeated_but_never_changed() {
        let mut run = run();
        run.log_param("lr", "0.1").unwrap();
        run.log_param("lr", "0.1").unwrap();
        let id = run.run_id.clone();
        assert_eq!(
            run.log_param("lr", "0.2").unwrap_err().to_string(),
            format!(
                "Changing param values is not allowed. Param with key='lr' was already logged with value='0.1' \
                 for run ID='{id}'. Attempted logging new value '0.2'."
            )
        );
        assert_eq!(run.params["lr"], "0.1");
    }

    #[test]
    fn a_long_param_logged_twice_is_the_same_cut_value() {
        let mut run = run();
        let long = "v".repeat(7_000);
        run.log_param("notes", &long).unwrap();
        run.log_param("notes", &long).unwrap();
        assert_eq!(run.params["notes"].len(), limits::PARAM_VALUE_CHARS_MAX);
    }

    #[test]
    fn the_latest_metric_stays_even_when_an_older_one_comes_later() {
        let mut run = run();
        run.log_metric("auc", MetricPoint { value: 0.7, timestamp: 5, step: 2 }).unwrap();
        run.log_metric("auc", MetricPoint { value: 0.9, timestamp: 6, step: 1 }).unwrap();
        assert_eq!(run.metrics["auc"].value, 0.7);
    }

    #[test]
    fn a_runs_name_and_its_tag_move_together() {
        let mut run = run();
        assert_eq!(run.tags[RUN_NAME_TAG], "calm-oak-001");
        run.set_tag(RUN_NAME_TAG, "baseline").unwrap();
        assert_eq!(run.name, "baseline");
    }

    #[test]
    fn a_deleted_run_takes_no_more() {
        let mut run = run();
        run.lifecycle_stage = LifecycleStage::Deleted;
        let text = run.set_tag("a", "b").unwrap_err().to_string();
        assert_eq!(
            text,
            format!("The run {} must be in the 'active' state. Current state is deleted.", run.run_id)
        );
    }

    #[test]
    fn inputs_and_artifacts_are_kept_once() {
        let mut run = run();
        let input = DatasetInput { name: "loans".into(), digest: "ab".into(), context: "training".into() };
        run.log_input(input.clone()).unwrap();
        run.log_input(input).unwrap();
        for size in [1, 2] {
            run.log_artifact(Artifact { path: "model.json".into(), digest: Digest::of(b"x"), size }).unwrap();
        }
        assert_eq!((run.datasets.len(), run.artifacts.len(), run.artifacts[0].size), (1, 1, 2));
    }
}
