//! A lane whose disk fails: what is refused, what is still read, and that it goes on by itself with nothing lost.

use crate::base::fact::{Class, Fact};
use crate::store::error::StoreError;
use crate::store::lane::Lane;
use crate::store::lane::restart::LaneState;
use crate::store::tests::bank::{Bank, answer, submit};
use crate::store::tests::disk::Failing;
use crate::store::views::Ledger;

fn put(lane: &Lane, number: u64) -> Result<u64, StoreError> {
    submit(lane, number)?.wait().map(|placed| placed.seq)
}

fn size(lane: &Lane) -> Result<u64, StoreError> {
    lane.read(|view| Ledger(view).log_size())
}

fn wait_for(lane: &Lane, state: LaneState) {
    while lane.state() != state {
        std::thread::yield_now();
    }
}

#[test]
fn a_lane_goes_on_by_itself_when_its_disk_has_room_again() {
    let bank = Bank::new();
    let lane = bank.lane();
    let kept: Vec<u64> = (0..5).map(|number| put(&lane, number).unwrap()).collect();
    assert_eq!(kept, [0, 1, 2, 3, 4]);
    bank.disk.fail(Some(Failing::Full));
    let error = put(&lane, 5).unwrap_err();
    assert_eq!(error.class(), Class::Unavailable);
    assert!(error.next_step().unwrap().contains("Free some space"), "{error}");
    wait_for(&lane, LaneState::Restarting);
    let error = put(&lane, 6).unwrap_err();
    assert!(matches!(error, StoreError::Restarting { .. }), "{error}");
    assert_eq!((error.class(), error.code()), (Class::Unavailable, "store.restarting"));
    assert!(error.next_step().unwrap().contains("goes on by itself"));
    bank.disk.fail(None);
    wait_for(&lane, LaneState::Working);
    assert_eq!(size(&lane).unwrap(), 5);
    assert_eq!(put(&lane, 5).unwrap(), 5);
    assert!(bank.disk.opened() > 2);
}

#[test]
fn what_a_failed_flush_left_in_doubt_is_there_once_or_not_at_all() {
    let bank = Bank::new();
    let lane = bank.lane();
    put(&lane, 0).unwrap();
    let mut in_doubt = 0;
    for number in 1..20 {
        bank.disk.fail(Some(Failing::Syncs));
        let error = put(&lane, number).unwrap_err();
        let is_in_doubt = matches!(error, StoreError::Unconfirmed { .. });
        match &error {
            StoreError::Unconfirmed { .. } => {
                in_doubt += 1;
                assert_eq!((error.class(), error.code()), (Class::Unavailable, "store.unconfirmed"));
                assert!(error.next_step().unwrap().contains("same idempotency key"));
            }
            // The file grew, and was flushed for that before there was anything to commit.
            StoreError::Restarting { .. } => {}
            other => panic!("{other}"),
        }
        bank.disk.fail(None);
        wait_for(&lane, LaneState::Working);
        // As a client does: once more, under the same key.
        match put(&lane, number) {
            Ok(_) => {}
            // What was refused outright must not be there.
            Err(StoreError::Exists { .. }) if is_in_doubt => {}
            Err(error) => panic!("{error}"),
        }
        assert_eq!(size(&lane).unwrap(), number + 1);
        let found = lane.read(|view| Ledger(view).find_seq_of_id(&answer(number).id));
        assert_eq!(found.unwrap(), Some(number));
    }
    assert!(in_doubt > 10, "{in_doubt}");
}

#[test]
fn everything_queued_behind_a_failure_is_answered() {
    let bank = Bank::new();
    let lane = bank.lane();
    put(&lane, 0).unwrap();
    bank.disk.fail(Some(Failing::Dead));
    let queued: Vec<_> = (1..50).map(|number| submit(&lane, number)).collect();
    for answer in queued {
        let error = answer.and_then(|pending| pending.wait()).unwrap_err();
        assert!(matches!(error, StoreError::Unconfirmed { .. } | StoreError::Restarting { .. }), "{error}");
    }
    // What the engine still has in memory is read; what it has not is refused as passing.
    if let Err(error) = size(&lane) {
        assert_eq!(error.class(), Class::Unavailable, "{error}");
    }
    bank.disk.fail(None);
    wait_for(&lane, LaneState::Working);
    assert_eq!(put(&lane, 1).unwrap(), 1);
}

#[test]
fn a_lane_that_finds_damage_when_it_opens_again_stops_for_good() {
    let bank = Bank::new();
    let lane = bank.lane();
    put(&lane, 0).unwrap();
    bank.disk.fail(Some(Failing::Dead));
    put(&lane, 1).unwrap_err();
    bank.disk.damage();
    bank.disk.fail(None);
    wait_for(&lane, LaneState::Stopped);
    for error in [put(&lane, 1).unwrap_err(), size(&lane).unwrap_err()] {
        assert!(matches!(error, StoreError::WriterStopped { .. }) && error.is_corrupt(), "{error}");
    }
    let opened = bank.disk.opened();
    put(&lane, 1).unwrap_err();
    assert_eq!(bank.disk.opened(), opened);
}

#[test]
fn a_lane_that_finds_an_older_file_when_it_opens_again_stops_for_good() {
    let bank = Bank::new();
    let lane = bank.lane();
    put(&lane, 0).unwrap();
    let older = bank.disk.images();
    put(&lane, 1).unwrap();
    bank.disk.fail(Some(Failing::Dead));
    put(&lane, 2).unwrap_err();
    bank.disk.put_back(older);
    bank.disk.fail(None);
    wait_for(&lane, LaneState::Stopped);
    let error = put(&lane, 2).unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
}

#[test]
fn a_failed_read_makes_a_lane_open_its_file_again_though_nobody_writes() {
    let bank = Bank::new();
    let lane = bank.lane();
    let many: Vec<_> = (0..200).map(|number| submit(&lane, number).unwrap()).collect();
    many.into_iter().for_each(|pending| assert!(pending.wait().is_ok()));
    drop(lane);
    let lane = bank.lane();
    bank.disk.fail(Some(Failing::Dead));
    let failed = lane.read(|view| Ledger(view).list_records(0, 200)).unwrap_err();
    assert_eq!(failed.class(), Class::Unavailable, "{failed}");
    bank.disk.fail(None);
    wait_for(&lane, LaneState::Working);
    assert_eq!(size(&lane).unwrap(), 200);
}

#[test]
fn a_lane_is_closed_while_it_restarts_without_waiting() {
    let bank = Bank::new();
    let lane = bank.lane();
    bank.disk.fail(Some(Failing::Dead));
    put(&lane, 0).unwrap_err();
    drop(lane);
    bank.disk.fail(None);
    assert_eq!(put(&bank.lane(), 0).unwrap(), 0);
}
