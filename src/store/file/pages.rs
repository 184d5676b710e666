//! The file below the engine, remembered block by block: what is read again must be what was verified when the
//! store was opened, or written since. Never repairs; a block that changed by itself is an error.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

use crate::store::file::block::{BLOCK_BYTES, hash};

/// What failed first: after it the engine wants to be opened again, and says no more than that something failed.
#[derive(Debug, Default)]
pub struct FirstFailure(OnceLock<(io::ErrorKind, String)>);

impl FirstFailure {
    pub fn find(&self) -> Option<io::Error> {
        self.0.get().map(|(kind, said)| io::Error::new(*kind, said.clone()))
    }
}

/// The hash of each block by its number, 0 where nothing is known of it. The first block is left out: it holds the
/// commit slots, which the engine checks itself.
#[derive(Debug, Default)]
struct Blocks(Vec<u64>);

impl Blocks {
    fn place(&mut self, number: u64) -> &mut u64 {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if number >= self.0.len() {
            self.0.resize(number + 1, 0);
        }
        &mut self.0[number]
    }

    /// Whether a block is as it was when it was last known; now it is known.
    fn agrees(&mut self, number: u64, hash: u64) -> bool {
        let known = self.place(number);
        if *known == 0 {
            *known = hash;
        }
        *known == hash
    }
}

/// A store file whose blocks are remembered by a hash. Against damage, not against an attacker.
#[derive(Debug)]
pub struct RememberedFile {
    file: Box<dyn StorageBackend>,
    failure: Arc<FirstFailure>,
    blocks: Mutex<Blocks>,
}

impl RememberedFile {
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::new(OpenOptions::new().read(true).write(true).open(path)?)
    }

    pub fn create(path: &Path) -> Result<Self, DatabaseError> {
        Self::new(OpenOptions::new().read(true).write(true).create_new(true).open(path)?)
    }

    fn new(file: File) -> Result<Self, DatabaseError> {
        Ok(Self::over(Box::new(FileBackend::new(file)?)))
    }

    pub fn over(file: Box<dyn StorageBackend>) -> Self {
        Self { file, failure: Arc::default(), blocks: Mutex::default() }
    }

    pub fn failure(&self) -> Arc<FirstFailure> {
        Arc::clone(&self.failure)
    }

    fn watch<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done {
            self.failure.0.get_or_init(|| (error.kind(), error.to_string()));
        }
        done
    }

    fn blocks(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for RememberedFile {
    fn len(&self) -> io::Result<u64> {
        self.watch(self.file.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.watch(self.file.read(offset, out))?;
        for (number, block) in whole_blocks(offset, out) {
            // Before the lock is taken: readers are not to wait for each other's hashing.
            let found = hash(block);
            if !self.blocks().agrees(number, found) {
                let why = format!("block {number} changed on the disk while the store was open");
                return self.watch(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        {
            let mut blocks = self.blocks();
            // Until the write is done, and for blocks written in part, nothing is known.
            for number in touched(offset, data.len()) {
                *blocks.place(number) = 0;
            }
        }
        self.watch(self.file.write(offset, data))?;
        let mut blocks = self.blocks();
        for (number, block) in whole_blocks(offset, data) {
            *blocks.place(number) = hash(block);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let whole = usize::try_from(len / BLOCK_BYTES).unwrap_or(usize::MAX);
        self.blocks().0.truncate(whole);
        self.watch(self.file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watch(self.file.sync_data())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

/// The numbers of all blocks a range touches.
fn touched(offset: u64, length: usize) -> std::ops::Range<u64> {
    offset / BLOCK_BYTES..(offset + length as u64).div_ceil(BLOCK_BYTES)
}

/// The blocks a range covers wholly, with their numbers; the first block of the file is none of them.
fn whole_blocks(offset: u64, data: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let lead = (offset.next_multiple_of(BLOCK_BYTES) - offset) as usize;
    let first = offset.div_ceil(BLOCK_BYTES);
    let whole = data.get(lead..).unwrap_or_default().chunks_exact(BLOCK_BYTES as usize);
    (first..).zip(whole).filter(|(number, _)| *number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_changed_by_itself_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let file = RememberedFile::create(&path).unwrap();
        file.set_len(4 * BLOCK_BYTES).unwrap();
        file.write(BLOCK_BYTES, &[7; 2 * 4096]).unwrap();
        let mut page = [0; 4096];
        file.read(2 * BLOCK_BYTES, &mut page).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[3 * 4096 - 1] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        file.read(BLOCK_BYTES, &mut page).unwrap();
        let error = file.read(2 * BLOCK_BYTES, &mut page).unwrap_err();
        assert!(error.to_string().contains("block 2"), "{error}");
        file.write(2 * BLOCK_BYTES, &[8; 4096]).unwrap();
        file.read(2 * BLOCK_BYTES, &mut page).unwrap();
        assert_eq!(page, [8; 4096]);
    }

    #[test]
    fn only_whole_blocks_past_the_first_are_remembered() {
        let data = [0; 3 * 4096];
        let numbers = |offset, length: usize| {
            whole_blocks(offset, &data[..length]).map(|(number, _)| number).collect::<Vec<u64>>()
        };
        assert!(numbers(0, 320).is_empty());
        assert_eq!(numbers(0, 8192), [1]);
        assert_eq!(numbers(4096, 8192 + 100), [1, 2]);
        assert_eq!(numbers(4000, 8192 + 96), [1, 2]);
        assert!(numbers(5000, 1000).is_empty());
        assert_eq!(touched(4000, 200).collect::<Vec<u64>>(), [0, 1]);
    }
}
