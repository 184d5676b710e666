//! One redb file: opened only whole and verified, read only under a guard that turns a panic of the engine into
//! an error. Never creates a file that should already be there.

pub(in crate::store) mod block;
mod pages;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use redb::{Database, DatabaseError, ReadableDatabase};

use crate::base::files::{self, FileError};
use crate::base::limits;
use crate::store::error::{StoreError, engine};
use crate::store::file::pages::{FirstFailure, RememberedFile};
use crate::store::tables::StoreName;
use crate::store::views::{ReadView, WriteView};

pub struct StoreFile {
    store: StoreName,
    path: PathBuf,
    /// Gone only while the file is being closed.
    database: Option<Database>,
    failure: Arc<FirstFailure>,
    repaired: bool,
}

/// Where the bytes of a store come from, each time it is opened.
struct Source<'s> {
    pages: &'s dyn Fn() -> Result<RememberedFile, DatabaseError>,
    cache_bytes: usize,
}

impl<'s> Source<'s> {
    fn file(pages: &'s dyn Fn() -> Result<RememberedFile, DatabaseError>) -> Self {
        Self { pages, cache_bytes: limits::STORE_CACHE_BYTES }
    }
}

impl StoreFile {
    /// Makes a new, empty file; one that exists already is refused.
    pub fn create(store: StoreName, path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            return Err(StoreError::AlreadyAHome { path: path.to_path_buf() });
        }
        let (database, failure) =
            open_database(store, "creating", &Source::file(&|| RememberedFile::create(path)))?;
        Ok(Self { store, path: path.to_path_buf(), database: Some(database), failure, repaired: false })
    }

    /// Opens an existing file and verifies every page of it: the engine's own reads never would.
    pub fn open(store: StoreName, path: &Path) -> Result<Self, StoreError> {
        check_length(store, path)?;
        Self::open_from(store, path, &Source::file(&|| RememberedFile::open(path)))
    }

    /// As `open`, over what a test has instead of a disk; an empty one becomes a new store. With a small cache the
    /// disk is asked often.
    #[cfg(test)]
    pub fn open_over(
        store: StoreName,
        cache_bytes: usize,
        disk: impl Fn() -> Box<dyn redb::StorageBackend>,
    ) -> Result<Self, StoreError> {
        let pages = || Ok(RememberedFile::over(disk()));
        Self::open_from(store, Path::new("memory"), &Source { pages: &pages, cache_bytes })
    }

    fn open_from(store: StoreName, path: &Path, source: &Source) -> Result<Self, StoreError> {
        let (mut database, mut failure, clean) = open_verified(store, source)?;
        if !clean {
            // The engine rebuilt its bookkeeping; it says itself that the file is only then to be opened anew.
            guard(store, || {
                drop(database);
                Ok(())
            })?;
            let again = open_verified(store, source)?;
            if !again.2 {
                let why = "its free-page bookkeeping does not stay repaired".to_string();
                return Err(StoreError::CorruptFile { store, why });
            }
            (database, failure) = (again.0, again.1);
        }
        Ok(Self { store, path: path.to_path_buf(), database: Some(database), failure, repaired: !clean })
    }

    /// What failed first below the engine; it takes nothing more before it is opened again.
    pub fn find_failure(&self) -> Option<StoreError> {
        self.failure.find().map(redb::Error::Io).map(engine(self.store, "reading or writing"))
    }

    /// The engine says of all that comes after a failure only that there was one: answers what it was.
    pub(in crate::store) fn explain(&self, error: StoreError) -> StoreError {
        if error.is_passing() { self.find_failure().unwrap_or(error) } else { error }
    }

    pub fn store(&self) -> StoreName {
        self.store
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether opening found damaged bookkeeping, with all rows intact, and rebuilt it.
    pub fn repaired(&self) -> bool {
        self.repaired
    }

    /// Reads from one snapshot.
    pub fn read<T, E: From<StoreError>>(&self, work: impl FnOnce(&ReadView) -> Result<T, E>) -> Result<T, E> {
        guard(self.store, || {
            let transaction = self.database()?.begin_read().map_err(engine(self.store, "reading"))?;
            Ok(work(&ReadView::new(self.store, transaction)))
        })?
    }

    pub(in crate::store) fn begin_write(&self) -> Result<WriteView, StoreError> {
        guard(self.store, || {
            let mut transaction = self.database()?.begin_write().map_err(engine(self.store, "writing"))?;
            transaction.set_two_phase_commit(true);
            Ok(WriteView::new(self.store, transaction))
        })
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or(StoreError::WriterGone { store: self.store })
    }
}

impl Drop for StoreFile {
    fn drop(&mut self) {
        let database = self.database.take();
        // Closing writes; what fails here is repaired at the next opening.
        let _ = guard(self.store, || {
            drop(database);
            Ok(())
        });
    }
}

fn open_database(
    store: StoreName,
    doing: &'static str,
    source: &Source,
) -> Result<(Database, Arc<FirstFailure>), StoreError> {
    guard(store, || {
        let pages = (source.pages)().map_err(engine(store, doing))?;
        let failure = pages.failure();
        // Not an empty file where one is opened, as was checked: the engine would make a new store of one.
        let mut builder = Database::builder();
        builder.set_cache_size(source.cache_bytes);
        let database = builder.create_with_backend(pages).map_err(engine(store, doing))?;
        Ok((database, failure))
    })
}

/// The database, what tells how it failed, and whether its bookkeeping was in order.
fn open_verified(
    store: StoreName,
    source: &Source,
) -> Result<(Database, Arc<FirstFailure>, bool), StoreError> {
    let (mut database, failure) = open_database(store, "opening", source)?;
    guard(store, move || {
        // Reads every page that is in use, so that every one is remembered as verified.
        let clean = database.check_integrity().map_err(engine(store, "verifying"))?;
        Ok((database, failure, clean))
    })
}

/// The engine would take an empty file for a new store.
fn check_length(store: StoreName, path: &Path) -> Result<(), StoreError> {
    let length = std::fs::metadata(path).map_err(files::at(path)).map_err(|error: FileError| {
        if error.is_not_found() {
            let home = path.parent().unwrap_or(path).to_path_buf();
            StoreError::Incomplete { home, missing: store.file_name() }
        } else {
            error.into()
        }
    })?;
    if length.len() == 0 {
        return Err(StoreError::CorruptFile { store, why: "the file is empty".to_string() });
    }
    Ok(())
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs work that touches the engine; on damaged pages it may panic, which becomes `CorruptFile`.
pub(in crate::store) fn guard<T>(
    store: StoreName,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    quiet_guarded_panics();
    let before = GUARDED.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    answer.unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        let place = PANICKED_AT.take();
        Err(StoreError::CorruptFile {
            store,
            why: format!("work on it stopped unexpectedly ({said}, at {place})"),
        })
    })
}

/// A panic under the guard becomes an error that is reported once; its trace on the terminal would be a second report.
fn quiet_guarded_panics() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if GUARDED.get() {
                PANICKED_AT.set(info.location().map(ToString::to_string).unwrap_or_default());
            } else {
                previous(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_under_the_guard_is_damage_and_the_guard_can_be_used_again() {
        let failed = guard::<()>(StoreName::Lab, || panic!("page 7"));
        assert!(matches!(&failed, Err(StoreError::CorruptFile { why, .. }) if why.contains("page 7")));
        assert_eq!(guard(StoreName::Lab, || Ok(1)).unwrap(), 1);
    }

    #[test]
    fn an_empty_or_absent_file_is_never_taken_for_a_new_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.redb");
        let absent = StoreFile::open(StoreName::Ledger, &path);
        assert!(matches!(absent, Err(StoreError::Incomplete { missing: "ledger.redb", .. })));
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(StoreFile::open(StoreName::Ledger, &path), Err(StoreError::CorruptFile { .. })));
        std::fs::write(&path, b"not a store at all").unwrap();
        assert!(matches!(StoreFile::open(StoreName::Ledger, &path), Err(StoreError::CorruptFile { .. })));
        assert!(StoreFile::create(StoreName::Ledger, &path).is_err());
    }
}
