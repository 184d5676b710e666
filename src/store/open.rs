//! The store as the rest of the program has it: both files behind their lanes, the blobs, the home.
//! Never decides; every write is one transaction, every read one snapshot.

use std::collections::BTreeSet;

use crate::base::digest::Digest;
use crate::store::blobs::{Blobs, Swept};
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::home::Home;
use crate::store::lane::journal::Journal;
use crate::store::lane::restart::{LaneState, Opened, Opening, growing_pause};
use crate::store::lane::{BeforeCommit, Lane, Pending, Urgency};
use crate::store::migrate;
use crate::store::rows::meta::{COMMITS, STORE_ID};
use crate::store::tables::StoreName;
use crate::store::views::answers::{NewAnswer, Placed};
use crate::store::views::group::Writes;
use crate::store::views::log::CheckpointSigner;
use crate::store::views::{Lab, LabRead, LabWrite, Ledger, LedgerRead, LedgerWrite, Rows};
use crate::store::witness::Witness;

/// An open home. The lanes close before the home is let go of: fields are dropped in this order.
pub struct Store {
    ledger: Lane,
    lab: Lane,
    blobs: Blobs,
    home: Home,
}

impl Store {
    /// Opens both files, verified and at today's schema. `signer` makes the checkpoint of each commit to the log.
    pub fn open(home: Home, signer: CheckpointSigner) -> Result<Self, StoreError> {
        let ledger = open_lane(&home, StoreName::Ledger, before_ledger_commit(signer))?;
        let lab = open_lane(&home, StoreName::Lab, Box::new(|_| Ok(())))?;
        let blobs = Blobs::new(&home.blobs(), &home.staging());
        Ok(Self { ledger, lab, blobs, home })
    }

    pub fn home(&self) -> &Home {
        &self.home
    }

    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Asks one snapshot of the ledger file.
    pub fn read_ledger<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&LedgerRead) -> Result<T, E>,
    ) -> Result<T, E> {
        self.ledger.read(|view| work(&Ledger(view)))
    }

    /// Asks one snapshot of the laboratory file.
    pub fn read_lab<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&LabRead) -> Result<T, E>,
    ) -> Result<T, E> {
        self.lab.read(|view| work(&Lab(view)))
    }

    /// One transaction on the ledger file; durable when it answers. The work may be run more than once.
    pub fn write_ledger<T, E>(
        &self,
        work: impl FnMut(&LedgerWrite) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit_ledger(Urgency::Bulk, work)?.wait()
    }

    /// One transaction on the laboratory file; durable when it answers. The work may be run more than once.
    pub fn write_lab<T, E>(
        &self,
        work: impl FnMut(&LabWrite) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.submit_lab(Urgency::Bulk, work)?.wait()
    }

    /// Queues a transaction on the ledger file, to be waited for later; those queued together commit together.
    pub fn submit_ledger<T, E>(
        &self,
        urgency: Urgency,
        mut work: impl FnMut(&LedgerWrite) -> Result<T, E> + Send + 'static,
    ) -> Result<Pending<T, E>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.ledger.submit(urgency, move |view| work(&Ledger(view)))
    }

    /// Queues an answer before all other writes; `then` hears its place, on the writer's thread, once it is durable.
    pub fn submit_answer(
        &self,
        mut answer: NewAnswer,
        then: impl FnOnce(Result<Placed, StoreError>) + Send + 'static,
    ) -> Result<(), StoreError> {
        let work = move |view: &dyn Writes| Ledger(view).put_answer(&mut answer);
        self.ledger.submit_then(Urgency::Decision, work, then)
    }

    /// Whether the ledger takes writes, will again by itself, or will not.
    pub fn ledger_state(&self) -> LaneState {
        self.ledger.state()
    }

    /// Why the ledger takes no write just now, if it takes none.
    pub fn check_ledger_takes_writes(&self) -> Result<(), StoreError> {
        self.ledger.check_takes_writes()
    }

    /// How many writes wait for the ledger's writer.
    pub fn waiting(&self) -> usize {
        self.ledger.waiting()
    }

    /// Queues a transaction on the laboratory file, to be waited for later.
    pub fn submit_lab<T, E>(
        &self,
        urgency: Urgency,
        mut work: impl FnMut(&LabWrite) -> Result<T, E> + Send + 'static,
    ) -> Result<Pending<T, E>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.lab.submit(urgency, move |view| work(&Lab(view)))
    }

    /// The blobs that rows name. What blobs name in turn (a model its weights) is the caller's to add.
    pub fn list_referenced(&self) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = self.read_ledger(|ledger| ledger.list_referenced())?;
        named.extend(self.read_lab(|lab| lab.list_referenced())?);
        Ok(named)
    }

    /// Removes blobs that neither a row nor `inner` names. Only while nothing is being written.
    pub fn sweep_blobs(&self, inner: &BTreeSet<Digest>) -> Result<Swept, StoreError> {
        let mut named = self.list_referenced()?;
        named.extend(inner);
        self.blobs.sweep(&named)
    }
}

/// What every commit of the ledger holds beside its group's own writes.
pub(in crate::store) fn before_ledger_commit(signer: CheckpointSigner) -> BeforeCommit {
    Box::new(move |view| {
        Ledger(view).flush_counts()?;
        Ledger(view).flush_cases()?;
        Ledger(view).flush_nodes()?;
        Ledger(view).sign_growth(&signer)
    })
}

fn open_lane(home: &Home, store: StoreName, before_commit: BeforeCommit) -> Result<Lane, StoreError> {
    let (path, journal_path) = (home.store_file(store), home.journal_file(store));
    let store_id = home.identity().store_id.clone();
    let witness = Witness::new(&home.run(), store, &store_id);
    let open = move |witness: &Witness| {
        let file = StoreFile::open(store, &path)?;
        check_owner(&store_id, &file)?;
        let journal = journal_path.as_ref().map(|path| Journal::open(store, path, &store_id));
        let mut journal = journal.transpose()?;
        take_in(&file, journal.as_mut(), witness)?;
        migrate::bring_up(&file, migrate::list_migrations(store))?;
        Ok(Opened { file, journal })
    };
    Lane::start(Opening { open: Box::new(open), pause: growing_pause }, witness, before_commit)
}

/// Whether a file is this home's.
pub(in crate::store) fn check_owner(store_id: &str, file: &StoreFile) -> Result<(), StoreError> {
    let owner = file.read(|view| view.find_meta(STORE_ID))?;
    if owner.as_deref() == Some(store_id) {
        return Ok(());
    }
    let why = format!("it belongs to the home {}", owner.as_deref().unwrap_or("(none)"));
    Err(StoreError::CorruptFile { store: file.store(), why })
}

/// The journal of a store that has one.
pub(in crate::store) fn open_journal(home: &Home, store: StoreName) -> Result<Option<Journal>, StoreError> {
    let path = home.journal_file(store);
    path.map(|path| Journal::open(store, &path, &home.identity().store_id)).transpose()
}

/// The file takes in what a crash left in its journal; then it holds all that the witness has seen, or was rolled back.
pub(in crate::store) fn take_in(
    file: &StoreFile,
    journal: Option<&mut Journal>,
    witness: &Witness,
) -> Result<(), StoreError> {
    let commits = journal.map_or(Ok(0), |journal| journal.bring_into(file))?;
    if commits > 0 {
        tracing::info!(store = %file.store(), commits, "took in what only the journal held");
    }
    witness.check(file.read(|view| view.read_meta_number(COMMITS))?)
}
