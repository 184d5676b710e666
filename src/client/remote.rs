//! A server over the network as it was named: its address, the certificate it must show, the key to ask it with.
//! Never takes a server on its word, and never a key from a file that others may read.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hyper::Uri;
use rustls::pki_types::ServerName;
use zeroize::Zeroizing;

use crate::base::files::{at, open_regular, read_at_most};
use crate::base::limits;
use crate::client::error::ClientError;
use crate::client::pin::Anchor;

/// The port of `https` where none is named.
const HTTPS: u16 = 443;

pub struct Remote {
    pub address: Address,
    pub anchor: Anchor,
    pub token: Zeroizing<String>,
}

/// Host and port of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    authority: String,
    host: String,
    port: u16,
}

impl Address {
    /// Reads `https://HOST:PORT`; nothing but a slash may follow.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Url { text: text.to_string() };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
        if uri.scheme_str() != Some("https") || !bare || !plain {
            return Err(wrong());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_string();
        let port = authority.port_u16().unwrap_or(HTTPS);
        Ok(Self { authority: authority.as_str().to_string(), host, port })
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn server_name(&self) -> Result<ServerName<'static>, ClientError> {
        let wrong = |_| ClientError::Url { text: self.to_string() };
        ServerName::try_from(self.host.clone()).map_err(wrong)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.authority)
    }
}

/// Reads an API key or a session's token from a file: its one line.
pub fn read_token(path: &Path) -> Result<Zeroizing<String>, ClientError> {
    let mode = open_regular(path)?.metadata().map_err(at(path))?.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(ClientError::OpenKey { path: path.to_path_buf(), mode });
    }
    let bytes = Zeroizing::new(read_at_most(path, limits::KEY_FILE_BYTES_MAX)?);
    let text = std::str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(Zeroizing::new(text.to_string()))
    } else {
        Err(ClientError::BadKey { path: path.to_path_buf() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};

    #[test]
    fn only_https_with_a_host_is_an_address() {
        let parse = |text: &str| Address::parse(text).map(|a| (a.host.clone(), a.port, a.to_string()));
        let whole = |host: &str, port, text: &str| (host.to_string(), port, text.to_string());
        assert_eq!(parse("https://box:8443/").unwrap(), whole("box", 8443, "https://box:8443"));
        assert_eq!(parse("https://[::1]:8443").unwrap(), whole("::1", 8443, "https://[::1]:8443"));
        assert_eq!(parse("https://box").unwrap(), whole("box", 443, "https://box"));
        for bad in
            ["", "box:8443", "http://box", "https://", "https://box/v1", "https://a@box", "https://box/?q"]
        {
            assert!(matches!(Address::parse(bad), Err(ClientError::Url { .. })), "{bad}");
        }
    }

    #[test]
    fn a_key_is_one_line_of_a_file_that_others_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core.key");
        write(&path, "tsk_abc_def\n").unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read_token(&path), Err(ClientError::OpenKey { mode: 0o644, .. })));
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_token(&path).unwrap().as_str(), "tsk_abc_def");
        for bad in ["", "\n", "two\nlines", "sp ace"] {
            write(&path, bad).unwrap();
            assert!(matches!(read_token(&path), Err(ClientError::BadKey { .. })), "{bad:?}");
        }
    }
}
