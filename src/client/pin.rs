//! Which certificate a server must show: one known by its fingerprint, or one that a named authority signed.
//! Never trusts the machine's own list of authorities, and never an older TLS than 1.3.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS13;
use rustls::{ClientConfig, Error, RootCertStore};

use crate::base::digest::Digest;
use crate::base::files::read_at_most;
use crate::base::limits;
use crate::client::error::ClientError;
use crate::security::certificate::pinned::{Pinned, Seen};

/// On what a server is believed to be the one that was meant.
#[derive(Clone, Debug)]
pub enum Anchor {
    /// SHA-256 of its certificate.
    Fingerprint(Digest),
    Authority(Arc<RootCertStore>),
}

impl Anchor {
    /// Reads a fingerprint as browsers show it, with or without its colons.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let hex: String = text.trim().chars().filter(|c| *c != ':').collect();
        let digest = hex.to_ascii_lowercase().parse();
        digest.map(Self::Fingerprint).map_err(|_| ClientError::Fingerprint { text: text.to_string() })
    }

    /// Reads the certificates of the authorities that count.
    pub fn read(path: &Path) -> Result<Self, ClientError> {
        let bytes = read_at_most(path, limits::PEM_FILE_BYTES_MAX)?;
        let none = || ClientError::NoCertificate { path: path.to_path_buf() };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&bytes) {
            roots.add(certificate.map_err(|_| none())?).map_err(|_| none())?;
        }
        if roots.is_empty() { Err(none()) } else { Ok(Self::Authority(Arc::new(roots))) }
    }

    pub fn config(&self, seen: &Seen) -> Result<ClientConfig, ClientError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let refused =
            |error: Error| ClientError::Tls { to: "any server".to_string(), why: error.to_string() };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?;
        let builder = match self {
            Self::Fingerprint(wanted) => {
                let pinned = Pinned::new(*wanted, seen, provider);
                builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned))
            }
            Self::Authority(roots) => builder.with_root_certificates(Arc::clone(roots)),
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The fingerprints that were expected and found, where they differ.
    pub fn refused(&self, seen: &Seen) -> Option<(String, String)> {
        let Self::Fingerprint(wanted) = self else { return None };
        let found = seen.found()?;
        (found != *wanted).then(|| (shown(wanted), shown(&found)))
    }
}

/// As browsers show it.
fn shown(digest: &Digest) -> String {
    let pairs: Vec<String> = digest.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_shown() {
        let digest = Digest::of(b"certificate");
        for text in [shown(&digest), shown(&digest).to_lowercase(), digest.to_hex()] {
            assert!(matches!(Anchor::parse(&text).unwrap(), Anchor::Fingerprint(found) if found == digest));
        }
        for bad in ["", "AB:CD", &"zz".repeat(32)] {
            assert!(matches!(Anchor::parse(bad), Err(ClientError::Fingerprint { .. })), "{bad}");
        }
    }
}
