//! The master key: 32 bytes in `keys/master.key`, or handed over by systemd as a credential; what is derived from it.
//! Never used itself: each purpose has a key derived for it by HKDF.

use std::fmt;
use std::path::Path;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

use crate::security::key_file::{load_credential, load_private, save_private};
use crate::security::seal::SealError;
use crate::security::seal::cipher::{KEY_BYTES, SecretKey, draw_key};

/// Below the folder of keys.
pub const MASTER_FILE: &str = "master.key";
/// Below `$CREDENTIALS_DIRECTORY`.
pub const MASTER_CREDENTIAL: &str = "store.key";

/// What a derived key is for; the text is HKDF's info.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::security::seal) enum Purpose {
    Buckets,
    Subject,
    Idempotency,
}

impl Purpose {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Buckets => b"tallystick.buckets.v1",
            Self::Subject => b"tallystick.subject.v1",
            Self::Idempotency => b"tallystick.idempotency.v1",
        }
    }
}

pub struct MasterKey(SecretKey);

impl MasterKey {
    pub fn generate() -> Result<Self, SealError> {
        Ok(Self(draw_key()?))
    }

    /// Keeps a new key privately; an existing file is never overwritten.
    pub fn save_new(&self, path: &Path) -> Result<(), SealError> {
        Ok(save_private(path, &self.0[..])?)
    }

    /// Reads the key file if nobody else on the machine can.
    pub fn load(path: &Path) -> Result<Self, SealError> {
        Self::check(path, &load_private(path)?)
    }

    /// Reads a credential that systemd has laid out for this process.
    pub fn load_credential(path: &Path) -> Result<Self, SealError> {
        Self::check(path, &load_credential(path)?)
    }

    fn check(path: &Path, bytes: &[u8]) -> Result<Self, SealError> {
        let malformed = || SealError::MasterLength { path: path.to_path_buf() };
        if bytes.len() != KEY_BYTES {
            return Err(malformed());
        }
        let mut key = Zeroizing::new([0u8; KEY_BYTES]);
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    pub(in crate::security::seal) fn derive(&self, purpose: Purpose) -> Result<SecretKey, SealError> {
        let mut key = Zeroizing::new([0u8; KEY_BYTES]);
        let info = [purpose.info()];
        let root = Salt::new(HKDF_SHA256, &[]).extract(&self.0[..]);
        let derived = root.expand(&info, HKDF_SHA256).and_then(|okm| okm.fill(&mut key[..]));
        derived.map_err(|_| SealError::Cipher)?;
        Ok(key)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::to_hex;
    use crate::base::fact::{Class, Fact};
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// Computed by another implementation of RFC 5869 (Python's hmac, hash-length zero salt).
    #[test]
    fn the_derived_keys_are_those_of_rfc_5869() {
        let master = MasterKey(Zeroizing::new([0x0b; 32]));
        let derived = |purpose| to_hex(&master.derive(purpose).unwrap()[..]);
        assert_eq!(
            derived(Purpose::Subject),
            "f03c8af49c3bd34b4e33e5d60f8bceff23c90a75fd01ac2cd34dd260a12bf96d"
        );
        assert_eq!(
            derived(Purpose::Idempotency),
            "0b3c1c7d8dd6e5c58ffc63327d67bde46eb99469244fa950958f90980ca3df2c"
        );
        assert_eq!(
            derived(Purpose::Buckets),
            "0ddb0430c2c83647cb44965f7990d92b30dce8720969cbf6d0309f7a647ff0c9"
        );
    }

    #[test]
    fn a_master_key_is_kept_privately_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join(MASTER_FILE);
        let key = MasterKey::generate().unwrap();
        key.save_new(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(MasterKey::load(&path).unwrap().0, key.0);
        assert_eq!(key.save_new(&path).unwrap_err().code(), "security.key_exists");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(MasterKey::load(&path).unwrap_err().class(), Class::Permission);
        assert_eq!(format!("{key:?}"), "MasterKey");
    }

    /// systemd lays a credential out readable for the service's user by an access list, which shows as a group's bit.
    #[test]
    fn a_credential_may_show_a_bit_of_its_group_and_none_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(MASTER_CREDENTIAL);
        fs::write(&path, [5; 32]).unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o550)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o440)).unwrap();
        assert_eq!(MasterKey::load_credential(&path).unwrap().0[..], [5; 32]);
        assert_eq!(MasterKey::load(&path).unwrap_err().class(), Class::Permission);
        fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
        assert_eq!(MasterKey::load_credential(&path).unwrap_err().class(), Class::Permission);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn a_master_key_of_another_length_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join(MASTER_FILE);
        for size in [0usize, 31, 33, 64] {
            let _ = fs::remove_file(&path);
            save_private(&path, &vec![1; size]).unwrap();
            let error = MasterKey::load(&path).unwrap_err();
            assert_eq!(error.class(), Class::Integrity);
            assert!(error.to_string().contains(MASTER_FILE), "{error}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(MasterKey::load(&path).unwrap_err().code(), "security.key_file");
    }
}
