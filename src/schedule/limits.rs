//! Every bound of the schedule by name. Holds no code.

/// Chains of one schedule.toml.
pub const CHAINS_MAX: usize = 50;
pub const CHAIN_STEPS_MAX: usize = 50;
pub const CHAIN_TRIGGERS_MAX: usize = 10;
/// Parameters of one step, and what one of them may hold.
pub const STEP_SETTINGS_MAX: usize = 50;
pub const SETTING_CHARS_MAX: usize = 4_000;
pub const SETTING_ITEMS_MAX: usize = 1_000;

pub const STEP_RETRIES_MAX: u32 = 10;
pub const STEP_TIMEOUT_MS_MAX: i64 = 7 * DAY_MS;
pub const BACKOFF_MS_MIN: i64 = 1_000;
pub const BACKOFF_MS_MAX: i64 = DAY_MS;
pub const DEADLINE_MS_MAX: i64 = 30 * DAY_MS;
pub const SETTLE_MS_MIN: i64 = 1_000;
pub const SETTLE_MS_MAX: i64 = DAY_MS;
/// Outcomes that a volume trigger may wait for.
pub const VOLUME_OUTCOMES_MAX: u64 = 1_000_000_000;

/// One cron text.
pub const CRON_CHARS_MAX: usize = 200;
/// How far ahead or back a planned start is looked for; 29 February on a given weekday is 40 years away at most.
pub const CRON_SEARCH_YEARS_MAX: i16 = 60;
/// Planned starts that one look lists.
pub const PLANNED_LISTED_MAX: usize = 1_000;

/// Starts that one catch-up makes up for.
pub const CATCH_UP_MAX: u32 = 100;
/// Planned starts that were passed over are counted this far; beyond it the count says "at least".
pub const MISSED_COUNTED_MAX: u64 = 10_000;
/// How late a start still counts as on time where missed ones are not made up for.
pub const ON_TIME_MS_MAX: i64 = 2 * MINUTE_MS;
/// Planned starts of one backfill.
pub const BACKFILL_MAX: usize = 400;
/// Starts of one chain that wait for a run of it to end; those made up for and backfilled have a bound of their own.
pub const QUEUED_STARTS_MAX: usize = 10;
pub const QUEUED_PAST_STARTS_MAX: usize = 500;

/// Interruptions of one step that cost it no retry.
pub const FREE_INTERRUPTIONS_MAX: u32 = 5;
/// How long a step that was told to stop may take to say so.
pub const STOP_GRACE_MS: i64 = MINUTE_MS;
/// The longest a step waits for a person.
pub const WAITING_MS_MAX: i64 = 30 * DAY_MS;
/// What a step says of itself.
pub const SAID_CHARS_MAX: usize = 500;

pub const FILE_NAME_BYTES_MAX: usize = 255;
/// The folder of a repository, and the full name of a reference in it.
pub const REPOSITORY_PATH_BYTES_MAX: usize = 400;
pub const REF_NAME_BYTES_MAX: usize = 200;
/// Files of an inbox that are looked at.
pub const FILES_WATCHED_MAX: usize = 10_000;
/// Files of one look that start a run; the rest are next.
pub const FILE_STARTS_MAX: usize = 100;
/// Days of drift that are looked back on for the beginning of a shift.
pub const DRIFT_DAYS_MAX: usize = 400;

pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;
