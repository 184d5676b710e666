//! The open file of a lane, which its writer may take away and exchange while others read.
//! Never opens a file, and never takes one away from a reader at work.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::base::limits;
use crate::store::file::StoreFile;

const LOOK_PAUSE_MS: u64 = 2;

/// Nothing while the file is closed. The lock is held for as long as a pointer is copied, never while reading.
pub struct Slot(RwLock<Option<Arc<StoreFile>>>);

impl Slot {
    pub fn new(file: StoreFile) -> Self {
        Self(RwLock::new(Some(Arc::new(file))))
    }

    pub fn find(&self) -> Option<Arc<StoreFile>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn put(&self, file: StoreFile) {
        self.replace(Some(Arc::new(file)));
    }

    /// Closes the file once those who read in it have ended. Where they take too long it stays open, for all.
    pub fn close(&self) -> bool {
        let Some(mut file) = self.replace(None) else { return true };
        let begun = Instant::now();
        loop {
            file = match Arc::try_unwrap(file) {
                Ok(whole) => {
                    drop(whole);
                    return true;
                }
                Err(shared) => shared,
            };
            if begun.elapsed() >= Duration::from_millis(limits::STORE_READERS_WAIT_MS) {
                self.replace(Some(file));
                return false;
            }
            std::thread::sleep(Duration::from_millis(LOOK_PAUSE_MS));
        }
    }

    fn replace(&self, file: Option<Arc<StoreFile>>) -> Option<Arc<StoreFile>> {
        std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), file)
    }
}
