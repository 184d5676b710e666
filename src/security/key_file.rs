//! The files secrets are kept in: mode 0600, in a folder of mode 0700; the signing key's as PKCS#8 DER.
//! Never reads a key that others on the machine could read or replace, and never overwrites one.

use std::fs::{self, DirBuilder, File};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use crate::base::files::{FileError, at, write_atomic};
use crate::base::limits;
use crate::security::key::{KeyError, SigningKey};

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Keeps a new key; its folder is made when it is absent.
pub fn save_new(path: &Path, key: &SigningKey) -> Result<(), KeyError> {
    save_private(path, &key.to_pkcs8()?)
}

pub fn load(path: &Path) -> Result<SigningKey, KeyError> {
    let bytes = load_private(path)?;
    SigningKey::parse_pkcs8(&bytes).map_err(|error| match error {
        KeyError::Malformed => KeyError::MalformedFile { path: path.to_path_buf() },
        other => other,
    })
}

/// Keeps a new secret of any form.
pub(in crate::security) fn save_private(path: &Path, secret: &[u8]) -> Result<(), KeyError> {
    if path.try_exists().map_err(at(path))? {
        return Err(KeyError::Exists { path: path.to_path_buf() });
    }
    replace_private(path, secret)
}

/// Keeps a secret in place of an older one, if there is one.
pub(in crate::security) fn replace_private(path: &Path, secret: &[u8]) -> Result<(), KeyError> {
    if let Some(folder) = folder_of(path) {
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder).map_err(at(folder))?;
        check_private(folder, &fs::metadata(folder).map_err(at(folder))?, FOLDER_MODE)?;
    }
    Ok(write_atomic(path, secret, FILE_MODE)?)
}

/// Reads a secret that nobody else on the machine can read or replace.
pub(in crate::security) fn load_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    read_secret(path, open_private(path)?, limits::KEY_FILE_BYTES_MAX)
}

/// Opens a private file in a private folder.
pub(in crate::security) fn open_private(path: &Path) -> Result<File, KeyError> {
    if let Some(folder) = folder_of(path) {
        check_private(folder, &fs::metadata(folder).map_err(at(folder))?, FOLDER_MODE)?;
    }
    let file = File::open(path).map_err(at(path))?;
    // The open file is asked, not the path: nobody can swap one for the other in between.
    check_private(path, &file.metadata().map_err(at(path))?, FILE_MODE)?;
    Ok(file)
}

/// Reads a secret that systemd hands over. Its access list for the service's user shows as bits of a group,
/// so that only what others may do is looked at.
pub(in crate::security) fn load_credential(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let file = File::open(path).map_err(at(path))?;
    let mode = file.metadata().map_err(at(path))?.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(KeyError::NotPrivate { path: path.to_path_buf(), mode, wanted: 0o400 });
    }
    read_secret(path, file, limits::KEY_FILE_BYTES_MAX)
}

fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

fn check_private(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), KeyError> {
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyError::NotPrivate { path: path.to_path_buf(), mode, wanted })
    }
}

/// The buffer has its full size from the start: growing would leave copies of the secret behind.
pub(in crate::security) fn read_secret(
    path: &Path,
    file: File,
    max: u64,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(max as usize + 1));
    file.take(max + 1).read_to_end(&mut bytes).map_err(at(path))?;
    let size = bytes.len() as u64;
    if size > max { Err(FileError::TooLarge { path: path.to_path_buf(), max }.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::{Class, Fact};

    #[test]
    fn a_key_is_kept_privately_and_never_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys/box.key");
        let key = SigningKey::generate().unwrap();
        save_new(&path, &key).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(load(&path).unwrap().public(), key.public());
        let second = save_new(&path, &SigningKey::generate().unwrap());
        assert!(matches!(second, Err(KeyError::Exists { .. })));
        assert_eq!(load(&path).unwrap().public(), key.public());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys/box.key");
        save_new(&path, &SigningKey::generate().unwrap()).unwrap();
        for (place, mode, wanted) in [(path.as_path(), 0o640, "600"), (path.parent().unwrap(), 0o755, "700")]
        {
            fs::set_permissions(place, fs::Permissions::from_mode(mode)).unwrap();
            let error = load(&path).unwrap_err();
            assert_eq!(error.class(), Class::Permission);
            assert_eq!(error.next_step().unwrap(), format!("Run: chmod {wanted} '{}'", place.display()));
            fs::set_permissions(place, fs::Permissions::from_mode(mode & 0o700)).unwrap();
            load(&path).unwrap();
        }
    }

    #[test]
    fn a_damaged_or_missing_key_file_is_named() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys/box.key");
        DirBuilder::new().mode(FOLDER_MODE).create(path.parent().unwrap()).unwrap();
        assert!(matches!(load(&path), Err(KeyError::File(error)) if error.is_not_found()));
        write_atomic(&path, b"not a key", 0o600).unwrap();
        let error = load(&path).unwrap_err();
        assert_eq!(error.class(), Class::Integrity);
        assert!(error.to_string().contains("box.key"), "{error}");
        write_atomic(&path, &[0; 1025], 0o600).unwrap();
        assert!(matches!(load(&path), Err(KeyError::File(FileError::TooLarge { .. }))));
    }
}
