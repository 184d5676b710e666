//! What can be asked of and written to the runs themselves: one, those that have not ended, pages of a list.
//! Never looks through all of them where a place in a list says where they are.

use crate::base::ids::RunId;
use crate::base::limits;
use crate::store::error::{StoreError, printable};
use crate::store::rows::lab::{OpenTrainingRow, RunBlobRow, RunOrderRow, RunPlaceRow, RunRow};
use crate::store::rows::{self, Row};
use crate::store::tables::{RUNS, RUNS_BY_START};
use crate::store::views::{Direction, Lab, LabWrite, Rows, Span};
use crate::tracking::run::{Artifact, Run};

/// Which runs a list shows.
#[derive(Clone, Debug, Default)]
pub struct RunSpan {
    /// Of a project, or of all.
    pub project: Option<String>,
    /// Of the experiment of this number, or of all.
    pub experiment: Option<String>,
    /// Only those listed after this one.
    pub after: Option<Run>,
    pub limit: usize,
}

impl<V: Rows> Lab<V> {
    pub fn find_run(&self, run_id: &RunId) -> Result<Option<Run>, StoreError> {
        let row: Option<RunRow> = self.0.find(&RunRow::key_of(run_id))?;
        Ok(row.map(Run::from))
    }

    /// Runs whose ids begin so, at most `limit`.
    pub fn list_runs_beginning(&self, beginning: &str, limit: usize) -> Result<Vec<Run>, StoreError> {
        let rows: Vec<RunRow> = self.0.list(&Span::prefix(&RunRow::prefix(beginning)), limit)?;
        Ok(rows.into_iter().map(Run::from).collect())
    }

    /// The latest started first, at most `LIST_MAX`.
    pub fn list_runs(&self, wanted: &RunSpan) -> Result<Vec<Run>, StoreError> {
        let limit = wanted.limit.min(limits::LIST_MAX);
        let (project, experiment) = (wanted.project.as_deref(), wanted.experiment.as_deref());
        let mut ids = Vec::new();
        if project.is_none() && experiment.is_none() {
            let span =
                wanted.after.as_ref().map_or(Span::all(), |last| Span::all().after(&order_of(last).key()));
            let rows: Vec<RunOrderRow> = self.0.list(&span, limit)?;
            ids.extend(rows.into_iter().map(|row| row.run_id));
        } else {
            let (project, experiment) = (project.unwrap_or_default(), experiment.unwrap_or_default());
            let mut span = Span::prefix(&RunPlaceRow::prefix(project, experiment));
            if let Some(last) = &wanted.after {
                let last = RunPlaceRow {
                    project: project.to_string(),
                    experiment: experiment.to_string(),
                    start_time: last.start_time,
                    run_id: last.run_id.clone(),
                };
                span = span.after(&last.key());
            }
            let rows: Vec<RunPlaceRow> = self.0.list(&span, limit)?;
            ids.extend(rows.into_iter().map(|row| row.run_id));
        }
        ids.iter().map(|id| self.find_listed(id)).collect()
    }

    /// Every run, the latest started first, until told to stop (`false`).
    pub fn each_run(&self, each: &mut dyn FnMut(Run) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        self.0.visit(RunOrderRow::TABLE, &Span::all(), Direction::Forward, &mut |key, framed| {
            let place: RunOrderRow = rows::open(key, framed)?;
            each(self.find_listed(&place.run_id)?)
        })
    }

    /// Runs that have not ended, by their ids.
    pub fn each_open_run(
        &self,
        each: &mut dyn FnMut(Run) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::all(), &mut |row: OpenTrainingRow| each(self.find_listed(&row.run_id)?))
    }

    fn find_listed(&self, run_id: &RunId) -> Result<Run, StoreError> {
        let missing = || StoreError::corrupt(RUNS, &RunRow::key_of(run_id), "the row is missing");
        self.find_run(run_id)?.ok_or_else(missing)
    }
}

fn order_of(run: &Run) -> RunOrderRow {
    RunOrderRow { start_time: run.start_time, run_id: run.run_id.clone() }
}

fn open_of(run: &Run) -> OpenTrainingRow {
    OpenTrainingRow { run_id: run.run_id.clone() }
}

impl LabWrite<'_> {
    /// Writes a new run.
    pub fn put_run_new(&self, run: &Run) -> Result<(), StoreError> {
        self.0.put_new(&RunRow::from(run))?;
        self.0.put_new(&order_of(run))?;
        self.put_listed(run)
    }

    /// Writes where a run that has no places yet is found.
    pub(in crate::store) fn put_listed(&self, run: &Run) -> Result<(), StoreError> {
        RunPlaceRow::all_of(run).iter().try_for_each(|place| self.0.put_new(place))?;
        self.put_blobs(&run.artifacts)?;
        if run.status.is_open() { self.0.put_new(&open_of(run)) } else { Ok(()) }
    }

    /// Writes a changed run; its start time is part of its place and cannot change.
    pub fn put_run(&self, run: &Run) -> Result<(), StoreError> {
        let place = order_of(run).key();
        let before = self.find_run(&run.run_id)?.filter(|before| before.start_time == run.start_time);
        let Some(before) = before else {
            return Err(StoreError::NotFound { table: RUNS_BY_START, key: printable(&place) });
        };
        let (old, new) = (RunPlaceRow::all_of(&before), RunPlaceRow::all_of(run));
        for gone in old.iter().filter(|place| !new.contains(place)) {
            self.0.remove::<RunPlaceRow>(&gone.key())?;
        }
        new.iter().filter(|place| !old.contains(place)).try_for_each(|place| self.0.put_new(place))?;
        self.put_blobs(run.artifacts.iter().filter(|artifact| !before.artifacts.contains(artifact)))?;
        match (before.status.is_open(), run.status.is_open()) {
            (true, false) => self.0.remove::<OpenTrainingRow>(&OpenTrainingRow::key_of(&run.run_id))?,
            (false, true) => self.0.put_new(&open_of(run))?,
            _ => {}
        }
        self.0.put(&RunRow::from(run))
    }

    fn put_blobs<'a>(&self, artifacts: impl IntoIterator<Item = &'a Artifact>) -> Result<(), StoreError> {
        for artifact in artifacts {
            if self.0.find_framed(RunBlobRow::TABLE, &RunBlobRow::key_of(&artifact.digest))?.is_none() {
                self.0.put_new(&RunBlobRow { digest: artifact.digest })?;
            }
        }
        Ok(())
    }
}
