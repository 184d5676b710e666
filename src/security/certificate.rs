//! The TLS certificate: made by ourselves or installed from the bank's authority, kept, and checked to fit its key.
//! Never trusts anyone by it and never answers for a name it does not carry.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use zeroize::{Zeroize, Zeroizing};

use crate::base::clock::Stamp;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::security::key::KeyError;
use crate::security::key_file::{open_private, read_secret, replace_private};

mod chain;
pub mod pinned;

/// Below the folder of keys.
pub const TLS_KEY_FILE: &str = "tls.key";
pub const TLS_CHAIN_FILE: &str = "tls.crt";
const DAY_S: u64 = 24 * 60 * 60;
/// What a certificate can carry as a common name.
const COMMON_NAME_CHARS_MAX: usize = 64;

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    File(#[from] KeyError),
    #[error("no certificate could be made: {what}")]
    NotMade { what: String },
    #[error("the certificates cannot be read: {what}")]
    Malformed { what: &'static str },
    #[error(
        "the key cannot be read: one private key in PEM is needed, unencrypted, of ECDSA, RSA or Ed25519"
    )]
    MalformedKey,
    #[error("the key does not belong to the certificate {fingerprint}")]
    OtherKey { fingerprint: String },
    #[error("certificate {number} of the chain was not signed by the next one: {what}")]
    Chain { number: usize, what: &'static str },
    #[error("the certificate does not carry the name {name:?}; it carries {}", names.join(", "))]
    Name { name: String, names: Vec<String> },
    #[error("the certificate is good from {from} to {until} only", from = time(*.not_before_s), until = time(*.not_after_s))]
    Dates { not_before_s: i64, not_after_s: i64 },
}

fn time(seconds: i64) -> String {
    crate::base::clock::millis_to_text(seconds.saturating_mul(1_000))
}

impl Fact for CertificateError {
    fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::NotMade { .. } => "certificate.not_made",
            Self::Malformed { .. } | Self::MalformedKey => "certificate.malformed",
            Self::OtherKey { .. } => "certificate.other_key",
            Self::Chain { .. } => "certificate.chain",
            Self::Name { .. } => "certificate.name",
            Self::Dates { .. } => "certificate.dates",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::File(error) => error.class(),
            Self::NotMade { .. } => Class::Failed,
            _ => Class::Integrity,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::File(error) => error.next_step(),
            Self::Malformed { .. } => {
                Some("Give the certificate first, then those that signed it, in PEM.".into())
            }
            Self::OtherKey { .. } => Some("Give the key that the certificate was requested with.".into()),
            Self::Chain { .. } => Some("Put each certificate before the one that signed it.".into()),
            Self::Name { .. } => Some("Request one that carries every name the server is called by.".into()),
            Self::Dates { .. } => Some("Check this machine's clock, or request a new certificate.".into()),
            Self::NotMade { .. } | Self::MalformedKey => None,
        }
    }
}

/// What a certificate says, for people and for figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// SHA-256 over the certificate's DER, as browsers show it: `AB:CD:..`.
    pub fingerprint: String,
    /// Host names and addresses, as they stand in it.
    pub names: Vec<String>,
    pub not_before_s: i64,
    pub not_after_s: i64,
    pub subject: String,
    pub issuer: String,
    pub self_signed: bool,
    pub chain: usize,
}

impl CertificateFacts {
    /// What a chain says, for whom its key is of no interest.
    pub fn load(chain: &Path) -> Result<Self, CertificateError> {
        chain::check(&list_certificates(&load_pem(chain)?)?)
    }

    /// Whether a client that calls the server so accepts it: an address exactly, a name also by `*` for its first part.
    pub fn check_name(&self, name: &str) -> Result<(), CertificateError> {
        let small = name.to_ascii_lowercase();
        let wild = small.parse::<IpAddr>().is_err().then(|| small.split_once('.')).flatten();
        let wild = wild.map(|(_, rest)| format!("*.{rest}"));
        let fits = |known: &String| {
            known.eq_ignore_ascii_case(&small) || wild.as_ref() == Some(&known.to_lowercase())
        };
        if self.names.iter().any(fits) {
            Ok(())
        } else {
            Err(CertificateError::Name { name: name.to_string(), names: self.names.clone() })
        }
    }

    pub fn check_dates(&self, now: Stamp) -> Result<(), CertificateError> {
        let seconds = now.millis().div_euclid(1_000);
        let (not_before_s, not_after_s) = (self.not_before_s, self.not_after_s);
        let good = (not_before_s..=not_after_s).contains(&seconds);
        if good { Ok(()) } else { Err(CertificateError::Dates { not_before_s, not_after_s }) }
    }
}

/// A chain that holds together, with the key of its first certificate.
pub struct Certificate {
    chain: Vec<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
    facts: CertificateFacts,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.facts.fingerprint)
    }
}

impl Certificate {
    /// Makes a P-256 key and a certificate of its own for these names: host names or addresses.
    pub fn self_signed(names: &[String], now: Stamp) -> Result<Self, CertificateError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(not_made)?;
        let made = params(names, now)?.self_signed(&key).map_err(not_made)?;
        let pem = Zeroizing::new(key.serialize_pem());
        let mut der = key.serialize_der();
        der.zeroize();
        Self::parse(&made.pem(), &pem)
    }

    /// Reads a chain, the server's certificate first, and the key among `keys` that belongs to it.
    pub fn parse(chain: &str, keys: &str) -> Result<Self, CertificateError> {
        let chain = list_certificates(chain)?;
        let facts = chain::check(&chain)?;
        let key = find_key(keys, &chain[0], &facts)?;
        Ok(Self { chain, key, facts })
    }

    pub fn load(key: &Path, chain: &Path) -> Result<Self, CertificateError> {
        let keys = load_pem(key)?;
        Self::parse(&load_pem(chain)?, &keys)
    }

    /// Puts both files in the place of older ones. A kill at any moment leaves a chain and the key for it:
    /// the file of keys has the old one too until the chain is there.
    pub fn save(&self, key: &Path, chain: &Path) -> Result<(), CertificateError> {
        let new = self.key_pem();
        let old = match load_pem(key) {
            Ok(old) => old,
            Err(CertificateError::File(KeyError::File(error))) if error.is_not_found() => {
                Zeroizing::default()
            }
            Err(error) => return Err(error),
        };
        replace_private(key, Zeroizing::new([new.as_str(), old.as_str()].concat()).as_bytes())?;
        replace_private(chain, self.chain_pem().as_bytes())?;
        Ok(replace_private(key, new.as_bytes())?)
    }

    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// The server's certificate first.
    pub fn chain_der(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// In the form it was given: PKCS#8, SEC1 or PKCS#1.
    pub fn key_der(&self) -> &[u8] {
        &self.key
    }

    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| to_pem("CERTIFICATE", der).to_string()).collect()
    }

    /// All three forms are read under this label.
    pub fn key_pem(&self) -> Zeroizing<String> {
        to_pem("PRIVATE KEY", &self.key)
    }
}

fn not_made(error: rcgen::Error) -> CertificateError {
    CertificateError::NotMade { what: error.to_string() }
}

fn params(names: &[String], now: Stamp) -> Result<CertificateParams, CertificateError> {
    let max = limits::CERTIFICATE_NAMES_MAX;
    if !(1..=max).contains(&names.len()) {
        let what = format!("it needs 1 to {max} names, not {}", names.len());
        return Err(CertificateError::NotMade { what });
    }
    let mut params = CertificateParams::new(names).map_err(not_made)?;
    let seconds = u64::try_from(now.millis() / 1_000).unwrap_or_default();
    let from = seconds.saturating_sub(limits::CERTIFICATE_EARLY_S);
    let moment = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    params.not_before = moment(from);
    params.not_after = moment(from + u64::from(limits::CERTIFICATE_DAYS) * DAY_S);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.distinguished_name = DistinguishedName::new();
    let name = names[0].as_str();
    let name = if name.len() <= COMMON_NAME_CHARS_MAX { name } else { "tallystick" };
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn load_pem(path: &Path) -> Result<Zeroizing<String>, CertificateError> {
    let bytes = read_secret(path, open_private(path)?, limits::PEM_FILE_BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| CertificateError::Malformed { what: "not text" })?;
    Ok(Zeroizing::new(text.to_string()))
}

/// RFC 7468: lines of 64 signs.
fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(crate::security::base64_text::to_base64(der));
    let mut pem = Zeroizing::new(String::with_capacity(body.len() * 66 / 64 + 80));
    pem.push_str(&format!("-----BEGIN {label}-----\n"));
    for start in (0..body.len()).step_by(64) {
        pem.push_str(&body[start..body.len().min(start + 64)]);
        pem.push('\n');
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}

fn list_certificates(pem: &str) -> Result<Vec<Vec<u8>>, CertificateError> {
    let malformed = |what| CertificateError::Malformed { what };
    let mut chain = Vec::new();
    for block in Pem::iter_from_buffer(pem.as_bytes()) {
        let block = block.map_err(|_| malformed("not PEM"))?;
        if block.label != "CERTIFICATE" {
            return Err(malformed("something else than certificates is among them"));
        }
        chain.push(block.contents);
    }
    match chain.len() {
        0 => Err(malformed("there is none")),
        found if found > limits::CERTIFICATE_CHAIN_MAX => Err(malformed("the chain is too long")),
        _ => Ok(chain),
    }
}

/// The key whose public half the certificate carries.
fn find_key(
    keys: &str,
    certificate: &[u8],
    facts: &CertificateFacts,
) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let (_, certificate) = X509Certificate::from_der(certificate)
        .map_err(|_| CertificateError::Malformed { what: "not X.509" })?;
    let wanted = &certificate.public_key().subject_public_key.data;
    let mut read_one = false;
    for block in Pem::iter_from_buffer(keys.as_bytes()) {
        let block = block.map_err(|_| CertificateError::MalformedKey)?;
        let der = Zeroizing::new(block.contents);
        let Ok(key) = KeyPair::try_from(&der[..]) else { continue };
        read_one = true;
        if key.public_key_raw() == &wanted[..] {
            return Ok(der);
        }
    }
    if read_one {
        Err(CertificateError::OtherKey { fingerprint: facts.fingerprint.clone() })
    } else {
        Err(CertificateError::MalformedKey)
    }
}

/// SHA-256 as browsers show it.
fn fingerprint(der: &[u8]) -> String {
    let hex: Vec<String> = Digest::of(der).as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    hex.join(":")
}

/// The names a client may call the server by; other kinds of names are passed over.
fn list_names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, CertificateError> {
    let found = certificate.subject_alternative_name();
    let found = found.map_err(|_| CertificateError::Malformed { what: "its names cannot be read" })?;
    let names = found.iter().flat_map(|extension| &extension.value.general_names);
    Ok(names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_string()),
            GeneralName::IPAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok().map(|ip| ip.to_string())
            }
            _ => None,
        })
        .collect())
}

#[cfg(test)]
mod tests;
