//! Who the server is to those who connect: its certificate and the key to it, as they lie in the home.
//! Never prints a key.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::app::home::App;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::limits;

#[derive(Debug, thiserror::Error)]
#[error("{path} holds no {what} in PEM", path = path.display())]
struct NotPem {
    path: PathBuf,
    what: &'static str,
}

impl Fact for NotPem {
    fn code(&self) -> &'static str {
        "certificate.malformed"
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// The chain, its leaf first, and the leaf's key, in DER.
pub fn read(app: &App) -> Result<(Vec<Vec<u8>>, Zeroizing<Vec<u8>>), Failure> {
    let chain_file = app.keys_folder().join("tls.crt");
    let key_file = app.keys_folder().join("tls.key");
    let chain = parts(&files::read_at_most(&chain_file, limits::PEM_FILE_BYTES_MAX)?, "CERTIFICATE");
    if chain.is_empty() {
        return Err(NotPem { path: chain_file, what: "certificate" }.into());
    }
    let text = Zeroizing::new(files::read_at_most(&key_file, limits::PEM_FILE_BYTES_MAX)?);
    let key = parts(&text, "PRIVATE KEY").pop().map(Zeroizing::new);
    Ok((chain, key.ok_or(NotPem { path: key_file, what: "private key" })?))
}

/// The PEM blocks of one label.
fn parts(bytes: &[u8], label: &str) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let blocks = text.split(begin.as_str()).skip(1).filter_map(|rest| rest.split(end.as_str()).next());
    let joined = blocks.map(|block| block.split_whitespace().collect::<String>());
    joined.filter_map(|block| crate::security::base64_text::parse_base64(&block)).collect()
}
