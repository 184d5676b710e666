//! Rows that wait for the end of a group: whoever looks sees them, all are there in the end, none overwrites another.

use std::collections::BTreeSet;

use proptest::collection;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::rows::answers::DecisionIdRow;
use crate::store::tables::StoreName;
use crate::store::tests::bank::{Bank, answer, submit};
use crate::store::views::group::{Group, Writes};
use crate::store::views::{Ledger, Rows, Span};

fn opened(bank: &Bank) -> StoreFile {
    StoreFile::open_over(StoreName::Ledger, 1 << 20, || bank.disk.plug()).unwrap()
}

fn row(number: u16) -> DecisionIdRow {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&number.to_be_bytes());
    DecisionIdRow { id, seq: u64::from(number) }
}

fn listed(view: &(impl Rows + ?Sized)) -> Vec<u64> {
    let rows: Vec<DecisionIdRow> = view.list(&Span::all(), usize::MAX).unwrap();
    rows.iter().map(|row| row.seq).collect()
}

/// Commits rows as one group.
fn put(file: &StoreFile, numbers: &[u16]) -> Result<(), StoreError> {
    let view = file.begin_write()?;
    let group = Group::new(&view);
    let writes: &dyn Writes = &group;
    numbers.iter().try_for_each(|number| writes.put_new_later(&row(*number)))?;
    match group.finish() {
        Ok(_) => view.commit(),
        Err(error) => view.abort().and(Err(error)),
    }
}

#[test]
fn whoever_looks_into_a_table_sees_the_rows_that_wait_for_it() {
    let bank = Bank::new();
    let file = opened(&bank);
    let view = file.begin_write().unwrap();
    let group = Group::new(&view);
    let writes: &dyn Writes = &group;
    for number in [9, 3, 7] {
        writes.put_new_later(&row(number)).unwrap();
    }
    assert_eq!(writes.find::<DecisionIdRow>(&row(7).id).unwrap(), Some(row(7)));
    for number in [5, 8, 12] {
        writes.put_new_later(&row(number)).unwrap();
    }
    assert_eq!(listed(writes), [3, 5, 7, 8, 9, 12]);
    writes.put_new_later(&row(1)).unwrap();
    writes.remove::<DecisionIdRow>(&row(1).id).unwrap();
    writes.put_new_later(&row(2)).unwrap();
    group.finish().unwrap();
    view.commit().unwrap();
    file.read(|view| Ok::<_, StoreError>(assert_eq!(listed(view), [2, 3, 5, 7, 8, 9, 12]))).unwrap();
}

#[test]
fn a_row_that_is_there_already_undoes_the_group_it_waits_in() {
    let bank = Bank::new();
    let file = opened(&bank);
    put(&file, &[4, 6]).unwrap();
    for twice in [&[1, 4][..], &[5, 6], &[8, 7, 8], &[3, 2, 3], &[6]] {
        assert!(matches!(put(&file, twice), Err(StoreError::Exists { .. })), "{twice:?}");
    }
    put(&file, &[5]).unwrap();
    file.read(|view| Ok::<_, StoreError>(assert_eq!(listed(view), [4, 5, 6]))).unwrap();
}

#[test]
fn an_answer_twice_in_one_group_is_kept_once_and_its_neighbours_with_it() {
    let bank = Bank::new();
    let lane = bank.lane();
    let queued: Vec<_> = [1, 2, 1, 3, 2].into_iter().map(|number| submit(&lane, number).unwrap()).collect();
    let kept: Vec<bool> = queued.into_iter().map(|pending| pending.wait().is_ok()).collect();
    assert_eq!(kept, [true, true, false, true, false]);
    let place = |number| lane.read(|view| Ledger(view).find_seq_of_id(&answer(number).id)).unwrap();
    assert_eq!([1, 2, 3].map(place), [Some(0), Some(1), Some(2)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_groups_of_rows_end_up_as_the_rows_one_by_one(
        groups in collection::vec(collection::vec(any::<u16>(), 0..120), 1..8)
    ) {
        let bank = Bank::new();
        let file = opened(&bank);
        let mut all = BTreeSet::new();
        for group in groups {
            let new: Vec<u16> = group.into_iter().filter(|number| all.insert(*number)).collect();
            put(&file, &new).unwrap();
        }
        let stored = file.read(|view| Ok::<_, StoreError>(listed(view))).unwrap();
        prop_assert_eq!(stored, all.into_iter().map(u64::from).collect::<Vec<_>>());
    }
}
