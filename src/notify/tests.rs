//! Every channel against a receiver of this process, which fails as receivers do.

mod hook_tests;
mod mail_server;
mod mail_tests;
mod syslog_tests;

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::alert::message::{Message, Origin, write};
use crate::alert::queue::Queue;
use crate::alert::raised::{Detail, Kind, RawAlert, Severity, Subject};
use crate::alert::settings::channel::{Channel, RawChannel};
use crate::alert::settings::{AlertSettings, RawAlertSettings};
use crate::base::digest::Digest;
use crate::notify::Ground;

/// A key and the certificate it signed itself, for `localhost` and 127.0.0.1.
struct Certificate {
    der: CertificateDer<'static>,
    key: Vec<u8>,
    pem: String,
}

impl Certificate {
    fn new() -> Self {
        let names = vec!["localhost".to_string(), "127.0.0.1".to_string()];
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        Self { der: made.der().clone(), key: key.serialize_der(), pem: made.pem() }
    }

    fn fingerprint(&self) -> String {
        Digest::of(&self.der).to_hex()
    }

    fn save(&self, folder: &Path) -> String {
        let path = folder.join("ca.pem");
        std::fs::write(&path, &self.pem).unwrap();
        path.display().to_string()
    }
}

fn acceptor(certificate: &Certificate) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(certificate.key.clone()).unwrap();
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![certificate.der.clone()], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

fn channel(keys: &str) -> Channel {
    toml::from_str::<RawChannel>(&format!("name = \"c\"\n{keys}")).unwrap().check().unwrap()
}

fn settings(keys: &str) -> AlertSettings {
    let text = format!("[[channel]]\nname = \"c\"\n{keys}\n[[route]]\nchannels = [\"c\"]\n");
    toml::from_str::<RawAlertSettings>(&text).unwrap().check().unwrap()
}

fn ground(folder: &Path) -> Ground {
    let ground = Ground::of_home(folder.join("alerts"), Some(folder.to_path_buf()));
    Ground { connect_ms: 5_000, whole_ms: 20_000, ..ground }
}

fn raw(id: &str) -> RawAlert {
    RawAlert {
        id: id.into(),
        key: format!("drift/{id}"),
        kind: Kind::Drift,
        severity: Severity::Critical,
        subject: Subject::default(),
        title: "Einkommen hat sich verändert".into(),
        sentences: vec![".a line that begins with a dot".into(), "€".repeat(500)],
        details: vec![Detail { name: "psi".into(), value: "0.31".into() }],
        link: None,
    }
}

fn origin() -> Origin {
    Origin { host: "box".into(), branch: "0421".into(), pages: None }
}

/// The message of one alert, as the channel takes it.
fn message(channel: &Channel, may_repeat: bool) -> Message {
    let keys = "type = \"file\"\npath = \"x\"";
    let (settings, mut queue) = (settings(keys), Queue::default());
    queue.raise(&settings, raw("a"), 1_773_478_800_000).unwrap();
    let mut parcel = queue.due(&settings, 1_773_478_800_000).remove(0);
    parcel.may_repeat = may_repeat;
    write(&queue, &parcel, channel, &origin(), 1_773_478_800_000).unwrap()
}

fn secret_file(folder: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}
