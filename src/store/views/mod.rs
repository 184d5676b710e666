//! How rows are read and written: one snapshot or one transaction, every value checked on the way.
//! Never commits; the writer lane does.

pub mod answers;
pub mod approvals;
pub mod chains;
pub mod group;
pub mod lab;
pub mod log;
pub mod people;
pub mod registry;
pub mod runs;
pub mod subjects;
pub mod watch;

use std::ops::Bound;

use redb::{Durability, ReadTransaction, ReadableTable, TableHandle, WriteTransaction};

use crate::store::error::{StoreError, engine};
use crate::store::rows::key::after_prefix;
use crate::store::rows::{self, Row, meta};
use crate::store::tables::{StoreName, Table};
use crate::store::views::group::Writes;

/// Keys from `from` on, and before `end` if there is one.
#[derive(Clone, Debug)]
pub struct Span {
    from: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl Span {
    pub fn all() -> Self {
        Self::prefix(&[])
    }

    pub fn prefix(prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), end: after_prefix(prefix) }
    }

    /// The part of this span that comes after `key`.
    pub fn after(mut self, key: &[u8]) -> Self {
        self.from = key.to_vec();
        self.from.push(0);
        self
    }

    /// The part of this span up to and with `key`.
    pub fn up_to(mut self, key: &[u8]) -> Self {
        let mut end = key.to_vec();
        end.push(0);
        self.end = Some(end);
        self
    }

    /// The part of this span from `key` on.
    pub fn starting_at(mut self, key: Vec<u8>) -> Self {
        self.from = key;
        self
    }

    fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(&self.from), end)
    }
}

/// Reading framed bytes, the same from a snapshot and inside a write.
pub trait Framed {
    fn store(&self) -> StoreName;
    /// The framed bytes under a key.
    fn find_framed(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Each key and its framed bytes, in order, until told to stop (`false`).
    fn visit(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        each: &mut Visit,
    ) -> Result<(), StoreError>;
}

/// Reading typed rows, from whatever has framed ones.
pub trait Rows: Framed {
    fn find<R: Row>(&self, key: &[u8]) -> Result<Option<R>, StoreError> {
        self.find_framed(R::TABLE, key)?.map(|framed| rows::open(key, &framed)).transpose()
    }

    /// At most `max` rows in order.
    fn list<R: Row>(&self, span: &Span, max: usize) -> Result<Vec<R>, StoreError> {
        let mut list = Vec::new();
        self.visit(R::TABLE, span, Direction::Forward, &mut |key, framed| {
            if list.len() < max {
                list.push(rows::open(key, framed)?);
            }
            Ok(list.len() < max)
        })?;
        Ok(list)
    }

    /// Each row of a span, without keeping them.
    fn each<R: Row>(
        &self,
        span: &Span,
        work: &mut dyn FnMut(R) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.visit(R::TABLE, span, Direction::Forward, &mut |key, framed| {
            work(rows::open(key, framed)?)?;
            Ok(true)
        })
    }

    /// The row with the greatest key of a span.
    fn find_last<R: Row>(&self, span: &Span) -> Result<Option<R>, StoreError> {
        let mut last = None;
        self.visit(R::TABLE, span, Direction::Backward, &mut |key, framed| {
            last = Some(rows::open(key, framed)?);
            Ok(false)
        })?;
        Ok(last)
    }

    fn find_meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        let table = self.store().meta();
        let framed = self.find_framed(table, name.as_bytes())?;
        framed.map(|framed| meta::open(table, name.as_bytes(), &framed)).transpose()
    }

    /// A number every store file has said of itself since it was made.
    fn read_meta_number(&self, name: &str) -> Result<u64, StoreError> {
        let table = self.store().meta();
        let absent = || StoreError::corrupt(table, name.as_bytes(), "the row is missing");
        meta::parse_number(table, name, &self.find_meta(name)?.ok_or_else(absent)?)
    }
}

impl<V: Framed + ?Sized> Rows for V {}

pub type Visit<'w> = dyn FnMut(&[u8], &[u8]) -> Result<bool, StoreError> + 'w;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// One store file, seen through a transaction.
pub struct View<T> {
    pub(in crate::store::views) store: StoreName,
    pub(in crate::store::views) transaction: T,
}

/// One snapshot of one store file.
pub type ReadView = View<ReadTransaction>;
/// One open write transaction of one store file.
pub type WriteView = View<WriteTransaction>;

impl<T> View<T> {
    pub(in crate::store) fn new(store: StoreName, transaction: T) -> Self {
        Self { store, transaction }
    }
}

impl ReadView {
    /// The names of all tables of any kind in the file.
    pub(in crate::store) fn list_table_names(&self) -> Result<Vec<String>, StoreError> {
        let failed = |error: redb::StorageError| engine(self.store, "listing tables")(error);
        let plain = self.transaction.list_tables().map_err(failed)?;
        let mut names: Vec<String> = plain.map(|table| table.name().to_string()).collect();
        let multi = self.transaction.list_multimap_tables().map_err(failed)?;
        names.extend(multi.map(|table| redb::MultimapTableHandle::name(&table).to_string()));
        Ok(names)
    }
}

impl Framed for ReadView {
    fn store(&self) -> StoreName {
        self.store
    }

    fn find_framed(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let open = self.transaction.open_table(table.definition()).map_err(engine(self.store, "reading"))?;
        let found = open.get(key).map_err(engine(self.store, "reading"))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    fn visit(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        each: &mut Visit,
    ) -> Result<(), StoreError> {
        let open = self.transaction.open_table(table.definition()).map_err(engine(self.store, "reading"))?;
        walk(self.store, &open, span, direction, each)
    }
}

/// Each entry of an open table within a span, until told to stop.
fn walk(
    store: StoreName,
    open: &impl ReadableTable<&'static [u8], &'static [u8]>,
    span: &Span,
    direction: Direction,
    each: &mut Visit,
) -> Result<(), StoreError> {
    let mut range = open.range::<&[u8]>(span.bounds()).map_err(engine(store, "reading"))?;
    loop {
        let next = match direction {
            Direction::Forward => range.next(),
            Direction::Backward => range.next_back(),
        };
        let Some(entry) = next else { return Ok(()) };
        let (key, framed) = entry.map_err(engine(store, "reading"))?;
        if !each(key.value(), framed.value())? {
            return Ok(());
        }
    }
}

impl WriteView {
    pub(in crate::store) fn create_tables(&self, tables: &[Table]) -> Result<(), StoreError> {
        for table in tables {
            let made = self.transaction.open_table(table.definition());
            made.map_err(engine(self.store, "creating a table"))?;
        }
        Ok(())
    }

    pub(in crate::store) fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().map_err(engine(self.store, "committing"))
    }

    /// Shows the changes to readers at once; the file has them for good only with the next `commit`. For changes that are
    /// kept elsewhere meanwhile.
    pub(in crate::store) fn show(mut self) -> Result<(), StoreError> {
        let store = self.store;
        self.transaction.set_durability(Durability::None).map_err(engine(store, "committing"))?;
        self.transaction.commit().map_err(engine(store, "committing"))
    }

    pub(in crate::store) fn abort(self) -> Result<(), StoreError> {
        self.transaction.abort().map_err(engine(self.store, "undoing a write"))
    }
}

impl<V: Framed + ?Sized> Framed for &V {
    fn store(&self) -> StoreName {
        V::store(self)
    }

    fn find_framed(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        V::find_framed(self, table, key)
    }

    fn visit(
        &self,
        table: Table,
        span: &Span,
        direction: Direction,
        each: &mut Visit,
    ) -> Result<(), StoreError> {
        V::visit(self, table, span, direction, each)
    }
}

/// The ledger file, seen through a snapshot or a write: registry, policies, trust, proposals and the tally log.
pub struct Ledger<V>(pub(in crate::store) V);

/// The laboratory file, seen through a snapshot or a write: experiments, runs, data sets.
pub struct Lab<V>(pub(in crate::store) V);

pub type LedgerRead<'v> = Ledger<&'v ReadView>;
pub type LedgerWrite<'v> = Ledger<&'v dyn Writes>;
pub type LabRead<'v> = Lab<&'v ReadView>;
pub type LabWrite<'v> = Lab<&'v dyn Writes>;
