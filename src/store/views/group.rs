//! One write transaction while a group of writes runs in it: each table is opened once, the edge of the log is
//! loaded once, and new rows that may wait are written together. Never commits, and nothing kept here outlives the
//! transaction.

pub mod changes;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use redb::{CursorError, ReadableTable};

use crate::base::digest::Digest;
use crate::ledger::tree::Frontier;
use crate::store::error::{StoreError, engine, printable};
use crate::store::rows::answers::{CasesRow, Counts};
use crate::store::rows::log::NodesRow;
use crate::store::rows::{self, Row, meta};
use crate::store::tables::{StoreName, Table};
use crate::store::views::group::changes::Changes;
use crate::store::views::{Direction, Framed, Span, Visit, WriteView, walk};

/// Reading and writing inside a transaction.
pub trait Writes: Framed {
    /// Writes under a key; answers whether something stood there before.
    fn put_framed(&self, table: Table, key: &[u8], framed: &[u8]) -> Result<bool, StoreError>;
    fn remove_framed(&self, table: Table, key: &[u8]) -> Result<(), StoreError>;
    /// Writes rows of a table before anybody looks into it, at the latest with the end of the group. One that is there
    /// already undoes the whole transaction.
    fn put_later(&self, table: Table, sealed: Sealed);
    /// What writes of one group hand on to each other.
    fn scratch(&self) -> &RefCell<Scratch>;
}

#[derive(Default)]
pub struct Scratch {
    /// The right edge of the tally log as the group has left it so far; none until somebody asked for it.
    pub frontier: Option<Frontier>,
    /// Whether the group has added to the log.
    pub has_grown: bool,
    /// The nodes the group has completed so far.
    pub nodes: Option<NodesRow>,
    /// The cases the group has given so far, by year.
    pub cases: BTreeMap<u64, CasesRow>,
    /// What is to be added to the counters of a release and day.
    pub counts: BTreeMap<(Digest, u64), Counts>,
    /// The counters that the group before this one wrote.
    pub counted: CountsByDay,
}

type CountsByDay = BTreeMap<(Digest, u64), Counts>;

/// What a committed group leaves to the next: nobody else writes there, and read from the file it costs pages.
#[derive(Debug, Default)]
pub struct Carried {
    /// The edge of the log.
    frontier: Option<Frontier>,
    counted: CountsByDay,
}

/// A key and its framed bytes.
type Sealed = (Vec<u8>, Vec<u8>);
type OpenTable<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;
type NamedTable<'t> = (&'static str, Rc<RefCell<OpenTable<'t>>>);

pub struct Group<'t> {
    view: &'t WriteView,
    open: RefCell<Vec<NamedTable<'t>>>,
    /// Rows of each table that wait to be written.
    later: RefCell<Vec<(Table, Vec<Sealed>)>>,
    scratch: RefCell<Scratch>,
    /// All that is written, where somebody wants to have it.
    changes: Option<RefCell<Changes>>,
}

/// What a group leaves to those that come after it.
pub(in crate::store) struct Finished {
    /// For the next group, once this one is committed.
    pub carried: Carried,
    /// Where they were asked for.
    pub changes: Option<Changes>,
}

impl<'t> Group<'t> {
    pub(in crate::store) fn new(view: &'t WriteView) -> Self {
        Self::after(view, Carried::default())
    }

    /// `carried` is what the last commit left, where somebody kept it.
    pub(in crate::store) fn after(view: &'t WriteView, carried: Carried) -> Self {
        let Carried { frontier, counted } = carried;
        let scratch = Scratch { frontier, counted, ..Scratch::default() };
        let (open, later) = (RefCell::default(), RefCell::default());
        Self { view, open, later, scratch: RefCell::new(scratch), changes: None }
    }

    /// Remembers what it writes, in the empty room of an earlier group's.
    pub(in crate::store) fn noting(self, room: Changes) -> Self {
        Self { changes: Some(RefCell::new(room)), ..self }
    }

    /// Writes what still waits.
    pub(in crate::store) fn finish(self) -> Result<Finished, StoreError> {
        for (table, rows) in self.later.take() {
            self.put_waiting(table, rows)?;
        }
        let Scratch { frontier, counted, .. } = self.scratch.into_inner();
        let carried = Carried { frontier, counted };
        Ok(Finished { carried, changes: self.changes.map(RefCell::into_inner) })
    }

    fn note(&self, what: impl FnOnce(&mut Changes)) {
        if let Some(changes) = &self.changes {
            what(&mut changes.borrow_mut());
        }
    }

    /// A table of this transaction with all its rows.
    fn table(&self, table: Table) -> Result<Rc<RefCell<OpenTable<'t>>>, StoreError> {
        let waiting = self
            .later
            .borrow_mut()
            .iter_mut()
            .find(|(of, _)| *of == table)
            .map(|(_, rows)| rows.split_off(0));
        if let Some(rows) = waiting.filter(|rows| !rows.is_empty()) {
            self.put_waiting(table, rows)?;
        }
        self.open(table)
    }

    /// Writes rows in the order of their keys; those behind all that is there, which is most, at one stroke.
    fn put_waiting(&self, table: Table, mut rows: Vec<Sealed>) -> Result<(), StoreError> {
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        self.note(|changes| rows.iter().for_each(|(key, framed)| changes.note_put(table, key, framed)));
        let exists = |key: &[u8]| StoreError::Exists { table, key: printable(key) };
        let failed = |error: redb::StorageError| engine(self.view.store, "writing")(error);
        let open = self.open(table)?;
        let mut open = open.borrow_mut();
        let last = open.last().map_err(failed)?.map(|(key, _)| key.value().to_vec());
        let behind = rows.partition_point(|(key, _)| last.as_ref().is_some_and(|last| key <= last));
        for (key, framed) in &rows[..behind] {
            if open.insert(&key[..], &framed[..]).map_err(failed)?.is_some() {
                return Err(exists(key));
            }
        }
        let mut cursor = open.upper_bound_mut(Bound::<&[u8]>::Unbounded).map_err(failed)?;
        for (key, framed) in &rows[behind..] {
            cursor.insert_before(&key[..], &framed[..]).map_err(|error| match error {
                CursorError::UnorderedKey => exists(key),
                other => engine(self.view.store, "writing")(other),
            })?;
        }
        cursor.close().map_err(failed)
    }

    /// Opened by whoever asks for it first.
    fn open(&self, table: Table) -> Result<Rc<RefCell<OpenTable<'t>>>, StoreError> {
        let mut open = self.open.borrow_mut();
        if let Some((_, known)) = open.iter().find(|(name, _)| *name == table.name) {
            return Ok(Rc::clone(known));
        }
        let made = self.view.transaction.open_table(table.definition());
        let made = Rc::new(RefCell::new(made.map_err(engine(self.view.store, "writing"))?));
        open.push((table.name, Rc::clone(&made)));
        Ok(made)
    }
}

impl Framed for Group<'_> {
    fn store(&self) -> StoreName {
        self.view.store
    }

    fn find_framed(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let open = self.table(table)?;
        let open = open.borrow();
        let found = open.get(key).map_err(engine(self.view.store, "reading"))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    /// The visitor may ask anything and write to other tables, but not to the one it visits.
    fn visit(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        each: &mut Visit,
    ) -> Result<(), StoreError> {
        let open = self.table(table)?;
        walk(self.view.store, &*open.borrow(), span, direction, each)
    }
}

impl Writes for Group<'_> {
    fn put_framed(&self, table: Table, key: &[u8], framed: &[u8]) -> Result<bool, StoreError> {
        let open = self.table(table)?;
        let mut open = open.borrow_mut();
        let before = open.insert(key, framed).map_err(engine(self.view.store, "writing"))?;
        self.note(|changes| changes.note_put(table, key, framed));
        Ok(before.is_some())
    }

    fn remove_framed(&self, table: Table, key: &[u8]) -> Result<(), StoreError> {
        let open = self.table(table)?;
        open.borrow_mut().remove(key).map_err(engine(self.view.store, "writing"))?;
        self.note(|changes| changes.note_removed(table, key));
        Ok(())
    }

    fn put_later(&self, table: Table, sealed: Sealed) {
        let mut later = self.later.borrow_mut();
        match later.iter_mut().find(|(of, _)| *of == table) {
            Some((_, rows)) => rows.push(sealed),
            None => later.push((table, vec![sealed])),
        }
    }

    fn scratch(&self) -> &RefCell<Scratch> {
        &self.scratch
    }
}

impl dyn Writes + '_ {
    /// Writes a row, new or in place of the old one.
    pub fn put<R: Row>(&self, row: &R) -> Result<(), StoreError> {
        let (key, framed) = rows::seal(row)?;
        self.put_framed(R::TABLE, &key, &framed).map(drop)
    }

    /// Writes a row that must not be there yet. Where one was, the error undoes the whole transaction.
    pub fn put_new<R: Row>(&self, row: &R) -> Result<(), StoreError> {
        let (key, framed) = rows::seal(row)?;
        if self.put_framed(R::TABLE, &key, &framed)? {
            return Err(StoreError::Exists { table: R::TABLE, key: printable(&key) });
        }
        Ok(())
    }

    /// As `put_new`, together with other rows of the table: whether one was there is known only when the group ends or
    /// somebody looks into the table.
    pub fn put_new_later<R: Row>(&self, row: &R) -> Result<(), StoreError> {
        self.put_later(R::TABLE, rows::seal(row)?);
        Ok(())
    }

    pub fn remove<R: Row>(&self, key: &[u8]) -> Result<(), StoreError> {
        self.remove_framed(R::TABLE, key)
    }

    pub(in crate::store) fn put_meta(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let table = self.store().meta();
        self.put_framed(table, name.as_bytes(), &meta::seal(table, name, text)).map(drop)
    }
}
