//! TLS: one crypto provider, one certificate that can be exchanged while connections are open.
//! Never falls back: a bad new certificate leaves the old one in place.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::http::listen::error::ListenError;

/// Who the server is to others: a chain with its leaf first, and the leaf's key, both in DER.
pub struct Identity {
    pub chain: Vec<Vec<u8>>,
    pub key: Zeroizing<Vec<u8>>,
}

/// Reads the identity as it is now.
pub type ReadIdentity = Arc<dyn Fn() -> Result<Identity, Failure> + Send + Sync>;

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
    read: ReadIdentity,
    provider: Arc<CryptoProvider>,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
}

impl Tls {
    pub fn open(read: ReadIdentity, from: TlsFrom) -> Result<Self, ListenError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = certified(&read, &provider)?;
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
        Ok(Self { read, provider, current, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the identity again; new connections get what it is now, open ones keep theirs.
    pub fn reload(&self) -> Result<(), ListenError> {
        let key = certified(&self.read, &self.provider)?;
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

fn certified(read: &ReadIdentity, provider: &CryptoProvider) -> Result<CertifiedKey, ListenError> {
    let Identity { chain, key } = read().map_err(|why| ListenError::Identity { why })?;
    let chain: Vec<CertificateDer<'static>> = chain.into_iter().map(CertificateDer::from).collect();
    // What the library says of a key may quote it.
    let key = PrivateKeyDer::try_from(key.to_vec()).map_err(|_| ListenError::Key)?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| ListenError::Tls { source })
}
