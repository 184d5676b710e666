//! Room for bytes that goes to the disk past the page cache, which wants it to begin at a block's multiple in memory.
//! Never smaller than what was asked for last.

use crate::store::file::block::BLOCK_BYTES;

const BLOCK: usize = BLOCK_BYTES as usize;

#[derive(Default)]
pub struct Aligned {
    room: Vec<u8>,
    start: usize,
}

impl Aligned {
    /// So many bytes of whatever was there before.
    pub fn of(&mut self, length: usize) -> &mut [u8] {
        if self.room.len() < self.start + length {
            // Never grown in place: where it lies is what matters.
            self.room = vec![0; length + BLOCK];
            self.start = self.room.as_ptr().align_offset(BLOCK).min(BLOCK);
        }
        &mut self.room[self.start..self.start + length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_begins_at_a_blocks_multiple_however_often_it_grows() {
        let mut room = Aligned::default();
        for length in [1, BLOCK, 3, 9 * BLOCK, 2 * BLOCK] {
            let place = room.of(length);
            assert_eq!((place.len(), place.as_ptr().align_offset(BLOCK)), (length, 0));
        }
    }
}
