//! Numbers and texts packed one after the other: what is stored many times a second and read by us alone.
//! Never self-describing; whoever reads knows what was written.

/// LEB128: seven bits a byte, the lowest first, the top bit says that more follow.
pub fn push_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front.
pub fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let first = take_byte(bytes)?;
        number |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The length, then the bytes.
pub fn push_text(out: &mut Vec<u8>, text: &str) {
    push_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

pub fn take_text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take_number(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

/// Eight bytes, little-endian: every double, to the bit.
pub fn push_double(out: &mut Vec<u8>, number: f64) {
    out.extend_from_slice(&number.to_le_bytes());
}

pub fn take_double(bytes: &mut &[u8]) -> Option<f64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(f64::from_le_bytes(*number))
}

pub fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

/// A count, then that many of something.
pub fn take_list<T>(bytes: &mut &[u8], mut take: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    (0..take_number(bytes)?).map(|_| take(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(number in any::<u64>(), text in ".{0,9}", double in any::<u64>()) {
            let mut out = Vec::new();
            push_number(&mut out, number);
            push_text(&mut out, &text);
            push_double(&mut out, f64::from_bits(double));
            let mut rest = &out[..];
            prop_assert_eq!(take_number(&mut rest), Some(number));
            prop_assert_eq!(take_text(&mut rest), Some(text));
            prop_assert_eq!(take_double(&mut rest).map(f64::to_bits), Some(double));
            prop_assert_eq!(rest.len(), 0);
        }
    }

    #[test]
    fn a_number_without_an_end_is_none() {
        assert_eq!(take_number(&mut &[0xFF; 12][..]), None);
        assert_eq!(take_number(&mut &[0x80][..]), None);
        assert_eq!(take_text(&mut &[200, 1, b'x'][..]), None);
    }
}
