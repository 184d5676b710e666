//! The rules as data: rooms and whom they import, foreign crates and their homes, sizes, forbidden names.
//! A change here goes together with docs/ARCHITECTURE.md; the code that reads the table is elsewhere.

/// Stands for every room.
pub const EVERYTHING: &[&str] = &["*"];

/// A room of `src/` and the rooms it may import, in the order the data flows: nothing imports what comes later.
pub const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("data", &["base"]),
    ("features", &["base", "data"]),
    ("evaluate", &["base"]),
    ("schedule", &["base"]),
    ("monitor", &["base", "evaluate"]),
    ("alert", &["base"]),
    ("model", &["base", "features"]),
    ("train", &["base", "data", "features", "evaluate", "model"]),
    ("tracking", &["base"]),
    ("security", &["base"]),
    ("notify", &["base", "alert", "security"]),
    ("ledger", &["base", "security"]),
    ("registry", &["base", "data", "features", "evaluate", "model", "security", "ledger"]),
    ("decide", &["base", "data", "features", "evaluate", "model", "security", "registry"]),
    ("serve", &["base", "data", "features", "model", "registry", "decide"]),
    (
        "config",
        &[
            "base", "data", "features", "evaluate", "schedule", "monitor", "alert", "train", "security",
            "registry", "decide",
        ],
    ),
    (
        "pipeline",
        &["base", "data", "features", "evaluate", "model", "train", "registry", "decide", "serve", "config"],
    ),
    (
        "store",
        &[
            "base", "schedule", "monitor", "alert", "tracking", "security", "ledger", "registry", "decide",
            "serve",
        ],
    ),
    (
        "app",
        &[
            "base", "data", "features", "evaluate", "schedule", "monitor", "alert", "model", "train",
            "tracking", "security", "ledger", "registry", "decide", "serve", "config", "pipeline", "store",
        ],
    ),
    (
        "http",
        &[
            "base", "data", "evaluate", "schedule", "monitor", "alert", "tracking", "security", "ledger",
            "registry", "decide", "serve", "config", "pipeline", "app",
        ],
    ),
    ("client", &["base", "security", "pipeline", "http"]),
    ("worker", &["base", "config", "pipeline", "client"]),
    ("demo", &["base", "data", "app"]),
    ("cli", EVERYTHING),
    ("main", EVERYTHING),
    ("lib", &[]),
];

/// A foreign crate and the places that may name it: a room, or one file of a room. No place at all is free for all.
pub const CRATES: &[(&str, &[&str])] = &[
    ("uuid", &["base"]),
    ("jiff", &["base", "schedule", "alert"]),
    ("lettre", &["notify"]),
    ("pulp", &["model"]),
    ("rand_chacha", &["base"]),
    ("rand_core", &["base"]),
    ("strsim", &["base"]),
    ("smallvec", &["data"]),
    ("serde_json_canonicalizer", &["base"]),
    ("aws_lc_rs", &["base", "security"]),
    ("argon2", &["security"]),
    ("rcgen", &["security"]),
    ("x509_parser", &["security"]),
    ("csv", &["data"]),
    ("flate2", &["data"]),
    ("arrow_array", &["data"]),
    ("arrow_schema", &["data"]),
    ("parquet", &["data"]),
    ("regex_lite", &["data"]),
    ("burn", &["train", "model/reference"]),
    ("burn_ndarray", &["train", "model/reference"]),
    ("safetensors", &["model"]),
    ("redb", &["store"]),
    ("toml", &["config"]),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli/manual"]),
    ("clap_mangen", &["cli/manual"]),
    ("indicatif", &["cli", "main"]),
    ("signal_hook", &["cli", "main"]),
    ("mimalloc", &["main"]),
    ("rustix", &["base/files", "pipeline", "store", "app", "http/listen", "cli"]),
    ("axum", &["http"]),
    ("hyper", &["http", "client", "notify"]),
    ("hyper_util", &["http", "client", "notify"]),
    ("http_body_util", &["http", "client", "notify"]),
    ("tower", &["http", "client"]),
    ("rustls", &["security", "http", "client", "notify"]),
    ("tokio_rustls", &["http", "client", "notify"]),
    ("utoipa", &["http"]),
    ("metrics_exporter_prometheus", &["http"]),
    ("minijinja", &["http"]),
    ("qrcodegen", &["http"]),
    ("listenfd", &["http"]),
    ("sd_notify", &["http"]),
    ("tokio", &["store", "app", "notify", "http", "client", "cli"]),
    ("arc_swap", &["app", "http"]),
    ("rcgen", &["security"]),
    ("argon2", &["security"]),
    ("tracing_subscriber", &["cli"]),
    ("metrics", &[]),
    ("tracing", &[]),
    ("serde", &[]),
    ("serde_json", &[]),
    ("thiserror", &[]),
    ("base64", &[]),
    ("zeroize", &[]),
];

/// The package's own name, by which the binary names the library.
pub const OUR_CRATE: &str = "tallystick";

pub const FUNCTION_LINES_MAX: usize = 70;
/// Without what only tests compile.
pub const FILE_LINES_MAX: usize = 600;
/// A method's `self` is not counted.
pub const ARGUMENTS_MAX: usize = 5;
pub const FOLDER_FILES_MAX: usize = 12;

/// Words that say nothing of what a module owns.
pub const MODULE_WORDS: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "manager", "managers", "service", "services"];
/// Beginnings that say nothing of what a function does.
pub const FUNCTION_BEGINNINGS: &[&str] = &["get_", "process_", "handle_"];

/// Every rule by the name its findings carry; each has a fixture that breaks it.
pub const RULES: &[&str] = &[
    "parse",
    "header",
    "allow.reason",
    "name.module",
    "name.function",
    "size.function",
    "size.arguments",
    "size.file",
    "size.folder",
    "import.room",
    "import.both_ways",
    "import.crate",
    "import.super",
    "import.glob",
];
