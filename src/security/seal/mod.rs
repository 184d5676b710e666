//! Sealing: personal content under a key of its own, each key under one of 4,096 bucket keys, these under the master.
//! Never keeps a subject's name, and never opens what a renewed bucket has forgotten.

use std::path::PathBuf;

use crate::base::fact::{Class, Fact};
use crate::base::files::FileError;
use crate::base::ids::DecisionId;
use crate::base::limits;
use crate::security::key::KeyError;

pub mod buckets;
mod cipher;
pub mod master;
pub mod record;
mod slot;

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the system gave no random bytes")]
    Random,
    #[error("the cipher refused to work")]
    Cipher,
    #[error("the master key in {path} is not exactly 32 bytes", path = path.display())]
    MasterLength { path: PathBuf },
    #[error("the bucket keys in {path} are damaged: neither of the two slots is whole", path = path.display())]
    BucketsDamaged { path: PathBuf },
    #[error("the bucket keys in {path} were not written with this master key for this store", path = path.display())]
    OtherMaster { path: PathBuf },
    #[error("bucket {bucket} is being renewed; that comes to its end first")]
    RenewalOpen { bucket: u16 },
    #[error("there is no bucket {bucket}; they go from 0 to {last}", last = limits::BUCKETS - 1)]
    NoBucket { bucket: u16 },
    #[error("a body of {size} bytes is not sealed; at most {max} are", max = limits::SEALED_PLAIN_BYTES_MAX)]
    TooLarge { size: usize },
    #[error("the body of {id} is not in the sealed form that is known")]
    BodyForm { id: DecisionId },
    #[error("the body of {id} does not open with its key: one of them was altered")]
    BodyRefused { id: DecisionId },
    #[error("the key of {id} does not open: it was altered, or its bucket {bucket} was renewed")]
    KeyRefused { id: DecisionId, bucket: u16 },
}

impl Fact for SealError {
    fn code(&self) -> &'static str {
        match self {
            Self::Key(error) => error.code(),
            Self::File(error) => error.code(),
            Self::Random | Self::Cipher => "seal.failed",
            Self::MasterLength { .. } => "seal.master_malformed",
            Self::BucketsDamaged { .. } => "seal.buckets_damaged",
            Self::OtherMaster { .. } => "seal.other_master",
            Self::RenewalOpen { .. } => "seal.renewal_open",
            Self::NoBucket { .. } => "seal.no_bucket",
            Self::TooLarge { .. } => "seal.body_too_large",
            Self::BodyForm { .. } | Self::BodyRefused { .. } => "seal.body_altered",
            Self::KeyRefused { .. } => "seal.key_refused",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Key(error) => error.class(),
            Self::File(error) => error.class(),
            Self::Random | Self::Cipher | Self::RenewalOpen { .. } => Class::Failed,
            Self::TooLarge { .. } | Self::NoBucket { .. } => Class::Usage,
            _ => Class::Integrity,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Key(error) => error.next_step(),
            Self::File(error) => error.next_step(),
            Self::MasterLength { .. } | Self::BucketsDamaged { .. } => {
                Some("Restore the file from the backup of the keys.".to_string())
            }
            Self::OtherMaster { .. } => Some(
                "Restore master key and bucket keys together, from one backup of this store.".to_string(),
            ),
            _ => None,
        }
    }
}
