//! What was answered for is in the journal before the file has it: a file that lost it takes it in again, and a journal
//! that does not fit is never passed over.

use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::lane::{Lane, Urgency};
use crate::store::tests::bank::{Bank, answer, open_whole, submit};
use crate::store::tests::disk::{Disk, Images};
use crate::store::tests::{entry, stamp};
use crate::store::views::Ledger;
use crate::store::views::group::Writes;

const CACHE_BYTES: usize = 4 << 20;

fn put_all(lane: &Lane, numbers: std::ops::Range<u64>) {
    for number in numbers {
        submit(lane, number).unwrap().wait().unwrap();
    }
}

fn size_of(images: &Images) -> u64 {
    let file = open_whole(&Disk::of(images.clone()), CACHE_BYTES).unwrap();
    file.read(|view| Ledger(view).log_size()).unwrap()
}

/// The same with an empty journal.
fn without_journal([store, _]: &Images) -> Images {
    [store.clone(), Vec::new()]
}

fn error_of(images: Images) -> StoreError {
    open_whole(&Disk::of(images), CACHE_BYTES).err().unwrap()
}

#[test]
fn a_file_that_lacks_what_was_answered_takes_it_in_from_the_journal() {
    let bank = Bank::new();
    let lane = bank.lane();
    put_all(&lane, 0..5);
    let images = bank.disk.images();
    assert_eq!(size_of(&without_journal(&images)), 0, "the file itself has had no reason to be written");
    assert_eq!(size_of(&images), 5);
    // What was taken in is in the file, and the journal is empty.
    let disk = Disk::of(images);
    drop(open_whole(&disk, CACHE_BYTES).unwrap());
    assert_eq!(size_of(&without_journal(&disk.images())), 5);
}

#[test]
fn the_file_takes_in_the_journal_when_nobody_waits_and_when_it_is_closed() {
    let bank = Bank::new();
    let lane = bank.lane();
    put_all(&lane, 0..3);
    while size_of(&without_journal(&bank.disk.images())) < 3 {
        std::thread::yield_now();
    }
    put_all(&lane, 3..4);
    drop(lane);
    assert_eq!(size_of(&without_journal(&bank.disk.images())), 4);
    let lane = bank.lane();
    put_all(&lane, 4..6);
    assert_eq!(lane.read(|view| Ledger(view).log_size()).unwrap(), 6);
}

#[test]
fn a_write_nobody_waits_for_goes_into_the_file_with_all_that_the_journal_holds() {
    let bank = Bank::new();
    let lane = bank.lane();
    put_all(&lane, 0..3);
    let work = |view: &dyn Writes| Ledger(view).append_record(entry("run/1"), stamp(1));
    lane.submit(Urgency::Bulk, work).unwrap().wait().unwrap();
    assert_eq!(size_of(&without_journal(&bank.disk.images())), 4);
    put_all(&lane, 3..5);
    assert_eq!(size_of(&bank.disk.images()), 6);
}

#[test]
fn a_full_journal_is_taken_in_and_begun_again_as_often_as_it_takes() {
    let bank = Bank::new();
    let lane = bank.lane();
    // Each of them takes a block at least.
    let rounds = 2 * limits::JOURNAL_BYTES / 4_096 + 7;
    put_all(&lane, 0..rounds);
    let images = bank.disk.images();
    let journal_bytes = images[1].len() as u64;
    assert_eq!((size_of(&images), journal_bytes), (rounds, limits::JOURNAL_BYTES));
    assert!(size_of(&without_journal(&images)) > rounds / 2);
    let found = open_whole(&Disk::of(images), CACHE_BYTES).unwrap();
    let last = found.read(|view| Ledger(view).find_seq_of_id(&answer(rounds - 1).id)).unwrap();
    assert_eq!(last, Some(rounds - 1));
}

#[test]
fn a_damaged_journal_a_foreign_one_and_one_that_is_ahead_are_refused() {
    let bank = Bank::new();
    let lane = bank.lane();
    let older = bank.disk.images();
    put_all(&lane, 0..4);
    let images = bank.disk.images();
    let mut damaged = images.clone();
    damaged[1][4_096 + 60] ^= 1;
    let error = error_of(damaged);
    assert!(error.is_corrupt() && error.to_string().contains("is damaged"), "{error}");
    let mut cut = images.clone();
    cut[1][..4_096].fill(0);
    assert!(error_of(cut).is_corrupt());
    let other = Bank::named("another");
    let another = other.lane();
    put_all(&another, 0..1);
    let error = error_of([images[0].clone(), other.disk.images()[1].clone()]);
    assert!(error.to_string().contains("another home"), "{error}");
    drop(lane);
    // The file of the beginning, beside a journal that goes on from what the file has by now.
    let lane = bank.lane();
    put_all(&lane, 4..6);
    let ahead = [older[0].clone(), bank.disk.images()[1].clone()];
    let error = error_of(ahead);
    assert!(matches!(error, StoreError::RolledBack { .. }), "{error}");
}
