//! Checkpoints: the log's size and root as a C2SP tlog-checkpoint, signed as a C2SP signed note.
//! Never gives a size or root to rely on before a trusted key's signature over it was good.

use crate::base::digest::{Digest, Hasher};
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::ledger::tree::TreeHead;
use crate::security::base64_text::{parse_base64, parse_base64_array, to_base64};
use crate::security::key::{KeyId, PublicKey, SigningKey};
use crate::security::trust::{KeyRole, TrustRoot, TrustedKey};

/// The byte that says Ed25519 in a signed note's key hash.
const ED25519_NOTE: u8 = 1;
const DASH: &str = "\u{2014} ";

/// The first line of every checkpoint of a store, and the name its signature lines carry.
pub fn origin_of(store_id: &str) -> String {
    format!("tallystick/{store_id}")
}

/// The store whose log has that origin.
pub fn store_of(origin: &str) -> Option<&str> {
    origin.strip_prefix("tallystick/")
}

/// What a log promises: it had this root when it had this size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub head: TreeHead,
}

impl Checkpoint {
    pub fn new(store_id: &str, head: TreeHead) -> Self {
        Self { origin: origin_of(store_id), head }
    }

    /// The signed note: three lines, an empty one, and the signature's line.
    pub fn sign(&self, key: &SigningKey) -> String {
        let text = self.text();
        let hash = note_key_hash(&self.origin, &key.public());
        let signature = [&hash[..], &key.sign(text.as_bytes())].concat();
        format!("{text}\n{DASH}{} {}\n", self.origin, to_base64(&signature))
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, to_base64(self.head.root.as_bytes()))
    }
}

/// C2SP signed-note: the key hash names key and name together.
fn note_key_hash(name: &str, key: &PublicKey) -> [u8; 4] {
    let mut hasher = Hasher::new();
    hasher.update(name.as_bytes());
    hasher.update(&[b'\n', ED25519_NOTE]);
    hasher.update(key.as_bytes());
    let mut hash = [0; 4];
    hash.copy_from_slice(&hasher.finish().as_bytes()[..4]);
    hash
}

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("{size} bytes; at most {max} are read", max = limits::CHECKPOINT_BYTES_MAX)]
    TooLarge { size: usize },
    #[error("not a checkpoint in the form of a signed note: {what}")]
    Form { what: &'static str },
    #[error("size {size} is beyond what a log counts to")]
    Size { size: u64 },
    #[error("it is of the log {found:?} where the trust root belongs to {expected:?}")]
    OtherLog { expected: String, found: String },
    #[error("none of its signatures is by a key of the trust root")]
    UnknownKey,
    #[error("it is signed by key {key_id} ({name}), which is not trusted for checkpoints")]
    WrongRole { key_id: KeyId, name: String },
    #[error("it is not what key {key_id} ({name}) signed: the signature does not verify")]
    Bad { key_id: KeyId, name: String },
}

impl Fact for CheckpointError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } | Self::Form { .. } | Self::Size { .. } => "ledger.checkpoint_malformed",
            Self::OtherLog { .. } => "ledger.checkpoint_other_log",
            Self::UnknownKey => "ledger.checkpoint_unknown_key",
            Self::WrongRole { .. } => "ledger.checkpoint_wrong_role",
            Self::Bad { .. } => "ledger.checkpoint_bad_signature",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// A checkpoint as it was read: not yet to be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    lines: Vec<SignatureLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    key_hash: [u8; 4],
    signature: Vec<u8>,
}

impl SignedCheckpoint {
    pub fn parse(note: &[u8]) -> Result<Self, CheckpointError> {
        if note.len() > limits::CHECKPOINT_BYTES_MAX {
            return Err(CheckpointError::TooLarge { size: note.len() });
        }
        let note = std::str::from_utf8(note).map_err(|_| form("it is not UTF-8"))?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(form("it has control characters"));
        }
        let (text, lines) = note.split_once("\n\n").ok_or_else(|| form("no empty line ends its text"))?;
        Ok(Self { checkpoint: parse_text(text)?, lines: parse_lines(lines)? })
    }

    /// The size it claims, to name it by; nothing to rely on.
    pub fn claimed_size(&self) -> u64 {
        self.checkpoint.head.size
    }

    /// The log it claims to be of; nothing to rely on.
    pub fn claimed_origin(&self) -> &str {
        &self.checkpoint.origin
    }

    /// The checkpoint, if it is of the trust root's own log and a key trusted for checkpoints signed it.
    pub fn verify(self, trust: &TrustRoot) -> Result<Checkpoint, CheckpointError> {
        self.verify_by(trust).map(|(checkpoint, _)| checkpoint)
    }

    /// Also says whose signature it was, the first that counted.
    /// Lines by unknown keys (witnesses, say) are passed over; a known key's bad signature is final.
    pub fn verify_by(self, trust: &TrustRoot) -> Result<(Checkpoint, TrustedKey), CheckpointError> {
        let expected = origin_of(trust.store_id());
        if self.checkpoint.origin != expected {
            return Err(CheckpointError::OtherLog { expected, found: self.checkpoint.origin });
        }
        let text = self.checkpoint.text();
        let mut refused = CheckpointError::UnknownKey;
        let mut signer = None;
        for line in self.lines.iter().filter(|line| line.name == expected) {
            let Some(key) = find_key(trust, line) else { continue };
            let (key_id, name) = (key.key_id, key.name.clone());
            if !key.roles.contains(&KeyRole::Checkpoint) {
                refused = CheckpointError::WrongRole { key_id, name };
            } else if key.public_key.verify(text.as_bytes(), &line.signature).is_ok() {
                signer = signer.or_else(|| Some(key.clone()));
            } else {
                return Err(CheckpointError::Bad { key_id, name });
            }
        }
        signer.map(|key| (self.checkpoint, key)).ok_or(refused)
    }
}

fn find_key<'a>(trust: &'a TrustRoot, line: &SignatureLine) -> Option<&'a TrustedKey> {
    trust.keys().iter().find(|key| note_key_hash(&line.name, &key.public_key) == line.key_hash)
}

fn form(what: &'static str) -> CheckpointError {
    CheckpointError::Form { what }
}

/// Three lines and no more; what they say is written again and must be the same text.
fn parse_text(text: &str) -> Result<Checkpoint, CheckpointError> {
    let lines: Vec<&str> = text.split('\n').collect();
    let [origin, size, root] = lines[..] else {
        return Err(form("its text is not origin, size and root"));
    };
    if !is_key_name(origin) {
        return Err(form("its origin is empty or has a space or plus"));
    }
    let size: u64 = size.parse().map_err(|_| form("its size is no decimal number"))?;
    let root = parse_base64_array(root).ok_or_else(|| form("its root is not 32 bytes in base64"))?;
    if size > limits::EXACT_INTEGER_MAX {
        return Err(CheckpointError::Size { size });
    }
    let head = TreeHead { size, root: Digest::from_bytes(root) };
    let checkpoint = Checkpoint { origin: origin.to_string(), head };
    if checkpoint.text().strip_suffix('\n') == Some(text) {
        Ok(checkpoint)
    } else {
        Err(form("its size is not in its shortest spelling"))
    }
}

fn parse_lines(lines: &str) -> Result<Vec<SignatureLine>, CheckpointError> {
    let lines = lines.strip_suffix('\n').ok_or_else(|| form("its last line does not end"))?;
    if lines.split('\n').count() > limits::SIGNATURES_MAX {
        return Err(form("it has too many signatures"));
    }
    lines
        .split('\n')
        .map(|line| parse_line(line).ok_or_else(|| form("a signature line is malformed")))
        .collect()
}

fn parse_line(line: &str) -> Option<SignatureLine> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let bytes = parse_base64(signature)?;
    let (key_hash, signature) = bytes.split_first_chunk::<4>()?;
    if !is_key_name(name) || signature.is_empty() {
        return None;
    }
    Some(SignatureLine { name: name.to_string(), key_hash: *key_hash, signature: signature.to_vec() })
}

fn is_key_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> (SigningKey, TrustRoot, Checkpoint) {
        let key = SigningKey::generate().unwrap();
        let trust = TrustRoot::of_box("store-1", key.public()).unwrap();
        let head = TreeHead { size: 9, root: Digest::of(b"root") };
        (key, trust, Checkpoint::new("store-1", head))
    }

    fn code(note: &str, trust: &TrustRoot) -> &'static str {
        let read = SignedCheckpoint::parse(note.as_bytes()).and_then(|signed| signed.verify(trust));
        read.map_or_else(|error| error.code(), |_| "verified")
    }

    /// The example of Go's sumdb/note, which the C2SP page describes: another implementation's key hash and note.
    #[test]
    fn the_published_note_has_our_key_hash_and_verifies() {
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let line = parse_line("\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=").unwrap();
        let typed: [u8; 33] = parse_base64_array("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key = PublicKey::from_bytes(typed[1..].try_into().unwrap());
        assert_eq!((typed[0], line.key_hash), (ED25519_NOTE, [0xc7, 0x4f, 0x20, 0xa3]));
        assert_eq!(note_key_hash("PeterNeumann", &key), line.key_hash);
        assert_eq!(key.verify(text.as_bytes(), &line.signature), Ok(()));
    }

    #[test]
    fn a_signed_checkpoint_has_this_form_and_verifies() {
        let (key, trust, checkpoint) = scene();
        let note = checkpoint.sign(&key);
        // The third line is the base64 of SHA-256("root").
        let head = "tallystick/store-1\n9\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n\n\u{2014} tallystick/store-1 ";
        let signature = note.strip_prefix(head).and_then(|rest| rest.strip_suffix('\n')).unwrap();
        assert_eq!(parse_base64(signature).unwrap().len(), 4 + 64);
        let read = SignedCheckpoint::parse(note.as_bytes()).unwrap();
        assert_eq!(read.claimed_size(), 9);
        assert_eq!(read.verify(&trust).unwrap(), checkpoint);
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let (key, trust, checkpoint) = scene();
        let note = checkpoint.sign(&key);
        assert_eq!(code(&note, &trust), "verified");
        let text = |from: &str, to: &str| note.replacen(from, to, 1);
        let spellings = [
            text("\n9\n", "\n09\n"),
            text("\n9\n", "\n+9\n"),
            text("\n9\n", "\n9\nextension\n"),
            text("\n9\n", "\n9\r\n"),
            text("\n9\n", "\n9007199254740992\n"),
            text("\n\n", "\n"),
            text("\n\n", "\n\n\n"),
            text("\u{2014} ", "- "),
            text("tallystick/", "tally stick/"),
            note.trim_end().to_string(),
            format!("{note}\n"),
            note.clone() + &note[note.find('\u{2014}').unwrap()..].repeat(16),
            String::new(),
        ];
        for spelling in spellings {
            assert_eq!(code(&spelling, &trust), "ledger.checkpoint_malformed", "{spelling:?}");
        }
        assert!(SignedCheckpoint::parse(&[b'a'; limits::CHECKPOINT_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn each_way_to_be_untrusted_has_its_own_refusal() {
        let (key, trust, checkpoint) = scene();
        let stranger = SigningKey::generate().unwrap();
        let note = checkpoint.sign(&key);
        let line = |note: &str| note[note.find('\u{2014}').unwrap()..].to_string();
        assert_eq!(code(&note.replacen("\n9\n", "\n8\n", 1), &trust), "ledger.checkpoint_bad_signature");
        assert_eq!(code(&checkpoint.sign(&stranger), &trust), "ledger.checkpoint_unknown_key");
        let other = Checkpoint::new("store-2", checkpoint.head).sign(&key);
        assert_eq!(code(&other, &trust), "ledger.checkpoint_other_log");
        let no_role = TrustedKey::new("box", key.public(), [KeyRole::Release, KeyRole::Policy]);
        let narrow = TrustRoot::new("store-1", 1, vec![no_role]).unwrap();
        assert_eq!(code(&note, &narrow), "ledger.checkpoint_wrong_role");
        let witnessed = checkpoint.sign(&stranger) + &line(&note);
        assert_eq!(code(&witnessed, &trust), "verified");
    }
}
