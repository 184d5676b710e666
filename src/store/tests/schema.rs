//! Migrations: what a fresh file has, a step more, a step that fails, a file from the future.

use crate::base::digest::Digest;
use crate::base::fact::Fact;
use crate::base::ids::RunId;
use crate::ledger::tree::Frontier;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::migrate::{Migration, bring_up, found, list_migrations};
use crate::store::rows;
use crate::store::rows::Row;
use crate::store::rows::lab::{RunOrderRow, RunRow};
use crate::store::rows::meta::SCHEMA;
use crate::store::rows::registry::VersionRow;
use crate::store::tables::{LOG_NODES, StoreName, VERSIONS};
use crate::store::tests::{new_home, open, version};
use crate::store::value;
use crate::store::views::group::{Group, Writes};
use crate::store::views::runs::RunSpan;
use crate::store::views::{Direction, Lab, Ledger, Rows, Span};
use crate::tracking::run::{Artifact, PROJECT_TAG, Run};

fn labels(file: &StoreFile) -> Vec<String> {
    let rows: Vec<VersionRow> = file.read(|view| view.list(&Span::all(), 9)).unwrap();
    rows.into_iter().map(|row| row.label).collect()
}

/// A pretend next step: every version's label gets a prefix.
fn relabel(view: &crate::store::views::WriteView) -> Result<(), StoreError> {
    let group = Group::new(view);
    let view: &dyn Writes = &group;
    let mut changed: Vec<VersionRow> = Vec::new();
    view.visit(VERSIONS, &Span::all(), Direction::Forward, &mut |key, framed| {
        changed.push(rows::open(key, framed)?);
        Ok(true)
    })?;
    for mut row in changed {
        row.label = format!("v{}", row.label);
        view.put(&row)?;
    }
    Ok(())
}

/// The number of today's last step.
fn today() -> u64 {
    list_migrations(StoreName::Ledger).last().unwrap().number
}

fn one_step_more(run: fn(&crate::store::views::WriteView) -> Result<(), StoreError>) -> Vec<Migration> {
    let known = list_migrations(StoreName::Ledger).iter();
    let mut steps: Vec<Migration> = known.map(|s| Migration { number: s.number, run: s.run }).collect();
    steps.push(Migration { number: today() + 1, run });
    steps
}

#[test]
fn a_fresh_file_has_exactly_the_known_tables() {
    let (_folder, path) = new_home();
    for store in [StoreName::Ledger, StoreName::Lab] {
        let file = StoreFile::open(store, &path.join(store.file_name())).unwrap();
        let names = file.read(|view| view.list_table_names()).unwrap();
        let mut known: Vec<String> =
            rows::list_tables(store).iter().map(|(table, _)| table.name.to_string()).collect();
        known.sort();
        assert_eq!(names, known);
    }
}

#[test]
fn a_further_step_changes_rows_once_and_a_failing_one_leaves_them() {
    let (_folder, path) = new_home();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 1))).unwrap();
    drop(store);
    let copy = path.join("copy.redb");
    std::fs::copy(path.join("ledger.redb"), &copy).unwrap();
    let file = StoreFile::open(StoreName::Ledger, &copy).unwrap();
    let failing = one_step_more(|view| {
        relabel(view)?;
        Err(StoreError::NotFound { table: VersionRow::TABLE, key: "no".to_string() })
    });
    assert!(matches!(bring_up(&file, &failing), Err(StoreError::NotFound { .. })));
    let panicking = one_step_more(|view| {
        relabel(view)?;
        panic!("halfway")
    });
    assert!(bring_up(&file, &panicking).is_err());
    drop(file);
    let file = StoreFile::open(StoreName::Ledger, &copy).unwrap();
    assert_eq!(
        (labels(&file), file.read(|view| view.read_meta_number(SCHEMA)).unwrap()),
        (vec!["1.0.0".into()], today())
    );
    let good = one_step_more(relabel);
    bring_up(&file, &good).unwrap();
    bring_up(&file, &good).unwrap();
    assert_eq!(
        (labels(&file), file.read(|view| view.read_meta_number(SCHEMA)).unwrap()),
        (vec!["v1.0.0".into()], today() + 1)
    );
    let known = list_migrations(StoreName::Ledger);
    let error = bring_up(&file, known).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found, known, .. } if found == known + 1));
    assert_eq!(error.class().exit_code(), 78);
}

#[test]
fn nodes_of_the_first_schema_become_the_rows_of_commits_and_the_root_stays() {
    let (_folder, path) = new_home();
    let file = StoreFile::create(StoreName::Ledger, &path.join("old.redb")).unwrap();
    found(&file, "old").unwrap();
    bring_up(&file, &list_migrations(StoreName::Ledger)[..1]).unwrap();
    let leaves: Vec<Digest> = (0..300u32).map(|n| Digest::of(&n.to_be_bytes())).collect();
    let mut frontier = Frontier::default();
    let view = file.begin_write().unwrap();
    {
        let group = Group::new(&view);
        for node in leaves.iter().flat_map(|leaf| frontier.append(*leaf)) {
            let key = [&[node.level][..], &node.index.to_be_bytes()].concat();
            let framed = value::seal(LOG_NODES, &key, 1, node.hash.as_bytes());
            group.put_framed(LOG_NODES, &key, &framed).unwrap();
        }
    }
    view.commit().unwrap();
    bring_up(&file, list_migrations(StoreName::Ledger)).unwrap();
    let root_at = |size| file.read(|view| Ledger(view).log_root(size)).unwrap();
    assert_eq!(root_at(300), frontier.root());
    let mut earlier = Frontier::default();
    leaves[..37].iter().for_each(|leaf| drop(earlier.append(*leaf)));
    assert_eq!(root_at(37), earlier.root());
}

#[test]
fn a_laboratory_of_the_first_schema_gets_a_queue_and_its_runs_are_found_by_project() {
    let (_folder, path) = new_home();
    let file = StoreFile::create(StoreName::Lab, &path.join("old.redb")).unwrap();
    found(&file, "old").unwrap();
    bring_up(&file, &list_migrations(StoreName::Lab)[..1]).unwrap();
    let mut run = Run::start(RunId::draw(), "0", "calm-oak-001", "anna", 5);
    run.set_tag(PROJECT_TAG, "loans").unwrap();
    let digest = Digest::of(b"m");
    run.log_artifact(Artifact { path: "m.json".into(), digest, size: 1 }).unwrap();
    let view = file.begin_write().unwrap();
    {
        // As the first schema wrote a run: in no place but the list by its start.
        let group = Group::new(&view);
        let view = &group as &dyn Writes;
        view.put_new(&RunRow::from(&run)).unwrap();
        view.put_new(&RunOrderRow { start_time: run.start_time, run_id: run.run_id.clone() }).unwrap();
    }
    view.commit().unwrap();
    let names = || file.read(|view| view.list_table_names()).unwrap();
    assert!(!names().contains(&"run_queue".to_string()));
    for _ in 0..2 {
        bring_up(&file, list_migrations(StoreName::Lab)).unwrap();
        assert!(names().contains(&"run_queue".to_string()));
        assert_eq!(file.read(|view| view.read_meta_number(SCHEMA)).unwrap(), 5);
    }
    file.read(|view| {
        assert_eq!(Lab(view).find_run(&run.run_id)?, Some(run.clone()));
        assert_eq!(Lab(view).list_orders()?, []);
        let of = |project: Option<&str>, experiment: Option<&str>| {
            let [project, experiment] = [project, experiment].map(|name| name.map(str::to_string));
            Lab(view).list_runs(&RunSpan { project, experiment, after: None, limit: 9 })
        };
        for found in [of(Some("loans"), None)?, of(None, Some("0"))?, of(Some("loans"), Some("0"))?] {
            assert_eq!(found, std::slice::from_ref(&run));
        }
        assert_eq!((of(Some("cards"), None)?, of(Some("loans"), Some("1"))?), (Vec::new(), Vec::new()));
        let mut open = Vec::new();
        Lab(view).each_open_run(&mut |run| {
            open.push(run);
            Ok(())
        })?;
        assert_eq!(open, std::slice::from_ref(&run));
        assert_eq!(Lab(view).list_referenced()?, [digest].into());
        Ok::<_, StoreError>(())
    })
    .unwrap();
}
