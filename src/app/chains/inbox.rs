//! The folders a branch drops files into and takes results from: `inbox/PROJECT` and `outbox/PROJECT` in the home.
//! Never follows a link out of them, and never removes what somebody put there.

use std::fs::DirEntry;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::app::chains::error::ChainError;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::files::{self, at};
use crate::schedule::limits;
use crate::schedule::trigger::{FileSeen, NamePattern};

pub fn inbox(app: &App, project: &str) -> PathBuf {
    app.store.home().path().join("inbox").join(project)
}

pub fn outbox(app: &App, project: &str) -> PathBuf {
    app.store.home().path().join("outbox").join(project)
}

/// Makes both folders, for the owner of the home and its group.
pub(in crate::app::chains) fn make(app: &App, project: &str) -> Result<(), Failure> {
    files::create_folder(&inbox(app, project))?;
    Ok(files::create_folder(&outbox(app, project))?)
}

/// The plain files of an inbox; a folder that is not there has none.
pub fn list(app: &App, project: &str) -> Result<Vec<FileSeen>, Failure> {
    let folder = inbox(app, project);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(&folder)(error).into()),
    };
    let mut seen = Vec::new();
    for entry in entries.take(limits::FILES_WATCHED_MAX) {
        seen.extend(look_at(&entry.map_err(at(&folder))?));
    }
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(seen)
}

/// What goes away while it is looked at is not there.
fn look_at(entry: &DirEntry) -> Option<FileSeen> {
    let about = entry.path().symlink_metadata().ok().filter(|about| about.is_file())?;
    let name = entry.file_name().into_string().ok()?;
    let modified = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let modified_ms = i64::try_from(modified.as_millis()).ok()?;
    Some(FileSeen { name, size: about.len(), modified_ms, digest: None })
}

/// The newest file whose name fits; of two of one time, the last by name.
pub(in crate::app::chains) fn newest(
    app: &App,
    project: &str,
    pattern: &NamePattern,
) -> Result<PathBuf, Failure> {
    let fitting = list(app, project)?.into_iter().filter(|file| pattern.fits(&file.name));
    let newest = fitting.max_by(|a, b| (a.modified_ms, &a.name).cmp(&(b.modified_ms, &b.name)));
    let folder = inbox(app, project);
    match newest {
        Some(file) => Ok(folder.join(file.name)),
        None => Err(no_file(project, pattern.as_str())),
    }
}

/// A file of the inbox by its name, which is one name and no way out.
pub(in crate::app::chains) fn named(app: &App, project: &str, name: &str) -> Result<PathBuf, Failure> {
    let folder = inbox(app, project);
    let is_there = list(app, project)?.iter().any(|file| file.name == name);
    if is_there { Ok(folder.join(name)) } else { Err(no_file(project, name)) }
}

fn no_file(project: &str, pattern: &str) -> Failure {
    ChainError::NoFile { project: project.to_string(), pattern: pattern.to_string() }.into()
}
