//! Guessed contracts: kinds, roles, targets and leaks of small files written here.

use std::path::{Path, PathBuf};

use crate::base::fact::Fact;
use crate::base::limits;
use crate::data::contract::{Cast, Role};
use crate::data::import::reader::Purpose;
use crate::data::import::whole::read_table;
use crate::data::infer::draft::{Hints, Inferred, infer};
use crate::data::table::Kind;

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("x.csv");
    std::fs::write(&path, text).unwrap();
    path
}

/// 600 customers in a file with decimal commas; three in thirteen have left.
fn customers() -> String {
    let mut text = String::from(
        "RowNumber;CustomerId;Surname;Rate;Term;Joined;City;Income;Gender;Recoveries;Note;Branch;Exited;Part\n",
    );
    for n in 0..600u32 {
        let left = n % 13 < 3;
        let city = ["Köln", "Bonn", "Ulm"][(n as usize / 7) % 3];
        let income = if n % 50 == 0 { "?".to_string() } else { format!("{},5", 1_000 + n * 17 % 900) };
        let recovered = if left { n + 1 } else { 0 };
        text.push_str(&format!(
            "{};{};Name{};{},25%;{} months;2020-01-{:02};{city};{income};{};{recovered};note {n};1;{};{}\n",
            n + 1,
            88_000 + n * 37 % 7_919,
            n % 150,
            5 + n % 9,
            12 * (1 + n % 3),
            1 + n % 28,
            ["f", "m"][n as usize % 2],
            ["no", "Yes"][usize::from(left)],
            n % 5
        ));
    }
    text
}

fn find<'a>(inferred: &'a Inferred, name: &str) -> &'a crate::data::infer::draft::InferredColumn {
    inferred.columns.iter().find(|c| c.spec.name == name).unwrap()
}

#[test]
fn a_contract_is_guessed_that_the_file_then_keeps() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &customers());
    let hints = Hints { split: Some("Part".into()), protect: true, ..Hints::default() };
    let inferred = infer(&path, &hints).unwrap();
    let expected = [
        ("RowNumber", Kind::Integer, Role::Ignored),
        ("CustomerId", Kind::Integer, Role::Id),
        ("Surname", Kind::Text, Role::Pii),
        ("Rate", Kind::Number, Role::Feature),
        ("Term", Kind::Integer, Role::Feature),
        ("Joined", Kind::Date, Role::Ignored),
        ("City", Kind::Text, Role::Feature),
        ("Income", Kind::Number, Role::Feature),
        ("Gender", Kind::Text, Role::Protected),
        ("Recoveries", Kind::Integer, Role::Leak),
        ("Note", Kind::Text, Role::Ignored),
        ("Branch", Kind::Integer, Role::Ignored),
        ("Exited", Kind::Text, Role::Target),
        ("Part", Kind::Integer, Role::Split),
    ];
    for ((name, kind, role), column) in expected.into_iter().zip(&inferred.columns) {
        let found = (column.spec.name.as_str(), column.spec.kind, column.spec.role);
        assert_eq!(found, (name, kind, role), "{}", column.reason);
    }
    assert_eq!(find(&inferred, "Rate").spec.cast, Some(Cast::Percent));
    assert_eq!(find(&inferred, "Term").spec.cast, Some(Cast::FirstNumber));
    assert_eq!(find(&inferred, "Income").spec.missing, ["?"]);
    assert!(find(&inferred, "City").spec.required && !find(&inferred, "Income").spec.required);
    assert!(inferred.columns.iter().all(|c| c.spec.min.is_none() && c.spec.levels.is_none()));
    assert_eq!(inferred.target.as_ref().unwrap().positive, "Yes");
    assert_eq!(inferred.suspicious.len(), 1);
    assert!(inferred.profile.find("Surname").unwrap().levels.is_empty());
    let (table, report) = read_table(&path, &inferred.contract().unwrap(), Purpose::Training, 1_000).unwrap();
    assert_eq!((table.rows(), report.rows_rejected), (600, 0), "{:?}", report.counts);
}

#[test]
fn hints_are_obeyed_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), &customers());
    let with = |target: &str, positive: Option<&str>| {
        let hints =
            Hints { target: Some(target.into()), positive: positive.map(String::from), ..Hints::default() };
        infer(&path, &hints)
    };
    assert_eq!(with("Gender", Some("m")).unwrap().target.unwrap().positive, "m");
    let error = with("Exitd", None).unwrap_err();
    assert!(error.code() == "infer.no_column" && error.to_string().contains("\"Exited\""));
    assert_eq!(with("City", None).unwrap_err().code(), "infer.no_positive");
    assert_eq!(with("City", Some("Rom")).unwrap_err().code(), "data.label.no_positive");
}

#[test]
fn a_file_without_an_outcome_is_described_but_is_no_contract() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..50).map(|n| format!("{},{}\n", n % 7, n % 3)).collect();
    let inferred = infer(&write(folder.path(), &format!("a,b\n{text}")), &Hints::default()).unwrap();
    assert!(inferred.target.is_none());
    assert_eq!(inferred.contract().unwrap_err().code(), "contract.targets");
}

#[test]
fn a_long_file_is_sampled_evenly_and_its_gaps_are_all_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rows = limits::INFER_ROWS_MAX + 10_000;
    let text: String = (0..rows)
        .map(|n| if n == 123 { "NA,0\n".to_string() } else { format!("{},{}\n", n * 100 / rows, n % 2) })
        .collect();
    let inferred = infer(&write(folder.path(), &format!("x,target\n{text}")), &Hints::default()).unwrap();
    assert_eq!((inferred.rows_read, inferred.rows_sampled), (rows as u64, limits::INFER_ROWS_MAX));
    let x = find(&inferred, "x");
    assert!(!x.spec.required && x.notes[0].starts_with("missing in 1 of"), "{:?}", x.notes);
    let mean = inferred.profile.find("x").unwrap().numbers.as_ref().unwrap().mean;
    assert!((mean - 49.5).abs() < 0.5, "the end of the file counts like its beginning: {mean}");
}
