//! The frame around every stored value: version byte, payload, tag. The storage engine does not verify what it
//! reads; this does. Never knows what a payload means.

use crate::base::digest::Hasher;
use crate::store::error::StoreError;
use crate::store::tables::Table;

/// A truncated SHA-256: against damage and mix-ups, not against an attacker who can write the file.
const TAG_BYTES: usize = 16;

/// version byte | payload | tag
pub fn seal(table: Table, key: &[u8], version: u8, payload: &[u8]) -> Vec<u8> {
    seal_parts(table, key, version, &[payload])
}

/// The same of a payload in pieces.
pub fn seal_parts(table: Table, key: &[u8], version: u8, payload: &[&[u8]]) -> Vec<u8> {
    let length: usize = payload.iter().map(|part| part.len()).sum();
    let mut framed = Vec::with_capacity(1 + length + TAG_BYTES);
    framed.push(version);
    payload.iter().for_each(|part| framed.extend_from_slice(part));
    let tag = tag(table, key, &framed);
    framed.extend_from_slice(&tag);
    framed
}

/// The version and payload of a framed value that is the one sealed under this table and key.
pub fn open<'v>(table: Table, key: &[u8], framed: &'v [u8]) -> Result<(u8, &'v [u8]), StoreError> {
    let corrupt = |why: &str| StoreError::corrupt(table, key, why);
    let (body, stored) = framed
        .split_last_chunk::<TAG_BYTES>()
        .ok_or_else(|| corrupt("the value is shorter than its own frame"))?;
    let (version, payload) =
        body.split_first().ok_or_else(|| corrupt("the value is shorter than its own frame"))?;
    if *stored != tag(table, key, body) {
        return Err(corrupt("the value does not match its tag"));
    }
    Ok((*version, payload))
}

fn tag(table: Table, key: &[u8], body: &[u8]) -> [u8; TAG_BYTES] {
    let mut hasher = Hasher::new();
    for part in [table.name.as_bytes(), key] {
        // The length first, so that no two pairs of table and key give the same bytes.
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.update(body);
    let digest = hasher.finish();
    let mut tag = [0; TAG_BYTES];
    tag.copy_from_slice(&digest.as_bytes()[..TAG_BYTES]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::{ALIASES, VERSIONS};

    #[test]
    fn a_sealed_value_opens_under_its_own_table_and_key_only() {
        let framed = seal(VERSIONS, b"key", 3, b"payload");
        assert_eq!(open(VERSIONS, b"key", &framed).unwrap(), (3, &b"payload"[..]));
        assert!(open(ALIASES, b"key", &framed).is_err());
        assert!(open(VERSIONS, b"kez", &framed).is_err());
    }

    #[test]
    fn every_single_flipped_bit_is_noticed() {
        let framed = seal(VERSIONS, b"key", 1, b"{}");
        for bit in 0..framed.len() * 8 {
            let mut bad = framed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open(VERSIONS, b"key", &bad).is_err(), "bit {bit}");
        }
        for length in 0..framed.len() {
            assert!(open(VERSIONS, b"key", &framed[..length]).is_err(), "length {length}");
        }
    }

    #[test]
    fn the_tag_is_the_one_written_in_the_format() {
        let framed = seal(VERSIONS, b"k", 1, b"{}");
        let mut bytes = 8u64.to_be_bytes().to_vec();
        bytes.extend_from_slice(b"versions");
        bytes.extend_from_slice(&1u64.to_be_bytes());
        bytes.extend_from_slice(b"k\x01{}");
        assert_eq!(framed[3..], crate::base::digest::Digest::of(&bytes).as_bytes()[..16]);
    }
}
