//! What starts a chain besides its hour, checked: a file, a commit, drift, a number of outcomes, the end of another chain.
//! Never looks whether it has come; `trigger` does.

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::schedule::definition::{check_duration, check_number, check_word};
use crate::schedule::error::{Place, ScheduleError};
use crate::schedule::limits;
use crate::schedule::pattern::NamePattern;
use crate::schedule::raw::RawTrigger;
use crate::schedule::refname::RefName;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerOn {
    /// A file in the project's inbox whose name fits and that has not changed for `settle_ms`.
    File {
        path: NamePattern,
        settle_ms: i64,
    },
    /// Another commit under a name of a git repository of this machine.
    Git {
        path: String,
        name: RefName,
    },
    Drift {
        at: DriftLevel,
    },
    /// So many outcomes have become known since the chain's last run.
    Volume {
        outcomes: u64,
    },
    Chain {
        name: String,
        when: ChainEnd,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftLevel {
    Watch,
    Shifted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainEnd {
    Success,
    Failure,
}

#[derive(Clone, Copy, PartialEq)]
enum On {
    File,
    Git,
    Drift,
    Volume,
    Chain,
}

const ONS: [(&str, On); 5] = [
    ("file", On::File),
    ("git", On::Git),
    ("drift", On::Drift),
    ("volume", On::Volume),
    ("chain", On::Chain),
];
const LEVELS: [(&str, DriftLevel); 2] = [("watch", DriftLevel::Watch), ("shifted", DriftLevel::Shifted)];
const ENDS: [(&str, ChainEnd); 2] = [("success", ChainEnd::Success), ("failure", ChainEnd::Failure)];

impl TriggerOn {
    /// `chains` are the names of all chains of the file.
    pub(super) fn check(
        raw: &RawTrigger,
        chain: &str,
        number: usize,
        chains: &[&str],
    ) -> Result<Self, ScheduleError> {
        let place = Place::trigger(chain, number);
        let on = check_word(&place, "on", &raw.on, &ONS)?;
        check_keys(raw, on, &place)?;
        match on {
            On::File => check_file(raw, &place),
            On::Git => check_git(raw, &place),
            On::Drift => {
                let at = raw.at.as_deref().unwrap_or("shifted");
                Ok(Self::Drift { at: check_word(&place, "at", at, &LEVELS)? })
            }
            On::Volume => check_volume(raw, &place),
            On::Chain => check_chain(raw, &place, chains),
        }
    }
}

fn check_keys(raw: &RawTrigger, on: On, place: &Place) -> Result<(), ScheduleError> {
    const FILE: (&[On], &str) = (&[On::File], "it belongs to on = \"file\"");
    const GIT: (&[On], &str) = (&[On::Git], "it belongs to on = \"git\"");
    const PATH: (&[On], &str) = (&[On::File, On::Git], "it belongs to on = \"file\" and on = \"git\"");
    const DRIFT: (&[On], &str) = (&[On::Drift], "it belongs to on = \"drift\"");
    const VOLUME: (&[On], &str) = (&[On::Volume], "it belongs to on = \"volume\"");
    const CHAIN: (&[On], &str) = (&[On::Chain], "it belongs to on = \"chain\"");
    let given = [
        ("path", raw.path.is_some(), PATH),
        ("ref", raw.reference.is_some(), GIT),
        ("settle", raw.settle.is_some(), FILE),
        ("at", raw.at.is_some(), DRIFT),
        ("outcomes", raw.outcomes.is_some(), VOLUME),
        ("name", raw.name.is_some(), CHAIN),
        ("when", raw.when.is_some(), CHAIN),
    ];
    match given.into_iter().find(|(_, given, (of, _))| *given && !of.contains(&on)) {
        Some((key, _, (_, why))) => Err(ScheduleError::Needless { place: place.clone(), key, why }),
        None => Ok(()),
    }
}

fn missing(place: &Place, key: &'static str, why: &'static str) -> ScheduleError {
    ScheduleError::Missing { place: place.clone(), key, why }
}

fn check_file(raw: &RawTrigger, place: &Place) -> Result<TriggerOn, ScheduleError> {
    let text = raw.path.as_deref();
    let text = text.ok_or_else(|| missing(place, "path", "on = \"file\" needs a name such as \"*.csv\""))?;
    let path = NamePattern::parse(text).map_err(|why| ScheduleError::Value {
        place: place.clone(),
        key: "path",
        found: text.to_string(),
        wanted: format!("the name of a file in the inbox: {why}"),
    })?;
    let settle = raw.settle.as_deref().unwrap_or("10s");
    let settle_ms = check_duration(place, "settle", settle, (limits::SETTLE_MS_MIN, limits::SETTLE_MS_MAX))?;
    Ok(TriggerOn::File { path, settle_ms })
}

fn check_git(raw: &RawTrigger, place: &Place) -> Result<TriggerOn, ScheduleError> {
    let value = |key, found: &str, wanted| ScheduleError::Value {
        place: place.clone(),
        key,
        found: found.to_string(),
        wanted,
    };
    let path = raw.path.as_deref();
    let path = path.ok_or_else(|| missing(place, "path", "on = \"git\" needs the folder of a repository"))?;
    let is_plain = path.starts_with('/')
        && path.len() <= limits::REPOSITORY_PATH_BYTES_MAX
        && !path.chars().any(char::is_control)
        && !path.split('/').any(|part| part == "..");
    if !is_plain {
        let max = limits::REPOSITORY_PATH_BYTES_MAX;
        let wanted =
            format!("the whole path of a folder on the server, without .. and of {max} bytes at most");
        return Err(value("path", path, wanted));
    }
    let text = raw.reference.as_deref();
    let text = text.ok_or_else(|| missing(place, "ref", "on = \"git\" needs a name such as \"main\""))?;
    let name = RefName::parse(text)
        .map_err(|why| value("ref", text, format!("a branch, HEAD or a name below refs/: {why}")))?;
    Ok(TriggerOn::Git { path: path.to_string(), name })
}

fn check_volume(raw: &RawTrigger, place: &Place) -> Result<TriggerOn, ScheduleError> {
    let found = raw.outcomes.ok_or_else(|| missing(place, "outcomes", "on = \"volume\" needs a number"))?;
    let outcomes = check_number(place, "outcomes", found, (1, limits::VOLUME_OUTCOMES_MAX))?;
    Ok(TriggerOn::Volume { outcomes })
}

fn check_chain(raw: &RawTrigger, place: &Place, chains: &[&str]) -> Result<TriggerOn, ScheduleError> {
    let name = raw.name.as_deref();
    let name = name.ok_or_else(|| missing(place, "name", "on = \"chain\" needs the name of a chain"))?;
    if !chains.contains(&name) {
        return Err(ScheduleError::Unknown {
            place: place.clone(),
            key: "name",
            found: name.to_string(),
            what: "chain of this file",
            near: nearest(name, chains.iter().copied()).map(String::from),
        });
    }
    let when = check_word(place, "when", raw.when.as_deref().unwrap_or("success"), &ENDS)?;
    Ok(TriggerOn::Chain { name: name.to_string(), when })
}
