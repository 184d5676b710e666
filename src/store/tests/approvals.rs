//! Proposals: their numbers, their order, closing them once, and what a check finds wrong with them.

use crate::base::digest::Digest;
use crate::registry::gate::GateReport;
use crate::registry::proposal::ProposalState;
use crate::store::check::check_home;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::migrate::{bring_up, found, list_migrations};
use crate::store::rows::approvals::ProposalRow;
use crate::store::rows::meta::SCHEMA;
use crate::store::tables::StoreName;
use crate::store::tests::{new_home, open, version};
use crate::store::views::Rows;
use crate::store::views::approvals::ProposalPlace;

fn proposal(id: u64) -> ProposalRow {
    ProposalRow {
        id,
        name: "loans".into(),
        version: 1,
        policy: Digest::of(b"policy"),
        to: "production".into(),
        why: "better".into(),
        from: None,
        from_tag: None,
        gate: GateReport { rules: Vec::new(), passed: true },
        proposed_by: "anna".into(),
        proposed_ms: 5,
        expires_ms: 50,
        state: ProposalState::Open,
        decided_by: None,
        comment: None,
        decided_ms: None,
    }
}

fn closed(id: u64, state: ProposalState) -> ProposalRow {
    ProposalRow { state, decided_by: Some("ben".into()), decided_ms: Some(9), ..proposal(id) }
}

#[test]
fn proposals_are_counted_and_open_ones_stand_first() {
    let (_folder, path) = new_home();
    let store = open(&path);
    for id in 1..=4 {
        store.write_ledger(move |ledger| ledger.put_proposal(&proposal(id))).unwrap();
    }
    for id in [2, 3] {
        let row = closed(id, ProposalState::Rejected);
        store.write_ledger(move |ledger| ledger.close_proposal(&row)).unwrap();
    }
    let taken = store.write_ledger(|ledger| ledger.put_proposal(&proposal(3)));
    assert!(matches!(taken, Err(StoreError::Exists { .. })));
    let list = |after: Option<ProposalPlace>| {
        let mut seen = Vec::new();
        let read = store.read_ledger(|ledger| {
            ledger.each_proposal(after, &mut |row| {
                seen.push(row.id);
                Ok(true)
            })
        });
        read.unwrap();
        seen
    };
    assert_eq!(list(None), [4, 1, 3, 2]);
    assert_eq!(list(Some(ProposalPlace { is_open: true, id: 4 })), [1, 3, 2]);
    assert_eq!(list(Some(ProposalPlace { is_open: false, id: 3 })), [2]);
    let next = store.read_ledger(|ledger| ledger.next_proposal()).unwrap();
    let found = store.read_ledger(|ledger| ledger.find_proposal(2)).unwrap().unwrap();
    assert_eq!((next, found), (5, closed(2, ProposalState::Rejected)));
}

#[test]
fn a_closed_proposal_is_never_changed() {
    let (_folder, path) = new_home();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_proposal(&proposal(1))).unwrap();
    let close = |state| store.write_ledger(move |ledger| ledger.close_proposal(&closed(1, state)));
    close(ProposalState::Withdrawn).unwrap();
    assert!(matches!(close(ProposalState::Approved), Err(StoreError::NotFound { .. })));
    let back = store.write_ledger(|ledger| ledger.close_proposal(&proposal(1)));
    assert!(matches!(back, Err(StoreError::NotFound { .. })));
    let kept = store.read_ledger(|ledger| ledger.find_proposal(1)).unwrap().unwrap();
    assert_eq!(kept.state, ProposalState::Withdrawn);
}

#[test]
fn a_check_finds_a_proposal_that_stands_twice_is_half_decided_or_speaks_of_nothing() {
    let findings = |rows: Vec<ProposalRow>| {
        let (_folder, path) = new_home();
        let store = open(&path);
        store
            .write_ledger(move |ledger| {
                ledger.put_version(&version("loans", 1))?;
                rows.iter().try_for_each(|row| ledger.0.put(row))
            })
            .unwrap();
        drop(store);
        let report = check_home(&path, &|_| Ok(Vec::new())).unwrap();
        let told = report.findings.iter().map(ToString::to_string).filter(|text| text.contains("proposals"));
        told.collect::<Vec<String>>()
    };
    assert_eq!(findings(vec![closed(2, ProposalState::Expired), proposal(1)]), Vec::<String>::new());
    let half = ProposalRow { decided_ms: None, ..closed(1, ProposalState::Approved) };
    let elsewhere = ProposalRow { version: 7, ..proposal(1) };
    for (rows, said) in [
        (vec![proposal(1), closed(1, ProposalState::Expired)], "stands twice"),
        (vec![half], "does not fit"),
        (vec![elsewhere], "the version is missing"),
        (vec![ProposalRow { from_tag: Some("x".into()), ..proposal(1) }], "half there"),
        (vec![proposal(2)], "1 of the 2 proposals"),
    ] {
        let told = findings(rows);
        assert!(told.len() == 1 && told[0].contains(said), "{said}: {told:?}");
    }
}

#[test]
fn a_ledger_of_the_third_schema_gets_a_table_of_proposals() {
    let (_folder, path) = new_home();
    let file = StoreFile::create(StoreName::Ledger, &path.join("old.redb")).unwrap();
    found(&file, "old").unwrap();
    bring_up(&file, &list_migrations(StoreName::Ledger)[..3]).unwrap();
    let names = || file.read(|view| view.list_table_names()).unwrap();
    assert!(!names().contains(&"proposals".to_string()));
    for _ in 0..2 {
        bring_up(&file, list_migrations(StoreName::Ledger)).unwrap();
        assert!(names().contains(&"proposals".to_string()));
    }
    assert!(file.read(|view| view.read_meta_number(SCHEMA)).unwrap() >= 4);
}
