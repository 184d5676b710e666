//! Lines at the end of a file of the home, durable before they count as delivered, in files of a bounded size.
//! Never leaves half a line, and never writes one twice that an earlier attempt left there.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::alert::message::Message;
use crate::alert::settings::channel::AlertFile;
use crate::base::files::{at, create_folder, rename_durably, sync_folder};
use crate::notify::error::NotifyError;
use crate::notify::{Delivered, Ground, limits};

pub async fn send(
    to: &AlertFile,
    message: &Message,
    lines: &[String],
    ground: &Ground,
) -> Result<Delivered, NotifyError> {
    let (to, folder, lines) = (to.clone(), ground.alerts.clone(), lines.to_vec());
    let may_repeat = message.may_repeat;
    // A disk may take its time; who else sends meanwhile does not wait for it.
    let written = tokio::task::spawn_blocking(move || append(&to, &folder, lines, may_repeat)).await;
    written.map_err(|error| NotifyError::Message { why: error.to_string() })?
}

fn append(
    to: &AlertFile,
    folder: &Path,
    mut lines: Vec<String>,
    may_repeat: bool,
) -> Result<Delivered, NotifyError> {
    create_folder(folder)?;
    let path = folder.join(&to.name);
    let wanted = lines.len();
    if may_repeat {
        let there = written_before(&path)?;
        lines.retain(|line| mark(line).is_none_or(|mark| !there.contains(&mark)));
    }
    let left_out = wanted - lines.len();
    let note = (left_out > 0).then(|| format!("{left_out} lines were there already"));
    if lines.is_empty() {
        return Ok(Delivered { confirmed: true, note });
    }
    let text = lines.join("\n") + "\n";
    make_room(&path, to, text.len() as u64)?;
    write_whole(&path, text.as_bytes())?;
    sync_folder(folder)?;
    Ok(Delivered { confirmed: true, note })
}

/// By which a line is known again: its message and its alert.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Mark {
    message: String,
    id: String,
}

fn mark(line: &str) -> Option<Mark> {
    serde_json::from_str(line).ok()
}

/// The whole lines at the end of the file.
fn written_before(path: &Path) -> Result<BTreeSet<Mark>, NotifyError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(at(path)(error).into()),
    };
    let bytes = file.metadata().map_err(at(path))?.len();
    file.seek(SeekFrom::Start(bytes.saturating_sub(limits::FILE_TAIL_BYTES))).map_err(at(path))?;
    let mut tail = Vec::new();
    file.take(limits::FILE_TAIL_BYTES).read_to_end(&mut tail).map_err(at(path))?;
    let text = String::from_utf8_lossy(&tail);
    let whole = text.rsplit_once('\n').map(|(whole, _)| whole).unwrap_or_default();
    Ok(whole.lines().filter_map(mark).collect())
}

/// Puts a full file aside as `.1`, what was there as `.2`, and so on; what is beyond the last goes.
fn make_room(path: &Path, to: &AlertFile, more: u64) -> Result<(), NotifyError> {
    let bytes = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(path)(error).into()),
    };
    if bytes == 0 || bytes.saturating_add(more) <= to.bytes_max {
        return Ok(());
    }
    if to.files_kept == 0 {
        return Ok(fs::remove_file(path).map_err(at(path))?);
    }
    for number in (1..to.files_kept).rev() {
        let older = aside(path, number);
        if older.exists() {
            rename_durably(&older, &aside(path, number + 1))?;
        }
    }
    Ok(rename_durably(path, &aside(path, 1))?)
}

fn aside(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!("{name}.{number}"))
}

/// All of it is in the file and on the disk, or none of it is in the file.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), NotifyError> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).mode(0o600).open(path).map_err(at(path))?;
    let before = file.metadata().map_err(at(path))?.len();
    let torn = before > 0 && !ends_a_line(&file, before).map_err(at(path))?;
    let start: &[u8] = if torn { b"\n" } else { b"" };
    let written = file.write_all(start).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_all());
    let Err(error) = written else { return Ok(()) };
    let error = at(path)(error);
    match file.set_len(before).and_then(|()| file.sync_all()) {
        Ok(()) => Err(error.into()),
        Err(_) => Err(NotifyError::HalfWritten(error)),
    }
}

/// Whether the last byte is the end of a line; a power cut may have left half of one.
fn ends_a_line(mut file: &File, bytes: u64) -> io::Result<bool> {
    let mut last = [0u8; 1];
    file.seek(SeekFrom::Start(bytes.saturating_sub(1)))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests;
