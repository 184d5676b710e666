//! `run list|show|metrics|artifact`: what was trained, with what, and what came of it.
//! The JSON has MLflow's shapes. Never changes a run.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::error::check_absent;
use crate::app::runs;
use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::base::files;
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns, list_limit};
use crate::tracking::run::Run;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick run list\n  tallystick run show 1f0c\n  tallystick run artifact 1f0c roc.svg --out roc.svg"
)]
pub enum RunCommand {
    /// The newest runs
    List {
        /// How many at most
        #[arg(long, default_value_t = 20, value_parser = list_limit)]
        limit: usize,
    },
    /// One run: params, metrics, artifacts and where its data came from
    Show {
        /// The run's id, or the beginning of it
        run: String,
    },
    /// Every point of one metric
    Metrics {
        /// The run's id, or the beginning of it
        run: String,
        /// The metric's name, as `run show` lists it
        key: String,
    },
    /// Write one artifact to a file
    Artifact {
        /// The run's id, or the beginning of it
        run: String,
        /// The artifact's path, as `run show` lists it
        path: String,
        /// A file that does not exist yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

pub fn run(command: RunCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    let app = invocation.app()?;
    match command {
        RunCommand::List { limit } => Ok(list(&runs::list(&app, limit)?)),
        RunCommand::Show { run } => Ok(show(&runs::find(&app, &run)?)),
        RunCommand::Metrics { run, key } => {
            let points = runs::metric_history(&app, &run, &key)?;
            let mut rows = vec![vec!["step".to_string(), key.clone()]];
            rows.extend(points.iter().map(|p| vec![p.step.to_string(), format!("{:.6}", p.value)]));
            Ok(Answer::new(columns(&rows), json!({"key": key, "metrics": points})))
        }
        RunCommand::Artifact { run, path, out } => {
            let bytes = runs::artifact(&app, &run, &path)?;
            check_absent(&out)?;
            files::write_atomic(&out, &bytes, 0o644)?;
            let text = format!("{path} is in {}.", out.display());
            Ok(Answer::new(text, json!({"path": path, "out": out.display().to_string()})))
        }
    }
}

fn list(runs: &[Run]) -> Answer {
    let mut rows = vec![["run", "name", "status", "started", "auc"].map(String::from).to_vec()];
    rows.extend(runs.iter().map(|run| {
        let auc = run.metrics.get("auc").map_or("-".to_string(), |m| format!("{:.4}", m.value));
        let (id, status) = (run.run_id.to_string(), run.status.as_str().to_string());
        vec![id, run.name.clone(), status, millis_to_text(run.start_time), auc]
    }));
    let text = if runs.is_empty() { "No runs yet: `tallystick train DIR`.".into() } else { columns(&rows) };
    Answer::new(text, json!({"runs": runs.iter().map(view).collect::<Vec<_>>()}))
}

fn show(run: &Run) -> Answer {
    let mut text = format!(
        "run {} ({}), {}\nstarted {} by {}\n",
        run.run_id,
        run.name,
        run.status.as_str(),
        millis_to_text(run.start_time),
        run.user_id
    );
    let section = |title: &str, rows: Vec<Vec<String>>| format!("\n{title}\n{}", columns(&rows));
    let pair = |(key, value): (&String, &String)| vec![format!("  {key}"), value.clone()];
    text += &section("params", run.params.iter().map(pair).collect());
    let metrics = run.metrics.iter().map(|(key, m)| vec![format!("  {key}"), format!("{:.6}", m.value)]);
    text += &section("metrics", metrics.collect());
    text += &section("tags", run.tags.iter().map(pair).collect());
    let artifacts = run.artifacts.iter().map(|a| vec![format!("  {}", a.path), format!("{} bytes", a.size)]);
    text += &section("artifacts", artifacts.collect());
    Answer::new(text, view(run))
}

/// A run as MLflow's client reads it, with the artifacts beside.
fn view(run: &Run) -> Value {
    let pairs = |map: &std::collections::BTreeMap<String, String>| -> Vec<Value> {
        map.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
    };
    let metrics: Vec<Value> = run
        .metrics
        .iter()
        .map(|(key, m)| json!({"key": key, "value": m.value, "timestamp": m.timestamp, "step": m.step}))
        .collect();
    let mut info = json!({
        "run_id": run.run_id,
        "run_uuid": run.run_id,
        "experiment_id": run.experiment_id,
        "run_name": run.name,
        "user_id": run.user_id,
        "status": run.status.as_str(),
        "start_time": run.start_time,
        "artifact_uri": format!("mlflow-artifacts:/{}/{}/artifacts", run.experiment_id, run.run_id),
        "lifecycle_stage": run.lifecycle_stage,
    });
    if let Some(end) = run.end_time {
        info["end_time"] = json!(end);
    }
    let dataset = |d: &crate::tracking::run::DatasetInput| {
        json!({"dataset": {"name": d.name, "digest": d.digest},
               "tags": [{"key": "mlflow.data.context", "value": d.context}]})
    };
    json!({
        "info": info,
        "data": {"params": pairs(&run.params), "metrics": metrics, "tags": pairs(&run.tags)},
        "inputs": {"dataset_inputs": run.datasets.iter().map(dataset).collect::<Vec<_>>()},
        "artifacts": run.artifacts,
    })
}
