//! Whether each certificate of a chain was signed by the next, and what the first one says.
//! Never asks whether the last one is trusted; that is for the clients.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_NIST_EC_P384, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
    OID_SIG_ECDSA_WITH_SHA256, OID_SIG_ECDSA_WITH_SHA384, OID_SIG_ED25519, Oid,
};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::security::certificate::{CertificateError, CertificateFacts, fingerprint, list_names};

/// Reads and checks a chain of at least one.
pub fn check(chain: &[Vec<u8>]) -> Result<CertificateFacts, CertificateError> {
    let malformed = |what| CertificateError::Malformed { what };
    let parsed: Result<Vec<X509Certificate<'_>>, CertificateError> = chain
        .iter()
        .map(|der| match X509Certificate::from_der(der) {
            Ok(([], certificate)) => Ok(certificate),
            _ => Err(malformed("one of them is not exactly one X.509 certificate")),
        })
        .collect();
    let parsed = parsed?;
    for (at, pair) in parsed.windows(2).enumerate() {
        check_issued(&pair[0], &pair[1]).map_err(|what| CertificateError::Chain { number: at + 1, what })?;
    }
    let (Some(leaf), Some(der)) = (parsed.first(), chain.first()) else {
        return Err(malformed("there is none"));
    };
    let names = list_names(leaf)?;
    let validity = leaf.validity();
    let (not_before_s, not_after_s) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if names.is_empty() {
        return Err(malformed("the first one carries no name of a server"));
    }
    if not_before_s >= not_after_s {
        return Err(malformed("the first one is good at no time"));
    }
    Ok(CertificateFacts {
        fingerprint: fingerprint(der),
        names,
        not_before_s,
        not_after_s,
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        self_signed: check_issued_by_itself(leaf),
        chain: chain.len(),
    })
}

fn check_issued(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Result<(), &'static str> {
    if certificate.issuer().as_raw() != issuer.subject().as_raw() {
        return Err("it names another issuer");
    }
    if !issuer.is_ca() {
        return Err("the next one may not sign certificates");
    }
    verify(certificate, issuer)
}

fn check_issued_by_itself(certificate: &X509Certificate<'_>) -> bool {
    let named = certificate.issuer().as_raw() == certificate.subject().as_raw();
    named && verify(certificate, certificate).is_ok()
}

fn verify(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> Result<(), &'static str> {
    let key = issuer.public_key();
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let algorithm = find_algorithm(&certificate.signature_algorithm.algorithm, curve.as_ref())
        .ok_or("it is signed by a method that is not known")?;
    UnparsedPublicKey::new(algorithm, &key.subject_public_key.data)
        .verify(certificate.tbs_certificate.as_ref(), &certificate.signature_value.data)
        .map_err(|_| "the signature does not verify")
}

fn find_algorithm(method: &Oid<'_>, curve: Option<&Oid<'_>>) -> Option<&'static dyn VerificationAlgorithm> {
    let of_curve =
        |p256: &'static dyn VerificationAlgorithm, p384: &'static dyn VerificationAlgorithm| match curve {
            Some(curve) if *curve == OID_EC_P256 => Some(p256),
            Some(curve) if *curve == OID_NIST_EC_P384 => Some(p384),
            _ => None,
        };
    match method {
        method if *method == OID_SIG_ECDSA_WITH_SHA256 => {
            of_curve(&signature::ECDSA_P256_SHA256_ASN1, &signature::ECDSA_P384_SHA256_ASN1)
        }
        method if *method == OID_SIG_ECDSA_WITH_SHA384 => {
            of_curve(&signature::ECDSA_P256_SHA384_ASN1, &signature::ECDSA_P384_SHA384_ASN1)
        }
        method if *method == OID_PKCS1_SHA256WITHRSA => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        method if *method == OID_PKCS1_SHA384WITHRSA => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        method if *method == OID_PKCS1_SHA512WITHRSA => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        method if *method == OID_SIG_ED25519 => Some(&signature::ED25519),
        _ => None,
    }
}
