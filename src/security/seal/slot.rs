//! One slot of the bucket file as bytes: header, wrapped keys, digest. What is read has been checked.
//! Never touches the disk and never decides which slot counts.

use zeroize::Zeroizing;

use crate::base::digest::Digest;
use crate::base::limits;
use crate::security::seal::SealError;
use crate::security::seal::cipher::{Cipher, KEY_BYTES, Refused, SecretKey, WRAPPED_BYTES, WrappedKey};

const MAGIC: &[u8; 22] = b"tallystick.buckets.v1\n";
const GENERATION_AT: usize = MAGIC.len();
const NEXT_AT: usize = GENERATION_AT + 8;
const NEXT_KEY_AT: usize = NEXT_AT + 2;
const KEYS_AT: usize = NEXT_KEY_AT + WRAPPED_BYTES;
const DIGEST_AT: usize = KEYS_AT + limits::BUCKETS * WRAPPED_BYTES;
const DIGEST_BYTES: usize = 32;
pub const SLOT_BYTES: usize = DIGEST_AT + DIGEST_BYTES;
/// Written where no bucket is being renewed.
const NO_NEXT: u16 = u16::MAX;

/// The bucket keys in the clear, and the key that is to follow one of them.
pub struct Keys {
    pub generation: u64,
    keys: Zeroizing<Vec<u8>>,
    pub next: Option<(u16, SecretKey)>,
}

impl Keys {
    pub fn draw() -> Result<Self, SealError> {
        let mut keys = Zeroizing::new(vec![0u8; limits::BUCKETS * KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut keys).map_err(|_| SealError::Random)?;
        Ok(Self { generation: 1, keys, next: None })
    }

    /// Nothing beyond the last bucket.
    pub fn key(&self, bucket: u16) -> Option<&[u8; KEY_BYTES]> {
        self.keys.chunks_exact(KEY_BYTES).nth(usize::from(bucket))?.try_into().ok()
    }

    /// The same keys a generation later, with a bucket's next key beside or in place of its present one.
    pub fn later(&self, next: Option<(u16, SecretKey)>) -> Self {
        Self { generation: self.generation + 1, keys: self.keys.clone(), next }
    }

    /// What follows when the bucket in renewal takes its next key.
    pub fn renewed(&self) -> Self {
        let mut later = self.later(None);
        if let Some((bucket, key)) = &self.next {
            let at = usize::from(*bucket) * KEY_BYTES;
            later.keys[at..at + KEY_BYTES].copy_from_slice(&key[..]);
        }
        later
    }
}

/// Who reads and writes slots: the key over the bucket keys, and the store they belong to.
pub struct Scribe {
    cipher: Cipher,
    store_id: String,
}

impl Scribe {
    pub fn new(key: &SecretKey, store_id: &str) -> Result<Self, SealError> {
        Ok(Self { cipher: Cipher::new(key)?, store_id: store_id.to_string() })
    }

    pub fn write(&self, keys: &Keys) -> Result<Vec<u8>, SealError> {
        let mut slot = Vec::with_capacity(SLOT_BYTES);
        slot.extend_from_slice(MAGIC);
        slot.extend_from_slice(&keys.generation.to_be_bytes());
        let (bucket, wrapped) = match &keys.next {
            Some((bucket, key)) => (*bucket, self.wrap(b"next", keys.generation, *bucket, key)?),
            None => (NO_NEXT, [0; WRAPPED_BYTES]),
        };
        slot.extend_from_slice(&bucket.to_be_bytes());
        slot.extend_from_slice(&wrapped);
        for (bucket, key) in (0u16..).zip(keys.keys.as_chunks::<KEY_BYTES>().0) {
            slot.extend_from_slice(&self.wrap(b"key", keys.generation, bucket, key)?);
        }
        let digest = Digest::of(&slot);
        slot.extend_from_slice(digest.as_bytes());
        Ok(slot)
    }

    /// The keys of a whole slot; refused where another master key or another store wrote them.
    pub fn open(&self, slot: &WholeSlot) -> Result<Keys, Refused> {
        let generation = slot.generation();
        let mut keys = Zeroizing::new(Vec::with_capacity(limits::BUCKETS * KEY_BYTES));
        for (bucket, wrapped) in (0u16..).zip(slot.0[KEYS_AT..DIGEST_AT].as_chunks::<WRAPPED_BYTES>().0) {
            let aad = self.aad(b"key", generation, bucket);
            keys.extend_from_slice(&self.cipher.unwrap_key(wrapped, &aad)?[..]);
        }
        let next = u16::from_be_bytes([slot.0[NEXT_AT], slot.0[NEXT_AT + 1]]);
        let wrapped: &WrappedKey = slot.0[NEXT_KEY_AT..KEYS_AT].try_into().map_err(|_| Refused)?;
        let next = match next {
            NO_NEXT => None,
            bucket => {
                Some((bucket, self.cipher.unwrap_key(wrapped, &self.aad(b"next", generation, bucket))?))
            }
        };
        Ok(Keys { generation, keys, next })
    }

    fn wrap(
        &self,
        role: &[u8],
        generation: u64,
        bucket: u16,
        key: &[u8; KEY_BYTES],
    ) -> Result<WrappedKey, SealError> {
        self.cipher.wrap(key, &self.aad(role, generation, bucket))
    }

    fn aad(&self, role: &[u8], generation: u64, bucket: u16) -> Vec<u8> {
        let (generation, bucket) = (generation.to_be_bytes(), bucket.to_be_bytes());
        [b"tallystick.bucket.v1.", role, b"\n", self.store_id.as_bytes(), b"\n", &generation, &bucket]
            .concat()
    }
}

/// The bytes of a slot that was written to its end.
pub struct WholeSlot<'a>(&'a [u8]);

impl<'a> WholeSlot<'a> {
    pub fn find(bytes: &'a [u8]) -> Option<Self> {
        let slot = bytes.get(..SLOT_BYTES)?;
        let (content, digest) = slot.split_at(DIGEST_AT);
        let whole = content.starts_with(MAGIC) && Digest::of(content).as_bytes()[..] == *digest;
        whole.then_some(Self(slot))
    }

    pub fn generation(&self) -> u64 {
        let mut bytes = [0u8; 8];
        bytes.copy_from_slice(&self.0[GENERATION_AT..NEXT_AT]);
        u64::from_be_bytes(bytes)
    }
}
