//! Every way the store can refuse or fail, and what redb's own errors mean here.
//! Damage is always `Corrupt…` and names its place; it is never an absence.

use std::path::PathBuf;
use std::sync::Arc;

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::files::FileError;
use crate::ledger::case::CaseError;
use crate::ledger::leaf::RecordError;
use crate::store::tables::{StoreName, Table};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{store}.redb, table {table}, row {key}: {why}")]
    Corrupt { store: StoreName, table: String, key: String, why: String },
    #[error("{store}.redb is damaged: {why}")]
    CorruptFile { store: StoreName, why: String },
    #[error("blob {digest} is damaged: {why}")]
    CorruptBlob { digest: Digest, why: String },
    #[error("{path}: {why}", path = path.display())]
    CorruptHome { path: PathBuf, why: String },
    #[error(
        "{store}.redb was rolled back: it holds commit {found}, but commit {witnessed} was once written ({witness})",
        witness = witness.display()
    )]
    RolledBack { store: StoreName, found: u64, witnessed: u64, witness: PathBuf },
    #[error("{what} has format {found}; this program knows up to {known}")]
    Newer { what: String, found: u64, known: u64 },
    #[error("{path} is not a Tallystick home: it has no home.json", path = path.display())]
    NoHome { path: PathBuf },
    #[error("{path} already holds a Tallystick home", path = path.display())]
    AlreadyAHome { path: PathBuf },
    #[error("the home {home} is incomplete: {missing} is missing", home = home.display())]
    Incomplete { home: PathBuf, missing: &'static str },
    #[error("the home {home} is in use by process {holder}", home = home.display())]
    InUse { home: PathBuf, holder: String },
    #[error("the {store} store's writer has {waiting} writes waiting, which is its limit")]
    Busy { store: StoreName, waiting: usize },
    #[error("the {store} store takes no more writes since one failed: {cause}")]
    WriterStopped { store: StoreName, cause: Arc<StoreError> },
    #[error("the {store} store is being opened again since one of its writes or reads failed: {cause}")]
    Restarting { store: StoreName, cause: Arc<StoreError> },
    #[error("whether the {store} store kept this write is not known before it is opened again: {cause}")]
    Unconfirmed { store: StoreName, cause: Arc<StoreError> },
    #[error("the {store} store cannot be opened again while it is being read for so long")]
    BeingRead { store: StoreName },
    #[error("the {store} store was closed before the write was answered")]
    WriterGone { store: StoreName },
    #[error("{doing} in {store}.redb failed: {source}")]
    Engine { store: StoreName, doing: &'static str, source: redb::Error },
    #[error("no checkpoint could be signed for {size} log records")]
    Checkpoint { size: u64, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{table} already has the row {key}", table = table.name)]
    Exists { table: Table, key: String },
    #[error("{table} has no row {key}", table = table.name)]
    NotFound { table: Table, key: String },
    #[error("the row {key} cannot be written to {table}", table = table.name)]
    Unwritable { table: Table, key: String, source: serde_json::Error },
    #[error("blob {digest} does not exist")]
    NoBlob { digest: Digest },
    #[error("blob {digest} is larger than the {max} bytes that are read")]
    BlobTooLarge { digest: Digest, max: u64 },
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl StoreError {
    /// The engine's own way to say that the disk has no room.
    fn is_disk_full(&self) -> bool {
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        matches!(self, Self::Engine { source: redb::Error::Io(error), .. } if full(error))
    }

    /// Whether the machine below the store failed, which may pass; opening the store again will show.
    pub(in crate::store) fn is_passing(&self) -> bool {
        use redb::Error::{DatabaseClosed, Io, PreviousIo};
        matches!(self, Self::Engine { source: Io(_) | PreviousIo | DatabaseClosed, .. })
    }

    /// What a failing disk said, below what it led to.
    fn cause(&self) -> &Self {
        match self {
            Self::WriterStopped { cause, .. }
            | Self::Restarting { cause, .. }
            | Self::Unconfirmed { cause, .. } => cause.cause(),
            other => other,
        }
    }

    /// A user that was there a moment ago.
    pub fn no_user(name: &str) -> Self {
        Self::NotFound { table: crate::store::tables::USERS, key: name.to_string() }
    }

    /// Whether something stored is not what was stored.
    pub fn is_corrupt(&self) -> bool {
        self.class() == Class::Integrity
    }

    pub(in crate::store) fn corrupt(table: Table, key: &[u8], why: impl Into<String>) -> Self {
        let key = printable(key);
        Self::Corrupt { store: table.store, table: table.name.to_string(), key, why: why.into() }
    }
}

impl Fact for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Corrupt { .. } => "store.corrupt_row",
            Self::CorruptFile { .. } => "store.corrupt_file",
            Self::CorruptBlob { .. } => "store.corrupt_blob",
            Self::CorruptHome { .. } => "store.corrupt_home",
            Self::RolledBack { .. } => "store.rolled_back",
            Self::Newer { .. } => "store.newer",
            Self::NoHome { .. } => "store.no_home",
            Self::AlreadyAHome { .. } => "store.already_a_home",
            Self::Incomplete { .. } => "store.incomplete",
            Self::InUse { .. } => "store.in_use",
            Self::Busy { .. } => "store.busy",
            Self::WriterStopped { .. } => "store.writer_stopped",
            Self::Restarting { .. } => "store.restarting",
            Self::Unconfirmed { .. } => "store.unconfirmed",
            Self::BeingRead { .. } => "store.being_read",
            Self::WriterGone { .. } => "store.writer_gone",
            Self::Engine { .. } => "store.engine",
            Self::Checkpoint { .. } => "store.checkpoint",
            Self::Exists { .. } => "store.exists",
            Self::NotFound { .. } => "store.not_found",
            Self::Unwritable { .. } => "store.unwritable",
            Self::NoBlob { .. } => "store.no_blob",
            Self::BlobTooLarge { .. } => "store.blob_too_large",
            Self::Case(error) => error.code(),
            Self::Record(error) => error.code(),
            Self::File(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Corrupt { .. }
            | Self::CorruptFile { .. }
            | Self::CorruptBlob { .. }
            | Self::CorruptHome { .. }
            | Self::RolledBack { .. }
            | Self::Incomplete { .. }
            | Self::NoBlob { .. } => Class::Integrity,
            Self::Newer { .. } => Class::StoreNewer,
            Self::NoHome { .. } | Self::AlreadyAHome { .. } | Self::NotFound { .. } => Class::Usage,
            Self::InUse { .. } | Self::Busy { .. } | Self::WriterGone { .. } => Class::Unavailable,
            Self::Restarting { .. } | Self::Unconfirmed { .. } | Self::BeingRead { .. } => Class::Unavailable,
            Self::Case(error) => error.class(),
            Self::Record(error) => error.class(),
            Self::WriterStopped { cause, .. } if cause.is_corrupt() => Class::Integrity,
            Self::WriterStopped { .. } => Class::Unavailable,
            Self::File(error) => error.class(),
            Self::Engine { .. } if self.is_passing() => Class::Unavailable,
            Self::Engine { .. }
            | Self::Checkpoint { .. }
            | Self::Exists { .. }
            | Self::Unwritable { .. }
            | Self::BlobTooLarge { .. } => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::RolledBack { witness, .. } => {
                return Some(format!(
                    "Restore the newest backup; if this older state was put there on purpose, remove {} first.",
                    witness.display()
                ));
            }
            Self::Corrupt { .. }
            | Self::CorruptFile { .. }
            | Self::CorruptBlob { .. }
            | Self::NoBlob { .. } => "Run `tallystick store check` and restore the newest good backup.",
            Self::CorruptHome { .. } => "Restore the file from the newest good backup.",
            Self::Incomplete { .. } => {
                "Restore the home from a backup; after an interrupted `tallystick init`, remove it and begin again."
            }
            Self::Newer { .. } => "Use the newer program that wrote this store.",
            Self::NoHome { .. } => "Make one with `tallystick init`, or name another with --home.",
            Self::AlreadyAHome { .. } => {
                "Use it as it is, or name an empty folder with --home; one left by an interrupted `init` is removed first."
            }
            Self::InUse { .. } => "Wait until that process has ended, or stop it.",
            Self::Busy { .. } => "Try again in a moment.",
            Self::WriterStopped { .. } => "Restart the program; the store is repaired when it is opened.",
            Self::Unconfirmed { .. } if self.cause().is_disk_full() => {
                "Free some space on this disk, then send it again with the same idempotency key."
            }
            Self::Unconfirmed { .. } => {
                "Send it again with the same idempotency key; without one, look first whether it was kept."
            }
            Self::Restarting { .. } if self.cause().is_disk_full() => {
                "Free some space on this disk; the store then goes on by itself."
            }
            Self::Restarting { .. } | Self::BeingRead { .. } => {
                "Try again in a moment; if this lasts, look at the disk."
            }
            Self::Engine { .. } if self.is_disk_full() => {
                "Free some space on this disk and run the command again."
            }
            Self::File(error) => return error.next_step(),
            _ => return None,
        };
        Some(step.to_string())
    }
}

/// A key as a person can read it: ASCII as it is, all else escaped.
pub fn printable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}

/// What an error of redb means: damage, or a failure of the machine below it.
pub(in crate::store) fn engine<E: Into<redb::Error>>(
    store: StoreName,
    doing: &'static str,
) -> impl FnOnce(E) -> StoreError {
    move |error| {
        let source: redb::Error = error.into();
        match damage(&source) {
            Some(why) => StoreError::CorruptFile { store, why },
            None => StoreError::Engine { store, doing, source },
        }
    }
}

fn damage(error: &redb::Error) -> Option<String> {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let damaged = match error {
        redb::Error::Io(io) => matches!(io.kind(), InvalidData | InvalidInput | UnexpectedEof),
        redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::RepairAborted
        | redb::Error::LockPoisoned(_)
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. } => true,
        _ => false,
    };
    damaged.then(|| error.to_string())
}
