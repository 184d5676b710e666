//! TLS: one crypto provider, one certificate that can be exchanged while connections are open.
//! Never falls back: a bad new certificate leaves the old one in place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;

use crate::base::digest::Digest;
use crate::base::files;
use crate::base::limits;
use crate::http::listen::error::ListenError;

/// Where the certificate lies, in PEM: the chain with its leaf first, and the leaf's key.
#[derive(Clone, Debug)]
pub struct CertificateFiles {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// The oldest TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsFrom {
    #[default]
    V13,
    /// For old proxies; rustls offers only AEAD suites with forward secrecy there.
    V12,
}

/// The certificate in use.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

#[derive(Clone)]
pub struct Tls {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

impl Tls {
    pub fn open(files: CertificateFiles, from: TlsFrom) -> Result<Self, ListenError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = load(&files, &provider)?;
        let current = Arc::new(Current(ArcSwap::from_pointee(key)));
        let versions: &[_] = match from {
            TlsFrom::V13 => &[&TLS13],
            TlsFrom::V12 => &[&TLS13, &TLS12],
        };
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(|source| ListenError::Tls { source })?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.ticketer =
            rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|source| ListenError::Tls { source })?;
        Ok(Self { files, provider, current, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files again; new connections get what they hold now, open ones keep theirs.
    pub fn reload(&self) -> Result<(), ListenError> {
        let key = load(&self.files, &self.provider)?;
        self.current.0.store(Arc::new(key));
        Ok(())
    }

    /// SHA-256 of the leaf, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let key = self.current.0.load();
        let digest = key.cert.first().map_or_else(String::new, |leaf| Digest::of(leaf).to_hex());
        let pairs: Vec<&str> =
            digest.as_bytes().chunks(2).filter_map(|c| std::str::from_utf8(c).ok()).collect();
        pairs.join(":").to_uppercase()
    }
}

/// A chain and the key that belongs to its leaf.
fn load(files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, ListenError> {
    let refuse = |path: &Path, why: String| ListenError::Certificate { path: path.to_path_buf(), why };
    let bytes = files::read_at_most(&files.chain, limits::PEM_FILE_BYTES_MAX)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| refuse(&files.chain, format!("no certificate in PEM: {error}")))?;
    if chain.is_empty() {
        return Err(refuse(&files.chain, "it holds no certificate".into()));
    }
    let bytes = zeroize::Zeroizing::new(files::read_at_most(&files.key, limits::PEM_FILE_BYTES_MAX)?);
    // The reader's own message may quote the file.
    let key = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| refuse(&files.key, "it holds no private key in PEM".into()))?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|error| refuse(&files.chain, format!("it does not fit its key: {error}")))
}
