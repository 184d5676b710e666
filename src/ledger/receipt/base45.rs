//! Base45 (RFC 9285): bytes in the signs a QR code packs densest. One value, one spelling.

const SIGNS: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

pub fn to_base45(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 3 / 2 + 2);
    for pair in bytes.chunks(2) {
        let (mut number, signs) = match pair {
            [one, other] => (usize::from(*one) << 8 | usize::from(*other), 3),
            [one, ..] => (usize::from(*one), 2),
            [] => (0, 0),
        };
        for _ in 0..signs {
            out.push(char::from(SIGNS[number % 45]));
            number /= 45;
        }
    }
    out
}

pub fn parse_base45(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 2 / 3);
    for group in text.as_bytes().chunks(3) {
        let mut number = 0;
        for sign in group.iter().rev() {
            number = number * 45 + SIGNS.iter().position(|known| known == sign)?;
        }
        match group.len() {
            3 => out.extend_from_slice(&u16::try_from(number).ok()?.to_be_bytes()),
            2 => out.push(u8::try_from(number).ok()?),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    /// RFC 9285, section 4.3 and 4.4.
    #[test]
    fn the_published_examples_hold() {
        for (bytes, text) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0")]
        {
            assert_eq!(to_base45(bytes.as_bytes()), text);
            assert_eq!(parse_base45(text).as_deref(), Some(bytes.as_bytes()));
        }
        for bad in ["GGW", "A", "::", "a00", "BB8A"] {
            assert_eq!(parse_base45(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(parse_base45(&to_base45(&bytes)), Some(bytes));
        }
    }
}
