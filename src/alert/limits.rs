//! How much of everything an alert may have. Never anything but figures.

/// Alerts kept, open and closed together; closed ones give way first, the oldest before the others.
pub const ALERTS_MAX: usize = 10_000;
/// How long a closed alert is kept after its last delivery.
pub const ALERT_KEPT_MS: i64 = 90 * 24 * 3_600_000;
/// An alert's id and its key, in characters.
pub const ALERT_KEY_CHARS_MAX: usize = 300;
pub const ALERT_TITLE_CHARS_MAX: usize = 200;
pub const ALERT_SENTENCES_MAX: usize = 40;
pub const ALERT_SENTENCE_CHARS_MAX: usize = 1_000;
pub const ALERT_DETAILS_MAX: usize = 40;
pub const ALERT_DETAIL_CHARS_MAX: usize = 300;
pub const ALERT_LINK_CHARS_MAX: usize = 500;
/// What a person may say while acknowledging.
pub const ALERT_COMMENT_CHARS_MAX: usize = 1_000;
/// What is kept of the reason why a delivery failed.
pub const DELIVERY_ERROR_CHARS_MAX: usize = 500;

/// The pause after a first failed attempt, doubled after each, and the longest pause.
pub const RETRY_FIRST_MS: i64 = 30_000;
pub const RETRY_LONGEST_MS: i64 = 3_600_000;
/// After so long and so many attempts a delivery is given up: a box that was switched off for a week has not tried.
pub const RETRY_FOR_MS: i64 = 7 * 24 * 3_600_000;
pub const RETRY_ATTEMPTS_MIN: u32 = 20;
/// Alerts of one digest; what is beyond goes into the next one, at once.
pub const DIGEST_ALERTS_MAX: usize = 100;
/// Parcels named as due at a time.
pub const PARCELS_DUE_MAX: usize = 100;

pub const CHANNELS_MAX: usize = 20;
pub const ROUTES_MAX: usize = 50;
/// Recipients of one channel.
pub const RECIPIENTS_MAX: usize = 50;
/// Any text of the settings, in characters; an e-mail address has its own from RFC 5321.
pub const SETTING_CHARS_MAX: usize = 1_024;
pub const MAIL_ADDRESS_CHARS_MAX: usize = 254;
/// The longest time the settings may name.
pub const SETTING_DURATION_MS_MAX: i64 = 366 * 24 * 3_600_000;
/// How large a file of alerts grows before it is put aside, and how many put aside are kept.
pub const ALERT_FILE_BYTES: u64 = 10 << 20;
pub const ALERT_FILE_BYTES_MIN: u64 = 4 << 10;
pub const ALERT_FILE_BYTES_MAX: u64 = 1 << 30;
pub const ALERT_FILES_KEPT: u32 = 5;
pub const ALERT_FILES_KEPT_MAX: u32 = 50;

/// What Slack takes as a heading, as one block of text, and as blocks.
pub const SLACK_HEADING_CHARS_MAX: usize = 150;
pub const SLACK_TEXT_CHARS_MAX: usize = 3_000;
pub const SLACK_BLOCKS_MAX: usize = 45;
/// Teams refuses messages of more than 28 KB.
pub const TEAMS_BYTES_MAX: usize = 24 << 10;
/// What every syslog receiver takes should be 2048 bytes (RFC 5424, 6.1).
pub const SYSLOG_LINE_BYTES_MAX: usize = 2_048;
