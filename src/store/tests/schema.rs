//! Migrations: what a fresh file has, a step more, a step that fails, a file from the future.

use crate::base::fact::Fact;
use crate::store::error::StoreError;
use crate::store::file::StoreFile;
use crate::store::migrate::{Migration, bring_up, list_migrations};
use crate::store::rows;
use crate::store::rows::Row;
use crate::store::rows::meta::SCHEMA;
use crate::store::rows::registry::VersionRow;
use crate::store::tables::{StoreName, VERSIONS};
use crate::store::tests::{new_home, open, version};
use crate::store::views::{Direction, Rows, Span};

fn labels(file: &StoreFile) -> Vec<String> {
    let rows: Vec<VersionRow> = file.read(|view| view.list(&Span::all(), 9)).unwrap();
    rows.into_iter().map(|row| row.label).collect()
}

/// A pretend second step: every version's label gets a prefix.
fn relabel(view: &crate::store::views::WriteView) -> Result<(), StoreError> {
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

fn two_steps(run: fn(&crate::store::views::WriteView) -> Result<(), StoreError>) -> Vec<Migration> {
    let first = list_migrations(StoreName::Ledger)[0].run;
    vec![Migration { number: 1, run: first }, Migration { number: 2, run }]
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
fn a_second_step_changes_rows_once_and_a_failing_one_leaves_them() {
    let (_folder, path) = new_home();
    let store = open(&path);
    store.write_ledger(|ledger| ledger.put_version(&version("loans", 1))).unwrap();
    drop(store);
    let copy = path.join("copy.redb");
    std::fs::copy(path.join("ledger.redb"), &copy).unwrap();
    let file = StoreFile::open(StoreName::Ledger, &copy).unwrap();
    let failing = two_steps(|view| {
        relabel(view)?;
        Err(StoreError::NotFound { table: VersionRow::TABLE, key: "no".to_string() })
    });
    assert!(matches!(bring_up(&file, &failing), Err(StoreError::NotFound { .. })));
    let panicking = two_steps(|view| {
        relabel(view)?;
        panic!("halfway")
    });
    assert!(bring_up(&file, &panicking).is_err());
    drop(file);
    let file = StoreFile::open(StoreName::Ledger, &copy).unwrap();
    assert_eq!(
        (labels(&file), file.read(|view| view.read_meta_number(SCHEMA)).unwrap()),
        (vec!["1.0.0".into()], 1)
    );
    let good = two_steps(relabel);
    bring_up(&file, &good).unwrap();
    bring_up(&file, &good).unwrap();
    assert_eq!(
        (labels(&file), file.read(|view| view.read_meta_number(SCHEMA)).unwrap()),
        (vec!["v1.0.0".into()], 2)
    );
    let known = list_migrations(StoreName::Ledger);
    let error = bring_up(&file, known).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }));
    assert_eq!(error.class().exit_code(), 78);
}
