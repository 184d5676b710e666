//! Which files of the inbox are new and settled: a file that is still being written starts nothing, and one file
//! starts one run. Never opens a file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::schedule::limits;
use crate::schedule::pattern::NamePattern;
use crate::schedule::trigger::Start;

/// One file of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSeen {
    pub name: String,
    pub size: u64,
    pub modified_ms: i64,
    /// Of the content, where someone read it: then a file that was only touched or renamed in time is the same file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What is known of a file since earlier looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    pub size: u64,
    pub modified_ms: i64,
    /// When it was first seen as it is.
    pub since_ms: i64,
}

/// The files of one chain's trigger, kept from look to look. What is lost of it costs a wait, never a second run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inbox {
    pub files: BTreeMap<String, Watched>,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLook {
    /// In the order of the files' times, then names.
    pub starts: Vec<Start>,
    /// Files that fit but are not yet settled, or left for the next look.
    pub waiting: usize,
    /// Files that fit and are beyond those that are watched.
    pub ignored: usize,
    /// When a waiting file can be settled at the soonest.
    pub look_again_ms: Option<i64>,
}

impl Inbox {
    /// Looks at the files whose names fit. `started` holds the keys of starts already made.
    pub fn look(
        &mut self,
        (chain, pattern, settle_ms): (&str, &NamePattern, i64),
        listing: &[FileSeen],
        started: &BTreeSet<String>,
        now_ms: i64,
    ) -> FileLook {
        let mut fitting: Vec<&FileSeen> = listing.iter().filter(|file| pattern.fits(&file.name)).collect();
        fitting.sort_by(|a, b| (a.modified_ms, &a.name).cmp(&(b.modified_ms, &b.name)));
        fitting.retain(|file| !started.contains(&key(chain, file)));
        let ignored = fitting.len().saturating_sub(limits::FILES_WATCHED_MAX);
        fitting.truncate(limits::FILES_WATCHED_MAX);
        self.watch(&fitting, now_ms);

        let mut look = FileLook { starts: Vec::new(), waiting: 0, ignored, look_again_ms: None };
        for file in fitting {
            let since = self.files.get(&file.name).map_or(now_ms, |seen| seen.since_ms);
            let settled_ms = since.saturating_add(settle_ms);
            if settled_ms <= now_ms && look.starts.len() < limits::FILE_STARTS_MAX {
                look.starts.push(Start { key: key(chain, file), from: file.name.clone() });
            } else {
                look.waiting += 1;
                let again = look.look_again_ms.map_or(settled_ms, |soonest| soonest.min(settled_ms));
                look.look_again_ms = Some(again.max(now_ms));
            }
        }
        look
    }

    /// Files that are gone are forgotten; one that changed, or was first seen in what is now the future, begins anew.
    fn watch(&mut self, fitting: &[&FileSeen], now_ms: i64) {
        let mut files = BTreeMap::new();
        for file in fitting {
            let same = self.files.get(&file.name).filter(|seen| {
                seen.size == file.size && seen.modified_ms == file.modified_ms && seen.since_ms <= now_ms
            });
            let since_ms = same.map_or(now_ms, |seen| seen.since_ms);
            let watched = Watched { size: file.size, modified_ms: file.modified_ms, since_ms };
            files.insert(file.name.clone(), watched);
        }
        self.files = files;
    }
}

/// The keys under which the files whose names fit would start a chain, or have.
pub fn keys(chain: &str, pattern: &NamePattern, listing: &[FileSeen]) -> Vec<String> {
    listing.iter().filter(|file| pattern.fits(&file.name)).map(|file| key(chain, file)).collect()
}

/// A name stands last, so that no name can look like another file's key.
fn key(chain: &str, file: &FileSeen) -> String {
    match &file.digest {
        Some(digest) => format!("{chain}/file/{digest}/{}", file.name),
        None => format!("{chain}/file/{}-{}/{}", file.size, file.modified_ms, file.name),
    }
}
