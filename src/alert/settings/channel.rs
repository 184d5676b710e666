//! One channel: by what means, to which host or file, with which secret, trusted on what.
//! Never leads anywhere that is not written in it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::alert::limits;
use crate::alert::settings::error::AlertSettingsError as Wrong;
use crate::alert::settings::url::{BadUrl, Url, is_host, is_loopback, parse_port};
use crate::base::digest::Digest;
use crate::base::ids::check_name;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    Smtp,
    Webhook,
    Syslog,
    File,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything is said that matters; without it nothing is sent.
    Starttls,
    None,
}

/// The form a webhook's receiver expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Slack,
    Teams,
    Plain,
}

/// `[[channel]]` as it is written; which keys there may be depends on the type.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawChannel {
    pub name: String,
    #[serde(rename = "type")]
    pub means: Option<Means>,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub security: Option<Security>,
    pub allow_plain: Option<bool>,
    pub from: Option<String>,
    pub to: Option<Vec<String>>,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    pub password_credential: Option<String>,
    pub url: Option<String>,
    pub url_file: Option<PathBuf>,
    pub url_credential: Option<String>,
    pub shape: Option<Shape>,
    pub header: Option<String>,
    pub token_file: Option<PathBuf>,
    pub token_credential: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub fingerprint: Option<String>,
    pub path: Option<PathBuf>,
    pub address: Option<String>,
    pub facility: Option<String>,
    pub bytes_max: Option<u64>,
    pub files_kept: Option<u32>,
}

/// Where a secret is; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretAt {
    File(PathBuf),
    /// A name among the credentials that systemd hands to the service.
    Credential(String),
}

/// On what a server is believed to be the one that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The authorities this machine trusts.
    System,
    Authority(PathBuf),
    /// SHA-256 of its certificate.
    Fingerprint(Digest),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub from: String,
    pub to: Vec<String>,
    pub login: Option<(String, SecretAt)>,
    pub trust: Trust,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Written(Url),
    Secret(SecretAt),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub address: Address,
    pub shape: Shape,
    /// The header a token goes into; `Authorization: Bearer` where none is named.
    pub header: Option<String>,
    pub token: Option<SecretAt>,
    pub trust: Trust,
    /// Whether it may go over a network without TLS.
    pub allow_plain: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogTo {
    Socket(PathBuf),
    Udp { host: String, port: u16 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    pub to: SyslogTo,
    pub facility: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertFile {
    /// A name in the home's folder of alerts.
    pub name: String,
    pub bytes_max: u64,
    pub files_kept: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    Smtp(Smtp),
    Webhook(Webhook),
    Syslog(Syslog),
    File(AlertFile),
}

/// A channel whose keys belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    pub by: By,
}

/// Its name and type only: other keys may hold what somebody should not have written there.
impl fmt::Debug for RawChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawChannel {{ name: {:?}, type: {:?}, .. }}", self.name, self.means)
    }
}

impl RawChannel {
    pub fn check(self) -> Result<Channel, Wrong> {
        check_name(&self.name)?;
        let name = self.name.clone();
        let means =
            self.means.ok_or_else(|| Wrong::Missing { channel: name.clone(), kind: "", key: "type" })?;
        self.refuse_foreign(means)?;
        let by = match means {
            Means::Smtp => By::Smtp(self.smtp()?),
            Means::Webhook => By::Webhook(self.webhook()?),
            Means::Syslog => By::Syslog(self.syslog()?),
            Means::File => By::File(self.file()?),
        };
        Ok(Channel { name, by })
    }

    /// A key of another type is a slip that would be silent otherwise.
    fn refuse_foreign(&self, means: Means) -> Result<(), Wrong> {
        use Means::{File, Smtp, Syslog, Webhook};
        let keys: [(&'static str, bool, &[Means]); 23] = [
            ("host", self.host.is_some(), &[Smtp]),
            ("port", self.port.is_some(), &[Smtp]),
            ("security", self.security.is_some(), &[Smtp]),
            ("allow_plain", self.allow_plain.is_some(), &[Smtp, Webhook]),
            ("from", self.from.is_some(), &[Smtp]),
            ("to", self.to.is_some(), &[Smtp]),
            ("user", self.user.is_some(), &[Smtp]),
            ("password_file", self.password_file.is_some(), &[Smtp]),
            ("password_credential", self.password_credential.is_some(), &[Smtp]),
            ("url", self.url.is_some(), &[Webhook]),
            ("url_file", self.url_file.is_some(), &[Webhook]),
            ("url_credential", self.url_credential.is_some(), &[Webhook]),
            ("shape", self.shape.is_some(), &[Webhook]),
            ("header", self.header.is_some(), &[Webhook]),
            ("token_file", self.token_file.is_some(), &[Webhook]),
            ("token_credential", self.token_credential.is_some(), &[Webhook]),
            ("ca_file", self.ca_file.is_some(), &[Smtp, Webhook]),
            ("fingerprint", self.fingerprint.is_some(), &[Smtp, Webhook]),
            ("path", self.path.is_some(), &[Syslog, File]),
            ("address", self.address.is_some(), &[Syslog]),
            ("facility", self.facility.is_some(), &[Syslog]),
            ("bytes_max", self.bytes_max.is_some(), &[File]),
            ("files_kept", self.files_kept.is_some(), &[File]),
        ];
        match keys.into_iter().find(|(_, there, of)| *there && !of.contains(&means)) {
            Some((key, ..)) => Err(Wrong::Foreign { channel: self.name.clone(), kind: means.word(), key }),
            None => Ok(()),
        }
    }

    fn smtp(self) -> Result<Smtp, Wrong> {
        let host = self.needed("smtp", "host", self.host.as_ref())?;
        if !is_host(&host) && host.parse::<std::net::IpAddr>().is_err() {
            return Err(self.wrong("host", "is no name or address of a host"));
        }
        let security = self.security.unwrap_or(Security::Tls);
        self.refuse_plain(security != Security::None, &host)?;
        let from = self.needed("smtp", "from", self.from.as_ref())?;
        let to = self.needed("smtp", "to", self.to.as_ref())?;
        if to.is_empty() || to.len() > limits::RECIPIENTS_MAX {
            return Err(self.wrong("to", "needs one recipient at least, and not more than 50"));
        }
        if !is_mail_address(&from) {
            return Err(self.wrong("from", "is no e-mail address such as box@bank.example"));
        }
        if !to.iter().all(|address| is_mail_address(address)) {
            return Err(self.wrong("to", "has something that is no e-mail address"));
        }
        let password = self.secret("password_file", &self.password_file, &self.password_credential)?;
        let login = match (self.user.clone(), password) {
            (Some(user), Some(at)) if self.is_short(&user) => Some((user, at)),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(self.wrong("user", "is too long")),
            (Some(_), None) => return Err(self.missing("smtp", "password_file")),
            (None, Some(_)) => return Err(self.missing("smtp", "user")),
        };
        if login.is_some() && security == Security::None && !is_loopback(&host) {
            return Err(self.wrong("user", "would send its password without TLS"));
        }
        let default = match security {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::None => 25,
        };
        let port = self.port.unwrap_or(default);
        if port == 0 {
            return Err(self.wrong("port", "is 0"));
        }
        let trust = self.trust()?;
        Ok(Smtp { host, port, security, from, to, login, trust })
    }

    fn webhook(self) -> Result<Webhook, Wrong> {
        let secret = self.secret("url_file", &self.url_file, &self.url_credential)?;
        let address = match (self.url.as_ref(), secret) {
            (Some(_), Some(_)) => return Err(self.both("url", "url_file or url_credential")),
            (None, None) => return Err(self.missing("webhook", "url or url_file")),
            (None, Some(at)) => Address::Secret(at),
            (Some(text), None) => {
                let wrong = |_: BadUrl| self.wrong("url", "is no address such as https://HOST/PATH");
                Address::Written(Url::parse(text).map_err(wrong)?)
            }
        };
        if let Address::Written(url) = &address {
            self.refuse_plain(url.tls(), url.host())?;
        }
        let token = self.secret("token_file", &self.token_file, &self.token_credential)?;
        let sound = |name: &String| {
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            let ours = [
                "host",
                "content-length",
                "content-type",
                "transfer-encoding",
                "connection",
                "idempotency-key",
            ];
            !name.is_empty()
                && name.len() <= 64
                && plain
                && !ours.contains(&name.to_ascii_lowercase().as_str())
        };
        match &self.header {
            Some(name) if !sound(name) => return Err(self.wrong("header", "is no header a token may be in")),
            Some(_) if token.is_none() => return Err(self.missing("webhook", "token_file")),
            _ => {}
        }
        let shape = self.needed("webhook", "shape", self.shape.as_ref())?;
        let (trust, allow_plain) = (self.trust()?, self.allow_plain.unwrap_or(false));
        Ok(Webhook { address, shape, header: self.header, token, trust, allow_plain })
    }

    fn syslog(self) -> Result<Syslog, Wrong> {
        let to = match (self.path.as_ref(), self.address.as_ref()) {
            (Some(_), Some(_)) => return Err(self.both("path", "address")),
            (None, None) => return Err(self.missing("syslog", "path or address")),
            (Some(path), None) if path.is_absolute() => SyslogTo::Socket(path.clone()),
            (Some(_), None) => return Err(self.wrong("path", "is not absolute, such as \"/dev/log\"")),
            (None, Some(text)) => self.udp(text)?,
        };
        let facility = match self.facility.as_deref() {
            None => find_facility("daemon"),
            Some(name) => find_facility(name),
        };
        let facility = facility.ok_or_else(|| self.wrong("facility", "is none that syslog knows"))?;
        Ok(Syslog { to, facility })
    }

    fn udp(&self, text: &str) -> Result<SyslogTo, Wrong> {
        let wrong = || self.wrong("address", "is no HOST:PORT");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let sound = is_host(host) || (host.starts_with('[') && bare.parse::<std::net::Ipv6Addr>().is_ok());
        match parse_port(port) {
            Some(port) if sound => Ok(SyslogTo::Udp { host: bare.to_string(), port }),
            _ => Err(wrong()),
        }
    }

    fn file(self) -> Result<AlertFile, Wrong> {
        let path = self.needed("file", "path", self.path.as_ref())?;
        let plain = |name: &&str| {
            let sound = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
            sound && !name.is_empty() && name.len() <= 100 && !name.starts_with('.')
        };
        let name = path.to_str().filter(plain).map(str::to_string);
        let name = name.ok_or_else(|| {
            self.wrong("path", "is no file name of letters, digits, '-', '_' and '.' in the folder of alerts")
        })?;
        let bytes_max = self.bytes_max.unwrap_or(limits::ALERT_FILE_BYTES);
        if !(limits::ALERT_FILE_BYTES_MIN..=limits::ALERT_FILE_BYTES_MAX).contains(&bytes_max) {
            return Err(self.wrong("bytes_max", "is not from 4096 to 1073741824"));
        }
        let files_kept = self.files_kept.unwrap_or(limits::ALERT_FILES_KEPT);
        if files_kept > limits::ALERT_FILES_KEPT_MAX {
            return Err(self.wrong("files_kept", "is more than 50"));
        }
        Ok(AlertFile { name, bytes_max, files_kept })
    }

    fn trust(&self) -> Result<Trust, Wrong> {
        match (&self.ca_file, &self.fingerprint) {
            (Some(_), Some(_)) => Err(self.both("ca_file", "fingerprint")),
            (None, None) => Ok(Trust::System),
            (Some(path), None) => Ok(Trust::Authority(self.absolute("ca_file", path)?)),
            (None, Some(text)) => {
                let hex: String = text.trim().chars().filter(|c| *c != ':').collect();
                let wrong = |_| self.wrong("fingerprint", "is no SHA-256 in hex, such as AB:CD:..");
                Ok(Trust::Fingerprint(hex.to_ascii_lowercase().parse().map_err(wrong)?))
            }
        }
    }

    fn secret(
        &self,
        key: &'static str,
        file: &Option<PathBuf>,
        credential: &Option<String>,
    ) -> Result<Option<SecretAt>, Wrong> {
        match (file, credential) {
            (Some(_), Some(_)) => Err(self.both(key, "a credential for the same")),
            (None, None) => Ok(None),
            (Some(path), None) => Ok(Some(SecretAt::File(self.absolute(key, path)?))),
            (None, Some(name)) => {
                let sound =
                    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
                if !sound || name.is_empty() || name.len() > 100 || name.starts_with('.') {
                    return Err(self.wrong(key, "has a credential with a name that systemd would not give"));
                }
                Ok(Some(SecretAt::Credential(name.clone())))
            }
        }
    }

    fn absolute(&self, key: &'static str, path: &std::path::Path) -> Result<PathBuf, Wrong> {
        if path.is_absolute() { Ok(path.to_path_buf()) } else { Err(self.wrong(key, "is not absolute")) }
    }

    fn refuse_plain(&self, tls: bool, host: &str) -> Result<(), Wrong> {
        if tls || is_loopback(host) || self.allow_plain == Some(true) {
            return Ok(());
        }
        Err(Wrong::Plain { channel: self.name.clone(), host: host.to_string() })
    }

    fn is_short(&self, text: &str) -> bool {
        text.chars().count() <= limits::SETTING_CHARS_MAX && !text.chars().any(char::is_control)
    }

    fn needed<T: Clone>(&self, kind: &'static str, key: &'static str, value: Option<&T>) -> Result<T, Wrong> {
        value.cloned().ok_or_else(|| self.missing(kind, key))
    }

    fn missing(&self, kind: &'static str, key: &'static str) -> Wrong {
        Wrong::Missing { channel: self.name.clone(), kind, key }
    }

    fn both(&self, first: &'static str, second: &'static str) -> Wrong {
        Wrong::Both { channel: self.name.clone(), first, second }
    }

    fn wrong(&self, key: &'static str, what: &'static str) -> Wrong {
        Wrong::Value { channel: self.name.clone(), key, what }
    }
}

impl Means {
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Webhook => "webhook",
            Self::Syslog => "syslog",
            Self::File => "file",
        }
    }
}

/// One bare address, in ASCII: nothing that would end a header or a command.
fn is_mail_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let odd = |b: u8| !b.is_ascii_graphic() || b"<>(),;:\\\"@[]".contains(&b);
    let sound = !local.is_empty() && local.len() <= 64 && !local.bytes().any(odd);
    let dots = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    text.len() <= limits::MAIL_ADDRESS_CHARS_MAX && sound && dots && is_host(domain)
}

/// RFC 5424, table 1.
fn find_facility(name: &str) -> Option<u8> {
    let known = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    ];
    let local = ["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];
    let at = |list: &[&str], first: u8| {
        list.iter().zip(first..).find(|(known, _)| **known == name).map(|(_, number)| number)
    };
    at(&known, 0).or_else(|| at(&local, 16))
}
