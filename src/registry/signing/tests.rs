//! Each way a release or policy can be unsigned, altered or withdrawn has its own refusal.

use super::*;
use crate::registry::fixture::{Keys, keys};
use crate::registry::release::tests::release_of;

fn code<T>(result: Result<T, SigningError>) -> &'static str {
    match result {
        Ok(_) => "accepted",
        Err(error) => {
            assert_eq!(error.class().exit_code(), 5);
            error.code()
        }
    }
}

#[test]
fn a_signed_release_verifies_and_says_who_signed() {
    let Keys { boxed, trust, .. } = keys();
    let release = release_of(Digest::of(b"model"));
    let signed = sign_release(&boxed, &release).unwrap();
    let verified = verify_release(&trust, 1, &signed.bytes, &[signed.signature]).unwrap();
    assert_eq!(*verified.release(), release);
    assert_eq!(verified.digest(), signed.digest);
    assert_eq!(verified.signed_by().name, "box");
}

#[test]
fn each_way_to_be_untrusted_has_its_own_code() {
    let Keys { boxed, risk, stranger, trust } = keys();
    let release = release_of(Digest::of(b"model"));
    let verify = |key: &SigningKey, floor| {
        let signed = sign_release(key, &release).unwrap();
        code(verify_release(&trust, floor, &signed.bytes, &[signed.signature]))
    };
    assert_eq!(verify(&boxed, 1), "accepted");
    assert_eq!(verify(&boxed, 2), "signing.rollback");
    assert_eq!(verify(&risk, 0), "security.wrong_role");
    assert_eq!(verify(&stranger, 0), "security.unknown_key");
    let bytes = release.to_bytes().unwrap();
    assert_eq!(code(verify_release(&trust, 0, &bytes, &[])), "security.no_signature");
    let policy = sign_policy(&boxed, bytes.clone()).unwrap();
    assert_eq!(code(verify_release(&trust, 0, &bytes, &[policy.signature])), "security.bad_signature");
    let huge = vec![b' '; limits::MANIFEST_BYTES_MAX as usize + 1];
    assert_eq!(code(verify_release(&trust, 0, &huge, &[])), "signing.too_large");
}

#[test]
fn every_flipped_byte_of_a_release_or_its_signature_is_refused() {
    let Keys { boxed, trust, .. } = keys();
    let Signed { bytes, signature, .. } = sign_release(&boxed, &release_of(Digest::of(b"model"))).unwrap();
    for position in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[position] ^= 0x01;
        let refused = code(verify_release(&trust, 0, &altered, std::slice::from_ref(&signature)));
        assert_eq!(refused, "security.bad_signature", "byte {position}");
    }
    for position in 0..signature.sig.len() {
        let mut altered = signature.clone();
        altered.sig[position] ^= 0x01;
        let refused = code(verify_release(&trust, 0, &bytes, &[altered]));
        assert_eq!(refused, "security.bad_signature", "signature byte {position}");
    }
}

#[test]
fn a_signature_over_bytes_that_are_no_release_vouches_for_nothing() {
    let Keys { boxed, trust, .. } = keys();
    let release = release_of(Digest::of(b"model")).to_bytes().unwrap();
    let loose = [release.as_slice(), b" "].concat();
    for bytes in [b"{}".to_vec(), b"".to_vec(), loose] {
        let signature = sign_detached(&boxed, PayloadType::Release, &bytes);
        assert_eq!(code(verify_release(&trust, 0, &bytes, &[signature])), "release.form");
    }
}

#[test]
fn risk_signs_policies_and_every_flipped_byte_of_one_is_refused() {
    let Keys { risk, trust, stranger, .. } = keys();
    let Signed { bytes, signature, digest } = sign_policy(&risk, b"{\"a\":1}".to_vec()).unwrap();
    let verified = verify_policy(&trust, &bytes, std::slice::from_ref(&signature)).unwrap();
    assert_eq!((verified.bytes(), verified.digest()), (bytes.as_slice(), digest));
    assert_eq!(verified.signed_by().name, "risk");
    for position in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[position] ^= 0x01;
        let refused = code(verify_policy(&trust, &altered, std::slice::from_ref(&signature)));
        assert_eq!(refused, "security.bad_signature", "byte {position}");
    }
    let unknown = sign_policy(&stranger, bytes.clone()).unwrap();
    assert_eq!(code(verify_policy(&trust, &bytes, &[unknown.signature])), "security.unknown_key");
    assert_eq!(code(sign_policy(&risk, b"{ }".to_vec())), "signing.policy_form");
}
