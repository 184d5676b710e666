//! Secrets, read from where the settings say each time they are needed, so that a new one counts at once.
//! Never shows one, and never takes one from a file that others may read.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::alert::settings::channel::SecretAt;
use crate::base::files::{at, open_regular, read_at_most};
use crate::notify::error::NotifyError;
use crate::notify::{Ground, limits};

/// One line of text that is wiped when it is done with.
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

pub fn path_of(secret: &SecretAt, ground: &Ground) -> Result<PathBuf, NotifyError> {
    match (secret, &ground.credentials) {
        (SecretAt::File(path), _) => Ok(path.clone()),
        (SecretAt::Credential(name), Some(folder)) => Ok(folder.join(name)),
        (SecretAt::Credential(name), None) => Err(NotifyError::NoCredentials { name: name.clone() }),
    }
}

pub fn read_secret(secret: &SecretAt, ground: &Ground) -> Result<Secret, NotifyError> {
    let path = path_of(secret, ground)?;
    let mode = open_regular(&path)?.metadata().map_err(at(&path))?.permissions().mode() & 0o777;
    // Credentials are in a folder that is closed to others, with modes that systemd chooses.
    if mode & 0o077 != 0 && matches!(secret, SecretAt::File(_)) {
        return Err(NotifyError::OpenSecret { path, mode });
    }
    let bytes = Zeroizing::new(read_at_most(&path, limits::SECRET_FILE_BYTES_MAX)?);
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err(NotifyError::BadSecret { path });
    }
    Ok(Secret(Zeroizing::new(line.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};

    #[test]
    fn a_secret_is_one_line_of_a_file_that_nobody_else_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let ground = Ground::of_home(folder.path().into(), Some(folder.path().into()));
        let secret = SecretAt::File(path.clone());
        assert!(matches!(read_secret(&secret, &ground), Err(NotifyError::File(_))));
        write(&path, "correct horse\n").unwrap();
        for mode in [0o644, 0o640, 0o604] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(read_secret(&secret, &ground), Err(NotifyError::OpenSecret { mode: m, .. }) if m == mode)
            );
        }
        let credential = SecretAt::Credential("password".into());
        assert_eq!(read_secret(&credential, &ground).unwrap().expose(), "correct horse");
        let none = Ground { credentials: None, ..ground.clone() };
        assert!(matches!(read_secret(&credential, &none), Err(NotifyError::NoCredentials { .. })));
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let read = read_secret(&secret, &ground).unwrap();
        assert_eq!((read.expose(), format!("{read:?}").as_str()), ("correct horse", "Secret(…)"));
        for bad in ["", "\n", "two\nlines", "nul\0"] {
            write(&path, bad).unwrap();
            assert!(matches!(read_secret(&secret, &ground), Err(NotifyError::BadSecret { .. })), "{bad:?}");
        }
    }
}
