//! Where a batch works and where it ends: a hidden part folder, one rename, and the `latest` link.
//! A folder under its final name is whole; nothing half-written is ever seen there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::base::fault;
use crate::base::files::{self, at};
use crate::serve::batch::error::BatchError;

/// The folder `OUT/.<id>.partial`, held by this process alone until it is dropped.
pub struct PartFolder {
    path: PathBuf,
    out: PathBuf,
    id: String,
    /// The lock is on the folder itself: it goes with the process, and leaves no file behind.
    lock: File,
}

pub fn final_folder(out: &Path, id: &str) -> PathBuf {
    out.join(id)
}

impl PartFolder {
    pub fn open(out: &Path, id: &str) -> Result<Self, BatchError> {
        files::create_folder(out)?;
        let path = out.join(format!(".{id}.partial"));
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(at(&path))?;
        let lock = File::open(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, out: out.to_path_buf(), id: id.to_string(), lock }),
            Err(TryLockError::WouldBlock) => Err(BatchError::Busy { folder: path }),
            Err(TryLockError::Error(source)) => Err(at(&path)(source).into()),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a part file for appending.
    pub fn open_part(&self, name: &str) -> Result<File, BatchError> {
        let path = self.file(name);
        let mut options = OpenOptions::new();
        Ok(options.append(true).create(true).mode(0o600).open(&path).map_err(at(&path))?)
    }

    /// Opens a part file and cuts off what lies beyond its first `length` bytes. `None` where it is
    /// shorter: the journal speaks of another file.
    pub fn open_part_at(&self, name: &str, length: u64) -> Result<Option<File>, BatchError> {
        let (path, file) = (self.file(name), self.open_part(name)?);
        if file.metadata().map_err(at(&path))?.len() < length {
            return Ok(None);
        }
        file.set_len(length).map_err(at(&path))?;
        Ok(Some(file))
    }

    /// Removes every file but those named.
    pub fn keep_only(&self, names: &[&str]) -> Result<(), BatchError> {
        for entry in fs::read_dir(&self.path).map_err(at(&self.path))? {
            let entry = entry.map_err(at(&self.path))?;
            if !names.iter().any(|name| entry.file_name() == **name) {
                fs::remove_file(entry.path()).map_err(at(&entry.path()))?;
            }
        }
        Ok(files::sync_folder(&self.path)?)
    }

    /// Gives the folder its final name, then lets `latest` point to it.
    pub fn publish(self) -> Result<PathBuf, BatchError> {
        let finished = final_folder(&self.out, &self.id);
        fault::point("batch.before_rename");
        files::rename_durably(&self.path, &finished)?;
        fault::point("batch.before_latest");
        point_latest(&self.out, &self.id)?;
        Ok(finished)
    }

    /// Gives the part folder up with all it holds.
    pub fn discard(self) -> Result<(), BatchError> {
        Ok(files::remove_folder(&self.path)?)
    }
}

impl Drop for PartFolder {
    /// Says so at once: a child that is just being spawned may hold the same lock a moment longer.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// Swaps `OUT/latest` for a link to this batch; a reader finds the old one or the new one.
pub fn point_latest(out: &Path, id: &str) -> Result<(), BatchError> {
    let link = out.join("latest");
    if fs::read_link(&link).is_ok_and(|target| target == Path::new(id)) {
        return Ok(());
    }
    let temp = out.join(format!(".latest.{}.partial", std::process::id()));
    match fs::remove_file(&temp) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(at(&temp)(source).into()),
        _ => {}
    }
    symlink(id, &temp).map_err(at(&temp))?;
    Ok(files::rename_durably(&temp, &link)?)
}
