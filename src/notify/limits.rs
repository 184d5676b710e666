//! How long sending may take and how much is read of an answer. Never anything but figures, and one path.

/// Where Debian and its like keep the authorities a machine trusts.
pub const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
pub const AUTHORITIES_BYTES_MAX: u64 = 4 << 20;
/// A password, token or address in a file of its own.
pub const SECRET_FILE_BYTES_MAX: u64 = 4 << 10;
/// From the name to an open connection, and from there to the end of TLS's handshake.
pub const NOTIFY_CONNECT_MS: u64 = 10_000;
/// A mail server may let strangers wait for half a minute before it answers.
pub const NOTIFY_WHOLE_MS: u64 = 120_000;
/// How long a server may take to say goodbye, which changes nothing any more.
pub const NOTIFY_GOODBYE_MS: u64 = 2_000;
/// What is read of one connection to a mail server.
pub const SMTP_READ_BYTES_MAX: usize = 256 << 10;
/// One reply before TLS begins.
pub const SMTP_REPLY_BYTES_MAX: usize = 8 << 10;
/// What is read of a webhook's answer, head and body each, and what is quoted of a refusal.
pub const HOOK_ANSWER_BYTES_MAX: usize = 64 << 10;
pub const HOOK_HEADERS_MAX: usize = 100;
pub const ANSWER_SHOWN_CHARS_MAX: usize = 200;
/// The end of a file in which a line that may be there already is looked for.
pub const FILE_TAIL_BYTES: u64 = 512 << 10;
