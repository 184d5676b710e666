//! Projects whose schedule is in force: applied as a whole, looked at, taken out again.
//! Never reads a project's folder: its files come with the request, and stay as they came.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::app::chains::error::ChainError;
use crate::app::chains::{ProjectRow, inbox};
use crate::app::home::App;
use crate::base::canonical;
use crate::base::fact::{Failure, nearest};
use crate::base::limits;
use crate::config::project::Project;
use crate::ledger::leaf::Kind;
use crate::schedule::definition::{Chain, Schedule};
use crate::security::actor::Act;

/// A project in force, checked.
#[derive(Clone)]
pub struct Applied {
    pub row: ProjectRow,
    pub project: Arc<Project>,
}

impl Applied {
    pub fn schedule(&self) -> Result<&Schedule, ChainError> {
        let none = || ChainError::NoSchedule { project: self.row.name.clone() };
        self.project.schedule.as_ref().ok_or_else(none)
    }

    pub fn chain(&self, name: &str) -> Result<&Chain, ChainError> {
        let schedule = self.schedule()?;
        schedule.find(name).ok_or_else(|| ChainError::NoChain {
            project: self.row.name.clone(),
            chain: name.to_string(),
            hint: schedule.near(name).map_or(String::new(), |near| format!("; did you mean {near:?}?")),
        })
    }
}

/// Puts a project's schedule in force, or another in its place. Runs under way go on as they began.
pub fn apply(app: &App, files: BTreeMap<String, String>) -> Result<Applied, Failure> {
    let actor = app.may(Act::ApplySchedule)?;
    let project = Arc::new(Project::from_texts(files.clone(), &[])?);
    let name = project.settings.name.clone();
    if project.schedule.is_none() {
        return Err(ChainError::NoSchedule { project: name }.into());
    }
    let known = app.store.read_lab(|lab| lab.list_projects())?;
    if known.len() >= limits::PROJECTS_APPLIED_MAX && !known.iter().any(|row| row.name == name) {
        return Err(ChainError::ManyProjects.into());
    }
    let now = app.now();
    let digest = canonical::digest_of(&files)?;
    let row = ProjectRow {
        name: name.clone(),
        files,
        digest,
        applied_by: actor.name().to_string(),
        applied_ms: now.millis(),
    };
    let body = json!({"files": digest, "config": project.digest});
    let entry = App::entry(&actor, Kind::ScheduleApplied, format!("project/{name}"), &body)?;
    inbox::make(app, &name)?;
    // The record first: a schedule that is not in force is no harm, one that nobody answers for is.
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    let kept = row.clone();
    app.store.write_lab(move |lab| lab.put_project(&kept))?;
    app.hands.keep_project(digest, &project);
    app.hands.forget_in_force();
    Ok(Applied { row, project })
}

/// Takes a project out of force: nothing of it starts any more. Its runs and their history stay.
pub fn withdraw(app: &App, name: &str) -> Result<ProjectRow, Failure> {
    let actor = app.may(Act::ApplySchedule)?;
    let row = find(app, name)?.row;
    let now = app.now();
    let entry = App::entry(&actor, Kind::ScheduleWithdrawn, format!("project/{name}"), &json!({}))?;
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    let gone = name.to_string();
    app.store.write_lab(move |lab| lab.remove_project(&gone))?;
    app.hands.forget_in_force();
    Ok(row)
}

pub fn list(app: &App) -> Result<Vec<Applied>, Failure> {
    app.may(Act::ReadRuns)?;
    Ok(all(app)?.to_vec())
}

pub fn show(app: &App, name: &str) -> Result<Applied, Failure> {
    app.may(Act::ReadRuns)?;
    find(app, name)
}

/// Read once after each change: this process alone changes what is in force.
pub(in crate::app) fn all(app: &App) -> Result<Arc<Vec<Applied>>, Failure> {
    app.hands.in_force(|| {
        app.store.read_lab(|lab| lab.list_projects())?.into_iter().map(|row| checked(app, row)).collect()
    })
}

pub(in crate::app) fn find(app: &App, name: &str) -> Result<Applied, Failure> {
    match app.store.read_lab(|lab| lab.find_project(name))? {
        Some(row) => checked(app, row),
        None => {
            let rows = app.store.read_lab(|lab| lab.list_projects())?;
            let near = nearest(name, rows.iter().map(|row| row.name.as_str()));
            let known = near.map_or(String::new(), |near| format!("; did you mean {near:?}?"));
            Err(ChainError::NoProject { project: name.to_string(), known }.into())
        }
    }
}

fn checked(app: &App, row: ProjectRow) -> Result<Applied, Failure> {
    let project = match app.hands.find_project(&row.digest) {
        Some(project) => project,
        None => {
            let project = Arc::new(Project::from_texts(row.files.clone(), &[])?);
            app.hands.keep_project(row.digest, &project);
            project
        }
    };
    Ok(Applied { row, project })
}
