//! The commit that a git repository of this machine has under a name, read from its files: no git program, no setting of
//! a repository, no object. Never writes there, and never follows a name out of the repository's own folders.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::base::fact::{Class, Fact};
use crate::base::files::{FileError, at, open_regular, read_at_most};
use crate::base::limits;
use crate::schedule::refname::RefName;

#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("{path} holds no git repository", path = path.display())]
    NoRepository { path: PathBuf },
    #[error("the repository {path} has nothing under the name {name}", path = path.display())]
    NoRef { path: PathBuf, name: String },
    #[error("{path} is not what git writes there: {why}", path = path.display())]
    Broken { path: PathBuf, why: &'static str },
    #[error("the repository {path} keeps its references as reftable, which is not read", path = path.display())]
    Reftable { path: PathBuf },
    #[error("the repository {path}: {name} leads from name to name without end", path = path.display())]
    Endless { path: PathBuf, name: String },
    #[error("the repository cannot be read: {0}")]
    Unreadable(#[from] FileError),
}

impl Fact for GitError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoRepository { .. } => "git.no_repository",
            Self::NoRef { .. } => "git.no_ref",
            Self::Broken { .. } => "git.broken",
            Self::Reftable { .. } => "git.reftable",
            Self::Endless { .. } => "git.endless",
            Self::Unreadable(_) => "git.unreadable",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Unreadable(error) => error.class(),
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoRepository { .. } => {
                "Correct `path` in schedule.toml, or let the server's user see that folder.".into()
            }
            Self::NoRef { .. } => {
                "Correct `ref` in schedule.toml; a branch of another repository is refs/remotes/ORIGIN/BRANCH.".into()
            }
            Self::Broken { .. } | Self::Endless { .. } => "Let `git fsck` look at the repository.".into(),
            Self::Reftable { .. } => "Let `git refs migrate --ref-format=files` rewrite them.".into(),
            Self::Unreadable(_) => "Let the server's user read that folder.".into(),
        })
    }
}

/// Where a repository keeps its names. A work tree beside the first has a folder of its own and shares the rest.
struct Folders {
    repository: PathBuf,
    own: PathBuf,
    common: PathBuf,
}

/// What a file of one name holds.
enum Held {
    Commit(String),
    Leads(RefName),
}

/// The id under a name: 40 or 64 digits in hex, as the repository has SHA-1 or SHA-256.
pub fn find_commit(repository: &Path, name: &RefName) -> Result<String, GitError> {
    let folders = Folders::find(repository)?;
    let mut at = name.clone();
    for _ in 0..limits::GIT_NAMES_FOLLOWED_MAX {
        match folders.find_loose(&at)? {
            Some(Held::Commit(id)) => return Ok(id),
            Some(Held::Leads(next)) => at = next,
            None => {
                let none = || GitError::NoRef { path: folders.repository.clone(), name: at.to_string() };
                return folders.find_packed(&at)?.ok_or_else(none);
            }
        }
    }
    Err(GitError::Endless { path: folders.repository, name: name.to_string() })
}

impl Folders {
    /// `.git` beside the work tree, as a folder or as a file that says where it is; else the folder itself, which is bare.
    fn find(repository: &Path) -> Result<Self, GitError> {
        let none = || GitError::NoRepository { path: repository.to_path_buf() };
        let beside = repository.join(".git");
        let own = match fs::metadata(&beside) {
            Ok(about) if about.is_dir() => beside,
            Ok(_) => {
                let text = read_small(&beside)?.ok_or_else(none)?;
                let broken =
                    || GitError::Broken { path: beside.clone(), why: "it does not begin with gitdir:" };
                repository.join(path_of(text.strip_prefix(b"gitdir:").ok_or_else(broken)?))
            }
            Err(error) if is_absent(&error) => repository.to_path_buf(),
            Err(error) => return Err(at(&beside)(error).into()),
        };
        let common = match read_small(&own.join("commondir"))? {
            Some(text) => own.join(path_of(&text)),
            None => own.clone(),
        };
        if common.join("reftable").is_dir() {
            return Err(GitError::Reftable { path: repository.to_path_buf() });
        }
        // As git itself knows one.
        if read_small(&own.join("HEAD"))?.is_none() || !common.join("objects").is_dir() {
            return Err(none());
        }
        Ok(Self { repository: repository.to_path_buf(), own, common })
    }

    /// What stands in the file of the name, where there is one.
    fn find_loose(&self, name: &RefName) -> Result<Option<Held>, GitError> {
        const OWN: [&str; 4] = ["HEAD", "refs/bisect/", "refs/worktree/", "refs/rewritten/"];
        let is_own = OWN.iter().any(|own| name.as_str().starts_with(own));
        let path = if is_own { &self.own } else { &self.common }.join(name.as_str());
        let Some(text) = read_small(&path)? else { return Ok(None) };
        let broken = |why| GitError::Broken { path: path.clone(), why };
        let text = std::str::from_utf8(&text).map_err(|_| broken("it is no text"))?.trim_end();
        match text.strip_prefix("ref:") {
            Some(next) => {
                let next = RefName::parse_full(next.trim_start());
                Ok(Some(Held::Leads(next.map_err(|_| broken("it leads to no name"))?)))
            }
            None if is_commit(text) => Ok(Some(Held::Commit(text.to_string()))),
            None => Err(broken("it holds no commit")),
        }
    }

    /// What stands under the name in the one file of names that seldom change. What is packed while it is looked for is
    /// written there before its own file goes away.
    fn find_packed(&self, name: &RefName) -> Result<Option<String>, GitError> {
        let path = self.common.join("packed-refs");
        let file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let max = limits::GIT_PACKED_BYTES_MAX;
        let (mut lines, mut line, mut left) = (BufReader::new(file.take(max + 1)), Vec::new(), max);
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line).map_err(at(&path))?;
            if read == 0 {
                return Ok(None);
            }
            let over = || FileError::TooLarge { path: path.clone(), max };
            left = left.checked_sub(read as u64).ok_or_else(over)?;
            // The others are comments, and what a tag of its own leads to.
            if let Some((id, _)) = split_packed(&line).filter(|(_, n)| *n == name.as_str()) {
                let broken = || GitError::Broken { path: path.clone(), why: "a name in it has no commit" };
                return if is_commit(id) { Ok(Some(id.to_string())) } else { Err(broken()) };
            }
        }
    }
}

fn split_packed(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    line.split_once(' ').filter(|_| !line.starts_with(['#', '^']))
}

/// A small file of git's; nothing where there is none, or a folder of longer names.
fn read_small(path: &Path) -> Result<Option<Vec<u8>>, GitError> {
    match read_at_most(path, limits::GIT_FILE_BYTES_MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FileError::Io { source, .. }) if is_absent(&source) => Ok(None),
        Err(FileError::NotRegular { .. }) if path.is_dir() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn path_of(text: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(text.trim_ascii()))
}

fn is_commit(text: &str) -> bool {
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    matches!(text.len(), 40 | 64) && text.bytes().all(is_hex) && text.bytes().any(|b| b != b'0')
}
