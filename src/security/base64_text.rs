//! Standard base64 with padding (RFC 4648, section 4): one value, one spelling.
//! Never reads the URL alphabet, missing padding, loose trailing bits or white space.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn parse_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub fn parse_base64_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    parse_base64(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        assert_eq!(parse_base64("+/8="), Some(vec![0xfb, 0xff]));
        for other in ["-_8=", "+/8", "+/9=", "+/8= ", "+/8=\n", "+/8=="] {
            assert_eq!(parse_base64(other), None, "{other:?}");
        }
        assert_eq!(parse_base64_array::<3>("+/8="), None);
    }
}
