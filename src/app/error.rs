//! What only a use case can find wrong: a thing that is named and not there, a home that is damaged.
//! Every other failure is the fact of the room it happened in, carried unchanged by `Failure`.

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;

/// What only a use case can find wrong.
#[derive(Debug, thiserror::Error)]
pub enum UseCaseError {
    #[error("there is no model {name:?} in this home{known}")]
    NoModel { name: String, known: String },
    #[error("model {name:?} has no version {version}; the newest is {newest}")]
    NoVersion { name: String, version: u64, newest: u64 },
    #[error("model {name:?} has no alias {alias:?}")]
    NoAlias { name: String, alias: String },
    #[error("alias {alias:?} of {name:?} has no earlier version to go back to")]
    NothingBefore { name: String, alias: String },
    #[error("there is no run {id:?} in this home")]
    NoRun { id: String },
    #[error("run {id} has no artifact {path:?}; it has {known}")]
    NoArtifact { id: String, path: String, known: String },
    #[error("{wanted:?} is the beginning of {found} names; give more of it")]
    Ambiguous { wanted: String, found: usize },
    #[error("alias {alias:?} of {name:?} has moved since it was looked at")]
    AliasMoved { name: String, alias: String },
    #[error("{name}@{version} was never put in force with its policy, and so decides no case")]
    NeverInForce { name: String, version: u64 },
    #[error("release {name}@{version} ended at {end}")]
    ReleaseEnded { name: String, version: u64, end: String },
    #[error("the reason of a move has {found} characters; at most {max} are kept", max = limits::WHY_CHARS_MAX)]
    LongWhy { found: usize },
    #[error("run {id} has no metric {key:?}")]
    NoMetric { id: String, key: String },
    #[error("{found} runs cannot be compared; give 2 to {max}", max = limits::RUNS_COMPARED_MAX)]
    CompareCount { found: usize },
    #[error("run {id} ({status}) kept no scores of its test rows")]
    NoTestScores { id: String, status: &'static str },
    #[error(
        "the runs {first} and {second} were tested on different rows, so their figures cannot be compared"
    )]
    OtherTestRows { first: String, second: String, digests: (Digest, Digest) },
    #[error(
        "the runs {first} and {second} call different outcomes positive, so their figures cannot be compared"
    )]
    OtherOutcome { first: String, second: String },
    #[error("there is no experiment {wanted:?} in this home")]
    NoExperiment { wanted: String },
    #[error("policy {policy} found its cut-off on another model, {found}")]
    OtherModelsPolicy { policy: String, found: String },
    #[error("no data set matches {wanted:?}")]
    NoDataset { wanted: String },
    #[error("there is no policy {wanted:?} in this home")]
    NoPolicy { wanted: String },
    #[error("which column of {source_name} is the outcome could not be guessed")]
    NoTarget { source_name: String },
    #[error("policy.toml finds its cut-off by cost or rate, which needs the scores of a training")]
    CutoffOpen,
    #[error("the data the run was given are not those of digest {content}")]
    OtherData { content: Digest },
    #[error("{problems} problem(s) in the home: {first}")]
    Damaged { problems: u64, first: String, report: serde_json::Value },
    #[error("there is no decision {wanted:?} in this home")]
    NoDecision { wanted: String },
    #[error("record {seq} of the log is no decision")]
    NotADecision { seq: u64 },
    #[error("the decision {id} names the release {release}, which this home does not have")]
    OtherRelease { id: String, release: Digest },
    #[error("what was decided in {id} was erased: its record stands, its content cannot be read any more")]
    Erased { id: String },
    #[error("the decision {id} was made without a score, so no field added to one")]
    Unscored { id: String },
    #[error("no release of {name}@{version} can score")]
    NoScore { name: String, version: u64 },
    #[error("the Idempotency-Key {key:?} was used for another request")]
    KeyReused { key: String },
    #[error("the first request with the Idempotency-Key {key:?} is still under way")]
    KeyUnderWay { key: String },
    #[error("an Idempotency-Key has 1 to {max} printable ASCII characters without space", max = limits::IDEMPOTENCY_KEY_CHARS_MAX)]
    BadKey,
    #[error("there is no report of {model:?}: {wanted}")]
    NoReport { model: String, wanted: String },
    #[error("{model:?} is not held back by any rule")]
    NotHeld { model: String },
    #[error("{model:?} is held back by the rule {rule:?}: {why}")]
    Held { model: String, rule: String, why: String },
    #[error("there is no user {name:?}")]
    NoUser { name: String },
    #[error("there is a user {name:?} already")]
    UserExists { name: String },
    #[error("the role {role} belongs to a service, which gets an API key, and to no person")]
    ServiceRole { role: String },
    #[error("a user needs at least one role")]
    NoRoles,
    #[error("nobody changes their own roles or locks themselves out")]
    OwnAccount,
    #[error("there is no API key {id:?}")]
    NoKey { id: String },
    #[error("{0} exists already")]
    Exists(String),
    #[error("--home is not given and neither TALLYSTICK_HOME, XDG_DATA_HOME nor HOME is set")]
    NoHome,
}

impl Fact for UseCaseError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoModel { .. } => "model.unknown",
            Self::NoVersion { .. } => "model.unknown_version",
            Self::NoAlias { .. } => "model.unknown_alias",
            Self::NothingBefore { .. } => "model.nothing_before",
            Self::NoRun { .. } => "run.unknown",
            Self::NoArtifact { .. } => "run.unknown_artifact",
            Self::Ambiguous { .. } => "name.ambiguous",
            Self::AliasMoved { .. } => "model.alias_moved",
            Self::ReleaseEnded { .. } => "release.ended",
            Self::NeverInForce { .. } => "gate.never_in_force",
            Self::LongWhy { .. } => "model.long_reason",
            Self::NoMetric { .. } => "run.unknown_metric",
            Self::CompareCount { .. } => "run.compare_count",
            Self::NoTestScores { .. } => "run.no_test_scores",
            Self::OtherTestRows { .. } => "run.other_test_rows",
            Self::OtherOutcome { .. } => "run.other_outcome",
            Self::NoExperiment { .. } => "experiment.unknown",
            Self::OtherModelsPolicy { .. } => "policy.other_model",
            Self::NoDataset { .. } => "data.unknown_set",
            Self::NoPolicy { .. } => "policy.unknown",
            Self::NoTarget { .. } => "project.no_target",
            Self::CutoffOpen => "policy.cutoff_open",
            Self::OtherData { .. } => "data.other_content",
            Self::Damaged { .. } => "store.damaged",
            Self::NoDecision { .. } => "decision.unknown",
            Self::NotADecision { .. } => "decision.not_a_decision",
            Self::OtherRelease { .. } => "decision.other_release",
            Self::Erased { .. } => "decision.erased",
            Self::Unscored { .. } => "decision.unscored",
            Self::NoScore { .. } => "release.no_score",
            Self::KeyReused { .. } => "idempotency.key_reused",
            Self::KeyUnderWay { .. } => "idempotency.under_way",
            Self::BadKey => "idempotency.bad_key",
            Self::NoReport { .. } => "report.unknown",
            Self::NotHeld { .. } => "model.not_held",
            Self::Held { .. } => "gate.held",
            Self::NoUser { .. } => "user.unknown",
            Self::UserExists { .. } => "user.exists",
            Self::ServiceRole { .. } => "user.service_role",
            Self::NoRoles => "user.no_roles",
            Self::OwnAccount => "user.own_account",
            Self::NoKey { .. } => "api_key.unknown",
            Self::Exists(_) => "file.exists",
            Self::NoHome => "home.not_named",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Damaged { .. } | Self::OtherData { .. } => Class::Integrity,
            Self::NotADecision { .. } | Self::OtherRelease { .. } => Class::Integrity,
            Self::NeverInForce { .. } | Self::Held { .. } => Class::GateRefused,
            Self::ReleaseEnded { .. } | Self::NoScore { .. } | Self::KeyUnderWay { .. } => Class::Unavailable,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NoModel { .. } | Self::NoVersion { .. } => "See `tallystick model list`.",
            Self::NoAlias { .. } => {
                "Promote a version first: `tallystick model promote NAME --to production`."
            }
            Self::NothingBefore { .. } => "See `tallystick model history NAME`.",
            Self::NoArtifact { .. } => "See `tallystick run show RUN`.",
            Self::OtherModelsPolicy { .. } => {
                "Choose the policy that came with the version, or sign one with a cut-off by value."
            }
            Self::AliasMoved { .. } => "Look at the alias again and decide anew.",
            Self::LongWhy { .. } => "Say it in fewer words.",
            Self::NoMetric { .. } => "See `tallystick run show RUN`.",
            Self::Ambiguous { .. } => "Give more of its beginning, or all of it.",
            Self::ReleaseEnded { .. } => "Promote a newer version.",
            Self::NeverInForce { .. } => {
                "Promote it first, or ask for a rehearsal: `simulated=true` over the API, or `predict` for its score."
            }
            Self::CompareCount { .. } => {
                "Name them: `tallystick run compare A B`; see `tallystick run list`."
            }
            Self::NoTestScores { .. } => "Only a finished run has them; train it again with this program.",
            Self::OtherTestRows { .. } => "Train both on the same data with the same seed and [split].",
            Self::OtherOutcome { .. } => "Train both with the same `positive` in project.toml.",
            Self::NoExperiment { .. } => "Give its name or its number; runs begin in `Default`.",
            Self::NoRun { .. } => "See `tallystick run list`.",
            Self::NoDataset { .. } => "See `tallystick data list`, or give a file: `--data FILE`.",
            Self::NoPolicy { .. } => "See `tallystick policy list`.",
            Self::NoTarget { .. } => "Say it: --target COLUMN --positive VALUE.",
            Self::CutoffOpen => "Train, which signs the policy with its model; or write by = \"value\".",
            Self::OtherData { .. } => "Import the data again and repeat the training.",
            Self::Damaged { .. } => "Restore the home from a backup; do not work on with this one.",
            Self::NoDecision { .. } => {
                "Compare the number with the letter, or see `tallystick decision list`."
            }
            Self::NotADecision { .. } | Self::OtherRelease { .. } => "Run `tallystick audit verify`.",
            Self::Erased { .. } => "Its receipt and its place in the log can still be verified.",
            Self::Unscored { .. } => "See `tallystick why` for what it stands on.",
            Self::NoScore { .. } => "Promote a version that loads; `tallystick model list` shows them.",
            Self::KeyReused { .. } => "Use a new key for a new request.",
            Self::KeyUnderWay { .. } => "Send it again in a moment; it will get the first one's answer.",
            Self::BadKey => "Send a UUID, for example.",
            Self::NoReport { .. } => {
                "Run a chain with a step that runs monitor, or `tallystick monitor report`."
            }
            Self::NotHeld { .. } => return None,
            Self::Held { .. } => "Find out why, then let it go: `tallystick model release-hold NAME`.",
            Self::NoUser { .. } => "See `tallystick user list`.",
            Self::UserExists { .. } => "Choose another name, or set that user's password.",
            Self::ServiceRole { .. } => "Give one of officer, analyst, approver, auditor, admin.",
            Self::NoRoles => "Give --role, once for each role.",
            Self::OwnAccount => "Ask another admin.",
            Self::NoKey { .. } => "See `tallystick key list`.",
            Self::Exists(_) => "Choose another name or remove it first.",
            Self::NoHome => "Give --home DIR.",
        };
        Some(step.into())
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Damaged { report, .. } => Some(report.clone()),
            Self::OtherTestRows { digests, .. } => {
                Some(serde_json::json!({ "test_rows": [digests.0, digests.1] }))
            }
            _ => None,
        }
    }
}

/// Refuses a path that something has already: what a command writes is always new.
pub fn check_absent(path: &std::path::Path) -> Result<(), UseCaseError> {
    match path.symlink_metadata() {
        Ok(_) => Err(UseCaseError::Exists(path.display().to_string())),
        Err(_) => Ok(()),
    }
}
