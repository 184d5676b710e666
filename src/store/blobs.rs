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

/// What lies below the home's `blobs`, by name; nothing is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub digests: BTreeSet<Digest>,
    /// What stands in no blob's place: somebody else's, to be named and left alone.
    pub strangers: Vec<PathBuf>,
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
            Err(FileError::TooLarge { max, .. }) => {
                return Err(StoreError::BlobTooLarge { digest: *digest, max });
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

    /// All blobs and strangers by their names; nothing is read.
    pub fn list(&self) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        self.list_below(self.root.parent().unwrap_or(&self.root), &mut listing)?;
        listing.strangers.sort();
        Ok(listing)
    }

    fn list_below(&self, folder: &Path, listing: &mut Listing) -> Result<(), StoreError> {
        for path in list_folder(folder)? {
            // A link is no folder here and no blob: what it leads to is not ours to sweep.
            let kind = fs::symlink_metadata(&path).map_err(files::at(&path))?.file_type();
            let on_the_way = path == self.root || path.parent() == Some(&self.root);
            match self.parse_path(&path).filter(|_| kind.is_file()) {
                Some(digest) => drop(listing.digests.insert(digest)),
                None if kind.is_dir() && on_the_way => self.list_below(&path, listing)?,
                None => listing.strangers.push(path),
            }
        }
        Ok(())
    }

    /// Removes every blob that is not named, and nothing that is no blob.
    pub fn sweep(&self, referenced: &BTreeSet<Digest>) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        for digest in self.list()?.digests.difference(referenced) {
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

    /// The digest a path is the place of: sha256/ab/<hex that begins with ab>.
    fn parse_path(&self, path: &Path) -> Option<Digest> {
        let digest: Digest = path.file_name()?.to_str()?.parse().ok()?;
        (self.path_of(&digest) == path).then_some(digest)
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
            self.keep(&draft, &digest)?;
            Ok((digest, size))
        });
        // After a rename there is nothing left to remove; after a failure there may be.
        let _ = fs::remove_file(&draft);
        kept
    }

    /// Gives a flushed draft its name, unless a file of the same content has it already. Any other
    /// is damaged and gives way. The folders are flushed in every case: who made them may have crashed before.
    fn keep(&self, draft: &Path, digest: &Digest) -> Result<(), StoreError> {
        let path = self.path_of(digest);
        let folder = path.parent().unwrap_or(&self.root);
        create_private(folder)?;
        files::sync_folder(self.root.parent().unwrap_or(&self.root))?;
        files::sync_folder(&self.root)?;
        if Digest::of_file(&path).is_ok_and(|found| found == *digest) {
            return Ok(files::sync_folder(folder)?);
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
        assert_eq!(blobs.list().unwrap().digests, BTreeSet::from([digest]));
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
    fn a_damaged_blob_is_healed_when_its_content_is_put_again() {
        // A file of the right name and size was taken for the blob, so importing again healed nothing.
        let (_folder, blobs) = blobs();
        let digest = blobs.put(b"weights").unwrap();
        let path = blobs.open_path(&digest).unwrap();
        for damaged in ["wei", "w3ights", ""] {
            fs::write(&path, damaged).unwrap();
            assert!(blobs.read(&digest, 99).is_err());
            assert_eq!(blobs.put(b"weights").unwrap(), digest);
            assert_eq!(blobs.read(&digest, 99).unwrap(), b"weights");
        }
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
        assert_eq!(blobs.list().unwrap().digests, BTreeSet::from([kept]));
        assert!(matches!(blobs.open_path(&lost), Err(StoreError::NoBlob { .. })));
    }

    #[test]
    fn strangers_among_the_blobs_are_named_and_left_and_do_not_stop_a_sweep() {
        // One .DS_Store made every command fail, since each sweeps when it opens the home.
        let (_folder, blobs) = blobs();
        let (kept, lost) = (blobs.put(b"kept").unwrap(), blobs.put(b"lost").unwrap());
        let folder = blobs.open_path(&kept).unwrap().parent().unwrap().to_path_buf();
        let misplaced = blobs.root.join("zz").join(Digest::of(b"other").to_hex());
        fs::create_dir(blobs.root.join("zz")).unwrap();
        let above = blobs.root.parent().unwrap().join(".DS_Store");
        let mut strangers = vec![above, blobs.root.join("notes"), folder.join("notes.txt"), misplaced];
        strangers.iter().for_each(|path| fs::write(path, b"x").unwrap());
        let nested = folder.join(Digest::of(b"folder").to_hex());
        fs::create_dir(&nested).unwrap();
        strangers.push(nested);
        strangers.sort();
        assert_eq!(blobs.sweep(&BTreeSet::from([kept])).unwrap(), Swept { blobs: 1, bytes: 4 });
        assert_eq!(blobs.list().unwrap(), Listing { digests: BTreeSet::from([kept]), strangers });
        assert!(blobs.open_path(&lost).is_err());
    }
}
