//! Names of what is counted and timed for operators, so that who counts and who shows mean the same.
//! Nothing of a person is ever a label.

/// Labels: `kind` (decision, prediction), `model`, `outcome` (empty for a prediction).
pub const DECISIONS: &str = "tallystick_decisions_total";
pub const DECISION_SECONDS: &str = "tallystick_decision_duration_seconds";
/// Label: `store`.
pub const WRITES_WAITING: &str = "tallystick_store_writes_waiting";
/// Label: `store`.
pub const COMMIT_SECONDS: &str = "tallystick_store_commit_duration_seconds";
