//! alerts.toml of the box: channels and routes, read from beside tallystick.toml. Without the file nothing is sent.

use std::path::{Path, PathBuf};

use crate::alert::settings::error::AlertSettingsError;
use crate::alert::settings::{AlertSettings, RawAlertSettings};
use crate::base::fact::{Class, Fact};
use crate::config::toml_file::{TomlError, read_toml};

pub const FILE: &str = "alerts.toml";

#[derive(Debug, thiserror::Error)]
pub enum AlertingError {
    #[error(transparent)]
    Toml(#[from] TomlError),
    #[error("{path}: {source}", path = path.display())]
    Settings { path: PathBuf, source: AlertSettingsError },
}

impl Fact for AlertingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Toml(error) => error.code(),
            Self::Settings { source, .. } => source.code(),
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Toml(error) => error.next_step(),
            Self::Settings { source, .. } => source.next_step(),
        }
    }
}

pub fn load_alerts(config: &Path) -> Result<AlertSettings, AlertingError> {
    let path = config.join(FILE);
    match read_toml::<RawAlertSettings>(&path) {
        Ok(raw) => raw.check().map_err(|source| AlertingError::Settings { path, source }),
        Err(TomlError::File(error)) if error.is_not_found() => Ok(AlertSettings::default()),
        Err(error) => Err(error.into()),
    }
}
