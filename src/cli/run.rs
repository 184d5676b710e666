//! `run list|show|compare|metrics|artifact`: what was trained, with what, and what came of it.
//! And `run cancel`. The JSON has MLflow's shapes. Never changes a run that has ended.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::app::error::{UseCaseError, check_absent};
use crate::app::training::registering::FAMILY_TAG;
use crate::app::training::trials::TRIAL_TAG;
use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::pages::typed;
use crate::cli::speak::output::{Answer, columns, list_limit};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::run::{Metric, MetricHistory, Pair, RunInfo, RunList, RunView};
use crate::http::views::work::ProgressView;
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::PROJECT_TAG;

mod comparison;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick run list\n  tallystick run show 1f0c\n  tallystick run compare 1f0c 77ab\n  tallystick run artifact 1f0c roc.svg --out roc.svg"
)]
pub enum RunCommand {
    /// The newest runs
    List {
        /// How many at most
        #[arg(long, default_value_t = 20, value_parser = list_limit)]
        limit: usize,
        /// Only runs of this project
        #[arg(long, value_name = "NAME")]
        project: Option<String>,
        /// Only runs of this experiment, by its name or number
        #[arg(long, value_name = "NAME")]
        experiment: Option<String>,
    },
    /// Runs side by side: params that differ, metrics, and whether they differ beyond chance
    Compare {
        /// Two runs or more, each by its id or the beginning of it; all are measured against the first
        #[arg(required = true, num_args = 2.., value_name = "RUN")]
        runs: Vec<String>,
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
    /// Ask a run to stop, whether it waits or is under way
    Cancel {
        /// The run's id, or the beginning of it
        run: String,
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
    let client = invocation.client()?;
    match command {
        RunCommand::List { limit, project, experiment } => {
            let of = [("project", project), ("experiment", experiment)];
            Ok(list(&newest(&client, limit, &of)?))
        }
        RunCommand::Compare { runs } => {
            let target = Target::of(["v1", "runs", "compare"]).with("runs", runs.join(","));
            Ok(comparison::answer(&client.get(&target)?))
        }
        RunCommand::Show { run } => Ok(show(&client.get(&of_run(&run, &[])?)?)),
        RunCommand::Metrics { run, key } => metrics(&client, &run, &key),
        RunCommand::Cancel { run } => {
            let progress: ProgressView = client.act(&of_run(&run, &["cancel"])?)?;
            let text = match progress.status.as_str() {
                "RUNNING" => format!("Run {} was asked to stop.", progress.run_id),
                status => format!("Run {} is {status}.", progress.run_id),
            };
            Ok(Answer::new(text, json!(progress)))
        }
        RunCommand::Artifact { run, path, out } => {
            let target = of_run(&run, &["artifacts", &path])?;
            let bytes = client.bytes(&target, limits::BLOB_BYTES_MAX as usize)?;
            check_absent(&out)?;
            files::write_atomic(&out, &bytes, 0o644)?;
            let text = format!("{path} is in {}.", out.display());
            Ok(Answer::new(text, json!({"path": path, "out": out.display().to_string()})))
        }
    }
}

/// So many runs, page by page.
fn newest(client: &Client, limit: usize, of: &[(&str, Option<String>)]) -> Result<Vec<RunView>, Failure> {
    let (mut runs, mut cursor) = (Vec::new(), None);
    loop {
        let mut target = Target::of(["v1", "runs"]).with("limit", limit - runs.len());
        for (name, value) in of {
            target = value.iter().fold(target, |target, value| target.with(name, value));
        }
        target = cursor.iter().fold(target, |target, cursor: &String| target.with("cursor", cursor));
        let page: RunList = client.get(&target)?;
        runs.extend(page.runs);
        match page.next.filter(|_| runs.len() < limit) {
            Some(next) => cursor = Some(next),
            None => return Ok(runs),
        }
    }
}

/// What is asked about one run; a name of nothing is the name of none.
fn of_run(run: &str, rest: &[&str]) -> Result<Target, UseCaseError> {
    if run.is_empty() || rest.contains(&"") {
        return Err(UseCaseError::NoRun { id: run.to_string() });
    }
    Ok(Target::of(["v1", "runs", run].into_iter().chain(rest.iter().copied())))
}

fn list(runs: &[RunView]) -> Answer {
    let head = ["run", "name", "project", "family", "started", "took", "status", "auc", "log loss"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(runs.iter().map(|run| {
        let info = &run.info;
        // A trial has the mean of its folds alone.
        let metric = |key: &str| {
            let find = |key: &str| run.data.metrics.iter().find(|metric| metric.key == key);
            let found = find(key).or_else(|| find(&format!("cv_{key}")));
            found.map_or("-".to_string(), |metric| value_text(metric, 4))
        };
        let tags = &run.data.tags;
        let family = match (value_of(tags, FAMILY_TAG), value_of(tags, TRIAL_TAG)) {
            (none, trial) if none == "-" && trial != "-" => format!("trial: {trial}"),
            (none, _) if none == "-" => value_of(&run.data.params, "family.kind"),
            (family, _) => family,
        };
        vec![
            info.run_id[..info.run_id.len().min(12)].to_string(),
            info.run_name.clone(),
            value_of(&run.data.tags, PROJECT_TAG),
            family,
            millis_to_text(info.start_time),
            took(info),
            info.status.clone(),
            metric("auc"),
            metric("log_loss"),
        ]
    }));
    let text = if runs.is_empty() { "No runs yet: `tallystick train DIR`.".into() } else { columns(&rows) };
    Answer::new(text, json!({ "runs": runs }))
}

fn value_of(pairs: &[Pair], key: &str) -> String {
    pairs.iter().find(|pair| pair.key == key).map_or("-".to_string(), |pair| pair.value.clone())
}

/// How long a run took; of one that goes on, nothing is known here.
fn took(info: &RunInfo) -> String {
    info.end_time.map_or("-".to_string(), |end| format!("{:.1} s", (end - info.start_time) as f64 / 1_000.0))
}

fn value_text(metric: &Metric, decimals: usize) -> String {
    metric.value.map_or("NaN".to_string(), |value| format!("{value:.decimals$}"))
}

fn show(run: &RunView) -> Answer {
    let info = &run.info;
    let mut text = format!(
        "run {} ({}), {}\nstarted {} by {}\n",
        info.run_id,
        info.run_name,
        info.status,
        millis_to_text(info.start_time),
        info.user_id
    );
    if let Some(end) = info.end_time {
        text += &format!("ended {}, after {}\n", millis_to_text(end), took(info));
    }
    let section = |title: &str, rows: Vec<Vec<String>>| format!("\n{title}\n{}", columns(&rows));
    let pair = |pair: &Pair| vec![format!("  {}", pair.key), pair.value.clone()];
    text += &section("params", run.data.params.iter().map(pair).collect());
    let metrics = run.data.metrics.iter().map(|m| vec![format!("  {}", m.key), value_text(m, 6)]);
    text += &section("metrics", metrics.collect());
    text += &section("tags", run.data.tags.iter().map(pair).collect());
    let artifacts = run.artifacts.iter().map(|a| vec![format!("  {}", a.path), format!("{} bytes", a.size)]);
    text += &section("artifacts", artifacts.collect());
    Answer::new(text, json!(run))
}

fn metrics(client: &Client, run: &str, key: &str) -> Result<Answer, Failure> {
    let history: MetricHistory = client.get(&of_run(run, &["metrics", key])?)?;
    let mut rows = vec![vec!["step".to_string(), history.key.clone()]];
    for point in &history.metrics {
        let point: MetricPoint = typed(client, point.clone())?;
        rows.push(vec![point.step.to_string(), format!("{:.6}", point.value)]);
    }
    Ok(Answer::new(columns(&rows), json!(history)))
}
