//! One fault for each thing that bank-churn expects of its data, raw and encoded: each is found, and by the very
//! expectation that was made for it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tallystick::base::fact::Class;
use tallystick::config::project::Project;
use tallystick::data::expect::frame::Frame as _;
use tallystick::data::expect::report::SuiteReport;
use tallystick::data::table::{Column, Kind, OneOrMany, Table, Values};
use tallystick::demo::project;
use tallystick::features::fit::fit;
use tallystick::pipeline::parts::Parts;
use tallystick::pipeline::processed::Processed;
use tallystick::pipeline::ready;

use crate::support::fixture;

const ROWS: usize = 2_000;
const SEED: u64 = 11;
/// The row that a fault of one row is in, from 0.
const AT: usize = 41;

fn load() -> Project {
    Project::load(Path::new(&fixture("projects/bank-churn")), &[]).unwrap()
}

struct File {
    folder: tempfile::TempDir,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl File {
    fn made() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("customers.csv");
        project::find("bank-churn").unwrap().write_csv(&path, ROWS, SEED).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains('"'), "no cell holds a comma");
        let mut lines = text.lines().map(|line| line.split(',').map(str::to_string).collect());
        let header = lines.next().unwrap();
        Self { folder, header, rows: lines.collect() }
    }

    fn place(&self, column: &str) -> usize {
        self.header.iter().position(|name| name == column).unwrap()
    }

    fn set(&mut self, column: &str, value: &str) {
        let place = self.place(column);
        self.rows[AT][place] = value.to_string();
    }

    fn each(&mut self, column: &str, change: impl Fn(usize, &str) -> String) {
        let place = self.place(column);
        for (at, row) in self.rows.iter_mut().enumerate() {
            row[place] = change(at, &row[place]);
        }
    }

    fn drop_column(&mut self, column: &str) {
        let place = self.place(column);
        self.header.remove(place);
        self.rows.iter_mut().for_each(|row| drop(row.remove(place)));
    }

    fn write(&self) -> PathBuf {
        let path = self.folder.path().join("spoiled.csv");
        let lines = std::iter::once(&self.header).chain(&self.rows).map(|row| row.join(","));
        fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
        path
    }
}

type RawFault = fn(&mut File);

/// In the order of `[[expect]]`, each named by its expectation and column.
const RAW: [(&str, &str, RawFault); 18] = [
    ("row_count_between", "", |file| file.rows.truncate(299)),
    ("columns_exist", "", |file| file.drop_column("Complain")),
    ("values_unique", "CustomerId", |file| {
        let place = file.place("CustomerId");
        file.rows[AT][place] = file.rows[AT + 7][place].clone();
    }),
    ("value_lengths_between", "Surname", |file| file.set("Surname", "H")),
    ("values_match_regex", "Surname", |file| file.set("Surname", "ashcombe")),
    ("values_between", "CreditScore", |file| file.set("CreditScore", "320")),
    ("values_in_set", "Geography", |file| file.set("Geography", "Italy")),
    ("values_in_set", "Gender", |file| file.set("Gender", "x")),
    ("values_between", "Age", |file| file.set("Age", "17")),
    ("values_not_null", "Tenure", |file| file.set("Tenure", "")),
    ("values_between", "Tenure", |file| file.set("Tenure", "15")),
    ("values_between", "Balance", |file| file.set("Balance", "-5.0")),
    ("values_in_set", "NumOfProducts", |file| file.set("NumOfProducts", "6")),
    ("missing_share_between", "EstimatedSalary", |file| {
        file.each("EstimatedSalary", |at, text| if at % 8 == 0 { String::new() } else { text.to_string() });
    }),
    ("column_mean_between", "Exited", |file| {
        file.each("Exited", |at, text| if at % 5 == 0 { text.to_string() } else { "0".to_string() });
    }),
    ("distinct_values_contain", "Card Type", |file| {
        file.each("Card Type", |_, text| text.replace("DIAMOND", "GOLD"));
    }),
    ("values_between", "Satisfaction Score", |file| file.set("Satisfaction Score", "9")),
    ("column_median_between", "Point Earned", |file| {
        file.each("Point Earned", |_, text| (text.parse::<u32>().unwrap() / 10).to_string());
    }),
];

/// The expectations that failed, by number from 0 and as they call themselves.
fn failed(report: &SuiteReport) -> Vec<(usize, String, String)> {
    let broken = report.results.iter().enumerate().filter(|(_, result)| !result.success);
    broken.map(|(at, r)| (at, r.expectation.clone(), r.column.clone().unwrap_or_default())).collect()
}

#[test]
fn eighteen_faults_in_a_file_are_each_found_by_the_expectation_made_for_them() {
    let project = load();
    let (_, validated) = ready::validate(&project, &File::made().write(), None).unwrap();
    assert_eq!(validated.suite.results.len(), RAW.len());
    assert_eq!(failed(&validated.suite), []);
    for (number, (kind, column, spoil)) in RAW.iter().enumerate() {
        let mut file = File::made();
        spoil(&mut file);
        let error = ready::validate(&project, &file.write(), None).unwrap_err();
        assert_eq!((error.code(), error.class()), ("data.expectations", Class::DataRefused), "{error}");
        let details: Value = error.details().unwrap();
        let report: SuiteReport = serde_json::from_value(details["suite"].clone()).unwrap();
        assert_eq!(failed(&report), [(number, kind.to_string(), column.to_string())], "{error}");
        for word in [*kind, *column] {
            assert!(error.to_string().contains(word), "{error}");
        }
        let of_a_row = !report.results[number].examples.is_empty();
        if of_a_row && *kind != "values_unique" {
            assert!(error.to_string().contains(&format!("row {}", AT + 1)), "{error}");
        }
    }
}

fn numbers<'a>(columns: &'a mut [Column], name: &str) -> &'a mut OneOrMany<f64> {
    let column = columns.iter_mut().find(|column| column.name == name).unwrap();
    let Values::Number(values) = &mut column.values else { unreachable!("{name} is encoded") };
    values
}

fn set(columns: &mut [Column], name: &str, value: f64) {
    numbers(columns, name)[AT] = value;
}

type ProcessedFault = fn(&mut Vec<Column>);

/// In the order of `[[expect_processed]]`.
const PROCESSED: [(&str, &str, ProcessedFault); 15] = [
    ("row_count_same", "", |columns| {
        let names: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        for name in names {
            numbers(columns, &name).remove(AT);
        }
    }),
    ("columns_match_set", "", |columns| {
        let values = Values::Number(vec![0.0; ROWS].into());
        columns.push(Column { name: "Complain".into(), kind: Kind::Number, values });
    }),
    (
        "columns_sum_between",
        "Geography=France, Geography=Germany, Geography=Spain, Geography?missing, Geography?unknown",
        |columns| {
            for name in ["Geography=France", "Geography=Germany", "Geography=Spain"] {
                set(columns, name, 0.0);
            }
        },
    ),
    ("values_in_set", "Geography=France", |columns| {
        set(columns, "Geography=France", 0.25);
        set(columns, "Geography=Germany", 0.5);
        set(columns, "Geography=Spain", 0.25);
    }),
    ("values_in_set", "Geography?unknown", |columns| {
        for name in ["Geography=France", "Geography=Germany", "Geography=Spain"] {
            set(columns, name, 0.0);
        }
        set(columns, "Geography?unknown", 1.0);
    }),
    ("values_not_null", "Age[0]", |columns| set(columns, "Age[0]", f64::NAN)),
    ("values_between", "Age[0]", |columns| set(columns, "Age[0]", 1.5)),
    ("values_between", "CreditScore", |columns| set(columns, "CreditScore", 8.5)),
    ("column_mean_between", "CreditScore", |columns| {
        numbers(columns, "CreditScore").iter_mut().for_each(|x| *x += 0.5);
    }),
    ("column_stdev_between", "CreditScore", |columns| {
        numbers(columns, "CreditScore").iter_mut().for_each(|x| *x *= 1.4);
    }),
    ("values_on_grid", "Card Type", |columns| set(columns, "Card Type", 0.5)),
    ("values_in_set", "Card Type?missing", |columns| set(columns, "Card Type?missing", 1.0)),
    ("values_between", "Balance", |columns| set(columns, "Balance", -0.1)),
    ("values_in_set", "EstimatedSalary?missing", |columns| set(columns, "EstimatedSalary?missing", 0.3)),
    ("values_in_set", "Exited", |columns| set(columns, "Exited", 2.0)),
];

#[test]
fn fifteen_faults_in_the_encoded_rows_are_each_found_by_the_expectation_made_for_them() {
    let project = load();
    let (table, _) = ready::validate(&project, &File::made().write(), None).unwrap();
    let rows = Parts::divide(&project, table).unwrap();
    let test_share = rows.test.labels.len() as f64 / ROWS as f64;
    assert!((test_share - 0.1).abs() < 0.002, "a stratified tenth is held out: {test_share}");
    let recipe = fit(&project.recipe, &project.params.family.form(), &rows.train.table).unwrap();
    let parts = rows.encode(&recipe).unwrap();
    let processed = Processed::of(&project, &parts, &recipe);
    let suite = processed.suite(&project, ROWS);
    let sound = processed.judge(&suite);
    assert_eq!((sound.results.len(), failed(&sound)), (PROCESSED.len(), vec![]), "{:#?}", processed.names());
    let columns: Vec<Column> =
        processed.names().iter().map(|name| processed.column(name).unwrap().into_owned()).collect();
    for (number, (kind, column, spoil)) in PROCESSED.iter().enumerate() {
        let mut spoiled = columns.clone();
        spoil(&mut spoiled);
        let report = suite.validate(&Table::new(spoiled).unwrap());
        assert_eq!(failed(&report), [(number, kind.to_string(), column.to_string())]);
        assert!(!report.success, "{kind} is critical");
        let said = report.first_failure().unwrap();
        assert!(said.contains(kind) && said.contains(column), "{said}");
        if !report.results[number].examples.is_empty() {
            assert!(said.contains(&format!("row {}", AT + 1)), "{said}");
        }
    }
}
