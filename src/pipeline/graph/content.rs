//! An artifact's content, a file or a folder of files, named by its digest and made durable.
//! Never follows a link.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::files;
use crate::base::limits;
use crate::pipeline::graph::error::GraphError;

/// What a file or a folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub digest: Digest,
    pub bytes: u64,
}

impl Content {
    /// Of a file: the digest of its bytes. Of a folder: that of its files' paths and digests.
    pub fn of(path: &Path) -> Result<Self, GraphError> {
        let listed = list(path)?;
        let Listed::Folder(files) = listed else { return of_file(path) };
        let mut bytes = 0;
        let mut named: BTreeMap<String, Digest> = BTreeMap::new();
        for (name, file) in files {
            let own = of_file(&file)?;
            bytes += own.bytes;
            named.insert(name, own.digest);
        }
        Ok(Self { digest: canonical::digest_of(&("tallystick.folder.v1", named))?, bytes })
    }
}

fn of_file(path: &Path) -> Result<Content, GraphError> {
    let bytes = fs::symlink_metadata(path).map_err(files::at(path))?.len();
    Ok(Content { digest: Digest::of_file(path).map_err(files::at(path))?, bytes })
}

/// The size alone.
pub fn size_of(path: &Path) -> Result<u64, GraphError> {
    let length = |path: &Path| Ok(fs::symlink_metadata(path).map_err(files::at(path))?.len());
    match list(path)? {
        Listed::File => length(path),
        Listed::Folder(files) => files.iter().map(|(_, file)| length(file)).sum(),
    }
}

/// Makes every byte durable, so that a name given afterwards never names half of it.
pub fn sync(path: &Path) -> Result<(), GraphError> {
    let sync_file = |path: &Path| File::open(path).and_then(|file| file.sync_all()).map_err(files::at(path));
    match list(path)? {
        Listed::File => sync_file(path)?,
        Listed::Folder(files) => {
            let mut folders: Vec<PathBuf> = vec![path.to_path_buf()];
            for (_, file) in &files {
                sync_file(file)?;
                folders.extend(file.ancestors().skip(1).take_while(|up| *up != path).map(Path::to_path_buf));
            }
            folders.sort();
            folders.dedup();
            folders.iter().rev().try_for_each(|folder| files::sync_folder(folder))?;
        }
    }
    Ok(())
}

/// Removes a file or a folder; an absent one is no error.
pub fn remove(path: &Path) -> Result<(), GraphError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(files::remove_folder(path)?),
        Ok(_) => Ok(fs::remove_file(path).map_err(files::at(path))?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(files::at(path)(error).into()),
    }
}

enum Listed {
    File,
    /// Every file, by its path below the folder.
    Folder(Vec<(String, PathBuf)>),
}

fn list(path: &Path) -> Result<Listed, GraphError> {
    let found = fs::symlink_metadata(path).map_err(files::at(path))?;
    if found.is_file() {
        return Ok(Listed::File);
    }
    if !found.is_dir() {
        return Err(GraphError::NotContent { path: path.to_path_buf() });
    }
    let mut files = Vec::new();
    let mut waiting = vec![(String::new(), path.to_path_buf(), 0)];
    while let Some((prefix, folder, depth)) = waiting.pop() {
        for entry in fs::read_dir(&folder).map_err(files::at(&folder))? {
            let entry = entry.map_err(files::at(&folder))?;
            let own = entry.path();
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| GraphError::OutputName { path: own.clone() })?;
            let kind = entry.file_type().map_err(files::at(&own))?;
            let is_many = files.len() + waiting.len() >= limits::GRAPH_OUTPUT_FILES_MAX;
            if is_many || depth > limits::GRAPH_OUTPUT_DEPTH_MAX {
                let max = limits::GRAPH_OUTPUT_FILES_MAX;
                return Err(GraphError::LargeOutput { path: path.to_path_buf(), max });
            }
            if kind.is_dir() {
                waiting.push((format!("{prefix}{name}/"), own, depth + 1));
            } else if kind.is_file() {
                files.push((format!("{prefix}{name}"), own));
            } else {
                return Err(GraphError::NotContent { path: own });
            }
        }
    }
    files.sort();
    Ok(Listed::Folder(files))
}
