//! Training as a use case: data ready, a run begun, a child that trains, a candidate registered.
//! The run's row is written whatever happens; a death of the child is a failed run and nothing more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use crate::app::child::{self, ChildError};
use crate::app::datasets::{self, DataSource, ReadySet};
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::versions::{self, Registered};
use crate::app::runs::PROJECT_TAG;
use crate::base::cancel::CancelFlag;
use crate::base::canonical::CanonicalError;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids::RunId;
use crate::config::project::Project;
use crate::ledger::leaf::Kind;
use crate::pipeline::artifacts::Artifact;
use crate::pipeline::candidate::Candidate;
use crate::pipeline::evaluation::Evaluation;
use crate::pipeline::events::Event;
use crate::pipeline::spec::TrainSpec;
use crate::security::actor::Act;
use crate::store::views::LabWrite;
use crate::tracking::experiment::DEFAULT_ID;
use crate::tracking::metric::MetricPoint;
use crate::tracking::name::draw_run_name;
use crate::tracking::run::{self as tracking, DatasetInput, Run, RunStatus};

/// What to train, on what.
pub struct TrainRequest {
    pub project: PathBuf,
    pub source: DataSource,
    pub overrides: Vec<String>,
}

/// How a training ended well.
pub struct Trained {
    pub run_id: RunId,
    pub registered: Registered,
    pub evaluation: Evaluation,
    pub train_seconds: f64,
}

/// `arm` starts to listen for the wish to stop; it is called when there is a run to stop.
pub fn train(
    app: &App,
    request: &TrainRequest,
    arm: &dyn Fn() -> Result<CancelFlag, Failure>,
    hear: &mut dyn FnMut(&Event),
) -> Result<Trained, Failure> {
    app.may(Act::Train)?;
    let project = Project::load(&request.project, &request.overrides)?;
    hear(&Event::Stage { name: "checking the data".into(), total: 0 });
    let set = datasets::make_ready(app, &project, &request.source)?;
    // Until here there is nothing to tidy up: an interrupt may simply end the process.
    let cancel = &arm()?;
    let run_id = begin(app, &project, &set)?;
    let begun = Instant::now();
    let run = Begun { app, project: &project, set: &set, run_id: &run_id };
    let candidate = run.record_waivers().and_then(|()| run.run_child(request, cancel, hear));
    let seconds = begun.elapsed().as_secs_f64();
    let finished = candidate.and_then(|candidate| run.finish(candidate, seconds));
    let cleared = files::remove_folder(&staging(app, &run_id));
    match finished {
        Ok(trained) => {
            cleared?;
            Ok(trained)
        }
        Err(error) => {
            // What failed first is what a person must hear; a run that cannot be closed now is
            // closed when the home is opened again.
            let _ = fail(app, &run_id, &error, cancel);
            Err(error)
        }
    }
}

fn staging(app: &App, run_id: &RunId) -> PathBuf {
    app.store.home().staging().join(run_id.as_str())
}

fn begin(app: &App, project: &Project, set: &ReadySet) -> Result<RunId, Failure> {
    let (run_id, now) = (RunId::draw(), app.now().millis());
    let name = draw_run_name(u64::from_str_radix(&run_id.as_str()[..8], 16).unwrap_or(0));
    let user = app.person().name().to_string();
    let mut run = Run::start(run_id.clone(), DEFAULT_ID, &name, &user, now);
    for (key, value) in flatten(&serde_json::to_value(&project.params).map_err(CanonicalError::Write)?) {
        run.log_param(&key, &value)?;
    }
    run.set_tag("mlflow.user", &user)?;
    run.set_tag("mlflow.source.name", "tallystick train")?;
    run.set_tag("mlflow.source.type", "LOCAL")?;
    run.set_tag(PROJECT_TAG, &project.settings.name)?;
    run.set_tag("tallystick.config_digest", &project.digest.to_hex())?;
    run.set_tag("tallystick.code_version", env!("CARGO_PKG_VERSION"))?;
    run.set_tag("tallystick.data_digest", &set.row.content.to_hex())?;
    run.log_input(DatasetInput {
        name: set.row.name.clone(),
        // MLflow keeps 36 characters of a digest; the whole one is a tag.
        digest: set.row.content.to_hex()[..32].to_string(),
        context: "training".into(),
    })?;
    app.store.write_lab(move |lab| lab.put_run_new(&run))?;
    Ok(run_id)
}

/// `{"a": {"b": 1}}` as `a.b = 1`: params are flat strings.
fn flatten(value: &Value) -> BTreeMap<String, String> {
    fn add(out: &mut BTreeMap<String, String>, key: &str, value: &Value) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, inner)| {
                let full = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                add(out, &full, inner);
            }),
            Value::String(text) => drop(out.insert(key.to_string(), text.clone())),
            other => drop(out.insert(key.to_string(), other.to_string())),
        }
    }
    let mut out = BTreeMap::new();
    add(&mut out, "", value);
    out
}

/// A run that has its row: what it trains, and for whom.
struct Begun<'a> {
    app: &'a App,
    project: &'a Project,
    set: &'a ReadySet,
    run_id: &'a RunId,
}

impl Begun<'_> {
    fn run_child(
        &self,
        request: &TrainRequest,
        cancel: &CancelFlag,
        hear: &mut dyn FnMut(&Event),
    ) -> Result<Candidate, Failure> {
        let Self { app, project, set, run_id } = *self;
        let folder = staging(app, run_id);
        project.sources.write(&folder.join("project"))?;
        let spec = TrainSpec {
            project: folder.join("project"),
            overrides: request.overrides.clone(),
            config: project.digest,
            data: app.store.blobs().open_path(&set.row.parquet)?,
            content: set.row.content,
            candidate: folder.join("candidate"),
        };
        let path = folder.join("spec.json");
        spec.write(&path)?;
        let mut lost = None;
        let mut listen = |event: &Event| {
            hear(event);
            if let Event::Metric { key, step, value } = event {
                let point = MetricPoint { value: *value, timestamp: app.now().millis(), step: *step };
                lost = lost.take().or(log_metric(app, run_id, key, point).err());
            }
        };
        let model = child::run(&["train"], &path, cancel, &mut listen)?;
        if let Some(error) = lost {
            return Err(error);
        }
        let candidate = Candidate::read(&spec.candidate)?;
        if candidate.pack.digest == model {
            Ok(candidate)
        } else {
            Err(announced_other(&spec.candidate).into())
        }
    }

    /// Figures first, while the run is still open; then the version; then the end. A crash in between
    /// leaves a run that opening the home can close truthfully.
    fn finish(&self, candidate: Candidate, train_seconds: f64) -> Result<Trained, Failure> {
        let Self { app, project, set, run_id } = *self;
        self.leave_figures(&candidate, train_seconds)?;
        let registered = versions::register(app, project, set.row.content, run_id, &candidate)?;
        let (id, now) = (run_id.clone(), app.now().millis());
        let version = registered.version.clone();
        app.store.write_lab(move |lab| {
            let mut run = find_run(lab, &id)?;
            run.set_tag("tallystick.model", &format!("{}@{}", version.name, version.version))?;
            run.set_tag("tallystick.model_digest", &version.model.to_hex())?;
            run.finish(RunStatus::Finished, now);
            lab.put_run(&run)?;
            Ok::<_, Failure>(())
        })?;
        let evaluation = candidate.evaluation;
        Ok(Trained { run_id: run_id.clone(), registered, evaluation, train_seconds })
    }

    fn leave_figures(&self, candidate: &Candidate, train_seconds: f64) -> Result<(), Failure> {
        let Self { app, run_id, .. } = *self;
        let mut artifacts = Vec::new();
        for Artifact { path, bytes } in &candidate.artifacts {
            let digest = app.store.blobs().put(bytes)?;
            artifacts.push(tracking::Artifact { path: path.clone(), digest, size: bytes.len() as u64 });
        }
        let now = app.now().millis();
        let point = |value: f64| MetricPoint { value, timestamp: now, step: 0 };
        let figures = candidate.evaluation.metrics.iter();
        let mut points: Vec<(String, MetricPoint)> = figures.map(|(k, v)| (k.clone(), point(*v))).collect();
        points.push(("train_seconds".into(), point(train_seconds)));
        let id = run_id.clone();
        app.store.write_lab(move |lab| {
            let mut run = find_run(lab, &id)?;
            log_points(lab, &mut run, &points)?;
            for artifact in &artifacts {
                run.log_artifact(artifact.clone())?;
            }
            Ok::<_, Failure>(lab.put_run(&run)?)
        })
    }

    /// What the run relies on somebody's word for, all in one record each and one transaction.
    fn record_waivers(&self) -> Result<(), Failure> {
        let Self { app, project, set, run_id } = *self;
        let actor = app.may(Act::Train)?;
        let mut entries = Vec::new();
        for waiver in project.settings.leak_waivers.iter().filter(|w| set.waived.contains(&w.column)) {
            let (column, reason) = (&waiver.column, &waiver.reason);
            let body = json!({"column": column, "reason": reason, "data": set.row.content, "run_id": run_id});
            let subject = format!("project/{}", project.settings.name);
            entries.push(App::entry(&actor, Kind::LeakWaived, subject, &body)?);
        }
        let now = app.now();
        app.store.write_ledger(move |ledger| {
            entries.iter().try_for_each(|entry| ledger.append_record(entry.clone(), now).map(drop))
        })?;
        Ok(())
    }
}

fn announced_other(folder: &Path) -> ChildError {
    ChildError::Protocol { why: format!("it announced another model than {} holds", folder.display()) }
}

fn log_metric(app: &App, run_id: &RunId, key: &str, point: MetricPoint) -> Result<(), Failure> {
    let (run_id, points) = (run_id.clone(), vec![(key.to_string(), point)]);
    app.store.write_lab(move |lab| {
        let mut run = find_run(lab, &run_id)?;
        log_points(lab, &mut run, &points)?;
        Ok::<_, Failure>(lab.put_run(&run)?)
    })
}

fn find_run(lab: &LabWrite<'_>, run_id: &RunId) -> Result<Run, Failure> {
    Ok(lab.find_run(run_id)?.ok_or_else(|| UseCaseError::NoRun { id: run_id.to_string() })?)
}

/// Each point goes into its metric's history, and the latest into the run itself.
fn log_points(lab: &LabWrite<'_>, run: &mut Run, points: &[(String, MetricPoint)]) -> Result<(), Failure> {
    for (key, point) in points {
        lab.add_metric(&run.run_id, key, point)?;
        run.log_metric(key, *point)?;
    }
    Ok(())
}

/// The run keeps why it ended; a run whose version is registered has not failed.
fn fail(app: &App, run_id: &RunId, error: &Failure, cancel: &CancelFlag) -> Result<(), Failure> {
    let Some(mut run) = app.store.read_lab(|lab| lab.find_run(run_id))? else { return Ok(()) };
    let status = match (app.is_registered(run_id)?, cancel.is_cancelled()) {
        (true, _) => RunStatus::Finished,
        (false, true) => RunStatus::Killed,
        (false, false) => RunStatus::Failed,
    };
    run.set_tag("tallystick.end", error.code())?;
    run.set_tag("tallystick.error", &error.to_string())?;
    run.finish(status, app.now().millis());
    app.put_run(run)
}
