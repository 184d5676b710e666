//! A certificate that we make is one that fits, and whatever does not fit is named before it is used.

use super::*;
use crate::base::clock::TimeQuality;
use rcgen::{BasicConstraints, Issuer, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn at(text: &str) -> Stamp {
    Stamp { wall: text.parse().unwrap(), quality: TimeQuality::Simulated }
}

fn now() -> Stamp {
    at("2026-03-01T12:00:00Z")
}

fn names() -> Vec<String> {
    ["box.branch.bank", "localhost", "10.1.2.3", "::1"].map(String::from).to_vec()
}

fn made() -> Certificate {
    Certificate::self_signed(&names(), now()).unwrap()
}

fn code(chain: &str, keys: &str) -> &'static str {
    Certificate::parse(chain, keys).map_or_else(|error| error.code(), |_| "fits")
}

#[test]
fn our_own_certificate_carries_its_names_and_at_most_398_days() {
    let made = made();
    let facts = made.facts();
    assert_eq!(facts.names, names());
    assert!(facts.not_after_s - facts.not_before_s <= 398 * 24 * 60 * 60);
    assert!(facts.self_signed && facts.chain == 1);
    assert_eq!(facts.subject, "CN=box.branch.bank");
    let expected = Digest::of(&made.chain_der()[0]).to_hex().to_uppercase();
    assert_eq!(facts.fingerprint.replace(':', ""), expected);
    assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
    assert_eq!(format!("{made:?}"), format!("Certificate({})", facts.fingerprint));
    assert_eq!(facts.check_dates(at("2026-03-01T11:30:00Z")).map_err(|e| e.code()), Ok(()));
    for time in ["2026-03-01T10:59:59Z", "2027-04-02T11:00:01Z", "1970-01-01T00:00:00Z"] {
        assert_eq!(facts.check_dates(at(time)).map_err(|e| e.code()), Err("certificate.dates"), "{time}");
    }
    let again = Certificate::parse(&made.chain_pem(), &made.key_pem()).unwrap();
    assert_eq!((again.facts(), again.chain_der()), (facts, made.chain_der()));
}

#[test]
fn a_name_is_carried_exactly_or_by_a_star_for_its_first_part() {
    let names = ["box.bank", "*.branch.bank", "10.0.0.1"].map(String::from);
    let made = Certificate::self_signed(&names, now()).unwrap();
    let carries = |name: &str| made.facts().check_name(name).is_ok();
    for name in ["box.bank", "BOX.bank", "a.branch.bank", "10.0.0.1"] {
        assert!(carries(name), "{name}");
    }
    for name in ["branch.bank", "a.b.branch.bank", "10.0.0.2", "bank", ""] {
        assert!(!carries(name), "{name}");
    }
    let refused = made.facts().check_name("10.0.0.2").unwrap_err().to_string();
    assert!(refused.contains("box.bank, *.branch.bank, 10.0.0.1"), "{refused}");
}

#[test]
fn a_key_of_another_certificate_and_what_is_no_key_are_told_apart() {
    let (made, other) = (made(), made());
    assert_eq!(code(&made.chain_pem(), &other.key_pem()), "certificate.other_key");
    let both = [other.key_pem().as_str(), made.key_pem().as_str()].concat();
    assert_eq!(code(&made.chain_pem(), &both), "fits");
    for no_key in ["", "x", &made.chain_pem(), &made.key_pem()[..100]] {
        assert_eq!(code(&made.chain_pem(), no_key), "certificate.malformed", "{no_key:?}");
    }
    for no_chain in ["", "x", &made.key_pem(), &made.chain_pem()[..200], &made.chain_pem().repeat(9)] {
        assert_eq!(code(no_chain, &made.key_pem()), "certificate.malformed", "{no_chain:?}");
    }
}

#[test]
fn names_that_no_certificate_can_carry_make_none() {
    for bad in [vec![], vec!["ü.bank".to_string()], vec!["x".to_string(); 65]] {
        let error = Certificate::self_signed(&bad, now()).unwrap_err();
        assert_eq!(error.code(), "certificate.not_made");
    }
}

/// An authority with a key of one method, the one under it with another, and our certificate under that.
fn issued(root: &'static SignatureAlgorithm, middle: &'static SignatureAlgorithm) -> (Vec<String>, String) {
    let authority = |name: &str| {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name = DistinguishedName::new();
        authority.distinguished_name.push(DnType::CommonName, name);
        authority
    };
    let root_key = KeyPair::generate_for(root).unwrap();
    let root = Issuer::new(authority("root"), &root_key);
    let middle_key = KeyPair::generate_for(middle).unwrap();
    let middle_pem = authority("middle").signed_by(&middle_key, &root).unwrap().pem();
    let middle = Issuer::new(authority("middle"), &middle_key);
    let key = KeyPair::generate().unwrap();
    let leaf_pem = params(&names(), now()).unwrap().signed_by(&key, &middle).unwrap().pem();
    let root_pem = authority("root").self_signed(&root_key).unwrap().pem();
    (vec![leaf_pem, middle_pem, root_pem], key.serialize_pem())
}

#[test]
fn a_chain_holds_when_each_was_signed_by_the_next() {
    let methods = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519];
    for (root, middle) in methods.into_iter().flat_map(|root| methods.map(|middle| (root, middle))) {
        let (chain, key) = issued(root, middle);
        let read = Certificate::parse(&chain.concat(), &key).unwrap();
        assert!(!read.facts().self_signed && read.facts().chain == 3);
        assert_eq!(code(&chain[..2].concat(), &key), "fits");
        assert_eq!(code(&chain[0], &key), "fits");
        assert_eq!(code(&[chain[0].clone(), chain[2].clone()].concat(), &key), "certificate.chain");
    }
    let (chain, key) = issued(methods[0], methods[0]);
    let (other, _) = issued(methods[0], methods[0]);
    assert_eq!(code(&[chain[0].clone(), other[1].clone()].concat(), &key), "certificate.chain");
    assert_eq!(code(&made().chain_pem().repeat(2), &key), "certificate.chain");
}

#[test]
fn the_files_are_private_and_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let [key, chain] = [TLS_KEY_FILE, TLS_CHAIN_FILE].map(|name| folder.path().join("keys").join(name));
    let first = made();
    first.save(&key, &chain).unwrap();
    for path in [&key, &chain] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(Certificate::load(&key, &chain).unwrap().facts(), first.facts());
    let second = made();
    second.save(&key, &chain).unwrap();
    assert_eq!(Certificate::load(&key, &chain).unwrap().facts(), second.facts());
    assert_eq!(fs::read_to_string(&key).unwrap().matches("BEGIN").count(), 1);
}

/// The three writes of a change: keys of both, the new chain, the new key. A kill may come after any of them.
#[test]
fn a_kill_during_a_change_leaves_a_chain_and_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let [key, chain] = [TLS_KEY_FILE, TLS_CHAIN_FILE].map(|name| folder.path().join("keys").join(name));
    let (first, second) = (made(), made());
    first.save(&key, &chain).unwrap();
    let both = [second.key_pem().as_str(), first.key_pem().as_str()].concat();
    replace_private(&key, both.as_bytes()).unwrap();
    assert_eq!(Certificate::load(&key, &chain).unwrap().facts(), first.facts());
    replace_private(&chain, second.chain_pem().as_bytes()).unwrap();
    assert_eq!(Certificate::load(&key, &chain).unwrap().facts(), second.facts());
    let third = made();
    third.save(&key, &chain).unwrap();
    assert_eq!(Certificate::load(&key, &chain).unwrap().facts(), third.facts());
    assert_eq!(fs::read_to_string(&key).unwrap().matches("BEGIN").count(), 1);
}
