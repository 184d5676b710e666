//! Which certificate a receiver must show: one a named authority signed, one this machine's authorities signed, or
//! the very one that was pinned. Never goes on without one, and never speaks an older TLS than 1.2.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::alert::settings::channel::Trust;
use crate::base::files::read_at_most;
use crate::notify::error::NotifyError;
use crate::notify::line::Peer;
use crate::notify::{Ground, in_time, limits};
use crate::security::certificate::pinned::{Pinned, Seen};

/// Makes an open connection a secure one.
pub async fn secure(
    stream: TcpStream,
    peer: &Peer,
    trust: &Trust,
    ground: &Ground,
) -> Result<TlsStream<TcpStream>, NotifyError> {
    let seen = Seen::default();
    let config = config(peer, trust, ground, &seen)?;
    let no_tls = |why: String| NotifyError::Tls { to: peer.to_string(), why };
    let name = ServerName::try_from(peer.host.clone()).map_err(|error| no_tls(error.to_string()))?;
    let connector = TlsConnector::from(Arc::new(config));
    let shaking = async {
        connector.connect(name, stream).await.map_err(|error| match (trust, seen.found()) {
            (Trust::Fingerprint(wanted), Some(found)) if found != *wanted => NotifyError::OtherServer {
                to: peer.to_string(),
                expected: wanted.to_hex(),
                found: found.to_hex(),
            },
            _ => no_tls(error.to_string()),
        })
    };
    in_time(shaking, &peer.to_string(), "agree on TLS", ground.connect_ms).await
}

fn config(peer: &Peer, trust: &Trust, ground: &Ground, seen: &Seen) -> Result<ClientConfig, NotifyError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| NotifyError::Tls { to: peer.to_string(), why: error.to_string() })?;
    let builder = match trust {
        Trust::Fingerprint(wanted) => {
            let pinned = Pinned::new(*wanted, seen, provider);
            builder.dangerous().with_custom_certificate_verifier(Arc::new(pinned))
        }
        // A named authority must be read whole; of the machine's list, what cannot be used is left out.
        Trust::Authority(path) => builder.with_root_certificates(roots(path, true)?),
        Trust::System => builder.with_root_certificates(roots(&ground.authorities, false)?),
    };
    Ok(builder.with_no_client_auth())
}

fn roots(path: &Path, whole: bool) -> Result<RootCertStore, NotifyError> {
    let bytes = read_at_most(path, limits::AUTHORITIES_BYTES_MAX)?;
    let none = || NotifyError::NoCertificate { path: path.to_path_buf() };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let added = certificate.map_err(|_| none()).and_then(|der| roots.add(der).map_err(|_| none()));
        if whole {
            added?;
        }
    }
    if roots.is_empty() { Err(none()) } else { Ok(roots) }
}
