//! The blocks a store's files are made of, and the hash that tells whether one is as it was. Against damage, not against
//! an attacker. Never reads a file.

/// The engine's page size; its larger pages are whole multiples, and all lie on multiples of it.
pub(in crate::store) const BLOCK_BYTES: u64 = 4_096;

/// Eight lanes, each step of a lane a bijection: damage within one lane always shows, any other but for chance. Every
/// page that is opened and read again goes through here, so it is fast and no more than that. Never 0.
pub(in crate::store) fn hash(block: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let step = |lane: u64, word: u64| (lane ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let mut lanes: [u64; 8] = std::array::from_fn(|place| place as u64 + 1);
    let (stretches, rest) = block.as_chunks::<64>();
    for stretch in stretches {
        let (words, _) = stretch.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = step(*lane, u64::from_le_bytes(*word));
        }
    }
    let end = rest.iter().fold(block.len() as u64, |end, byte| step(end, u64::from(*byte)));
    // Never 0, which stands for a block that is not known.
    lanes.into_iter().fold(end, step).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_and_every_exchange_of_words_changes_the_hash() {
        let mut block: Vec<u8> = (0..4_096u32).map(|i| ((i * i) >> 3) as u8).collect();
        let whole = hash(&block);
        for bit in 0..block.len() * 8 {
            block[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(hash(&block), whole, "bit {bit}");
            block[bit / 8] ^= 1 << (bit % 8);
        }
        for word in 1..512 {
            let mut other = block.clone();
            other.copy_within(0..8, word * 8);
            other[..8].copy_from_slice(&block[word * 8..word * 8 + 8]);
            assert!(other == block || hash(&other) != whole, "word {word}");
        }
        assert_ne!(hash(&[0; 4_096]), hash(&[0; 4_095]));
    }
}
