//! One TOML file read into one type, with errors that name file, line and the nearest known key.
//! Never fills in what is not written; defaults belong to the types.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::base::fact::{Class, Fact, nearest};
use crate::base::files::{self, FileError};
use crate::base::limits;

#[derive(Debug, thiserror::Error)]
pub enum TomlError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path} is not UTF-8 text", path = path.display())]
    NotText { path: PathBuf },
    #[error("{path}:{line}: {message}{hint}", path = path.display())]
    Parse { path: PathBuf, line: usize, message: String, hint: String },
}

impl Fact for TomlError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(e) if e.is_not_found() => "config.missing_file",
            Self::File(_) => "config.file",
            Self::NotText { .. } => "config.not_text",
            Self::Parse { .. } => "config.parse",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::File(e) if e.is_not_found() => {
                Some("Name a project folder; `tallystick project new --from FILE` writes one.".into())
            }
            _ => None,
        }
    }
}

/// Reads one file of a project or of the configuration as text.
pub fn read_text(path: &Path) -> Result<String, TomlError> {
    let bytes = files::read_at_most(path, limits::PROJECT_FILE_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|_| TomlError::NotText { path: path.to_path_buf() })
}

/// Reads and parses one file.
pub fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, TomlError> {
    parse_toml(path, &read_text(path)?)
}

pub fn parse_toml<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, TomlError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        TomlError::Parse {
            path: path.to_path_buf(),
            line: text[..at].matches('\n').count() + 1,
            hint: hint(error.message()),
            message: error.message().trim().to_string(),
        }
    })
}

/// `; did you mean ...?` for a mistyped key, read off serde's own message.
fn hint(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = ["unknown field", "unknown variant"].iter().any(|start| message.contains(start));
    let Some(word) = quoted.next().filter(|_| unknown) else { return String::new() };
    match nearest(word, quoted) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[allow(dead_code)] // read only by the derive
        patience: u32,
    }

    #[test]
    fn a_mistyped_key_is_refused_with_its_line_and_the_nearest_name() {
        let error = parse_toml::<Sample>(Path::new("train.toml"), "# head\n\npatiense = 3\n").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("train.toml:3: unknown field `patiense`"), "{text}");
        assert!(text.ends_with("did you mean `patience`?"), "{text}");
    }

    #[test]
    fn a_file_that_is_not_there_says_how_to_make_a_project() {
        let error = read_toml::<Sample>(Path::new("/nowhere/train.toml")).unwrap_err();
        assert_eq!(error.code(), "config.missing_file");
        assert!(error.next_step().unwrap().contains("project new"));
    }
}
