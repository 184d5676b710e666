//! The state folder: a record a node, artifacts by their digest, and the run that has not ended yet.
//! Every file in it is whole or absent, one process works in it at a time, and all of it can be made again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::fault;
use crate::base::files;
use crate::base::limits;
use crate::pipeline::graph::content::{self, Content};
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::node::Graph;
use crate::pipeline::graph::record::{FORMAT, Kept, NodeRecord, Recorded};
use crate::pipeline::graph::select::Selection;

const MODE: u32 = 0o600;

/// Holds the folder's lock as long as it lives.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    bytes_max: u64,
    _lock: File,
}

/// A run that has begun and not ended; what is found of it later was interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    pub run: String,
    pub wanted: Selection,
}

/// What a sweep has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub artifacts: u64,
    pub bytes: u64,
}

impl State {
    pub fn open(folder: &Path, bytes_max: u64) -> Result<Self, GraphError> {
        for part in ["records", "kept", "work"] {
            files::create_folder(&folder.join(part))?;
        }
        // Rows of persons are among the artifacts: for the owner of the folder only.
        let only_owner = fs::Permissions::from_mode(0o700);
        fs::set_permissions(folder, only_owner).map_err(files::at(folder))?;
        let path = folder.join("lock");
        let lock = File::create(&path).map_err(files::at(&path))?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(GraphError::Busy { folder: folder.to_path_buf() });
        }
        Ok(Self { folder: folder.to_path_buf(), bytes_max, _lock: lock })
    }

    /// Every node's record, with each output read and held against its digest.
    pub fn survey(&self, graph: &Graph) -> Result<Recorded, GraphError> {
        let one = |name: &String| Ok((name.clone(), self.look_at(name)?));
        graph.nodes().iter().map(|node| one(&node.name)).collect()
    }

    fn look_at(&self, node: &str) -> Result<Kept, GraphError> {
        let record: NodeRecord = match self.read(&self.record_path(node))? {
            Found::Nothing => return Ok(Kept::Never),
            Found::Unreadable => return Ok(Kept::Unreadable),
            Found::Value(record) => record,
        };
        let is_own = record.format == FORMAT && record.basis.node == node;
        if !is_own || record.basis.fingerprint()? != record.fingerprint {
            return Ok(Kept::Unreadable);
        }
        for (output, digest) in &record.outputs {
            let output = output.clone();
            let path = self.kept_path(*digest);
            if fs::symlink_metadata(&path).is_err() {
                return Ok(Kept::Missing { record, output });
            }
            if Content::of(&path).map(|found| found.digest).ok() != Some(*digest) {
                return Ok(Kept::Damaged { record, output });
            }
        }
        Ok(Kept::Whole(record))
    }

    pub fn kept_path(&self, digest: Digest) -> PathBuf {
        self.folder.join("kept").join(digest.to_hex())
    }

    fn record_path(&self, node: &str) -> PathBuf {
        self.folder.join("records").join(format!("{node}.json"))
    }

    fn begun_path(&self) -> PathBuf {
        self.folder.join("run.json")
    }

    /// An empty folder for what a node is about to make.
    pub fn clear_work(&self, node: &str) -> Result<PathBuf, GraphError> {
        let folder = self.folder.join("work").join(node);
        content::remove(&folder)?;
        files::create_folder(&folder)?;
        Ok(folder)
    }

    /// Takes a finished output over under its digest. What the node's record still names stays.
    pub fn keep(&self, made: &Path) -> Result<Digest, GraphError> {
        let Content { digest, .. } = Content::of(made)?;
        let path = self.kept_path(digest);
        if fs::symlink_metadata(&path).is_ok() {
            if Content::of(&path).map(|found| found.digest).ok() == Some(digest) {
                content::remove(made)?;
                return Ok(digest);
            }
            content::remove(&path)?;
        }
        content::sync(made)?;
        fault::point("graph.before_keep");
        files::rename_durably(made, &path)?;
        fault::point("graph.after_keep");
        Ok(digest)
    }

    /// The last step of a node: from here on it is done.
    pub fn put_record(&self, record: &NodeRecord) -> Result<(), GraphError> {
        let path = self.record_path(&record.basis.node);
        fault::point("graph.before_record");
        files::write_atomic(&path, &canonical::to_bytes(record)?, MODE)?;
        fault::point("graph.after_record");
        Ok(())
    }

    pub fn find_begun(&self) -> Result<Option<Begun>, GraphError> {
        let path = self.begun_path();
        match self.read(&path)? {
            Found::Value(begun) => Ok(Some(begun)),
            Found::Nothing => Ok(None),
            Found::Unreadable => Err(GraphError::UnreadableRun { path }),
        }
    }

    pub fn begin(&self, begun: &Begun) -> Result<(), GraphError> {
        Ok(files::write_atomic(&self.begun_path(), &canonical::to_bytes(begun)?, MODE)?)
    }

    pub fn end(&self) -> Result<(), GraphError> {
        content::remove(&self.begun_path())?;
        Ok(files::sync_folder(&self.folder)?)
    }

    /// Removes records of nodes that are no more, artifacts that no record names, and what was half made.
    pub fn sweep(&self, graph: &Graph) -> Result<Swept, GraphError> {
        for (name, path) in entries(&self.folder.join("records"))? {
            let is_node = name.strip_suffix(".json").is_some_and(|name| graph.find(name).is_some());
            if !is_node {
                content::remove(&path)?;
            }
        }
        for (_, path) in entries(&self.folder.join("work"))? {
            content::remove(&path)?;
        }
        self.sweep_kept()
    }

    /// A record that cannot be read names nothing: its node runs again in any case.
    fn sweep_kept(&self) -> Result<Swept, GraphError> {
        let mut named: BTreeSet<String> = BTreeSet::new();
        for (_, path) in entries(&self.folder.join("records"))? {
            if let Found::Value(record) = self.read::<NodeRecord>(&path)? {
                named.extend(record.outputs.values().map(Digest::to_hex));
            }
        }
        let mut swept = Swept::default();
        for (name, path) in entries(&self.folder.join("kept"))? {
            if !named.contains(&name) {
                swept.artifacts += 1;
                swept.bytes += content::size_of(&path).unwrap_or_default();
                content::remove(&path)?;
            }
        }
        Ok(swept)
    }

    /// Refuses what would not fit beside what is still needed. Asked before a node's first output is kept: from then
    /// to its record nothing names its outputs, and a sweep would take them.
    pub fn make_room(&self, bytes: u64) -> Result<(), GraphError> {
        if self.bytes_kept()?.saturating_add(bytes) <= self.bytes_max {
            return Ok(());
        }
        self.sweep_kept()?;
        let needed = self.bytes_kept()?.saturating_add(bytes);
        let (folder, max) = (self.folder.clone(), self.bytes_max);
        if needed > max { Err(GraphError::Full { folder, needed, max }) } else { Ok(()) }
    }

    pub fn bytes_kept(&self) -> Result<u64, GraphError> {
        entries(&self.folder.join("kept"))?.values().map(|path| content::size_of(path)).sum()
    }

    fn read<T: Serialize + DeserializeOwned>(&self, path: &Path) -> Result<Found<T>, GraphError> {
        match files::read_at_most(path, limits::GRAPH_RECORD_BYTES_MAX) {
            Ok(bytes) => Ok(canonical::parse(&bytes).map_or(Found::Unreadable, Found::Value)),
            Err(error) if error.is_not_found() => Ok(Found::Nothing),
            Err(files::FileError::TooLarge { .. }) => Ok(Found::Unreadable),
            Err(error) => Err(error.into()),
        }
    }
}

enum Found<T> {
    Nothing,
    Unreadable,
    Value(T),
}

fn entries(folder: &Path) -> Result<BTreeMap<String, PathBuf>, GraphError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(files::at(folder))? {
        let entry = entry.map_err(files::at(folder))?;
        found.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
    }
    Ok(found)
}
