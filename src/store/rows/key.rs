//! Keys that sort as their parts do: big-endian numbers, and text whose end cannot be mistaken.
//! Never checks what a part means.

use crate::base::digest::Digest;

/// A key under construction; also a prefix, if parts are left out at its end.
#[derive(Clone, Debug, Default)]
pub struct Key(Vec<u8>);

impl Key {
    pub fn new() -> Self {
        Self::default()
    }

    /// UTF-8 with each 0x00 written as 0x00 0xFF, ended by 0x00 0x00: no text is another's prefix, and order is kept.
    pub fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xFF);
            }
        }
        self.0.extend_from_slice(&[0, 0]);
        self
    }

    /// The beginning of a text, as a prefix of every text that begins so.
    pub fn beginning(self, text: &str) -> Self {
        let mut key = self.text(text);
        key.0.truncate(key.0.len() - 2);
        key
    }

    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// The sign bit is flipped, so that negative numbers come first.
    pub fn signed(self, number: i64) -> Self {
        self.number(number.cast_unsigned() ^ (1 << 63))
    }

    /// Later first.
    pub fn signed_descending(self, number: i64) -> Self {
        self.number(!(number.cast_unsigned() ^ (1 << 63)))
    }

    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub fn digest(mut self, digest: &Digest) -> Self {
        self.0.extend_from_slice(digest.as_bytes());
        self
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// The first key after all keys that begin with `prefix`; none if there is no such key.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_assume, proptest};

    proptest! {
        #[test]
        fn keys_sort_as_their_parts_do(
            a in ("[\u{0}\u{1}a]{0,4}", any::<i64>()), b in ("[\u{0}\u{1}a]{0,4}", any::<i64>())
        ) {
            let key = |x: &(String, i64)| Key::new().text(&x.0).signed(x.1).finish();
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.cmp(&b));
            let late = |x: &(String, i64)| Key::new().signed_descending(x.1).finish();
            prop_assert_eq!(late(&a).cmp(&late(&b)), b.1.cmp(&a.1));
        }

        #[test]
        fn one_texts_keys_never_lie_among_anothers(a in "[\u{0}a]{0,4}", b in "[\u{0}a]{0,4}", n in any::<u64>()) {
            prop_assume!(a != b);
            let prefix = Key::new().text(&a).finish();
            prop_assert!(!Key::new().text(&b).number(n).finish().starts_with(&prefix));
        }
    }

    #[test]
    fn the_end_of_a_prefix_is_the_next_key_outside_it() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
