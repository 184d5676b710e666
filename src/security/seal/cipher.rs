//! AES-256-GCM-SIV as the seals use it: a key in 60 bytes, a body under a key that is used once.
//! Never uses a nonce of its own making twice with a key that seals more than once: it draws them.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::security::seal::SealError;

pub const KEY_BYTES: usize = 32;
pub const AUTH_BYTES: usize = 16;
/// Nonce, encrypted key, authenticator.
pub const WRAPPED_BYTES: usize = NONCE_LEN + KEY_BYTES + AUTH_BYTES;

pub type SecretKey = Zeroizing<[u8; KEY_BYTES]>;
pub type WrappedKey = [u8; WRAPPED_BYTES];

pub type WrapNonce = [u8; NONCE_LEN];

/// A key made ready for the cipher.
pub struct Cipher(LessSafeKey);

/// The bytes do not belong to this key and these associated data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

pub fn draw_key() -> Result<SecretKey, SealError> {
    let mut key = Zeroizing::new([0u8; KEY_BYTES]);
    rand::fill(&mut key[..]).map_err(|_| SealError::Random)?;
    Ok(key)
}

/// A key, and the nonce it is wrapped with: from the source of random bytes at one draw, which costs as much as the key.
pub fn draw_key_to_wrap() -> Result<(SecretKey, WrapNonce), SealError> {
    let mut drawn = Zeroizing::new([0u8; KEY_BYTES + NONCE_LEN]);
    rand::fill(&mut drawn[..]).map_err(|_| SealError::Random)?;
    let (mut key, mut nonce) = (Zeroizing::new([0u8; KEY_BYTES]), [0u8; NONCE_LEN]);
    key.copy_from_slice(&drawn[..KEY_BYTES]);
    nonce.copy_from_slice(&drawn[KEY_BYTES..]);
    Ok((key, nonce))
}

impl Cipher {
    pub fn new(key: &[u8; KEY_BYTES]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).map_err(|_| SealError::Cipher)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// As `wrap_with`, with a nonce drawn for it.
    pub fn wrap(&self, key: &[u8; KEY_BYTES], aad: &[u8]) -> Result<WrappedKey, SealError> {
        let mut nonce = [0u8; NONCE_LEN];
        rand::fill(&mut nonce).map_err(|_| SealError::Random)?;
        self.wrap_with(&nonce, key, aad)
    }

    /// Nonce || encrypted key || authenticator. The nonce was drawn for this and nothing else.
    pub fn wrap_with(
        &self,
        drawn: &WrapNonce,
        key: &[u8; KEY_BYTES],
        aad: &[u8],
    ) -> Result<WrappedKey, SealError> {
        let mut out = [0u8; WRAPPED_BYTES];
        let (nonce, rest) = out.split_at_mut(NONCE_LEN);
        let (sealed, auth) = rest.split_at_mut(KEY_BYTES);
        nonce.copy_from_slice(drawn);
        sealed.copy_from_slice(key);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Cipher)?;
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), sealed);
        auth.copy_from_slice(tag.map_err(|_| SealError::Cipher)?.as_ref());
        Ok(out)
    }

    pub fn unwrap_key(&self, wrapped: &WrappedKey, aad: &[u8]) -> Result<SecretKey, Refused> {
        let (nonce, rest) = wrapped.split_at(NONCE_LEN);
        let (sealed, auth) = rest.split_at(KEY_BYTES);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Refused)?;
        let mut key = Zeroizing::new([0u8; KEY_BYTES]);
        let opened = self.0.open_separate_gather(nonce, Aad::from(aad), sealed, auth, &mut key[..]);
        opened.map_err(|_| Refused)?;
        Ok(key)
    }

    /// Encrypts what is in `buffer` from `start` on, and appends the authenticator. For a key that is used once.
    pub fn seal_once(&self, aad: &[u8], buffer: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut buffer[start..]);
        buffer.extend_from_slice(tag.map_err(|_| SealError::Cipher)?.as_ref());
        Ok(())
    }

    pub fn open_once(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
        let (sealed, auth) = sealed.split_at_checked(sealed.len().wrapping_sub(AUTH_BYTES)).ok_or(Refused)?;
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let mut plain = Zeroizing::new(vec![0u8; sealed.len()]);
        let opened = self.0.open_separate_gather(nonce, Aad::from(aad), sealed, auth, &mut plain);
        opened.map_err(|_| Refused)?;
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::parse_hex;

    /// RFC 8452, appendix C.2: key 01 00.., nonce 03 00.., associated data 01, plain text 02 00 00 00 00 00 00 00.
    #[test]
    fn the_cipher_is_the_one_of_rfc_8452() {
        let (mut key, mut nonce) = ([0u8; 32], [0u8; 12]);
        (key[0], nonce[0]) = (1, 3);
        let cipher = Cipher::new(&key).unwrap();
        let mut text = vec![2u8, 0, 0, 0, 0, 0, 0, 0];
        let nonce = Nonce::assume_unique_for_key(nonce);
        cipher.0.seal_in_place_append_tag(nonce, Aad::from([1u8]), &mut text).unwrap();
        let expected: [u8; 24] = parse_hex("1de22967237a813291213f267e3b452f02d01ae33e4ec854").unwrap();
        assert_eq!(text, expected);
    }

    #[test]
    fn a_wrapped_key_opens_under_its_own_key_and_data_only() {
        let (outer, inner) = (draw_key().unwrap(), draw_key().unwrap());
        let cipher = Cipher::new(&outer).unwrap();
        let wrapped = cipher.wrap(&inner, b"here").unwrap();
        assert_eq!(cipher.unwrap_key(&wrapped, b"here").unwrap(), inner);
        assert_eq!(cipher.unwrap_key(&wrapped, b"there"), Err(Refused));
        assert_ne!(cipher.wrap(&inner, b"here").unwrap(), wrapped);
        for bit in 0..WRAPPED_BYTES * 8 {
            let mut damaged = wrapped;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(cipher.unwrap_key(&damaged, b"here"), Err(Refused), "bit {bit}");
        }
    }

    #[test]
    fn a_key_and_its_nonce_are_drawn_anew_each_time_and_wrap_as_any_other() {
        let (key, nonce) = draw_key_to_wrap().unwrap();
        let (other_key, other_nonce) = draw_key_to_wrap().unwrap();
        assert!(key != other_key && nonce != other_nonce && key[..NONCE_LEN] != nonce);
        let cipher = Cipher::new(&draw_key().unwrap()).unwrap();
        let wrapped = cipher.wrap_with(&nonce, &key, b"here").unwrap();
        assert_eq!(wrapped[..NONCE_LEN], nonce);
        assert_eq!(cipher.unwrap_key(&wrapped, b"here").unwrap(), key);
    }

    #[test]
    fn what_is_too_short_to_be_sealed_is_refused() {
        let cipher = Cipher::new(&[7; 32]).unwrap();
        for size in 0..=AUTH_BYTES {
            assert!(cipher.open_once(b"", &vec![0; size]).is_err(), "{size}");
        }
    }
}
