//! A receipt as a text short enough for a QR code: the same bytes, packed. Whoever unpacks it has the receipt's file.
//! Proves nothing by itself, and has one spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::digest::{parse_hex, to_hex};
use crate::base::limits;
use crate::ledger::receipt::base45::{parse_base45, to_base45};

/// What a receipt's text begins with, in signs that every QR code of text has.
pub const MARK: &str = "TALLY1:";

const HEX: u8 = 0;
const UUID: u8 = 1;
const ROOT: u8 = 2;
const SIGNATURE: u8 = 3;
const FIRST_WORD: u8 = 4;

/// What stands in every receipt, by the bytes from 4 on: JSON has no use for them. The order is the format.
const WORDS: [&str; 28] = [
    "{\"case\":\"",
    "\",\"checkpoint\":\"tallystick/",
    "\\n\\n\u{2014} tallystick/",
    "\\n\",\"format\":\"tallystick.receipt.v1\",\"header\":\"{\\\"actor\\\":{\\\"name\\\":\\\"",
    "\\\",\\\"role\\\":\\\"",
    "\\\"},\\\"body_sha256\\\":\\\"",
    "\\\",\\\"decision\\\":{\\\"band\\\":",
    ",\\\"by\\\":\\\"band\\\",\\\"case\\\":\\\"",
    ",\\\"by\\\":\\\"",
    "\\\",\\\"case\\\":\\\"",
    "\\\",\\\"flags\\\":[",
    "],\\\"id\\\":\\\"",
    "\\\",\\\"latency_us\\\":",
    ",\\\"model\\\":\\\"",
    "\\\",\\\"name\\\":\\\"",
    "\\\",\\\"outcome\\\":\\\"",
    "\\\",\\\"policy\\\":\\\"",
    "\\\",\\\"release\\\":\\\"",
    "\\\",\\\"version\\\":",
    "},\\\"kind\\\":\\\"decision_made\\\",\\\"quality\\\":\\\"local\\\",\\\"seq\\\":",
    "},\\\"kind\\\":\\\"",
    "\\\",\\\"quality\\\":\\\"",
    ",\\\"subject\\\":\\\"case/",
    "\\\",\\\"time_ms\\\":",
    "}\",\"index\":",
    ",\"proof\":[\"",
    "\",\"",
    "\"]}",
];

/// The text of a receipt's bytes.
pub fn to_text(receipt: &[u8]) -> String {
    format!("{MARK}{}", to_base45(&pack(receipt)))
}

/// The bytes of a receipt's text, as they were; nothing where it is none or in another spelling.
pub fn parse_text(text: &str) -> Option<Vec<u8>> {
    let packed = parse_base45(text.trim_end_matches(['\r', '\n']).strip_prefix(MARK)?)?;
    let receipt = unpack(&packed)?;
    (pack(&receipt) == packed).then_some(receipt)
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let Some((token, value, length)) = find_value(rest) {
            out.push(token);
            out.extend_from_slice(&value);
            rest = &rest[length..];
            continue;
        }
        let words = WORDS.iter().enumerate().filter(|(_, word)| rest.starts_with(word.as_bytes()));
        match words.max_by_key(|(_, word)| word.len()) {
            Some((at, word)) => {
                out.push(FIRST_WORD + at as u8);
                rest = &rest[word.len()..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// A digest, an id, a root or a signature at the front: its token, its bytes, and how much text it was.
fn find_value(text: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let front = |length: usize| text.get(..length).and_then(|front| std::str::from_utf8(front).ok());
    if let Some(bytes) = front(64).and_then(parse_hex::<32>) {
        return Some((HEX, bytes.to_vec(), 64));
    }
    if let Some(bytes) = front(36).and_then(parse_uuid) {
        return Some((UUID, bytes.to_vec(), 36));
    }
    let of_base64 = |length: usize, bytes: usize| {
        let decoded = front(length).and_then(|text| STANDARD.decode(text).ok());
        decoded.filter(|decoded| decoded.len() == bytes)
    };
    if let Some(bytes) = of_base64(92, 68) {
        return Some((SIGNATURE, bytes, 92));
    }
    of_base64(44, 32).map(|bytes| (ROOT, bytes, 44))
}

const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let dashed = text.bytes().enumerate().all(|(at, b)| (b == b'-') == UUID_DASHES.contains(&at));
    if dashed { parse_hex(&text.replace('-', "")) } else { None }
}

fn uuid_text(bytes: &[u8]) -> String {
    let mut text = to_hex(bytes);
    for at in UUID_DASHES {
        text.insert(at, '-');
    }
    text
}

fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(packed.len() * 2);
    let mut rest = packed;
    while let Some((first, tail)) = rest.split_first() {
        if out.len() as u64 > limits::RECEIPT_BYTES_MAX {
            return None;
        }
        let length = match *first {
            HEX | ROOT => 32,
            UUID => 16,
            SIGNATURE => 68,
            _ => 0,
        };
        let (value, tail) = tail.split_at_checked(length)?;
        match *first {
            HEX => out.extend_from_slice(to_hex(value).as_bytes()),
            UUID => out.extend_from_slice(uuid_text(value).as_bytes()),
            ROOT | SIGNATURE => out.extend_from_slice(STANDARD.encode(value).as_bytes()),
            token => match WORDS.get(usize::from(token).wrapping_sub(usize::from(FIRST_WORD))) {
                Some(word) => out.extend_from_slice(word.as_bytes()),
                None => out.push(token),
            },
        }
        rest = tail;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    const RECEIPT: &str = "{\"case\":\"0000-26-00001-Y\",\"checkpoint\":\"tallystick/01a21f61-823d-700d-8ff4-120ec0fdfb34\\n6\\nI6yt59Tw6tNoMpl3tljUtl1a/49k6sw1tEafflRpU3M=\\n\\n\u{2014} tallystick/01a21f61-823d-700d-8ff4-120ec0fdfb34 nTdc1sk6EDpdVmCvg2sEClDWHJRWgj11XbKMNJCFD6NyCkC7svdMH1ROjqKBSw9frenF41kKW5VOKakRyq5cLWmKdgY=\\n\",\"format\":\"tallystick.receipt.v1\",\"header\":\"{\\\"actor\\\":{\\\"name\\\":\\\"root\\\",\\\"role\\\":\\\"officer\\\"},\\\"body_sha256\\\":\\\"c1442a4e52fd750b7fd084782783161e168060a023f501cab7c16d4f0eaa511d\\\",\\\"decision\\\":{\\\"band\\\":0,\\\"by\\\":\\\"band\\\",\\\"case\\\":\\\"0000-26-00001-Y\\\",\\\"flags\\\":[],\\\"id\\\":\\\"01a21f6b-c8cb-7e30-b92d-4745408caf7c\\\",\\\"latency_us\\\":72470,\\\"model\\\":\\\"9d57748c7858ff71b7beceb9c54c233e7ef805fe423d8990ceaed416bf21efce\\\",\\\"name\\\":\\\"loan-default\\\",\\\"outcome\\\":\\\"approve\\\",\\\"policy\\\":\\\"bc4fd085a3a24f60c79d8b0c2a46247edbbef359fd19ca3150a0d1c5667e4fbc\\\",\\\"release\\\":\\\"467db8c407b95138a4f264706f2430cc9067ed8601cfb009cc617a5ca4382915\\\",\\\"version\\\":1},\\\"kind\\\":\\\"decision_made\\\",\\\"quality\\\":\\\"local\\\",\\\"seq\\\":5,\\\"subject\\\":\\\"case/0000-26-00001-Y\\\",\\\"time_ms\\\":1795823487179}\",\"index\":5,\"proof\":[\"6bfee06b017425fe00cf2f7598e3f9cd288d24ab0a0953cc146f532a392f5eaa\",\"01a55384a073b32c194a9ce52e762a8b72d6fc5046bdaafc43b4650f1080850c\"]}";

    #[test]
    fn a_receipt_is_packed_to_a_third_and_comes_back_to_the_byte() {
        let text = to_text(RECEIPT.as_bytes());
        assert_eq!(parse_text(&text).as_deref(), Some(RECEIPT.as_bytes()));
        assert_eq!(parse_text(&format!("{text}\n")).as_deref(), Some(RECEIPT.as_bytes()));
        // A log of a million records has proofs of 20 hashes, this one has 2.
        let packed = parse_base45(text.strip_prefix(MARK).unwrap()).unwrap().len();
        assert!(packed < 560 && packed + 18 * 34 < 1_200, "{packed}");
    }

    #[test]
    fn another_spelling_of_the_same_bytes_is_refused() {
        let literal = format!("{MARK}{}", to_base45(RECEIPT.as_bytes()));
        assert_eq!(unpack(&parse_base45(&literal[MARK.len()..]).unwrap()).unwrap(), RECEIPT.as_bytes());
        assert_eq!(parse_text(&literal), None);
        assert_eq!(parse_text(RECEIPT), None);
    }

    proptest! {
        #[test]
        fn any_json_text_comes_back(text in "[ -~\u{e4}\u{2014}]{0,200}") {
            prop_assert_eq!(parse_text(&to_text(text.as_bytes())), Some(text.into_bytes()));
        }

        #[test]
        fn any_bytes_are_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(out) = unpack(&bytes) {
                prop_assert!(out.len() <= bytes.len() * 110 + 110);
            }
        }
    }
}
