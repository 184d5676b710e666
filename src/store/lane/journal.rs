//! The journal beside a store file: what somebody waits for is kept here first, in one piece and with one flush, and the
//! file takes in many commits at once. Whatever is kept here and not in the file is brought there when it is opened.
//! Never read while the store is open, and never asked what a row means.

mod aligned;
mod entry;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use redb::StorageBackend;
use redb::backends::FileBackend;
use rustix::fs::OFlags;

use crate::base::{files, limits};
use crate::store::error::{StoreError, engine};
use crate::store::file::block::BLOCK_BYTES;
use crate::store::file::{StoreFile, guard};
use crate::store::lane::journal::aligned::Aligned;
use crate::store::lane::journal::entry::{Misfit, Owner};
use crate::store::rows::meta::COMMITS;
use crate::store::tables::StoreName;
use crate::store::views::Rows;
use crate::store::views::group::Group;
use crate::store::views::group::changes::{Changes, apply};

pub struct Journal {
    store: StoreName,
    path: PathBuf,
    owner: Owner,
    file: Box<dyn StorageBackend>,
    /// Where the next entry goes.
    at: u64,
    /// When the last entry was written, as long as the journal is not empty.
    kept: Option<Instant>,
    room: Aligned,
}

impl Journal {
    /// Opens the journal at `path`, or makes an empty one.
    pub fn open(store: StoreName, path: &Path, store_id: &str) -> Result<Self, StoreError> {
        let is_new = !path.exists();
        let opened = open_past_cache(path).or_else(|_| open_file(path, OFlags::empty()));
        let file = FileBackend::new(opened.map_err(files::at(path))?);
        let journal = Self::over(store, path, store_id, Box::new(file.map_err(engine(store, OPENING))?))?;
        if is_new && let Some(folder) = path.parent() {
            files::sync_folder(folder)?;
        }
        Ok(journal)
    }

    /// As `open`, over bytes from anywhere.
    pub fn over(
        store: StoreName,
        path: &Path,
        store_id: &str,
        file: Box<dyn StorageBackend>,
    ) -> Result<Self, StoreError> {
        let (path, owner) = (path.to_path_buf(), Owner::of(store_id));
        let mut journal = Self { store, path, owner, file, at: 0, kept: None, room: Aligned::default() };
        journal.fill().map_err(journal.failed(OPENING))?;
        Ok(journal)
    }

    /// All of its bytes are written once: no later write needs room on the disk, or a change to where the file lies.
    fn fill(&mut self) -> io::Result<()> {
        // One that was cut short was never written to the end: what it held is still at its beginning.
        let length = self.file.len()?.next_multiple_of(BLOCK_BYTES);
        if length < limits::JOURNAL_BYTES {
            self.file.set_len(limits::JOURNAL_BYTES)?;
            let zeros = self.room.of((limits::JOURNAL_BYTES - length) as usize);
            zeros.fill(0);
            self.file.write(length, zeros)?;
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Brings into the file what only the journal holds; answers how many commits these were.
    pub fn bring_into(&mut self, file: &StoreFile) -> Result<usize, StoreError> {
        let commits = file.read(|view| view.read_meta_number(COMMITS))?;
        let failed = self.failed(OPENING);
        let mut room = std::mem::take(&mut self.room);
        let bytes = room.of(limits::JOURNAL_BYTES as usize);
        self.file.read(0, bytes).map_err(failed)?;
        let listed = entry::list_after(bytes, self.owner, commits);
        let entries = listed.map_err(|misfit| self.refuse(misfit, commits))?;
        if entries.is_empty() {
            return Ok(0);
        }
        guard(self.store, || {
            let view = file.begin_write()?;
            let group = Group::new(&view);
            entries.iter().try_for_each(|entry| apply(&group, entry.changes))?;
            group.finish()?;
            view.commit()
        })?;
        let count = entries.len();
        self.clear()?;
        Ok(count)
    }

    fn refuse(&self, misfit: Misfit, commits: u64) -> StoreError {
        let (store, path) = (self.store, self.path.clone());
        match misfit {
            Misfit::Foreign => {
                StoreError::CorruptHome { path, why: "it is the journal of another home".to_string() }
            }
            Misfit::Damaged { number } => StoreError::CorruptHome {
                path,
                why: format!("commit {number} is damaged, which was kept here and nowhere else"),
            },
            Misfit::Ahead { first } => StoreError::RolledBack {
                store,
                found: commits,
                witnessed: first.saturating_sub(1),
                witness: path,
            },
        }
    }

    /// Whether there is room for these changes.
    pub fn takes(&self, changes: &Changes) -> bool {
        let size = entry::size_of(changes.bytes().len()) as u64;
        self.at.checked_add(size).is_some_and(|end| end <= limits::JOURNAL_BYTES)
    }

    /// Keeps the changes of a commit; they are durable when it answers. Only what it takes.
    pub fn keep(&mut self, number: u64, changes: &Changes) -> Result<(), StoreError> {
        let failed = self.failed("writing the journal of what is to be kept");
        let size = entry::size_of(changes.bytes().len());
        let sealed = self.room.of(size);
        entry::seal(sealed, self.owner, number, changes.bytes());
        self.file.write(self.at, sealed).and_then(|()| self.file.sync_data()).map_err(failed)?;
        self.at += size as u64;
        self.kept = Some(Instant::now());
        Ok(())
    }

    /// The file has all that was kept here, so its place may be used again.
    pub fn begin_again(&mut self) {
        self.at = 0;
    }

    /// How long a journal that is not empty may still wait for the file to take in what it holds.
    pub fn settles_in(&self) -> Option<Duration> {
        let pause = Duration::from_millis(limits::JOURNAL_PAUSE_MS);
        self.kept.map(|kept| pause.saturating_sub(kept.elapsed()))
    }

    /// The file takes in what is kept here, and the journal is empty.
    pub fn settle(&mut self, file: &StoreFile) -> Result<(), StoreError> {
        if self.kept.is_none() {
            return Ok(());
        }
        if self.at > 0 {
            guard(self.store, || file.begin_write()?.commit())?;
        }
        self.clear()
    }

    /// An emptied journal says nothing about a file that is put beside it later.
    fn clear(&mut self) -> Result<(), StoreError> {
        let failed = self.failed("emptying the journal of what is kept");
        let zeros = self.room.of(BLOCK_BYTES as usize);
        zeros.fill(0);
        self.file.write(0, zeros).and_then(|()| self.file.sync_data()).map_err(failed)?;
        (self.at, self.kept) = (0, None);
        Ok(())
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(io::Error) -> StoreError + use<> {
        let store = self.store;
        move |error| engine(store, doing)(redb::Error::Io(error))
    }
}

/// An entry is written once and read after a crash at most: the page cache would only be work. Not every file system can
/// do without it.
fn open_past_cache(path: &Path) -> io::Result<File> {
    let file = open_file(path, OFlags::DIRECT)?;
    let mut room = Aligned::default();
    std::os::unix::fs::FileExt::read_at(&file, room.of(BLOCK_BYTES as usize), 0)?;
    Ok(file)
}

fn open_file(path: &Path, flags: OFlags) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.mode(0o600).custom_flags(flags.bits() as i32).open(path)
}

const OPENING: &str = "opening the journal of what is kept";
