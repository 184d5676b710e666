//! A candidate that a worker has handed over becomes a version: read again in full, its figures kept, signed.
//! Whoever ordered the run is whom the log names.

use crate::app::home::App;
use crate::app::registry::versions::{self, Registered};
use crate::app::training::OrderRow;
use crate::app::training::ending::find_run;
use crate::app::training::error::TrainingError;
use crate::app::training::work::log_points;
use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::files;
use crate::config::project::Project;
use crate::pipeline::artifacts::Artifact;
use crate::pipeline::candidate::Candidate;
use crate::security::actor::Person;
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::{self as tracking, RunStatus};

pub const MODEL_TAG: &str = "tallystick.model";
/// The family that was trained, which a search may have picked.
pub const FAMILY_TAG: &str = "tallystick.family";
pub const POLICY_TAG: &str = "tallystick.policy";
pub const REUSED_TAG: &str = "tallystick.reused";
pub const SECONDS_METRIC: &str = "train_seconds";
/// The candidate's evaluation, whole.
pub const EVALUATION_ARTIFACT: &str = "evaluation.json";

/// What a worker says of a run that went well.
pub struct Worked {
    /// The candidate's table of contents, as it was written.
    pub contents: String,
    pub model: Digest,
    pub train_seconds: f64,
}

/// Figures first, while the run is still open; then the version; then the end. A crash in between
/// leaves a run that opening the home can close truthfully.
pub(in crate::app) fn register(app: &App, order: &OrderRow, worked: &Worked) -> Result<(), Failure> {
    let app = &app.as_person(Person::of(&order.ordered_by, &order.roles)?);
    let project = Project::from_texts(order.project.clone(), &order.overrides)?;
    let folder = app.run_staging(&order.run_id);
    files::create_folder(&folder)?;
    files::write_atomic(&folder.join("contents.json"), worked.contents.as_bytes(), 0o600)?;
    let candidate = Candidate::read(&folder)?;
    if candidate.pack.digest != worked.model {
        return Err(TrainingError::OtherModel { announced: worked.model }.into());
    }
    leave_figures(app, order, &candidate, worked.train_seconds)?;
    let registered = versions::register(app, &project, order.content, &order.run_id, &candidate)?;
    close_finished(app, order, registered, &candidate.pack.load()?.content.family)
}

fn close_finished(app: &App, order: &OrderRow, registered: Registered, family: &str) -> Result<(), Failure> {
    let family = family.to_string();
    let (id, now) = (order.run_id.clone(), app.now().millis());
    let Registered { version, policy, reused } = registered;
    app.store.write_lab(move |lab| {
        let mut run = find_run(lab, &id)?;
        run.set_tag(MODEL_TAG, &format!("{}@{}", version.name, version.version))?;
        run.set_tag("tallystick.model_digest", &version.model.to_hex())?;
        run.set_tag(FAMILY_TAG, &family)?;
        run.set_tag(POLICY_TAG, &policy.to_hex())?;
        run.set_tag(REUSED_TAG, if reused { "true" } else { "false" })?;
        run.finish(RunStatus::Finished, now);
        lab.put_run(&run)?;
        lab.remove_order(&id)?;
        Ok::<_, Failure>(())
    })
}

fn leave_figures(app: &App, order: &OrderRow, candidate: &Candidate, seconds: f64) -> Result<(), Failure> {
    let evaluation = canonical::to_bytes(&candidate.evaluation)?;
    let evaluation = Artifact { path: EVALUATION_ARTIFACT.into(), bytes: evaluation };
    let mut artifacts = Vec::new();
    for Artifact { path, bytes } in candidate.artifacts.iter().chain([&evaluation]) {
        let digest = app.store.blobs().put(bytes)?;
        artifacts.push(tracking::Artifact { path: path.clone(), digest, size: bytes.len() as u64 });
    }
    let now = app.now().millis();
    let point = |value: f64| MetricPoint { value, timestamp: now, step: 0 };
    let figures = candidate.evaluation.metrics.iter();
    let mut points: Vec<(String, MetricPoint)> = figures.map(|(k, v)| (k.clone(), point(*v))).collect();
    points.push((SECONDS_METRIC.into(), point(seconds)));
    let id = order.run_id.clone();
    app.store.write_lab(move |lab| {
        let mut run = find_run(lab, &id)?;
        log_points(lab, &mut run, &points)?;
        for artifact in &artifacts {
            run.log_artifact(artifact.clone())?;
        }
        Ok::<_, Failure>(lab.put_run(&run)?)
    })
}
