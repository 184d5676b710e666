//! Ordering a run: the project checked, the data made ready, and the run queued, or nothing of it.
//! What is refused here leaves no run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::app::datasets::{self, DataSource, DatasetRow, ReadySet};
use crate::app::home::App;
use crate::app::training::OrderRow;
use crate::app::training::error::TrainingError;
use crate::app::training::uploads::{self, Used};
use crate::base::canonical::CanonicalError;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::config::project::Project;
use crate::ledger::leaf::Kind;
use crate::security::actor::{Act, Actor};
use crate::tracking::experiment::DEFAULT_ID;
use crate::tracking::name::draw_run_name;
use crate::tracking::run::PROJECT_TAG;
use crate::tracking::run::{DatasetInput, Run, RunStatus};

/// Which data is meant: a file that was sent, a kept set by its digest, or the project's newest set.
#[derive(Clone, Debug, Default)]
pub struct OrderedData {
    pub upload: Option<String>,
    /// The name of the sent file where it came from.
    pub file_name: Option<String>,
    /// The content digest of a kept set, or the beginning of it.
    pub set: Option<String>,
}

pub struct Order {
    /// The project's files by their names.
    pub project: BTreeMap<String, String>,
    pub overrides: Vec<String>,
    pub data: OrderedData,
}

/// Queues a run, whose data has passed contract, expectations and leak guard.
pub fn order(app: &App, order: Order) -> Result<Run, Failure> {
    app.may(Act::Train)?;
    if order.overrides.len() > limits::OVERRIDES_MAX {
        return Err(TrainingError::ManyOverrides.into());
    }
    let (source, _used) = source_of(app, order.data)?;
    let ordered = Ordered { project: order.project, overrides: order.overrides, id: None, tags: Vec::new() };
    order_from(app, ordered, &source)
}

/// A training whose data is known.
pub(in crate::app) struct Ordered {
    pub project: BTreeMap<String, String>,
    pub overrides: Vec<String>,
    /// The run's id where its orderer gives it: the same id is never ordered twice.
    pub id: Option<RunId>,
    pub tags: Vec<(String, String)>,
}

/// The same for whoever has the data at hand.
pub(in crate::app) fn order_from(app: &App, order: Ordered, source: &DataSource) -> Result<Run, Failure> {
    app.may(Act::Train)?;
    check_room(app)?;
    let project = Project::from_texts(order.project, &order.overrides)?;
    let set = datasets::make_ready(app, &project, source)?;
    let mut run = new_run(app, &project, &set, order.id)?;
    for (name, value) in &order.tags {
        run.set_tag(name, value)?;
    }
    record_waivers(app, &project, &set, &run.run_id)?;
    let row = OrderRow {
        run_id: run.run_id.clone(),
        project: project.sources.texts(),
        overrides: order.overrides,
        config: project.digest,
        dataset: set.row.name.clone(),
        content: set.row.content,
        parquet: set.row.parquet,
        ordered_by: app.person().name().to_string(),
        roles: app.person().roles().to_vec(),
        ordered_ms: run.start_time,
        claim: None,
    };
    let queued = run.clone();
    app.store.write_lab(move |lab| {
        lab.put_run_new(&queued)?;
        lab.put_order(&row)
    })?;
    Ok(run)
}

/// Keeps a sent file as a data set of a project.
pub fn import(
    app: &App,
    project: BTreeMap<String, String>,
    data: OrderedData,
) -> Result<DatasetRow, Failure> {
    app.may(Act::ImportData)?;
    let project = Project::from_texts(project, &[])?;
    match source_of(app, data)? {
        (DataSource::Sent { path, name }, _used) => datasets::import_sent(app, &project, &path, &name),
        _ => Err(TrainingError::NoFile.into()),
    }
}

fn check_room(app: &App) -> Result<(), Failure> {
    let waiting = app.store.read_lab(|lab| lab.list_orders())?.len();
    if waiting >= limits::RUNS_ORDERED_MAX {
        return Err(TrainingError::Full { waiting }.into());
    }
    Ok(())
}

/// Where the data is. A sent file is there as long as what is answered beside it.
fn source_of(app: &App, data: OrderedData) -> Result<(DataSource, Option<Used>), Failure> {
    match (data.upload, data.file_name, data.set) {
        (None, None, None) => Ok((DataSource::Latest, None)),
        (None, None, Some(set)) => Ok((DataSource::Known(set), None)),
        (Some(id), Some(name), None) => {
            uploads::check_file_name(&name)?;
            let used = uploads::take(app, &id)?;
            Ok((DataSource::Sent { path: used.path.clone(), name: PathBuf::from(name) }, Some(used)))
        }
        _ => Err(TrainingError::TwoSources.into()),
    }
}

fn new_run(app: &App, project: &Project, set: &ReadySet, id: Option<RunId>) -> Result<Run, Failure> {
    let (run_id, now) = (id.unwrap_or_else(RunId::draw), app.now().millis());
    let name = draw_run_name(u64::from_str_radix(&run_id.as_str()[..8], 16).unwrap_or(0));
    let user = app.person().name().to_string();
    let mut run = Run::start(run_id, DEFAULT_ID, &name, &user, now);
    // MLflow's word for what waits.
    run.status = RunStatus::Scheduled;
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
    Ok(run)
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

/// What the run relies on somebody's word for, all in one record each and one transaction.
fn record_waivers(app: &App, project: &Project, set: &ReadySet, run_id: &RunId) -> Result<(), Failure> {
    let actor: Actor = app.may(Act::Train)?;
    let mut entries = Vec::new();
    for waiver in project.settings.leak_waivers.iter().filter(|w| set.waived.contains(&w.column)) {
        let (column, reason) = (&waiver.column, &waiver.reason);
        let body = json!({"column": column, "reason": reason, "data": set.row.content, "run_id": run_id});
        let subject = format!("project/{}", project.settings.name);
        entries.push(App::entry(&actor, Kind::LeakWaived, subject, &body)?);
    }
    if entries.is_empty() {
        return Ok(());
    }
    let now = app.now();
    app.store.write_ledger(move |ledger| {
        entries.iter().try_for_each(|entry| ledger.append_record(entry.clone(), now).map(drop))
    })?;
    Ok(())
}
