//! The home as a use case sees it: made once, opened by one process, put in order after a crash.
//! Holds the box's key; never prints it.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::app::alerts::desk::AlertDesk;
use crate::app::chains::hands::Hands;
use crate::app::decisions::Answering;
use crate::app::error::UseCaseError;
use crate::app::people::Gatehouse;
use crate::app::training::desk::Desk;
use crate::app::watch::Watched;
use crate::base::canonical;
use crate::base::clock::{Clock, Stamp};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::config::settings::Settings;
use crate::ledger::case::Branch;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::leaf::{Entry, Kind};
use crate::ledger::tree::TreeHead;
use crate::registry::content::ModelContent;
use crate::security::actor::{Act, Actor, Person};
use crate::security::key::{KeyError, SigningKey};
use crate::security::key_file;
use crate::security::seal::buckets::BUCKETS_FILE;
use crate::security::seal::master::{MASTER_CREDENTIAL, MASTER_FILE, MasterKey};
use crate::security::seal::record::Sealer;
use crate::security::trust::TrustRoot;
use crate::store::home::Home;
use crate::store::open::Store;
use crate::store::views::log::CheckpointSigner;
use crate::tracking::experiment::{DEFAULT_ID, DEFAULT_NAME, Experiment};
use crate::tracking::run::RunStatus;

/// An open home as one person sees it: the home is shared, the person is not.
#[derive(Clone)]
pub struct App {
    core: Arc<Core>,
    person: Person,
}

/// The open home itself, the same for everybody who acts in it.
pub struct Core {
    pub(in crate::app) store: Store,
    pub(in crate::app) trust: TrustRoot,
    pub(in crate::app) key: Arc<SigningKey>,
    pub(in crate::app) sealer: Sealer,
    pub(in crate::app) answering: Answering,
    pub(in crate::app) gatehouse: Gatehouse,
    pub(in crate::app) desk: Desk,
    /// Steps of chains that are at work in this process.
    pub hands: Hands,
    pub(in crate::app) alerts: AlertDesk,
    pub(in crate::app) watched: Watched,
    settings: Settings,
    clock: Box<dyn Clock>,
}

impl Deref for App {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

/// What `init` made.
#[derive(Debug)]
pub struct Made {
    pub store_id: String,
    pub key_id: String,
    pub trust_digest: String,
}

#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("the home's key is not the one its trust root names ({expected}); it signs as {found}")]
    OtherKey { expected: String, found: String },
    #[error("the home has records but no trust root")]
    NoTrust,
    #[error("the home has records but its signing key {path} is missing", path = path.display())]
    NoKey { path: PathBuf },
}

impl Fact for HomeError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherKey { .. } => "home.other_key",
            Self::NoTrust => "home.no_trust",
            Self::NoKey { .. } => "home.no_key",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Restore the home from a backup, keys and stores together.".into())
    }
}

/// The home's folder: as given, or where the XDG rules put it.
pub fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(path) = given {
        return Ok(path.to_path_buf());
    }
    let named = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(path) = named("TALLYSTICK_HOME") {
        return Ok(path);
    }
    let data = named("XDG_DATA_HOME").or_else(|| Some(named("HOME")?.join(".local/share")));
    Ok(data.ok_or(UseCaseError::NoHome)?.join("tallystick"))
}

/// The person at this terminal: whoever may open the home's files owns it. The system says who it is;
/// the environment, which anybody can set, is not asked.
pub fn local_person() -> Result<Person, Failure> {
    Ok(Person::owner(&user_name(rustix::process::getuid().as_raw()))?)
}

/// What a user of this machine is called in the records.
pub fn user_name(uid: u32) -> String {
    find_user(uid).filter(|name| Person::owner(name).is_ok()).unwrap_or_else(|| format!("uid-{uid}"))
}

/// The user's name in /etc/passwd, where the machine has one.
fn find_user(uid: u32) -> Option<String> {
    let bytes = files::read_at_most(Path::new("/etc/passwd"), limits::PROJECT_FILE_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_string())
    })
}

/// Makes a home: both stores, the box's key, the trust root, the first record.
pub fn init(folder: &Path, person: &Person, clock: &dyn Clock) -> Result<Made, Failure> {
    person.acting(Act::InitHome)?;
    let now = clock.now();
    let home = Home::create(folder, now.millis())?;
    let Parts { store, key, trust, .. } = open_parts(home, person, now)?;
    drop(store);
    Ok(Made {
        store_id: trust.store_id().to_string(),
        key_id: key.public().key_id().to_string(),
        trust_digest: Digest::of(&trust.to_bytes()?).to_hex(),
    })
}

impl Core {
    pub fn now(&self) -> Stamp {
        self.clock.now()
    }

    /// For how long something lasts, whatever is done to the wall clock.
    pub fn elapsed_ms(&self) -> u64 {
        self.clock.elapsed_ms()
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where channels of alerts that are files have theirs.
    pub fn alerts_folder(&self) -> PathBuf {
        self.store.home().path().join("alerts")
    }

    /// Where the sockets of this home stand.
    pub fn run_folder(&self) -> PathBuf {
        self.store.home().run()
    }

    pub fn keys_folder(&self) -> PathBuf {
        self.store.home().keys()
    }

    /// Where a worker inside this process has its files; emptied whenever the home is opened, as all of staging.
    pub fn worker_folder(&self) -> PathBuf {
        self.store.home().staging().join("worker")
    }

    pub(in crate::app) fn uploads_folder(&self) -> PathBuf {
        self.store.home().staging().join("uploads")
    }

    /// Where the candidate of a run is put together.
    pub(in crate::app) fn run_staging(&self, run: &RunId) -> PathBuf {
        self.store.home().staging().join("runs").join(run.as_str())
    }
}

impl App {
    /// Opens a home, ends what a crash left open, and sweeps what no row names.
    pub fn open(folder: &Path, person: Person, clock: Box<dyn Clock>) -> Result<Self, Failure> {
        let settings = Settings::load(&config_folder(folder))?;
        let home = Home::open(folder)?;
        let Parts { store, key, trust, sealer } = open_parts(home, &person, clock.now())?;
        let answering = Answering::new(Branch::try_from(settings.branch.clone())?);
        let gatehouse = Gatehouse::default();
        let desk = Desk::default();
        let alerts = AlertDesk::open(&config_folder(folder))?;
        let (hands, watched) = (Hands::default(), Watched::default());
        let core = Core {
            store,
            trust,
            key,
            sealer,
            answering,
            gatehouse,
            desk,
            hands,
            alerts,
            watched,
            settings,
            clock,
        };
        let app = Self { core: Arc::new(core), person };
        app.end_interrupted_runs()?;
        app.sweep_blobs()?;
        Ok(app)
    }

    /// The same home as another person sees it.
    pub fn as_person(&self, person: Person) -> Self {
        Self { core: Arc::clone(&self.core), person }
    }

    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Whether this person may do it, and in which role.
    pub fn may(&self, act: Act) -> Result<Actor, Failure> {
        Ok(self.person.acting(act)?)
    }

    /// An administrative record of something an actor does.
    pub fn entry(
        actor: &Actor,
        kind: Kind,
        subject: String,
        body: &serde_json::Value,
    ) -> Result<Entry, Failure> {
        Ok(Entry { kind, actor: actor.clone(), subject, body: canonical::to_bytes(body)? })
    }

    /// This process owns the home, so a run that is under way has lost its process, and one that waits without an
    /// order will never be begun.
    fn end_interrupted_runs(&self) -> Result<(), Failure> {
        let now = self.now().millis();
        let mut open = Vec::new();
        self.store.read_lab(|lab| {
            lab.each_open_run(&mut |run| {
                let lost = match run.status {
                    RunStatus::Running => true,
                    RunStatus::Scheduled => lab.find_order(&run.run_id)?.is_none(),
                    _ => false,
                };
                if lost {
                    open.push(run);
                }
                Ok(())
            })
        })?;
        for mut run in open {
            let registered = self.is_registered(&run.run_id)?;
            run.set_tag("tallystick.end", "interrupted")?;
            run.finish(if registered { RunStatus::Finished } else { RunStatus::Failed }, now);
            self.store.write_lab(move |lab| {
                lab.remove_order(&run.run_id)?;
                lab.put_run(&run)
            })?;
        }
        Ok(())
    }

    pub(in crate::app) fn is_registered(&self, run_id: &RunId) -> Result<bool, Failure> {
        let id = run_id.to_string();
        let mut registered = false;
        self.store.read_ledger(|ledger| {
            ledger.each_version(&mut |version| {
                registered |= version.run_id == id;
                Ok(())
            })
        })?;
        Ok(registered)
    }

    /// Removes blobs that a crash left without a row. With a damaged manifest nothing is removed:
    /// what it names cannot be told, and `store check` will say so.
    fn sweep_blobs(&self) -> Result<(), Failure> {
        let mut models = BTreeSet::new();
        self.store.read_ledger(|ledger| {
            ledger.each_version(&mut |version| {
                models.insert(version.model);
                Ok(())
            })
        })?;
        let mut named = BTreeSet::new();
        for model in &models {
            let bytes = self.store.blobs().read(model, limits::MANIFEST_BYTES_MAX);
            match bytes.map(|bytes| inner_blobs(&bytes)) {
                Ok(Ok(inner)) => named.extend(inner),
                _ => return Ok(()),
            }
        }
        self.store.sweep_blobs(&named)?;
        Ok(())
    }
}

/// The blobs without which a model does not load, as its model.json names them.
pub fn inner_blobs(model_json: &[u8]) -> Result<Vec<Digest>, String> {
    let content: ModelContent = canonical::parse(model_json).map_err(|error| error.to_string())?;
    Ok(content.blobs().map(|blob| blob.digest).to_vec())
}

/// Opens the stores with the box's key. A home whose making was cut short is finished here:
/// it has no record yet, so nothing was ever signed by another key.
fn open_parts(home: Home, person: &Person, now: Stamp) -> Result<Parts, Failure> {
    let store_id = home.identity().store_id.clone();
    let path = home.keys().join("box.key");
    let (key, is_new) = match key_file::load(&path) {
        Ok(key) => (Arc::new(key), false),
        Err(KeyError::File(error)) if error.is_not_found() => (Arc::new(SigningKey::generate()?), true),
        Err(error) => return Err(error.into()),
    };
    let keys = home.keys();
    let store = Store::open(home, signer(&store_id, &key))?;
    if is_new {
        if store.read_ledger(|ledger| ledger.log_size())? > 0 {
            return Err(HomeError::NoKey { path }.into());
        }
        key_file::save_new(&path, &key)?;
    }
    found_experiment(&store, now)?;
    let trust = match store.read_ledger(|ledger| ledger.find_trust())? {
        Some(bytes) => TrustRoot::parse(&bytes)?,
        None => found_trust(&store, &store_id, &key, &person.acting(Act::InitHome)?, now)?,
    };
    check_key(&trust, &key)?;
    let sealer = open_sealer(&store, &keys, &store_id)?;
    Ok(Parts { store, key, trust, sealer })
}

/// What an open home is made of.
struct Parts {
    store: Store,
    key: Arc<SigningKey>,
    trust: TrustRoot,
    sealer: Sealer,
}

/// The keys that personal content is sealed with; made where nothing was ever sealed, never made anew.
fn open_sealer(store: &Store, keys: &Path, store_id: &str) -> Result<Sealer, Failure> {
    let (buckets, path) = (keys.join(BUCKETS_FILE), keys.join(MASTER_FILE));
    let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|f| Path::new(&f).join(MASTER_CREDENTIAL));
    let credential = credential.filter(|path| path.exists());
    let sealed = store.read_ledger(|ledger| ledger.has_subject_keys())?;
    if sealed && !buckets.exists() {
        return Err(HomeError::NoKey { path: buckets }.into());
    }
    let master = match credential {
        Some(path) => MasterKey::load_credential(&path)?,
        None if path.exists() => MasterKey::load(&path)?,
        None if sealed || buckets.exists() => return Err(HomeError::NoKey { path }.into()),
        None => {
            let master = MasterKey::generate()?;
            master.save_new(&path)?;
            master
        }
    };
    if buckets.exists() {
        Ok(Sealer::open(&buckets, &master, store_id)?)
    } else {
        Ok(Sealer::create(&buckets, &master, store_id)?)
    }
}

/// Where the configuration is: the home's own, unless the environment names another folder.
fn config_folder(home: &Path) -> PathBuf {
    let named = std::env::var_os("TALLYSTICK_CONFIG").filter(|folder| !folder.is_empty());
    named.map_or_else(|| home.to_path_buf(), PathBuf::from)
}

/// The experiment "0" that every MLflow client expects to be there.
fn found_experiment(store: &Store, now: Stamp) -> Result<(), Failure> {
    if store.read_lab(|lab| lab.find_experiment(DEFAULT_ID))?.is_some() {
        return Ok(());
    }
    let experiment = Experiment::new(0, DEFAULT_NAME, now.millis())?;
    store.write_lab(move |lab| lab.put_experiment(&experiment))?;
    Ok(())
}

fn signer(store_id: &str, key: &Arc<SigningKey>) -> CheckpointSigner {
    let (store_id, key) = (store_id.to_string(), Arc::clone(key));
    Box::new(move |size, root| Ok(Checkpoint::new(&store_id, TreeHead { size, root }).sign(&key)))
}

/// The trust root that names this box alone, and the log's first record, in one transaction.
fn found_trust(
    store: &Store,
    store_id: &str,
    key: &SigningKey,
    actor: &Actor,
    now: Stamp,
) -> Result<TrustRoot, Failure> {
    if store.read_ledger(|ledger| ledger.log_size())? > 0 {
        return Err(HomeError::NoTrust.into());
    }
    let trust = TrustRoot::of_box(store_id, key.public())?;
    let bytes = trust.to_bytes()?;
    let body = canonical::to_bytes(&json!({"trust": Digest::of(&bytes)}))?;
    let subject = format!("home/{store_id}");
    let entry = Entry { kind: Kind::HomeCreated, actor: actor.clone(), subject, body };
    store.write_ledger(move |ledger| {
        ledger.put_trust(&bytes)?;
        ledger.append_record(entry.clone(), now)
    })?;
    Ok(trust)
}

fn check_key(trust: &TrustRoot, key: &SigningKey) -> Result<(), Failure> {
    let found = key.public().key_id();
    if trust.keys().iter().any(|trusted| trusted.key_id == found) {
        return Ok(());
    }
    let expected = trust.keys().iter().map(|k| k.key_id.to_string()).collect::<Vec<_>>().join(", ");
    Err(HomeError::OtherKey { expected, found: found.to_string() }.into())
}
