//! Large content under its digest: written whole or not at all, verified at every reading.
//! Never knows what a blob means or who names it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::digest::{Digest, Hasher};
use crate::base::fault;
use crate::base::files::{self, FileError};
use crate::store::error::StoreError;
use crate::store::home::create_private;

const PIECE_BYTES: usize = 1 << 16;

pub struct Blobs {
    root: PathBuf,
    staging: PathBuf,
    drafts: AtomicU64,
}

/// What a sweep took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub blobs: u64,
    pub bytes: u64,
}

impl Blobs {
    /// `folder` is the home's `blobs`; drafts are written in `staging`, on the same file system.
    pub fn new(folder: &Path, staging: &Path) -> Self {
        let root = folder.join("sha256");
        Self { root, staging: staging.to_path_buf(), drafts: AtomicU64::new(0) }
    }

    /// Keeps bytes; durable when it answers.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let (digest, _) = self.put_from(&mut { bytes }, Path::new("bytes in memory"))?;
        Ok(digest)
    }

    /// Keeps a copy of a file; durable when it answers. Answers its digest and size.
    pub fn put_file(&self, path: &Path) -> Result<(Digest, u64), StoreError> {
        let mut file = File::open(path).map_err(files::at(path))?;
        self.put_from(&mut file, path)
    }

    /// A blob's bytes, verified; one of more than `max` bytes is not read.
    pub fn read(&self, digest: &Digest, max: u64) -> Result<Vec<u8>, StoreError> {
        let bytes = match files::read_at_most(&self.path_of(digest), max) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Err(StoreError::NoBlob { digest: *digest }),
            Err(FileError::TooLarge { size, max, .. }) => {
                return Err(StoreError::BlobTooLarge { digest: *digest, size, max });
            }
            Err(error) => return Err(error.into()),
        };
        self.check_digest(digest, Digest::of(&bytes))?;
        Ok(bytes)
    }

    /// The path of a blob that was just verified, for content too large to hold.
    pub fn open_path(&self, digest: &Digest) -> Result<PathBuf, StoreError> {
        let path = self.path_of(digest);
        match Digest::of_file(&path) {
            Ok(found) => self.check_digest(digest, found)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(StoreError::NoBlob { digest: *digest });
            }
            Err(error) => return Err(files::at(&path)(error).into()),
        }
        Ok(path)
    }

    pub fn exists(&self, digest: &Digest) -> Result<bool, StoreError> {
        let path = self.path_of(digest);
        Ok(path.try_exists().map_err(files::at(&path))?)
    }

    /// The digests of all blobs by their names, in order; nothing is read.
    pub fn list(&self) -> Result<Vec<Digest>, StoreError> {
        let mut digests = Vec::new();
        for folder in list_folder(&self.root)? {
            for file in list_folder(&folder)? {
                let digest = parse_path(&file);
                let unknown =
                    || StoreError::CorruptHome { path: file.clone(), why: "it is no blob".to_string() };
                digests.push(digest.ok_or_else(unknown)?);
            }
        }
        digests.sort();
        Ok(digests)
    }

    /// Removes every blob that is not named.
    pub fn sweep(&self, referenced: &BTreeSet<Digest>) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for digest in self.list()?.iter().filter(|digest| !referenced.contains(digest)) {
            let path = self.path_of(digest);
            swept.blobs += 1;
            swept.bytes += fs::metadata(&path).map_err(files::at(&path))?.len();
            fs::remove_file(&path).map_err(files::at(&path))?;
        }
        Ok(swept)
    }

    fn path_of(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_hex();
        self.root.join(&hex[..2]).join(hex)
    }

    fn check_digest(&self, digest: &Digest, found: Digest) -> Result<(), StoreError> {
        if *digest == found {
            return Ok(());
        }
        Err(StoreError::CorruptBlob { digest: *digest, why: format!("its content has digest {found}") })
    }

    fn put_from(&self, source: &mut dyn Read, name: &Path) -> Result<(Digest, u64), StoreError> {
        let draft = self.draft_path();
        let kept = write_draft(source, name, &draft).and_then(|(digest, size)| {
            self.keep(&draft, &digest, size)?;
            Ok((digest, size))
        });
        // After a rename there is nothing left to remove; after a failure there may be.
        let _ = fs::remove_file(&draft);
        kept
    }

    /// Gives a flushed draft its name, unless a whole blob has it already.
    fn keep(&self, draft: &Path, digest: &Digest, size: u64) -> Result<(), StoreError> {
        let path = self.path_of(digest);
        if fs::metadata(&path).is_ok_and(|known| known.is_file() && known.len() == size) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.root);
        if !folder.exists() {
            create_private(folder)?;
            files::sync_folder(&self.root)?;
            files::sync_folder(self.root.parent().unwrap_or(&self.root))?;
        }
        fault::point("blobs.before_rename");
        Ok(files::rename_durably(draft, &path)?)
    }

    fn draft_path(&self) -> PathBuf {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        self.staging.join(format!("blob.{}.{number}", std::process::id()))
    }
}

fn write_draft(source: &mut dyn Read, name: &Path, draft: &Path) -> Result<(Digest, u64), StoreError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft);
    let mut file = file.map_err(files::at(draft))?;
    let (mut hasher, mut size) = (Hasher::new(), 0u64);
    let mut piece = vec![0u8; PIECE_BYTES];
    loop {
        let read = source.read(&mut piece).map_err(files::at(name))?;
        if read == 0 {
            break;
        }
        hasher.update(&piece[..read]);
        file.write_all(&piece[..read]).map_err(files::at(draft))?;
        size += read as u64;
    }
    file.sync_all().map_err(files::at(draft))?;
    Ok((hasher.finish(), size))
}

/// The entries of a folder; an absent one has none.
fn list_folder(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(files::at(path)(error).into()),
    };
    let paths: Result<Vec<PathBuf>, std::io::Error> = entries.map(|entry| Ok(entry?.path())).collect();
    Ok(paths.map_err(files::at(path))?)
}

/// The digest a blob's place stands for: sha256/ab/<hex that begins with ab>.
fn parse_path(path: &Path) -> Option<Digest> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent()?.file_name()?.to_str()?;
    if name.starts_with(folder) && folder.len() == 2 { name.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let folder = tempfile::tempdir().unwrap();
        let (root, staging) = (folder.path().join("blobs"), folder.path().join("staging"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(&staging).unwrap();
        let blobs = Blobs::new(&root, &staging);
        (folder, blobs)
    }

    #[test]
    fn a_blob_is_kept_once_under_its_digest_and_leaves_no_draft() {
        let (folder, blobs) = blobs();
        let digest = blobs.put(b"weights").unwrap();
        let source = folder.path().join("weights.bin");
        fs::write(&source, b"weights").unwrap();
        assert_eq!(blobs.put_file(&source).unwrap(), (digest, 7));
        assert_eq!(blobs.read(&digest, 7).unwrap(), b"weights");
        assert_eq!(fs::read(blobs.open_path(&digest).unwrap()).unwrap(), b"weights");
        assert_eq!(blobs.list().unwrap(), [digest]);
        assert_eq!(fs::read_dir(folder.path().join("staging")).unwrap().count(), 0);
    }

    #[test]
    fn a_flipped_byte_in_a_blob_is_damage_and_never_content() {
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"weights").unwrap();
        let path = blobs.open_path(&digest).unwrap();
        for position in 0..7 {
            let mut bytes = b"weights".to_vec();
            bytes[position] ^= 1;
            fs::write(&path, &bytes).unwrap();
            for error in [blobs.read(&digest, 99).unwrap_err(), blobs.open_path(&digest).unwrap_err()] {
                assert!(matches!(error, StoreError::CorruptBlob { digest: named, .. } if named == digest));
            }
        }
    }

    #[test]
    fn a_torn_blob_is_replaced_when_its_content_is_put_again() {
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"weights").unwrap();
        fs::write(blobs.open_path(&digest).unwrap(), b"wei").unwrap();
        assert!(blobs.read(&digest, 99).is_err());
        assert_eq!(blobs.put(b"weights").unwrap(), digest);
        assert_eq!(blobs.read(&digest, 99).unwrap(), b"weights");
    }

    #[test]
    fn reading_is_bounded_and_an_absent_blob_is_named() {
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"weights").unwrap();
        assert!(matches!(blobs.read(&digest, 6), Err(StoreError::BlobTooLarge { .. })));
        let absent = Digest::of(b"other");
        assert!(matches!(blobs.read(&absent, 9), Err(StoreError::NoBlob { digest }) if digest == absent));
        assert!(matches!(blobs.open_path(&absent), Err(StoreError::NoBlob { .. })));
    }

    #[test]
    fn a_sweep_takes_what_nobody_names() {
        let (_folder, blobs) = blobs();
        let (kept, lost) = (blobs.put(b"kept").unwrap(), blobs.put(b"lost").unwrap());
        assert_eq!(blobs.sweep(&BTreeSet::from([kept])).unwrap(), Swept { blobs: 1, bytes: 4 });
        assert_eq!(blobs.list().unwrap(), [kept]);
        assert!(!blobs.exists(&lost).unwrap());
    }

    #[test]
    fn a_stranger_among_the_blobs_is_reported_and_not_removed() {
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"kept").unwrap();
        let stranger = blobs.open_path(&digest).unwrap().with_file_name("notes.txt");
        fs::write(&stranger, b"x").unwrap();
        assert!(matches!(blobs.sweep(&BTreeSet::new()), Err(StoreError::CorruptHome { .. })));
        assert!(stranger.exists());
    }
}
