//! What can be asked of and written to the tables of what runs by itself.
//! Never decides what starts; `app::chains` does.

use std::collections::BTreeSet;

use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::rows::chains::{
    ChainRow, ChainRunOrderRow, ChainRunRow, ChainStartRow, OpenRunRow, ProjectRow,
};
use crate::store::rows::{self, Row};
use crate::store::views::{Direction, Lab, LabWrite, Rows, Span};

/// Which runs of chains a list shows.
#[derive(Clone, Debug, Default)]
pub struct ChainRunSpan {
    /// Of one chain of a project; of all without.
    pub of: Option<(String, String)>,
    /// Only those listed after this one.
    pub after: Option<String>,
    pub limit: usize,
}

impl<V: Rows> Lab<V> {
    pub fn find_project(&self, name: &str) -> Result<Option<ProjectRow>, StoreError> {
        self.0.find(&ProjectRow::key_of(name))
    }

    pub fn list_projects(&self) -> Result<Vec<ProjectRow>, StoreError> {
        self.0.list(&Span::all(), limits::PROJECTS_APPLIED_MAX)
    }

    pub fn find_chain(&self, project: &str, chain: &str) -> Result<Option<ChainRow>, StoreError> {
        self.0.find(&ChainRow::key_of(project, chain))
    }

    pub fn find_chain_run(&self, id: &str) -> Result<Option<ChainRunRow>, StoreError> {
        self.0.find(&ChainRunRow::key_of(id))
    }

    /// Runs of chains that have not ended.
    pub fn list_open_chain_runs(&self) -> Result<Vec<ChainRunRow>, StoreError> {
        let open: Vec<OpenRunRow> = self.0.list(&Span::all(), limits::CHAIN_RUNS_OPEN_MAX)?;
        open.iter().map(|row| self.find_listed_run(&row.id)).collect()
    }

    pub fn count_open_runs(&self, project: &str, chain: &str) -> Result<usize, StoreError> {
        let open: Vec<OpenRunRow> = self.0.list(&Span::all(), limits::CHAIN_RUNS_OPEN_MAX)?;
        Ok(open.iter().filter(|row| row.project == project && row.chain == chain).count())
    }

    /// The latest started first.
    pub fn list_chain_runs(&self, wanted: &ChainRunSpan) -> Result<Vec<ChainRunRow>, StoreError> {
        let (project, chain) = wanted.of.clone().unwrap_or_default();
        let mut span = Span::prefix(&ChainRunOrderRow::prefix(&project, &chain));
        if let Some(after) = &wanted.after {
            let Some(last) = self.find_chain_run(after)? else { return Ok(Vec::new()) };
            span = span.after(&order_of(&last, (&project, &chain)).key());
        }
        let mut found = Vec::new();
        self.0.visit(ChainRunOrderRow::TABLE, &span, Direction::Forward, &mut |key, framed| {
            if found.len() < wanted.limit {
                let row: ChainRunOrderRow = rows::open(key, framed)?;
                found.push(self.find_listed_run(&row.id)?);
            }
            Ok(found.len() < wanted.limit)
        })?;
        Ok(found)
    }

    fn find_listed_run(&self, id: &str) -> Result<ChainRunRow, StoreError> {
        let key = ChainRunRow::key_of(id);
        let missing = || StoreError::corrupt(ChainRunRow::TABLE, &key, "the row is missing");
        self.find_chain_run(id)?.ok_or_else(missing)
    }

    pub fn find_chain_start(&self, project: &str, key: &str) -> Result<Option<ChainStartRow>, StoreError> {
        self.0.find(&ChainStartRow::key_of(project, key))
    }

    /// Those of these keys under which a run has been started.
    pub fn list_started(&self, project: &str, keys: Vec<String>) -> Result<BTreeSet<String>, StoreError> {
        let mut started = BTreeSet::new();
        for key in keys {
            if self.find_chain_start(project, &key)?.is_some() {
                started.insert(key);
            }
        }
        Ok(started)
    }

    /// The keys of the starts made of a project that begin so.
    pub fn list_start_keys(&self, project: &str, begin: &str) -> Result<BTreeSet<String>, StoreError> {
        let span = Span::prefix(&ChainStartRow::prefix(project, begin));
        let rows: Vec<ChainStartRow> = self.0.list(&span, limits::CHAIN_STARTS_MAX)?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }
}

fn order_of(row: &ChainRunRow, (project, chain): (&str, &str)) -> ChainRunOrderRow {
    let (started_ms, id) = (row.run.started_ms, row.run.id.clone());
    ChainRunOrderRow { project: project.to_string(), chain: chain.to_string(), started_ms, id }
}

impl LabWrite<'_> {
    pub fn put_project(&self, row: &ProjectRow) -> Result<(), StoreError> {
        self.0.put(row)
    }

    pub fn remove_project(&self, name: &str) -> Result<(), StoreError> {
        self.0.remove::<ProjectRow>(&ProjectRow::key_of(name))
    }

    pub fn put_chain(&self, row: &ChainRow) -> Result<(), StoreError> {
        self.0.put(row)
    }

    /// A run that begins; its cause starts none again.
    pub fn put_chain_run_new(&self, row: &ChainRunRow, key: &str) -> Result<(), StoreError> {
        let (project, chain, id) = (row.project.clone(), row.run.chain.clone(), row.run.id.clone());
        self.0.put_new(row)?;
        self.0.put_new(&order_of(row, ("", "")))?;
        self.0.put_new(&order_of(row, (&project, &chain)))?;
        self.0.put_new(&ChainStartRow {
            project: project.clone(),
            key: key.to_string(),
            run: id.clone(),
            at_ms: row.run.started_ms,
        })?;
        self.0.put_new(&OpenRunRow { id, project, chain })
    }

    /// A run as it has gone on; once it has ended it is open no more.
    pub fn put_chain_run(&self, row: &ChainRunRow) -> Result<(), StoreError> {
        self.0.put(row)?;
        if row.run.ended.is_some() {
            self.0.remove::<OpenRunRow>(&OpenRunRow::key_of(&row.run.id))?;
        }
        Ok(())
    }
}
