//! A pattern of one file name: `*` for any characters, `?` for one. Never a path, never a hidden file by a star.

use std::fmt;

use crate::schedule::limits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("it is empty")]
    Empty,
    #[error("it has more than {} bytes", limits::FILE_NAME_BYTES_MAX)]
    Long,
    #[error("it holds {0:?}; a pattern names a file, never a folder")]
    Folder(char),
    #[error("it holds {0:?}; only * and ? stand for other characters")]
    Character(char),
    #[error("it names a folder")]
    Dots,
}

impl NamePattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if let Some(c) = text.chars().find(|c| matches!(c, '/' | '\\' | ':')) {
            return Err(PatternError::Folder(c));
        }
        if let Some(c) = text.chars().find(|c| matches!(c, '[' | ']' | '{' | '}') || c.is_control()) {
            return Err(PatternError::Character(c));
        }
        match text {
            "" => Err(PatternError::Empty),
            "." | ".." => Err(PatternError::Dots),
            _ if text.len() > limits::FILE_NAME_BYTES_MAX => Err(PatternError::Long),
            _ => Ok(Self(text.to_string())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name fits, its case counting.
    pub fn fits(&self, name: &str) -> bool {
        let hidden = name.starts_with('.') && !self.0.starts_with('.');
        let path = name.contains(['/', '\\']) || name.len() > limits::FILE_NAME_BYTES_MAX;
        !hidden && !path && fits(&self.0, name)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Only the last star can still take one character more: at most pattern times name steps.
fn fits(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    let mut last_star = None;
    loop {
        let mut ahead = pattern.clone();
        match (ahead.next(), name.clone().next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                pattern = ahead;
                last_star = Some((pattern.clone(), name.clone()));
                continue;
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
                pattern = ahead;
                name.next();
                continue;
            }
            _ => {}
        }
        let Some((after_star, mut taken)) = last_star.take() else { return false };
        if taken.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        name = taken.clone();
        last_star = Some((after_star, taken));
    }
}
