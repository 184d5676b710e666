//! What is sealed opens with its own key, id, store and bucket, and with nothing else.

use super::*;
use crate::base::fact::Fact;
use crate::security::seal::buckets::BUCKETS_FILE;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use std::sync::OnceLock;
use tempfile::TempDir;

fn scene() -> (TempDir, MasterKey, Sealer) {
    let folder = tempfile::tempdir().unwrap();
    let master = MasterKey::generate().unwrap();
    let sealer = Sealer::create(&folder.path().join("keys").join(BUCKETS_FILE), &master, "store-1").unwrap();
    (folder, master, sealer)
}

/// One sealer for all that only seals and opens.
fn shared() -> &'static Sealer {
    static SHARED: OnceLock<(TempDir, MasterKey, Sealer)> = OnceLock::new();
    &SHARED.get_or_init(scene).2
}

fn id(fill: u8) -> DecisionId {
    let mut bytes = [fill; 16];
    (bytes[6], bytes[8]) = (0x70, 0x80);
    DecisionId::from_bytes(bytes).unwrap()
}

#[test]
fn a_sealer_may_be_shared_by_threads() {
    fn shareable<T: Send + Sync>(_: &T) {}
    shareable(shared());
}

#[test]
fn a_subject_has_one_tag_in_a_store_and_another_one_elsewhere() {
    let (_folder, _master, other) = scene();
    let sealer = shared();
    let tag = sealer.tag_of_subject("C-100234");
    assert_eq!(sealer.tag_of_subject("C-100234"), tag);
    assert_ne!(sealer.tag_of_subject("C-100235"), tag);
    assert_ne!(other.tag_of_subject("C-100234"), tag);
    assert_ne!(sealer.tag_of_record(&id(1)), sealer.tag_of_record(&id(2)));
    assert_eq!(SubjectTag([0xab, 0xcd, 0xef, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).bucket(), 0xabc);
    assert_ne!(sealer.mac_of_request(b"{}")[..16], sealer.tag_of_subject("{}").0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_sealed_opens_again(subject in ".{0,20}", fill in any::<u8>(), plain in any::<Vec<u8>>()) {
        let sealer = shared();
        let tag = sealer.tag_of_subject(&subject);
        let sealed = sealer.seal(&tag, &id(fill), &plain).unwrap();
        prop_assert_eq!(sealed.body.len(), plain.len() + 33);
        prop_assert_eq!(SubjectTag::find_in(&sealed.body), Some(tag));
        let opened = sealer.open_body(&sealed.body, &sealed.wrapped, &id(fill)).unwrap();
        prop_assert_eq!(&opened[..], &plain[..]);
        let again = sealer.seal(&tag, &id(fill), &plain).unwrap();
        prop_assert!(again.wrapped != sealed.wrapped && again.body != sealed.body);
        prop_assert!(sealer.open_body(&sealed.body, &again.wrapped, &id(fill)).is_err());
        prop_assert!(sealer.open_body(&sealed.body, &sealed.wrapped, &id(!fill)).is_err());
    }
}

#[test]
fn every_flipped_bit_of_body_and_key_is_refused() {
    let sealer = shared();
    let sealed = sealer.seal(&sealer.tag_of_subject("a"), &id(3), b"income 3200").unwrap();
    for bit in 0..sealed.body.len() * 8 {
        let mut body = sealed.body.clone();
        body[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open_body(&body, &sealed.wrapped, &id(3)).is_err(), "bit {bit} of the body");
    }
    for bit in 0..WRAPPED_BYTES * 8 {
        let mut wrapped = sealed.wrapped;
        wrapped[bit / 8] ^= 1 << (bit % 8);
        let error = sealer.open_body(&sealed.body, &wrapped, &id(3)).unwrap_err();
        assert_eq!(error.code(), "seal.key_refused", "bit {bit} of the key");
    }
    for end in 0..sealed.body.len() {
        assert!(sealer.open_body(&sealed.body[..end], &sealed.wrapped, &id(3)).is_err(), "{end}");
    }
}

#[test]
fn a_renewed_bucket_opens_what_was_rewrapped_and_forgets_the_rest() {
    let (folder, master, sealer) = scene();
    let tag = sealer.tag_of_subject("erased");
    let (gone, kept) =
        (sealer.seal(&tag, &id(1), b"gone").unwrap(), sealer.seal(&tag, &id(2), b"kept").unwrap());
    let mut survivor = kept.wrapped;
    let renewed: Result<(), SealError> = sealer.buckets().renew(tag.bucket(), || {
        survivor = sealer.rewrap(&tag, &kept.wrapped, &id(2))?;
        // A crash may have it done twice.
        survivor = sealer.rewrap(&tag, &survivor, &id(2))?;
        Ok(())
    });
    renewed.unwrap();
    let opened = Sealer::open(&folder.path().join("keys").join(BUCKETS_FILE), &master, "store-1").unwrap();
    for sealer in [&sealer, &opened] {
        assert_eq!(&sealer.open_body(&kept.body, &survivor, &id(2)).unwrap()[..], b"kept");
        let error = sealer.open_body(&gone.body, &gone.wrapped, &id(1)).unwrap_err();
        assert_eq!(error.code(), "seal.key_refused");
        assert!(sealer.open_body(&kept.body, &kept.wrapped, &id(2)).is_err());
    }
}

#[test]
fn a_body_that_the_log_would_not_keep_is_not_sealed() {
    let sealer = shared();
    let tag = sealer.tag_of_subject("a");
    let largest = vec![0; limits::SEALED_PLAIN_BYTES_MAX];
    let sealed = sealer.seal(&tag, &id(1), &largest).unwrap();
    assert_eq!(sealed.body.len(), limits::LEDGER_BODY_BYTES_MAX);
    let error = sealer.seal(&tag, &id(1), &[&largest[..], &[0]].concat()).unwrap_err();
    assert_eq!(error.code(), "seal.body_too_large");
}
