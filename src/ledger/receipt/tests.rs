//! A receipt proves its record to whoever has the key, and nothing else does.

use super::*;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::decision::tests::{decided, header, predicted};
use crate::ledger::leaf::Kind;
use crate::ledger::memory::MemoryNodes;
use crate::ledger::tree::{inclusion_proof, root};
use crate::security::key::SigningKey;
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};

struct Log {
    key: SigningKey,
    leaves: Vec<Vec<u8>>,
}

impl Log {
    /// Decisions, predictions and acts in turn.
    fn of(size: u64) -> Self {
        let kinds = [
            header(Kind::DecisionMade, Some(decided())),
            header(Kind::PredictionMade, Some(predicted())),
            header(Kind::AliasMoved, None),
        ];
        let leaf = |seq| Header { seq, ..kinds[(seq % 3) as usize].clone() }.to_leaf_data().unwrap();
        let leaves = (0..size).map(leaf).collect();
        Self { key: SigningKey::generate().unwrap(), leaves }
    }

    fn trust(&self) -> TrustRoot {
        TrustRoot::of_box("store-1", self.key.public()).unwrap()
    }

    fn note(&self, size: u64) -> String {
        let hashes: Vec<Digest> = self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let root = root(&MemoryNodes::grow(&hashes), size).unwrap();
        Checkpoint::new("store-1", TreeHead { size, root }).sign(&self.key)
    }

    fn receipt(&self, index: u64, size: u64) -> Receipt {
        let hashes: Vec<Digest> = self.leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let proof = inclusion_proof(&MemoryNodes::grow(&hashes), index, size).unwrap();
        Receipt::new(&self.leaves[index as usize], proof, &self.note(size)).unwrap()
    }

    fn code(&self, bytes: &[u8]) -> &'static str {
        let trust = self.trust();
        let read = Receipt::parse(bytes).and_then(|receipt| receipt.verify(Anchor::Trust(&trust)));
        read.map_or_else(|error| error.code(), |_| "verified")
    }
}

#[test]
fn a_receipt_has_this_form() {
    let log = Log::of(1);
    let bytes = log.receipt(0, 1).to_bytes().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.starts_with(r#"{"case":"0421-26-00317-K","checkpoint":"tallystick/store-1\n1\n"#), "{text}");
    assert!(text.contains(r#""format":"tallystick.receipt.v1","header":"{\"actor\":{"#), "{text}");
    assert!(text.ends_with(r#","index":0,"proof":[]}"#), "{text}");
    assert_eq!(Receipt::parse(&bytes).unwrap(), log.receipt(0, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_record_under_every_checkpoint_over_it_has_its_receipt(size in 1..40u64, index in 0..40u64) {
        let index = index % size;
        let log = Log::of(size);
        let receipt = Receipt::parse(&log.receipt(index, size).to_bytes().unwrap()).unwrap();
        let by_key = receipt.clone().verify(Anchor::Key(log.key.public())).unwrap();
        let verified = receipt.verify(Anchor::Trust(&log.trust())).unwrap();
        prop_assert_eq!(&verified.header, &parse_header(&log.leaves[index as usize]).unwrap());
        prop_assert_eq!((verified.head.size, verified.store_id.as_str()), (size, "store-1"));
        prop_assert_eq!(verified.key_name.as_deref(), Some("box"));
        prop_assert_eq!(by_key, VerifiedReceipt { key_name: None, ..verified });
        prop_assert!(log.receipt(0, size).document.proof.len() <= 6);
    }
}

#[test]
fn a_receipt_on_the_word_of_another_key_or_of_another_store_is_refused() {
    let (log, other) = (Log::of(4), Log::of(4));
    let receipt = log.receipt(1, 4);
    let code = |anchor: Anchor<'_>| receipt.clone().verify(anchor).unwrap_err().code();
    assert_eq!(code(Anchor::Key(other.key.public())), "ledger.checkpoint_unknown_key");
    assert_eq!(code(Anchor::Trust(&other.trust())), "ledger.checkpoint_unknown_key");
    let elsewhere = TrustRoot::of_box("store-2", log.key.public()).unwrap();
    assert_eq!(code(Anchor::Trust(&elsewhere)), "ledger.checkpoint_other_log");
    let policy = TrustedKey::new("box", log.key.public(), [KeyRole::Policy]);
    let narrow = TrustRoot::new("store-1", 1, vec![policy]).unwrap();
    assert_eq!(code(Anchor::Trust(&narrow)), "ledger.checkpoint_wrong_role");
}

#[test]
fn parts_of_different_receipts_do_not_make_one() {
    let log = Log::of(9);
    let (one, other) = (log.receipt(3, 9).document, log.receipt(6, 9).document);
    let code = |document: &ReceiptDocument| log.code(&canonical::to_bytes(document).unwrap());
    assert_eq!(code(&one), "verified");
    assert_eq!(code(&ReceiptDocument { proof: other.proof.clone(), ..one.clone() }), "receipt.not_included");
    assert_eq!(
        code(&ReceiptDocument { proof: one.proof[1..].to_vec(), ..one.clone() }),
        "receipt.not_included"
    );
    assert_eq!(code(&ReceiptDocument { checkpoint: log.note(8), ..one.clone() }), "receipt.not_included");
    assert_eq!(code(&ReceiptDocument { checkpoint: log.note(3), ..one.clone() }), "receipt.not_included");
    assert_eq!(
        code(&ReceiptDocument { header: other.header.clone(), ..one.clone() }),
        "receipt.other_record"
    );
    assert_eq!(code(&ReceiptDocument { index: 6, ..one.clone() }), "receipt.other_record");
    assert_eq!(code(&ReceiptDocument { case: None, ..one.clone() }), "receipt.other_record");
    assert_eq!(
        code(&ReceiptDocument { format: "tallystick.receipt.v2".into(), ..one.clone() }),
        "receipt.malformed"
    );
    let long = vec![Digest::of(b"x"); limits::PROOF_HASHES_MAX + 1];
    assert_eq!(code(&ReceiptDocument { proof: long, ..one.clone() }), "receipt.malformed");
    let foreign =
        Checkpoint { origin: "elsewhere/log".into(), head: TreeHead { size: 9, root: Digest::of(b"") } };
    let foreign = ReceiptDocument { checkpoint: foreign.sign(&log.key), ..one.clone() };
    assert_eq!(code(&foreign), "receipt.origin");
    assert_eq!(log.code(&vec![b' '; limits::RECEIPT_BYTES_MAX as usize + 1]), "receipt.malformed");
    assert_eq!(log.code(b""), "receipt.malformed");
}

#[test]
fn the_text_of_a_code_proves_what_its_file_proves_and_no_sign_of_it_can_be_changed() {
    let log = Log::of(9);
    let trust = log.trust();
    for index in 0..9 {
        let receipt = log.receipt(index, 9);
        let text = receipt.to_text().unwrap();
        let read = Receipt::parse_any(text.as_bytes()).unwrap();
        assert_eq!(read.to_bytes().unwrap(), receipt.to_bytes().unwrap());
        assert_eq!(read.verify(Anchor::Trust(&trust)).unwrap().header.seq, index);
    }
    let text = log.receipt(3, 9).to_text().unwrap();
    for at in 0..text.len() {
        let mut signs = text.clone().into_bytes();
        signs[at] = if signs[at] == b'A' { b'B' } else { b'A' };
        let read = Receipt::parse_any(&signs).and_then(|receipt| receipt.verify(Anchor::Trust(&trust)));
        assert!(read.is_err(), "sign {at}");
    }
    for cut in 0..text.len() {
        assert!(Receipt::parse_any(&text.as_bytes()[..cut]).is_err(), "{cut} signs");
    }
}
