//! The box's own configuration: `tallystick.toml` and `conf.d/*.toml` on top of it, in the order of their names.
//! Absent files mean the defaults; an unknown key is refused with its line and the nearest name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::fact::{Class, Fact};
use crate::base::files::{self, FileError};
use crate::base::limits;
use crate::config::toml_file::{TomlError, parse_toml, read_text};

pub const FILE: &str = "tallystick.toml";
pub const FOLDER: &str = "conf.d";

/// What the files may say; what is not said is not there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    branch: Option<String>,
    #[serde(default)]
    server: RawServer,
    #[serde(default)]
    tls: RawTls,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    listen: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTls {
    min: Option<String>,
    names: Option<Vec<String>>,
}

/// The oldest TLS a client may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMin {
    V1_2,
    V1_3,
}

/// A configuration that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Four digits; the first part of every case number.
    pub branch: String,
    /// Where the server listens for HTTPS.
    pub listen: Vec<String>,
    pub tls_min: TlsMin,
    /// Names and addresses a self-signed certificate is for, beside localhost.
    pub tls_names: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            branch: "0000".to_string(),
            listen: vec!["127.0.0.1:8443".to_string()],
            tls_min: TlsMin::V1_3,
            tls_names: Vec::new(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Toml(#[from] TomlError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path}: {key} = {value:?}: {what}", path = path.display())]
    Value { path: PathBuf, key: &'static str, value: String, what: &'static str },
    #[error("{folder} holds more than {max} files", folder = folder.display(), max = limits::CONFIG_FILES_MAX)]
    TooMany { folder: PathBuf },
}

impl Fact for SettingsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Toml(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Value { .. } => "config.value",
            Self::TooMany { .. } => "config.too_many",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Toml(_) | Self::Value { .. } => Some("Correct the file and run the command again.".into()),
            Self::File(error) => error.next_step(),
            Self::TooMany { .. } => Some("Put what belongs together into one file.".into()),
        }
    }
}

impl Settings {
    /// Reads what the folder holds; later files overwrite single keys of earlier ones.
    pub fn load(folder: &Path) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let main = folder.join(FILE);
        let mut paths: Vec<PathBuf> = main.exists().then_some(main).into_iter().collect();
        paths.extend(list_drop_ins(&folder.join(FOLDER))?);
        for path in &paths {
            let raw: RawSettings = parse_toml(path, &read_text(path)?)?;
            settings.lay(raw, path)?;
        }
        Ok(settings)
    }

    fn lay(&mut self, raw: RawSettings, path: &Path) -> Result<(), SettingsError> {
        let refuse = |key, value: &str, what| {
            Err(SettingsError::Value { path: path.to_path_buf(), key, value: value.to_string(), what })
        };
        if let Some(branch) = raw.branch {
            if branch.len() != 4 || !branch.bytes().all(|b| b.is_ascii_digit()) {
                return refuse("branch", &branch, "a branch is four digits in quotes, such as \"0421\"");
            }
            self.branch = branch;
        }
        if let Some(listen) = raw.server.listen {
            if let Some(bad) = listen.iter().find(|text| text.parse::<std::net::SocketAddr>().is_err()) {
                return refuse("server.listen", bad, "an address and a port, such as \"0.0.0.0:443\"");
            }
            self.listen = listen;
        }
        match raw.tls.min.as_deref() {
            None => {}
            Some("1.2") => self.tls_min = TlsMin::V1_2,
            Some("1.3") => self.tls_min = TlsMin::V1_3,
            Some(other) => return refuse("tls.min", other, "\"1.3\" or \"1.2\""),
        }
        if let Some(names) = raw.tls.names {
            self.tls_names = names;
        }
        Ok(())
    }
}

fn list_drop_ins(folder: &Path) -> Result<BTreeSet<PathBuf>, SettingsError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(files::at(folder)(error).into()),
    };
    let mut paths = BTreeSet::new();
    for entry in entries {
        let path = entry.map_err(files::at(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.insert(path);
        }
        if paths.len() > limits::CONFIG_FILES_MAX {
            return Err(SettingsError::TooMany { folder: folder.to_path_buf() });
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(FOLDER)).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(folder.path().join(name), text).unwrap());
        folder
    }

    #[test]
    fn nothing_written_means_the_defaults() {
        assert_eq!(Settings::load(folder(&[]).path()).unwrap(), Settings::default());
        assert_eq!(Settings::load(Path::new("/nowhere")).unwrap(), Settings::default());
    }

    #[test]
    fn drop_ins_overwrite_single_keys_in_the_order_of_their_names() {
        let folder = folder(&[
            (FILE, "branch = \"0421\"\n[tls]\nmin = \"1.2\"\nnames = [\"box\"]\n"),
            ("conf.d/20.toml", "[server]\nlisten = [\"0.0.0.0:443\"]\n"),
            ("conf.d/10.toml", "branch = \"0007\"\n[server]\nlisten = [\"127.0.0.1:1\"]\n"),
            ("conf.d/note.txt", "not read"),
        ]);
        let settings = Settings::load(folder.path()).unwrap();
        assert_eq!((settings.branch.as_str(), settings.tls_min), ("0007", TlsMin::V1_2));
        assert_eq!((settings.listen, settings.tls_names), (vec!["0.0.0.0:443".into()], vec!["box".into()]));
    }

    #[test]
    fn a_wrong_key_or_value_is_named_with_its_file() {
        for (text, said) in [
            ("brnch = \"0421\"\n", "did you mean `branch`?"),
            ("branch = \"42\"\n", "four digits"),
            ("[server]\nlisten = [\"everywhere\"]\n", "an address and a port"),
            ("[tls]\nmin = \"1.1\"\n", "\"1.3\" or \"1.2\""),
        ] {
            let error = Settings::load(folder(&[(FILE, text)]).path()).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains(FILE), "{error}");
        }
    }
}
