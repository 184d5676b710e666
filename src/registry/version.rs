//! Version numbers, the labels derived from a contract's difference, and how a model is referred to.
//! Never knows which versions exist; the registry's store does.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact, nearest};
use crate::base::ids::{BadName, check_name};
use crate::data::contract::{ColumnSpec, Contract, Role};

/// The next version of a name, given the highest it ever had: deleted numbers are not used again.
pub fn next_number(highest_ever: Option<u64>) -> u64 {
    highest_ever.map_or(1, |n| n.saturating_add(1))
}

/// `major.minor.patch`: what a caller of the model must expect of a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Label {
    pub const FIRST: Self = Self { major: 1, minor: 0, patch: 0 };

    pub fn after(self, change: Change) -> Self {
        let Self { major, minor, patch } = self;
        match change {
            Change::Breaking => Self { major: major.saturating_add(1), minor: 0, patch: 0 },
            Change::Additive => Self { major, minor: minor.saturating_add(1), patch: 0 },
            Change::Same => Self { major, minor, patch: patch.saturating_add(1) },
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.to_string()
    }
}

impl TryFrom<String> for Label {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl FromStr for Label {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let parts: Vec<Option<u32>> = text.split('.').map(parse_part).collect();
        match parts[..] {
            [Some(major), Some(minor), Some(patch)] => Ok(Self { major, minor, patch }),
            _ => Err(VersionError::Label { found: text.to_string() }),
        }
    }
}

/// One spelling a number: no sign, no leading zero.
fn parse_part(text: &str) -> Option<u32> {
    let canonical = text == "0" || (!text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
    if canonical { text.parse().ok() } else { None }
}

/// What a new contract means to those who send rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Every row that was accepted is accepted and means the same, and none more.
    Same,
    /// Every row that was accepted still is; more may be.
    Additive,
    /// A row that was accepted may now be refused, or mean something else.
    Breaking,
}

/// Compares what a caller sends: feature and id columns. Targets and ignored columns are no matter.
pub fn difference(old: &Contract, new: &Contract) -> Change {
    let sent = |c: &&ColumnSpec| matches!(c.role, Role::Feature | Role::Id);
    let kept = old.columns().iter().filter(sent).map(|before| match new.find(&before.name) {
        Some(after) => column_difference(before, after),
        None => Change::Breaking,
    });
    let added = new
        .columns()
        .iter()
        .filter(sent)
        .filter(|c| old.find(&c.name).is_none_or(|o| !sent(&o)))
        .map(|c| if c.required || c.role == Role::Feature { Change::Breaking } else { Change::Additive });
    kept.chain(added).max().unwrap_or(Change::Same)
}

fn column_difference(old: &ColumnSpec, new: &ColumnSpec) -> Change {
    if old.as_read() == new.as_read() {
        return Change::Same;
    }
    let same_meaning = old.kind == new.kind
        && old.role == new.role
        && old.cast == new.cast
        && (old.default.is_none() || old.default == new.default)
        && old.missing.iter().all(|m| new.missing.contains(m));
    let requirement_kept = old.required || !new.required;
    let min_kept = new.min.is_none_or(|n| old.min.is_some_and(|o| n <= o));
    let max_kept = new.max.is_none_or(|n| old.max.is_some_and(|o| n >= o));
    let levels_kept = match (&old.levels, &new.levels) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(o), Some(n)) => o.iter().all(|level| n.contains(level)),
    };
    let names_kept = old.aliases.iter().all(|alias| new.aliases.contains(alias));
    if same_meaning && requirement_kept && min_kept && max_kept && levels_kept && names_kept {
        Change::Additive
    } else {
        Change::Breaking
    }
}

/// A moving name for a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alias {
    Staging,
    Production,
}

impl Alias {
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Alias {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let known = Self::ALL.map(Self::as_str);
        Self::ALL.into_iter().find(|alias| alias.as_str() == text).ok_or_else(|| VersionError::Alias {
            found: text.to_string(),
            near: nearest(text, known)
                .or(known.into_iter().find(|k| !text.is_empty() && k.starts_with(text))),
        })
    }
}

/// A model as a person writes it: `name`, `name@3` or `name:production`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModelRef {
    pub name: String,
    pub which: Which,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// Only the name was written; the command says which version that means.
    Unstated,
    Number(u64),
    Alias(Alias),
}

impl FromStr for ModelRef {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let refuse = |why| VersionError::Reference { found: text.to_string(), why };
        let (name, which) = match text.find(['@', ':']) {
            None => (text, Which::Unstated),
            Some(at) => {
                let (name, rest) = (&text[..at], &text[at + 1..]);
                let by_number = text.as_bytes().get(at) == Some(&b'@');
                (
                    name,
                    if by_number { parse_number(rest).map_err(refuse)? } else { Which::Alias(rest.parse()?) },
                )
            }
        };
        check_name(name)?;
        Ok(Self { name: name.to_string(), which })
    }
}

fn parse_number(text: &str) -> Result<Which, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(0) => Err("versions begin at 1"),
        Ok(n) if digits && !text.starts_with('0') => Ok(Which::Number(n)),
        _ => Err("after '@' stands a version number"),
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.which {
            Which::Unstated => f.write_str(&self.name),
            Which::Number(n) => write!(f, "{}@{n}", self.name),
            Which::Alias(alias) => write!(f, "{}:{alias}", self.name),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    #[error("{found:?} is not a version label such as \"2.1.0\"")]
    Label { found: String },
    #[error("{found:?} is no alias; there are `staging` and `production`")]
    Alias { found: String, near: Option<&'static str> },
    #[error("{found:?} does not name a model: {why}")]
    Reference { found: String, why: &'static str },
    #[error(transparent)]
    Name(#[from] BadName),
}

impl Fact for VersionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Label { .. } => "version.label",
            Self::Alias { .. } => "version.alias",
            Self::Reference { .. } => "version.reference",
            Self::Name(_) => "version.name",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Alias { near: Some(near), .. } => Some(format!("Did you mean `{near}`?")),
            Self::Label { .. } => None,
            _ => Some("Write `name`, `name@3` or `name:production`.".into()),
        }
    }
}

#[cfg(test)]
mod tests;
