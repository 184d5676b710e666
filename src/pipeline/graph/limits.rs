//! What a graph, its records and its kept artifacts may grow to.

pub const NODES_MAX: usize = 200;
/// Inputs and outputs of one node.
pub const NODE_ARTIFACTS_MAX: usize = 50;
pub const NODE_NAME_CHARS_MAX: usize = 60;
/// Values of configuration that a node's record keeps.
pub const SETTINGS_MAX: usize = 50_000;
/// A value beyond this is kept as its beginning and its digest.
pub const SETTING_CHARS_MAX: usize = 120;
/// Levels of tables within each other that are told apart; what lies deeper is one value.
pub const SETTING_DEPTH_MAX: usize = 24;
pub const RECORD_BYTES_MAX: u64 = 16 << 20;
/// Reasons that are told of one node; the rest are counted.
pub const REASONS_MAX: usize = 12;
/// Files of one output that is a folder, and how deep they may lie.
pub const OUTPUT_FILES_MAX: usize = 10_000;
pub const OUTPUT_DEPTH_MAX: usize = 8;
/// All artifacts that are kept of one project, where nothing else is said.
pub const KEPT_BYTES_MAX: u64 = 16 << 30;
/// Characters of a name that a picture shows before it is cut.
pub const PICTURE_CHARS_MAX: usize = 26;
