//! What can be asked of and written to the laboratory's tables beside runs: experiments, histories, data sets, orders.
//! Never checks a tracking rule; `tracking` did before a row comes here.

use std::collections::BTreeSet;

use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::rows::Row;
use crate::store::rows::lab::{
    DatasetRow, ExperimentNameRow, ExperimentRow, MetricRow, OrderRow, RunBlobRow, RunRow,
};
use crate::store::tables::EXPERIMENTS;
use crate::store::views::{Lab, LabWrite, Rows, Span};
use crate::tracking::experiment::{Experiment, parse_experiment_id};
use crate::tracking::metric::MetricPoint;

impl<V: Rows> Lab<V> {
    /// The experiment of a number; an id that is no number names none.
    pub fn find_experiment(&self, experiment_id: &str) -> Result<Option<Experiment>, StoreError> {
        let Ok(number) = parse_experiment_id(experiment_id) else { return Ok(None) };
        let row: Option<ExperimentRow> = self.0.find(&ExperimentRow::key_of(number))?;
        Ok(row.map(Experiment::from))
    }

    /// The experiment that has this name, deleted or not.
    pub fn find_experiment_by_name(&self, name: &str) -> Result<Option<Experiment>, StoreError> {
        let row: Option<ExperimentNameRow> = self.0.find(&ExperimentNameRow::key_of(name))?;
        row.map_or(Ok(None), |row| self.find_experiment(&row.number.to_string()))
    }

    /// Oldest step first, at most `limit`.
    pub fn list_metric_history(
        &self,
        run_id: &RunId,
        key: &str,
        limit: usize,
    ) -> Result<Vec<MetricPoint>, StoreError> {
        let rows: Vec<MetricRow> = self.0.list(&Span::prefix(&MetricRow::prefix(run_id, key)), limit)?;
        Ok(rows.into_iter().map(|row| row.point).collect())
    }

    pub fn find_dataset(&self, name: &str, content: &Digest) -> Result<Option<DatasetRow>, StoreError> {
        self.0.find(&DatasetRow::key_of(name, content))
    }

    /// The data set of a name that was imported last; of two at the same time, the one of the greater digest.
    pub fn find_dataset_last(&self, name: &str) -> Result<Option<DatasetRow>, StoreError> {
        let mut last: Option<DatasetRow> = None;
        self.0.each(&Span::prefix(&DatasetRow::prefix(name)), &mut |row: DatasetRow| {
            if last.as_ref().is_none_or(|last| last.imported_ms <= row.imported_ms) {
                last = Some(row);
            }
            Ok(())
        })?;
        Ok(last)
    }

    /// Every data set: by name, then digest.
    pub fn each_dataset(
        &self,
        each: &mut dyn FnMut(DatasetRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::all(), each)
    }

    pub fn find_order(&self, run_id: &RunId) -> Result<Option<OrderRow>, StoreError> {
        self.0.find(&OrderRow::key_of(run_id))
    }

    /// Runs that wait or are under way, the first ordered first.
    pub fn list_orders(&self) -> Result<Vec<OrderRow>, StoreError> {
        let mut orders: Vec<OrderRow> = self.0.list(&Span::all(), limits::LIST_MAX)?;
        orders.sort_by(|a, b| (a.ordered_ms, &a.run_id).cmp(&(b.ordered_ms, &b.run_id)));
        Ok(orders)
    }

    /// The blobs that rows of this file name and that must exist.
    pub fn list_required(&self) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = BTreeSet::new();
        self.0.each(&Span::all(), &mut |row: DatasetRow| {
            named.insert(row.parquet);
            Ok(())
        })?;
        self.0.each(&Span::all(), &mut |row: RunRow| {
            named.extend(row.artifacts.iter().map(|artifact| artifact.digest));
            Ok(())
        })?;
        Ok(named)
    }

    /// The blobs that rows of this file name or have named, among them contracts, which need not be kept as blobs.
    /// Asked at every opening, so it looks through no run.
    pub fn list_referenced(&self) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = BTreeSet::new();
        self.0.each(&Span::all(), &mut |row: DatasetRow| {
            named.extend([row.parquet, row.contract]);
            Ok(())
        })?;
        self.0.each(&Span::all(), &mut |row: RunBlobRow| {
            named.insert(row.digest);
            Ok(())
        })?;
        Ok(named)
    }
}

impl LabWrite<'_> {
    /// Writes an experiment, new or changed; a name stays with the experiment that had it first.
    pub fn put_experiment(&self, experiment: &Experiment) -> Result<(), StoreError> {
        let id = &experiment.experiment_id;
        let number = parse_experiment_id(id)
            .map_err(|_| StoreError::NotFound { table: EXPERIMENTS, key: id.clone() })?;
        let row = ExperimentRow::from_experiment(number, experiment);
        let owner = ExperimentNameRow { name: row.name.clone(), number };
        match self.0.find::<ExperimentNameRow>(&owner.key())? {
            Some(known) if known != owner => {
                return Err(StoreError::Exists { table: EXPERIMENTS, key: row.name });
            }
            Some(_) => {}
            None => self.0.put_new(&owner)?,
        }
        self.0.put(&row)
    }

    /// Appends a point to a metric's history; the run's own latest point is the caller's to write.
    pub fn add_metric(&self, run_id: &RunId, key: &str, point: &MetricPoint) -> Result<(), StoreError> {
        let span = Span::prefix(&MetricRow::prefix_of_point(run_id, key, point));
        let last: Option<MetricRow> = self.0.find_last(&span)?;
        let n = last.map_or(0, |last| last.n + 1);
        self.0.put_new(&MetricRow { run_id: run_id.clone(), key: key.to_string(), point: *point, n })
    }

    /// Writes a data set; the same content under the same name again only renews its import time.
    pub fn put_dataset(&self, row: &DatasetRow) -> Result<(), StoreError> {
        self.0.put(row)
    }

    /// Writes an order, new or claimed.
    pub fn put_order(&self, row: &OrderRow) -> Result<(), StoreError> {
        self.0.put(row)
    }

    /// Takes a run off the queue; one that is not there is none.
    pub fn remove_order(&self, run_id: &RunId) -> Result<(), StoreError> {
        self.0.remove_framed(OrderRow::TABLE, &OrderRow::key_of(run_id))
    }
}
