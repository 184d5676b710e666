//! The file of bucket keys: two slots with the same keys, so that one torn by a crash leaves the other.
//! Never leaves an old key behind: a renewal is done when neither slot has it any more.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard};

use crate::base::files::at;
use crate::base::limits;
use crate::security::key_file::{open_private, read_secret, save_private};
use crate::security::seal::SealError;
use crate::security::seal::cipher::{Cipher, draw_key};
use crate::security::seal::master::{MasterKey, Purpose};
use crate::security::seal::slot::{Keys, SLOT_BYTES, Scribe, WholeSlot};

/// Below the folder of keys.
pub const BUCKETS_FILE: &str = "buckets.slots";
/// Far enough apart that no block of a disk lies in both slots.
const SLOT_ROOM: usize = 256 << 10;
const FILE_BYTES: usize = 2 * SLOT_ROOM;

pub struct Buckets {
    path: PathBuf,
    scribe: Scribe,
    keys: RwLock<Keys>,
    /// Held by whoever writes the file.
    writing: Mutex<()>,
}

impl Buckets {
    /// Draws the keys of a new store; an existing file is never overwritten.
    pub fn create(path: &Path, master: &MasterKey, store_id: &str) -> Result<Self, SealError> {
        let scribe = Scribe::new(&master.derive(Purpose::Buckets)?, store_id)?;
        let keys = Keys::draw()?;
        let mut slot = scribe.write(&keys)?;
        slot.resize(SLOT_ROOM, 0);
        save_private(path, &slot.repeat(2))?;
        Ok(Self::holding(path, scribe, keys))
    }

    /// Reads the later whole slot and mends the other from it.
    pub fn open(path: &Path, master: &MasterKey, store_id: &str) -> Result<Self, SealError> {
        let scribe = Scribe::new(&master.derive(Purpose::Buckets)?, store_id)?;
        let bytes = read_secret(path, open_private(path)?, FILE_BYTES as u64)?;
        let slots = [0, SLOT_ROOM].map(|start| bytes.get(start..).and_then(WholeSlot::find));
        let generations = slots.each_ref().map(|slot| slot.as_ref().map(WholeSlot::generation));
        let later = slots.into_iter().flatten().max_by_key(WholeSlot::generation);
        let later = later.ok_or_else(|| SealError::BucketsDamaged { path: path.to_path_buf() })?;
        let keys = scribe.open(&later).map_err(|_| SealError::OtherMaster { path: path.to_path_buf() })?;
        let buckets = Self::holding(path, scribe, keys);
        buckets.mend(generations)?;
        Ok(buckets)
    }

    fn holding(path: &Path, scribe: Scribe, keys: Keys) -> Self {
        Self { path: path.to_path_buf(), scribe, keys: RwLock::new(keys), writing: Mutex::new(()) }
    }

    /// Counts what was ever written: two steps a renewal.
    pub fn generation(&self) -> u64 {
        self.read().generation
    }

    /// The bucket whose renewal a crash cut off; to be renewed again before any other.
    pub fn unfinished(&self) -> Option<u16> {
        self.read().next.as_ref().map(|(bucket, _)| *bucket)
    }

    /// Gives a bucket a new key and forgets the old one for good.
    ///
    /// First both slots get the new key beside the old. Then `rewrap` replaces every wrapped key of the bucket
    /// that is to survive (`Sealer::rewrap`) and makes that durable: what it leaves out is lost, and so is a
    /// record that was sealed before this call and is committed after `rewrap`. Then both slots get the new key
    /// alone. Killed anywhere in between, both keys are there still and the same call ends the renewal.
    pub fn renew<E: From<SealError>>(
        &self,
        bucket: u16,
        rewrap: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.unfinished() {
            None => self.begin(bucket)?,
            Some(open) if open != bucket => return Err(SealError::RenewalOpen { bucket: open }.into()),
            Some(_) => (),
        }
        rewrap()?;
        let renewed = self.read().renewed();
        Ok(self.put(renewed)?)
    }

    fn begin(&self, bucket: u16) -> Result<(), SealError> {
        if usize::from(bucket) >= limits::BUCKETS {
            return Err(SealError::NoBucket { bucket });
        }
        let next = (bucket, draw_key()?);
        let with_next = self.read().later(Some(next));
        self.put(with_next)
    }

    /// The cipher that new keys of a bucket are wrapped with.
    pub(in crate::security::seal) fn newest(&self, bucket: u16) -> Result<Cipher, SealError> {
        let keys = self.read();
        match &keys.next {
            Some((renewing, key)) if *renewing == bucket => Cipher::new(key),
            _ => Cipher::new(keys.key(bucket).ok_or(SealError::NoBucket { bucket })?),
        }
    }

    /// The cipher of the key that a renewal is about to forget.
    pub(in crate::security::seal) fn outgoing(&self, bucket: u16) -> Result<Option<Cipher>, SealError> {
        let keys = self.read();
        match &keys.next {
            Some((renewing, _)) if *renewing == bucket => keys.key(bucket).map(Cipher::new).transpose(),
            _ => Ok(None),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both slots, each durable before the next is touched; then what is held in memory.
    fn put(&self, keys: Keys) -> Result<(), SealError> {
        let slot = self.scribe.write(&keys)?;
        let file = self.open_file()?;
        for start in [0, SLOT_ROOM] {
            self.write_slot(&file, start, &slot)?;
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Writes a slot that is torn, or older than the other, anew.
    fn mend(&self, generations: [Option<u64>; 2]) -> Result<(), SealError> {
        let generation = Some(self.generation());
        for (start, found) in [0, SLOT_ROOM].into_iter().zip(generations) {
            if found != generation {
                let slot = self.scribe.write(&self.read())?;
                self.write_slot(&self.open_file()?, start, &slot)?;
            }
        }
        Ok(())
    }

    fn open_file(&self) -> Result<File, SealError> {
        Ok(OpenOptions::new().write(true).open(&self.path).map_err(at(&self.path))?)
    }

    fn write_slot(&self, file: &File, start: usize, slot: &[u8]) -> Result<(), SealError> {
        let written = file.write_all_at(slot, start as u64).and_then(|()| file.sync_all());
        Ok(written.map_err(at(&self.path))?)
    }
}

const _: () = assert!(SLOT_BYTES <= SLOT_ROOM);

#[cfg(test)]
mod tests;
