//! Every bound of the program by name. A limit that is reached is an error that quotes it.
//! Nothing else holds a bare number that bounds input, memory or time.

/// Configuration and project files are small; more is a mistake or an attack.
pub const PROJECT_FILE_BYTES_MAX: u64 = 1 << 20;
/// model.json and release.json.
pub const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// A single blob that is read whole (weights, reference, golden rows, artifacts).
pub const BLOB_BYTES_MAX: u64 = 512 << 20;

pub const NAME_CHARS_MAX: usize = 64;
pub const COLUMNS_MAX: usize = 2_000;
pub const ROWS_MAX: usize = 50_000_000;
/// One CSV cell.
pub const CELL_BYTES_MAX: usize = 64 << 10;
/// One CSV record, all cells together.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Levels kept of one category before the rest is pooled.
pub const LEVELS_MAX: usize = 100_000;
/// What one decompressed input may grow to.
pub const IMPORT_BYTES_MAX: u64 = 32 << 30;

/// Violations written out in full by a validation; all are counted.
pub const FINDINGS_SHOWN_MAX: usize = 100;

/// Columns of an encoded matrix.
pub const MATRIX_WIDTH_MAX: usize = 20_000;
pub const ONE_HOT_LEVELS_MAX: usize = 1_000;
pub const HASH_BUCKETS_MAX: usize = 4_096;

pub const EPOCHS_MAX: usize = 10_000;
pub const BOOTSTRAP_ROUNDS_MAX: usize = 10_000;

/// Rows scored at a time by a batch.
pub const BATCH_CHUNK_ROWS: usize = 4_096;
/// One row given to `predict` or `decide`.
pub const ROW_JSON_BYTES_MAX: u64 = 1 << 20;
pub const JSON_DEPTH_MAX: usize = 64;
/// Reasons named for one decision.
pub const REASONS_MAX: usize = 4;
/// Fewest accepted cases whose mean may stand as the reference of reasons.
pub const ACCEPTED_REFERENCE_ROWS_MIN: usize = 50;
/// A level seen in fewer training rows is never shown in a golden row or a reference.
pub const SHARED_LEVEL_ROWS_MIN: usize = 20;

/// Jobs waiting for one store's writer; a full queue refuses.
pub const WRITER_QUEUE_MAX: usize = 1_024;
/// Jobs committed together at most.
pub const WRITER_GROUP_MAX: usize = 256;
/// How long a command waits for another process to let go of the home.
pub const HOME_WAIT_MS: u64 = 2_000;
pub const LIST_MAX: usize = 500;

/// Memory of a training child.
pub const CHILD_MEMORY_BYTES_MAX: u64 = 8 << 30;
/// Grace between asking a child to stop and ending it.
pub const CHILD_STOP_MS: u64 = 5_000;
/// One event line of a child.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// Characters of a refused value that a finding quotes.
pub const VALUE_SHOWN_CHARS_MAX: usize = 80;
pub const COLUMN_NAME_CHARS_MAX: usize = 256;
/// The beginning of a file from which separator and decimal sign are told.
pub const SNIFF_BYTES_MAX: usize = 256 << 10;
/// Rows a Parquet file is decoded at a time, and rows of a row group we write.
pub const PARQUET_BATCH_ROWS: usize = 4_096;
pub const PARQUET_GROUP_ROWS: usize = 65_536;
/// Decompressed size of one row group that is read.
pub const PARQUET_GROUP_BYTES_MAX: u64 = 4 << 30;
/// Rows kept (drawn evenly from the whole file) to guess a contract.
pub const INFER_ROWS_MAX: usize = 50_000;
pub const EXPECTATIONS_MAX: usize = 2_000;
/// Examples quoted for one failed expectation.
pub const EXPECTATION_EXAMPLES_MAX: usize = 20;
pub const REGEX_BYTES_MAX: usize = 4_096;
/// Frequent levels of one column that a profile names.
pub const PROFILE_LEVELS_MAX: usize = 20;
