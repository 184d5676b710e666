//! Files that are sent to be imported or trained on: into the home's staging piece by piece, used once, forgotten after
//! a while and whenever the home is opened. Never in memory as a whole, and only for who sent them.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::app::home::App;
use crate::app::training::desk::Upload;
use crate::app::training::error::TrainingError;
use crate::base::digest::{Digest, Hasher};
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids::draw_secret_name;
use crate::base::limits;
use crate::security::actor::Act;

const PIECE_BYTES: usize = 256 << 10;

/// Takes in what a body holds.
pub fn receive(app: &App, body: &mut dyn Read) -> Result<Upload, Failure> {
    app.may(Act::ImportData)?;
    forget_old(app);
    check_room(app)?;
    let folder = app.uploads_folder();
    files::create_folder(&folder)?;
    let id = draw_secret_name();
    let path = folder.join(&id);
    let (bytes, sha256) = take_in(body, &path, limits::UPLOAD_BYTES_MAX)?;
    let by = app.person().name().to_string();
    let upload = Upload { id, bytes, sha256, path, by, arrived_ms: app.elapsed_ms() };
    app.desk.uploads().insert(upload.id.clone(), upload.clone());
    Ok(upload)
}

/// One sender's files leave room for those of others.
fn check_room(app: &App) -> Result<(), TrainingError> {
    let (uploads, name) = (app.desk.uploads(), app.person().name());
    let own = uploads.values().filter(|upload| upload.by == name);
    let oldest = own.clone().map(|upload| upload.arrived_ms).min().unwrap_or_default();
    let waiting = own.count();
    if waiting >= limits::UPLOADS_OF_ONE_MAX {
        let left_ms = (oldest + limits::UPLOAD_KEPT_MS).saturating_sub(app.elapsed_ms());
        return Err(TrainingError::ManyOwnUploads { waiting, retry_after_s: left_ms / 1_000 + 1 });
    }
    let waiting = uploads.len();
    if waiting >= limits::UPLOADS_MAX { Err(TrainingError::ManyUploads { waiting }) } else { Ok(()) }
}

/// Writes a body of at most `max` bytes to a new file, which is whole or absent.
pub(in crate::app) fn take_in(body: &mut dyn Read, path: &Path, max: u64) -> Result<(u64, Digest), Failure> {
    let written = write_all(body, path, max);
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}

fn write_all(body: &mut dyn Read, path: &Path, max: u64) -> Result<(u64, Digest), Failure> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = file.map_err(files::at(path))?;
    let (mut hasher, mut bytes) = (Hasher::new(), 0u64);
    let mut piece = vec![0u8; PIECE_BYTES];
    loop {
        let read = body.read(&mut piece).map_err(files::at(Path::new("the body")))?;
        if read == 0 {
            return Ok((bytes, hasher.finish()));
        }
        bytes += read as u64;
        if bytes > max {
            return Err(TrainingError::LargeUpload { max }.into());
        }
        hasher.update(&piece[..read]);
        file.write_all(&piece[..read]).map_err(files::at(path))?;
    }
}

/// A sent file in use; it is gone when the use is over.
pub(in crate::app) struct Used {
    pub path: PathBuf,
}

impl Drop for Used {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The sent file of a name, for the one who sent it; nobody finds it a second time.
pub(in crate::app) fn take(app: &App, id: &str) -> Result<Used, Failure> {
    let mut uploads = app.desk.uploads();
    match uploads.get(id).filter(|upload| upload.by == app.person().name()) {
        Some(_) => {}
        None => return Err(TrainingError::NoUpload { id: id.chars().take(64).collect() }.into()),
    }
    let path = uploads.remove(id).map(|upload| upload.path).unwrap_or_default();
    Ok(Used { path })
}

/// Removes what was sent and never used.
pub fn forget_old(app: &App) {
    let now = app.elapsed_ms();
    app.desk.uploads().retain(|_, upload| {
        let is_new = now.saturating_sub(upload.arrived_ms) <= limits::UPLOAD_KEPT_MS;
        if !is_new {
            let _ = std::fs::remove_file(&upload.path);
        }
        is_new
    });
}

/// The name a file had where it came from: its last part alone, since it becomes part of records and messages.
pub(in crate::app) fn check_file_name(name: &str) -> Result<(), TrainingError> {
    let fits = (1..=limits::FILE_NAME_CHARS_MAX).contains(&name.chars().count());
    let plain = !name.contains(['/', '\0']) && !name.chars().any(char::is_control) && name != "..";
    if fits && plain { Ok(()) } else { Err(TrainingError::FileName) }
}
