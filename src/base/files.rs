//! Files that are whole or absent: bounded reads, and writes by temp, fsync, rename, fsync folder.
//! Never leaves a half-written file under its final name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::base::fact::{Class, Fact};
use crate::base::fault;

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is larger than the {max} bytes that are read", path = path.display())]
    TooLarge { path: PathBuf, max: u64 },
    #[error("{path} is no regular file", path = path.display())]
    NotRegular { path: PathBuf },
}

impl FileError {
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Fact for FileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } if self.is_not_found() => "file.missing",
            Self::Io { .. } => "file.io",
            Self::TooLarge { .. } => "file.too_large",
            Self::NotRegular { .. } => "file.not_regular",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => Class::Usage,
                io::ErrorKind::PermissionDenied => Class::Permission,
                io::ErrorKind::StorageFull => Class::Unavailable,
                _ => Class::Failed,
            },
            Self::TooLarge { .. } | Self::NotRegular { .. } => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("Free some space on this disk and run the command again.".into())
            }
            Self::Io { .. } => Some("Check the path and its permissions.".into()),
            Self::TooLarge { .. } => Some("Check that it is the file that was meant.".into()),
            Self::NotRegular { .. } => Some("Give a file; a pipe or a device may never end.".into()),
        }
    }
}

/// Names the path in an I/O error.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError + '_ {
    move |source| FileError::Io { path: path.to_path_buf(), source }
}

/// Opens a file that has an end: never a pipe, a device or a folder.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    let metadata = fs::metadata(path).map_err(at(path))?;
    if metadata.is_file() {
        File::open(path).map_err(at(path))
    } else {
        Err(FileError::NotRegular { path: path.to_path_buf() })
    }
}

/// Reads a whole file of at most `max` bytes.
pub fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let file = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(at(path))?;
    let size = bytes.len() as u64;
    if size > max { Err(FileError::TooLarge { path: path.to_path_buf(), max }) } else { Ok(bytes) }
}

/// Writes a file so that a crash leaves the old one or the new one, never a mixture.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let temp = temp_beside(path);
    let written = write_and_sync(&temp, bytes, mode).map_err(at(path)).and_then(|()| {
        fault::point("files.before_rename");
        rename_durably(&temp, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temp);
    }
    written
}

/// A file written in pieces that appears under its name only when it is finished.
#[derive(Debug)]
pub struct PendingFile {
    path: PathBuf,
    temp: PathBuf,
    file: File,
    finished: bool,
}

impl PendingFile {
    pub fn create(path: &Path, mode: u32) -> Result<Self, FileError> {
        let temp = temp_beside(path);
        let mut options = OpenOptions::new();
        let file =
            options.write(true).create(true).truncate(true).mode(mode).open(&temp).map_err(at(path))?;
        Ok(Self { path: path.to_path_buf(), temp, file, finished: false })
    }

    /// Makes the content durable and gives it its name, over an older file of that name.
    pub fn finish(mut self) -> Result<(), FileError> {
        self.file.sync_all().map_err(at(&self.path))?;
        fault::point("files.before_rename");
        rename_durably(&self.temp, &self.path)?;
        self.finished = true;
        Ok(())
    }
}

impl Write for PendingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.temp);
        }
    }
}

/// Renames and makes the rename itself durable.
pub fn rename_durably(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(at(to))?;
    sync_folder(to.parent().unwrap_or(Path::new(".")))
}

pub fn sync_folder(folder: &Path) -> Result<(), FileError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder).and_then(|f| f.sync_all()).map_err(at(folder))
}

pub fn create_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path).map_err(at(path))
}

/// Where a folder is made before it gets its name: beside it, hidden.
pub fn partial_of(folder: &Path) -> PathBuf {
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    folder.with_file_name(format!(".{name}.partial"))
}

/// Removes a folder and all below it; an absent one is no error.
pub fn remove_folder(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Io { path: path.to_path_buf(), source: e })
        }
        _ => Ok(()),
    }
}

fn temp_beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

fn write_and_sync(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_the_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        write_atomic(&path, b"one", 0o600).unwrap();
        write_atomic(&path, b"two", 0o600).unwrap();
        assert_eq!(read_at_most(&path, 3).unwrap(), b"two");
        assert!(matches!(read_at_most(&path, 2), Err(FileError::TooLarge { max: 2, .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_pieces_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let mut pending = PendingFile::create(&path, 0o600).unwrap();
        pending.write_all(b"half").unwrap();
        drop(pending);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut pending = PendingFile::create(&path, 0o600).unwrap();
        pending.write_all(b"whole").unwrap();
        pending.finish().unwrap();
        assert_eq!(read_at_most(&path, 5).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
