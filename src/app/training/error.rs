//! What can be wrong with an order, a sent file or a worker's report.
//! What is wrong with project or data is said by their own rooms.

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;

#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    #[error("{waiting} runs wait or are under way, which is the limit")]
    Full { waiting: usize },
    #[error("an order changes at most {} keys", limits::OVERRIDES_MAX)]
    ManyOverrides,
    #[error("run {id} has ended already, as {status}")]
    Ended { id: String, status: &'static str },
    #[error("run {id} is not with a worker: it was cancelled, given up or finished")]
    NotAtWork { id: String },
    #[error("cancelled; the run is recorded as KILLED and nothing was registered")]
    Cancelled,
    #[error("the worker that had the run was not heard of for {} s", limits::WORKER_LOST_MS / 1_000)]
    WorkerLost,
    #[error("a worker says how a run failed, and nothing else, when it fails")]
    NoFailure,
    #[error("the file of the candidate is named {named} but has the digest {found}")]
    OtherBytes { named: Digest, found: Digest },
    #[error("a candidate has at most {} files", limits::CANDIDATE_FILES_MAX)]
    ManyFiles,
    #[error("the candidate holds another model than the one that was announced, {announced}")]
    OtherModel { announced: Digest },
    #[error("there is no sent file {id:?}: it was used, forgotten, or sent by somebody else")]
    NoUpload { id: String },
    #[error("{waiting} sent files wait to be used, which is the limit")]
    ManyUploads { waiting: usize },
    #[error("{waiting} files that you sent wait to be used, which is the limit for one sender")]
    ManyOwnUploads { waiting: usize, retry_after_s: u64 },
    #[error("a sent file is larger than the {max} bytes that are kept")]
    LargeUpload { max: u64 },
    #[error("the name of a sent file has 1 to {} characters and no slash", limits::FILE_NAME_CHARS_MAX)]
    FileName,
    #[error("what is imported is a sent file; none is named")]
    NoFile,
    #[error("data is a sent file with its name, or a kept set; not both")]
    TwoSources,
}

impl Fact for TrainingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "run.queue_full",
            Self::ManyOverrides => "run.many_overrides",
            Self::Ended { .. } => "run.ended",
            Self::NotAtWork { .. } => "run.not_at_work",
            Self::Cancelled => "run.cancelled",
            Self::WorkerLost => "run.worker_lost",
            Self::NoFailure => "run.no_failure",
            Self::OtherBytes { .. } => "run.candidate_altered",
            Self::ManyFiles => "run.candidate_files",
            Self::OtherModel { .. } => "run.protocol",
            Self::NoUpload { .. } => "upload.unknown",
            Self::ManyUploads { .. } => "upload.too_many",
            Self::ManyOwnUploads { .. } => "upload.too_many_own",
            Self::LargeUpload { .. } => "upload.too_large",
            Self::FileName => "upload.file_name",
            Self::NoFile => "upload.none",
            Self::TwoSources => "run.two_sources",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Full { .. } | Self::ManyUploads { .. } | Self::ManyOwnUploads { .. } => Class::Unavailable,
            Self::Cancelled | Self::WorkerLost | Self::OtherModel { .. } => Class::Failed,
            Self::OtherBytes { .. } => Class::Integrity,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Full { .. } => "See `tallystick run list`, and cancel or wait.",
            Self::WorkerLost => {
                "Run the same command again; training starts afresh and gives the same model."
            }
            Self::NoUpload { .. } => "Send the file again.",
            Self::ManyUploads { .. } => "Try again in a moment.",
            Self::ManyOwnUploads { .. } => {
                "Use the files that were sent; one that nobody uses is forgotten after an hour."
            }
            Self::Ended { .. } | Self::NotAtWork { .. } => "See `tallystick run show RUN`.",
            _ => return None,
        };
        Some(step.into())
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::ManyOwnUploads { retry_after_s, .. } => {
                Some(serde_json::json!({ "retry_after_s": retry_after_s }))
            }
            _ => None,
        }
    }
}
