//! Where a webhook is: scheme, host, port, and the path that often is the secret itself.
//! Never shows more of an address than scheme, host and port.

use std::fmt;
use std::net::IpAddr;

use crate::alert::limits;

/// An address with `http` or `https`, without a name and password in it and without a fragment.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    tls: bool,
    host: String,
    port: u16,
    authority: String,
    target: String,
}

/// The text is no such address; which text it was is not said, since it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no address such as https://HOST/PATH")]
pub struct BadUrl;

impl Url {
    pub fn parse(text: &str) -> Result<Self, BadUrl> {
        let sound = text.len() <= limits::SETTING_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic());
        let odd = |c: char| matches!(c, '#' | '\\' | '"' | '<' | '>' | '`' | '{' | '}' | '|' | '^');
        if !sound || text.contains(odd) {
            return Err(BadUrl);
        }
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(BadUrl),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = split_host(authority, if tls { 443 } else { 80 }).ok_or(BadUrl)?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { tls, host, port, authority: authority.to_string(), target: format!("{slash}{target}") })
    }

    pub fn tls(&self) -> bool {
        self.tls
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Host and port of `HOST`, `HOST:PORT`, `[V6]` or `[V6]:PORT`.
fn split_host(authority: &str, default: u16) -> Option<(String, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = port.map_or(Some(default), parse_port)?;
    (authority.starts_with('[') || is_host(host)).then(|| (host.to_string(), port))
}

pub fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok().filter(|port| *port != 0) } else { None }
}

/// A name of the DNS or an address of IPv4.
pub fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let plain = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        !label.is_empty() && label.len() <= 63 && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    !text.is_empty() && text.len() <= 253 && text.split('.').all(label)
}

/// Whether what is sent there stays on this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self}/…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let parts =
            |text: &str| Url::parse(text).map(|u| (u.tls, u.host.clone(), u.port, u.target.clone())).unwrap();
        assert_eq!(
            parts("https://hooks.example/a/b?c=d"),
            (true, "hooks.example".into(), 443, "/a/b?c=d".into())
        );
        assert_eq!(parts("http://127.0.0.1:8080"), (false, "127.0.0.1".into(), 8080, "/".into()));
        assert_eq!(parts("https://[::1]:9/x"), (true, "::1".into(), 9, "/x".into()));
        assert_eq!(parts("https://box?q"), (true, "box".into(), 443, "/?q".into()));
    }

    #[test]
    fn an_address_that_could_mean_another_host_is_refused() {
        for bad in [
            "",
            "ftp://x",
            "https://",
            "https://u:p@x/",
            "https://x:0/",
            "https://x:99999/",
            "https://x/#a",
            "https://x y/",
            "https://x\\@y/",
            "https://[x]/",
            "https://x:+1/",
            "https:///a",
            "HTTPS://x",
            "https://ä/",
        ] {
            assert_eq!(Url::parse(bad), Err(BadUrl), "{bad}");
        }
    }

    #[test]
    fn the_path_is_never_shown() {
        let url = Url::parse("https://hooks.example/services/SECRET").unwrap();
        assert!(!format!("{url} {url:?}").contains("SECRET"));
    }
}
