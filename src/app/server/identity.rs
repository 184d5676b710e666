//! Who the server is to those who connect: its certificate, made at the first start, read again when it was exchanged.
//! Never prints a key.

use std::path::Path;

use serde_json::json;

use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::ledger::leaf::Kind;
use crate::security::actor::Act;
use crate::security::certificate::{Certificate, TLS_CHAIN_FILE, TLS_KEY_FILE};
use crate::store::error::StoreError;

/// Names every self-signed certificate carries.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate of this home; one of its own making where there is none yet.
pub fn open(app: &App) -> Result<Certificate, Failure> {
    let (key, chain) = (app.keys_folder().join(TLS_KEY_FILE), app.keys_folder().join(TLS_CHAIN_FILE));
    if key.exists() || chain.exists() {
        return read(app);
    }
    let actor = app.may(Act::InitHome)?;
    let now = app.now();
    let certificate = Certificate::self_signed(&names(app), now)?;
    certificate.save(&key, &chain)?;
    let facts = certificate.facts();
    let body = json!({"fingerprint": facts.fingerprint, "names": facts.names, "self_signed": true});
    let entry = App::entry(&actor, Kind::CertificateInstalled, "certificate/https".to_string(), &body)?;
    app.store.write_ledger(move |ledger| {
        ledger.append_record(entry.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(certificate)
}

/// The certificate as it lies in the home now.
pub fn read(app: &App) -> Result<Certificate, Failure> {
    let folder = app.keys_folder();
    let certificate = Certificate::load(&folder.join(TLS_KEY_FILE), &folder.join(TLS_CHAIN_FILE))?;
    if let Err(error) = certificate.facts().check_dates(app.now()) {
        // A client may still want to connect, if only to see why.
        tracing::warn!(%error, "the certificate is not good now");
    }
    Ok(certificate)
}

/// When the certificate in the home ends, in seconds since 1970; nothing where there is none yet.
pub fn find_end(app: &App) -> Result<Option<i64>, Failure> {
    let (key, chain) = (app.keys_folder().join(TLS_KEY_FILE), app.keys_folder().join(TLS_CHAIN_FILE));
    if !chain.exists() {
        return Ok(None);
    }
    Ok(Some(Certificate::load(&key, &chain)?.facts().not_after_s))
}

fn names(app: &App) -> Vec<String> {
    let mut names: Vec<String> = HERE.map(str::to_string).to_vec();
    let host = files::read_at_most(Path::new("/proc/sys/kernel/hostname"), limits::HOME_FILE_BYTES_MAX);
    let host = host.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_string()).unwrap_or_default();
    names.extend([host].into_iter().chain(app.settings().tls_names.iter().cloned()));
    let mut once = Vec::new();
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}
