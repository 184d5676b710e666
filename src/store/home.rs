//! The home folder: what lies where, whose it is, and that one process has it at a time.
//! Never opens a store file and never makes one where a home is.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::base::files::{self, FileError};
use crate::base::ids::draw_store_id;
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::migrate;
use crate::store::tables::StoreName;

/// The layout of the folder as a whole; each store file has a schema of its own.
const FORMAT: u64 = 1;
const FOLDERS: [&str; 4] = ["blobs", "keys", "staging", "run"];
const LOCK_PAUSE_MS: u64 = 20;

/// home.json
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub format: u64,
    pub store_id: String,
    /// Milliseconds since 1970.
    pub created: i64,
}

/// A home this process holds until the value is dropped.
#[derive(Debug)]
pub struct Home {
    path: PathBuf,
    identity: Identity,
    _lock: File,
}

impl Home {
    /// Makes a home with two new, empty stores; a folder that holds any part of one is refused.
    pub fn create(path: &Path, now_ms: i64) -> Result<Self, StoreError> {
        create_private(path)?;
        // A folder that was there before may be open to others.
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(files::at(path))?;
        for folder in FOLDERS {
            create_private(&path.join(folder))?;
        }
        let lock = take_lock(path, limits::HOME_WAIT_MS)?;
        if exists(&path.join("home.json"))? {
            return Err(StoreError::AlreadyAHome { path: path.to_path_buf() });
        }
        let identity = Identity { format: FORMAT, store_id: draw_store_id(), created: now_ms };
        for store in [StoreName::Ledger, StoreName::Lab] {
            let file = StoreFile::create(store, &path.join(store.file_name()))?;
            migrate::found(&file, &identity.store_id)?;
            migrate::bring_up(&file, migrate::list_migrations(store))?;
        }
        write_identity(path, &identity)?;
        Ok(Self { path: path.to_path_buf(), identity, _lock: lock })
    }

    /// Takes a home that is whole: home.json and both stores. Empties `staging`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        check_whole(path)?;
        for folder in FOLDERS {
            create_private(&path.join(folder))?;
        }
        let lock = take_lock(path, limits::HOME_WAIT_MS)?;
        let identity = read_identity(path)?;
        let home = Self { path: path.to_path_buf(), identity, _lock: lock };
        home.sweep_staging()?;
        Ok(home)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn store_file(&self, store: StoreName) -> PathBuf {
        self.path.join(store.file_name())
    }

    pub fn journal_file(&self, store: StoreName) -> Option<PathBuf> {
        store.journal_name().map(|name| self.path.join(name))
    }

    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }

    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// Half-made things; emptied whenever a home is opened.
    pub fn staging(&self) -> PathBuf {
        self.path.join("staging")
    }

    pub fn run(&self) -> PathBuf {
        self.path.join("run")
    }

    fn sweep_staging(&self) -> Result<(), StoreError> {
        files::remove_folder(&self.staging())?;
        create_private(&self.staging())
    }
}

/// The whole is missing, or a part of it: never a reason to make a new one.
fn check_whole(path: &Path) -> Result<(), StoreError> {
    let has_identity = exists(&path.join("home.json"))?;
    let mut stores = 0;
    for store in [StoreName::Ledger, StoreName::Lab] {
        if exists(&path.join(store.file_name()))? {
            stores += 1;
        } else if has_identity {
            return Err(StoreError::Incomplete { home: path.to_path_buf(), missing: store.file_name() });
        }
    }
    match (has_identity, stores) {
        (true, _) => Ok(()),
        (false, 0) => Err(StoreError::NoHome { path: path.to_path_buf() }),
        (false, _) => Err(StoreError::Incomplete { home: path.to_path_buf(), missing: "home.json" }),
    }
}

fn exists(path: &Path) -> Result<bool, StoreError> {
    Ok(path.try_exists().map_err(files::at(path))?)
}

pub(in crate::store) fn create_private(path: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    Ok(made.map_err(files::at(path))?)
}

fn write_identity(path: &Path, identity: &Identity) -> Result<(), StoreError> {
    let file = path.join("home.json");
    let bytes = serde_json::to_vec(identity)
        .map_err(|error| StoreError::CorruptHome { path: file.clone(), why: error.to_string() })?;
    // The stores first, so that a home.json never stands without them.
    files::sync_folder(path)?;
    Ok(files::write_atomic(&file, &bytes, 0o600)?)
}

fn read_identity(path: &Path) -> Result<Identity, StoreError> {
    /// What every format will have.
    #[derive(Deserialize)]
    struct Format {
        format: u64,
    }
    let file = path.join("home.json");
    let bytes = files::read_at_most(&file, limits::HOME_FILE_BYTES_MAX)?;
    let corrupt =
        |error: serde_json::Error| StoreError::CorruptHome { path: file.clone(), why: error.to_string() };
    let found = serde_json::from_slice::<Format>(&bytes).map_err(corrupt)?.format;
    if found > FORMAT {
        let what = format!("the home {}", path.display());
        return Err(StoreError::Newer { what, found, known: FORMAT });
    }
    serde_json::from_slice(&bytes).map_err(corrupt)
}

/// Takes the home's lock, waiting at most `wait_ms`; the system lets go of it when the process ends.
fn take_lock(home: &Path, wait_ms: u64) -> Result<File, StoreError> {
    let path = home.join("run").join("lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = file.map_err(files::at(&path))?;
    let begun = Instant::now();
    while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
        if error != rustix::io::Errno::WOULDBLOCK && error != rustix::io::Errno::INTR {
            return Err(FileError::Io { path, source: error.into() }.into());
        }
        if begun.elapsed() >= Duration::from_millis(wait_ms) {
            return Err(StoreError::InUse { home: home.to_path_buf(), holder: read_holder(&mut file) });
        }
        std::thread::sleep(Duration::from_millis(LOCK_PAUSE_MS));
    }
    write_holder(&mut file).map_err(files::at(&path))?;
    Ok(file)
}

fn write_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(std::process::id().to_string().as_bytes())
}

fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(limits::HOME_FILE_BYTES_MAX).read_to_string(&mut text));
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => pid.to_string(),
        _ => "(unknown)".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::{Class, Fact};
    use std::os::unix::fs::PermissionsExt;

    fn made() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("home");
        drop(Home::create(&path, 1_000).unwrap());
        (folder, path)
    }

    #[test]
    fn a_new_home_has_its_folders_closed_to_others_and_keeps_its_identity() {
        let (_folder, path) = made();
        for name in ["", "blobs", "keys", "staging", "run"] {
            let mode = fs::metadata(path.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{name}");
        }
        let identity = || Home::open(&path).unwrap().identity.clone();
        assert_eq!(identity(), identity());
        assert!(matches!(Home::create(&path, 2), Err(StoreError::AlreadyAHome { .. })));
    }

    #[test]
    fn a_home_with_a_part_missing_is_named_and_never_made_anew() {
        for part in ["home.json", "ledger.redb", "lab.redb"] {
            let (_folder, path) = made();
            fs::remove_file(path.join(part)).unwrap();
            let error = Home::open(&path).unwrap_err();
            assert!(
                matches!(error, StoreError::Incomplete { missing, .. } if missing == part),
                "{part}: {error}"
            );
            assert!(Home::create(&path, 2).is_err(), "{part}");
            assert!(!path.join(part).exists(), "{part}");
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(Home::open(empty.path()), Err(StoreError::NoHome { .. })));
    }

    #[test]
    fn a_second_holder_is_refused_and_told_who_has_the_home() {
        let (_folder, path) = made();
        let held = take_lock(&path, 0).unwrap();
        let error = take_lock(&path, 0).unwrap_err();
        assert_eq!(error.class(), Class::Unavailable);
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        drop(held);
        take_lock(&path, 0).unwrap();
    }

    #[test]
    fn a_home_of_a_later_format_is_left_alone_with_its_own_exit_code() {
        let (_folder, path) = made();
        fs::write(path.join("home.json"), br#"{"format":2,"store_id":"x","created":1,"new_field":true}"#)
            .unwrap();
        assert_eq!(Home::open(&path).unwrap_err().class().exit_code(), 78);
        fs::write(path.join("home.json"), br#"{"format":1,"store_id":"x","created":1,"new_field":true}"#)
            .unwrap();
        assert_eq!(Home::open(&path).unwrap_err().code(), "store.corrupt_home");
        fs::write(path.join("home.json"), b"").unwrap();
        assert_eq!(Home::open(&path).unwrap_err().code(), "store.corrupt_home");
    }

    #[test]
    fn what_a_crash_left_in_staging_is_gone_after_opening() {
        let (_folder, path) = made();
        fs::write(path.join("staging/half"), b"x").unwrap();
        let home = Home::open(&path).unwrap();
        assert_eq!(fs::read_dir(home.staging()).unwrap().count(), 0);
    }
}
