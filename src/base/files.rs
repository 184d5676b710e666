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
    #[error("{path} is {size} bytes; at most {max} are read", path = path.display())]
    TooLarge { path: PathBuf, size: u64, max: u64 },
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
            Self::TooLarge { .. } => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("Free some space on this disk and run the command again.".into())
            }
            _ => None,
        }
    }
}

/// Names the path in an I/O error.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> FileError + '_ {
    move |source| FileError::Io { path: path.to_path_buf(), source }
}

/// Reads a whole file of at most `max` bytes.
pub fn read_at_most(path: &Path, max: u64) -> Result<Vec<u8>, FileError> {
    let file = File::open(path).map_err(at(path))?;
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes).map_err(at(path))?;
    let size = bytes.len() as u64;
    if size > max { Err(FileError::TooLarge { path: path.to_path_buf(), size, max }) } else { Ok(bytes) }
}

/// Writes a file so that a crash leaves the old one or the new one, never a mixture.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let temp = temp_beside(path);
    let written = write_and_sync(&temp, bytes, mode).and_then(|()| {
        fault::point("files.before_rename");
        rename_durably(&temp, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temp);
    }
    written
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

fn write_and_sync(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path).map_err(at(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(path))
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
        assert!(matches!(read_at_most(&path, 2), Err(FileError::TooLarge { size: 3, max: 2, .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
