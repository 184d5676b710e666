//! A renewal forgets the old key, and a kill at any byte of any write loses nothing but the renewal.

use super::*;
use crate::base::fact::{Class, Fact};
use crate::security::seal::cipher::WrappedKey;
use std::fs;
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    master: MasterKey,
}

impl Scene {
    fn new() -> (Self, Buckets) {
        let scene = Self { folder: tempfile::tempdir().unwrap(), master: MasterKey::generate().unwrap() };
        let buckets = Buckets::create(&scene.path(), &scene.master, "store-1").unwrap();
        (scene, buckets)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys").join(BUCKETS_FILE)
    }

    fn open(&self) -> Result<Buckets, SealError> {
        Buckets::open(&self.path(), &self.master, "store-1")
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }
}

/// A key wrapped under a bucket's present key, to see later whether that is still there.
fn probe(buckets: &Buckets, bucket: u16) -> WrappedKey {
    buckets.newest(bucket).unwrap().wrap(&[9; 32], b"probe").unwrap()
}

fn opens(buckets: &Buckets, bucket: u16, wrapped: &WrappedKey) -> bool {
    let newest = buckets.newest(bucket).unwrap();
    let outgoing = buckets.outgoing(bucket).unwrap();
    [Some(newest), outgoing].into_iter().flatten().any(|cipher| cipher.unwrap_key(wrapped, b"probe").is_ok())
}

fn renew(buckets: &Buckets, bucket: u16) {
    buckets.renew(bucket, || Ok::<(), SealError>(())).unwrap();
}

#[test]
fn the_keys_are_those_that_were_made_and_differ_from_each_other() {
    let (scene, made) = Scene::new();
    assert_eq!(scene.bytes().len(), FILE_BYTES);
    let probes: Vec<WrappedKey> = [0, 1, 4095].iter().map(|bucket| probe(&made, *bucket)).collect();
    let opened = scene.open().unwrap();
    for (bucket, wrapped) in [0, 1, 4095].into_iter().zip(&probes) {
        assert!(opens(&opened, bucket, wrapped), "{bucket}");
        assert!(!opens(&opened, bucket ^ 2, wrapped), "{bucket}");
    }
    assert_eq!((opened.generation(), opened.unfinished()), (1, None));
    assert!(matches!(opened.newest(4096), Err(SealError::NoBucket { bucket: 4096 })));
    let again = Buckets::create(&scene.path(), &scene.master, "store-1").err().unwrap();
    assert_eq!(again.code(), "security.key_exists");
}

#[test]
fn a_renewed_bucket_forgets_its_key_in_memory_and_in_both_slots_and_no_other_does() {
    let (scene, buckets) = Scene::new();
    let (gone, kept) = (probe(&buckets, 7), probe(&buckets, 8));
    buckets
        .renew(7, || {
            assert!(opens(&buckets, 7, &gone), "it opens until the survivors are rewrapped");
            assert_eq!(buckets.unfinished(), Some(7));
            Ok::<(), SealError>(())
        })
        .unwrap();
    let both = scene.bytes();
    for torn in [0, SLOT_ROOM] {
        let mut bytes = both.clone();
        bytes[torn + 40] ^= 1;
        scene.write(&bytes);
        let opened = scene.open().unwrap();
        assert!(!opens(&opened, 7, &gone) && opens(&opened, 8, &kept));
        assert_eq!((opened.generation(), opened.unfinished()), (3, None));
    }
    assert!(!opens(&buckets, 7, &gone) && opens(&buckets, 8, &kept));
}

/// The writes of a renewal are two files after each other; each is cut off after some of its bytes.
#[test]
fn a_kill_at_any_byte_of_any_write_leaves_every_key_that_is_needed() {
    let (scene, buckets) = Scene::new();
    let before = scene.bytes();
    let (old, other) = (probe(&buckets, 7), probe(&buckets, 8));
    let mut middle = Vec::new();
    let mut new = None;
    buckets
        .renew(7, || {
            middle = scene.bytes();
            new = Some(probe(&buckets, 7));
            Ok::<(), SealError>(())
        })
        .unwrap();
    let after = scene.bytes();
    let cuts = [0, 1, 29, 100, 5_000, SLOT_BYTES / 2, SLOT_BYTES - 1, SLOT_BYTES];
    for (from, to, finishing) in [(&before, &middle, false), (&middle, &after, true)] {
        for (start, cut) in [0, SLOT_ROOM].into_iter().flat_map(|start| cuts.map(|cut| (start, cut))) {
            let mut bytes = from.clone();
            bytes[..start + cut].copy_from_slice(&to[..start + cut]);
            scene.write(&bytes);
            let opened = scene.open().unwrap();
            assert!(opens(&opened, 8, &other), "{start} {cut}");
            // Before the survivors are rewrapped the old key must be there, and afterwards the new one.
            assert!(if finishing { opens(&opened, 7, &new.unwrap()) } else { opens(&opened, 7, &old) });
            let again = scene.open().unwrap();
            assert_eq!(again.generation(), opened.generation());
            let mended = scene.bytes();
            let generations =
                [0, SLOT_ROOM].map(|start| WholeSlot::find(&mended[start..]).unwrap().generation());
            assert_eq!(generations, [opened.generation(); 2]);
            if finishing {
                renew(&again, 7);
                assert!(!opens(&again, 7, &old), "{start} {cut}");
            }
        }
    }
}

#[test]
fn a_renewal_that_was_cut_off_goes_on_with_the_same_key_and_before_any_other() {
    let (scene, buckets) = Scene::new();
    let old = probe(&buckets, 7);
    let mut new = None;
    let cut: Result<(), SealError> = buckets.renew(7, || {
        new = Some(probe(&buckets, 7));
        Err(SealError::Random)
    });
    assert!(cut.is_err());
    let opened = scene.open().unwrap();
    assert_eq!(opened.unfinished(), Some(7));
    assert!(opens(&opened, 7, &old) && opens(&opened, 7, &new.unwrap()));
    let other = opened.renew(8, || Ok::<(), SealError>(())).unwrap_err();
    assert!(matches!(other, SealError::RenewalOpen { bucket: 7 }));
    renew(&opened, 7);
    assert!(!opens(&opened, 7, &old) && opens(&opened, 7, &new.unwrap()));
    assert!(matches!(opened.renew(4096, || Ok::<(), SealError>(())), Err(SealError::NoBucket { .. })));
    renew(&opened, 4095);
}

#[test]
fn a_torn_slot_is_mended_from_the_other_and_two_torn_slots_are_damage() {
    let (scene, _) = Scene::new();
    let whole = scene.bytes();
    for torn in [0, SLOT_ROOM] {
        let mut bytes = whole.clone();
        bytes[torn..torn + 1_000].fill(0xff);
        scene.write(&bytes);
        scene.open().unwrap();
        bytes = scene.bytes();
        assert!(WholeSlot::find(&bytes[torn..]).is_some());
    }
    let short = whole[..SLOT_ROOM + 10].to_vec();
    scene.write(&short);
    scene.open().unwrap();
    assert!(WholeSlot::find(&scene.bytes()[SLOT_ROOM..]).is_some());
    let mut bytes = whole.clone();
    (bytes[SLOT_BYTES - 1], bytes[SLOT_ROOM]) = (!bytes[SLOT_BYTES - 1], 0);
    for damaged in [bytes, Vec::new(), whole[..100].to_vec()] {
        scene.write(&damaged);
        let error = scene.open().err().unwrap();
        assert_eq!((error.code(), error.class()), ("seal.buckets_damaged", Class::Integrity));
        assert!(error.to_string().contains(BUCKETS_FILE), "{error}");
    }
    scene.write(&vec![0; FILE_BYTES + 1]);
    assert_eq!(scene.open().err().unwrap().code(), "security.key_file");
}

#[test]
fn another_master_key_and_another_store_are_told_from_damage() {
    let (scene, _) = Scene::new();
    let stranger = MasterKey::generate().unwrap();
    for opened in [
        Buckets::open(&scene.path(), &stranger, "store-1"),
        Buckets::open(&scene.path(), &scene.master, "store-2"),
    ] {
        let error = opened.err().unwrap();
        assert_eq!((error.code(), error.class()), ("seal.other_master", Class::Integrity));
    }
}
