//! Sealing one record: its subject's tag, its body under a key of its own, that key under the subject's bucket.
//! Never opens a body whose key is gone: that is what forgetting a subject means.

use std::path::Path;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use zeroize::Zeroizing;

use crate::base::ids::DecisionId;
use crate::base::limits;
use crate::security::seal::SealError;
use crate::security::seal::buckets::Buckets;
use crate::security::seal::cipher::{AUTH_BYTES, Cipher, SecretKey, draw_key_to_wrap};
use crate::security::seal::master::{MasterKey, Purpose};

pub use crate::security::seal::cipher::{WRAPPED_BYTES, WrappedKey};

/// The first byte of a sealed body.
const SEALED_V1: u8 = 1;
const TAG_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + TAG_BYTES;
const BODY_LABEL: &[u8] = b"tallystick.body.v1";
const KEY_LABEL: &[u8] = b"tallystick.key.v1";

/// A subject without its name: the beginning of an HMAC that only this store can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectTag(pub [u8; TAG_BYTES]);

impl SubjectTag {
    /// The first twelve bits.
    pub fn bucket(&self) -> u16 {
        u16::from(self.0[0]) << 4 | u16::from(self.0[1]) >> 4
    }

    /// The tag a sealed body begins with.
    pub fn find_in(body: &[u8]) -> Option<Self> {
        match body.split_first_chunk::<HEAD_BYTES>() {
            Some(([SEALED_V1, tag @ ..], _)) => Some(Self(*tag)),
            _ => None,
        }
    }
}

/// A body as the log keeps it, and its key as the store keeps it beside the subject's tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub body: Vec<u8>,
    pub wrapped: WrappedKey,
}

/// All keys of a store that seal and open, made ready. Shared by every thread.
pub struct Sealer {
    body_label: Vec<u8>,
    subject: hmac::Key,
    idempotency: hmac::Key,
    buckets: Buckets,
}

impl Sealer {
    /// For a new store: makes the file of bucket keys.
    pub fn create(buckets: &Path, master: &MasterKey, store_id: &str) -> Result<Self, SealError> {
        Self::with(Buckets::create(buckets, master, store_id)?, master, store_id)
    }

    pub fn open(buckets: &Path, master: &MasterKey, store_id: &str) -> Result<Self, SealError> {
        Self::with(Buckets::open(buckets, master, store_id)?, master, store_id)
    }

    fn with(buckets: Buckets, master: &MasterKey, store_id: &str) -> Result<Self, SealError> {
        let key = |purpose| Ok::<_, SealError>(hmac::Key::new(HMAC_SHA256, &master.derive(purpose)?[..]));
        Ok(Self {
            body_label: [BODY_LABEL, store_id.as_bytes()].concat(),
            subject: key(Purpose::Subject)?,
            idempotency: key(Purpose::Idempotency)?,
            buckets,
        })
    }

    pub fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// The tag of a subject by what the project's subject column says.
    pub fn tag_of_subject(&self, subject: &str) -> SubjectTag {
        self.tag_of(&[subject.as_bytes()])
    }

    /// The tag of a record whose row names no subject: it is a subject of its own.
    pub fn tag_of_record(&self, id: &DecisionId) -> SubjectTag {
        self.tag_of(&[b"record:", id.as_bytes()])
    }

    fn tag_of(&self, parts: &[&[u8]]) -> SubjectTag {
        let mut context = hmac::Context::with_key(&self.subject);
        parts.iter().for_each(|part| context.update(part));
        let mut tag = [0u8; TAG_BYTES];
        tag.copy_from_slice(&context.sign().as_ref()[..TAG_BYTES]);
        SubjectTag(tag)
    }

    /// What is kept of a request's raw body, so that a repetition is known and nothing can be guessed from it.
    pub fn mac_of_request(&self, body: &[u8]) -> [u8; 32] {
        let mut mac = [0u8; 32];
        mac.copy_from_slice(hmac::sign(&self.idempotency, body).as_ref());
        mac
    }

    pub fn seal(&self, tag: &SubjectTag, id: &DecisionId, plain: &[u8]) -> Result<Sealed, SealError> {
        if plain.len() > limits::SEALED_PLAIN_BYTES_MAX {
            return Err(SealError::TooLarge { size: plain.len() });
        }
        let (key, nonce) = draw_key_to_wrap()?;
        let wrapped = self.buckets.newest(tag.bucket())?.wrap_with(&nonce, &key, &key_aad(tag, id))?;
        let mut body = Vec::with_capacity(HEAD_BYTES + plain.len() + AUTH_BYTES);
        body.push(SEALED_V1);
        body.extend_from_slice(&tag.0);
        body.extend_from_slice(plain);
        Cipher::new(&key)?.seal_once(&self.body_aad(id), &mut body, HEAD_BYTES)?;
        Ok(Sealed { body, wrapped })
    }

    /// The plain body, from the log's body and the wrapped key kept for its tag.
    pub fn open_body(
        &self,
        body: &[u8],
        wrapped: &WrappedKey,
        id: &DecisionId,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let tag = SubjectTag::find_in(body).ok_or(SealError::BodyForm { id: *id })?;
        let key = self.unwrap_key(&tag, wrapped, id)?;
        let opened = Cipher::new(&key)?.open_once(&self.body_aad(id), &body[HEAD_BYTES..]);
        opened.map_err(|_| SealError::BodyRefused { id: *id })
    }

    /// A wrapped key under the newest key of its bucket, for a renewal to keep.
    pub fn rewrap(
        &self,
        tag: &SubjectTag,
        wrapped: &WrappedKey,
        id: &DecisionId,
    ) -> Result<WrappedKey, SealError> {
        let key = self.unwrap_key(tag, wrapped, id)?;
        self.buckets.newest(tag.bucket())?.wrap(&key, &key_aad(tag, id))
    }

    fn unwrap_key(
        &self,
        tag: &SubjectTag,
        wrapped: &WrappedKey,
        id: &DecisionId,
    ) -> Result<SecretKey, SealError> {
        let (bucket, aad) = (tag.bucket(), key_aad(tag, id));
        if let Ok(key) = self.buckets.newest(bucket)?.unwrap_key(wrapped, &aad) {
            return Ok(key);
        }
        let outgoing = self.buckets.outgoing(bucket)?;
        let key = outgoing.and_then(|cipher| cipher.unwrap_key(wrapped, &aad).ok());
        key.ok_or(SealError::KeyRefused { id: *id, bucket })
    }

    /// The last 16 bytes are the id, so that nothing can be shifted between store and id.
    fn body_aad(&self, id: &DecisionId) -> Vec<u8> {
        [&self.body_label[..], id.as_bytes()].concat()
    }
}

fn key_aad(tag: &SubjectTag, id: &DecisionId) -> Vec<u8> {
    [KEY_LABEL, &tag.0, id.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
