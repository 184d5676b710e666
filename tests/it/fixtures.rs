//! The committed fixtures: made by the generator, and in agreement with the demo project that describes them.
//! `TALLYSTICK_BLESS=1` writes them again; without it they are compared byte by byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tallystick::data::contract::{ColumnSpec, Contract, RawContract, Role};
use tallystick::data::expect::suite::RawSuite;
use tallystick::data::import::reader::Purpose;
use tallystick::data::import::whole::read_table;
use tallystick::data::table::{Cell, Kind, Table, Values};
use tallystick::data::write::write_parquet;
use tallystick::demo::loan_default::{POSITIVE, SEED_DEFAULT, loan_default, write_csv};
use tallystick::features::recipe::{Encoding, RawRecipe};

const SAMPLE_ROWS: usize = 2_900;
const SAMPLE_BYTES_MAX: usize = 600_000;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn project() -> PathBuf {
    fixtures().join("projects/loan-default")
}

fn committed_sample() -> PathBuf {
    fixtures().join("loan-default/sample.csv")
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = project().join(name);
    let text = fs::read_to_string(&path).unwrap();
    toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn contract() -> Contract {
    read::<RawContract>("contract.toml").check().unwrap()
}

fn sample() -> Table {
    loan_default(SAMPLE_ROWS, SEED_DEFAULT).unwrap()
}

#[test]
fn the_committed_sample_is_what_the_generator_makes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.csv");
    write_csv(&path, SAMPLE_ROWS, SEED_DEFAULT).unwrap();
    let made = fs::read(&path).unwrap();
    assert!(made.len() < SAMPLE_BYTES_MAX, "{} bytes", made.len());
    if std::env::var_os("TALLYSTICK_BLESS").is_some() {
        fs::write(committed_sample(), &made).unwrap();
    }
    let committed = fs::read(committed_sample()).unwrap();
    let place = made.iter().zip(&committed).position(|(a, b)| a != b);
    assert!(made == committed, "{} and {} bytes, first difference at {place:?}", made.len(), committed.len());
}

#[test]
fn the_sample_keeps_its_contract_with_every_cast() {
    let (table, report) =
        read_table(&committed_sample(), &contract(), Purpose::Training, SAMPLE_ROWS).unwrap();
    assert_eq!(report.rows_good, SAMPLE_ROWS as u64, "{:#?}", report.findings);
    assert_eq!((report.rows_rejected, report.unknown_columns.len()), (0, 0), "{:#?}", report.findings);
    let made = sample();
    let first = |table: &Table, name: &str| format!("{:?}", table.find_column(name).unwrap().cell(0));
    assert_eq!(first(&made, "int_rate"), format!("{:?}", Cell::Text("17.11%")));
    assert_eq!(first(&table, "int_rate"), format!("{:?}", Cell::Number(0.1711)));
    assert_eq!(first(&table, "term"), format!("{:?}", Cell::Number(60.0)));
    let gaps = |name: &str| {
        let column = table.find_column(name).unwrap();
        (0..table.rows()).filter(|row| column.cell(*row) == Cell::Missing).count()
    };
    assert_eq!(gaps("earliest_cr_line"), 0);
    assert!(gaps("emp_length") > 0 && gaps("mths_since_last_delinq") > SAMPLE_ROWS / 2);
}

#[test]
fn the_same_table_written_twice_as_parquet_is_the_same_file_with_the_same_content() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.parquet"), folder.path().join("two.parquet"));
    write_parquet(&one, &sample()).unwrap();
    write_parquet(&two, &sample()).unwrap();
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());
    let content = |path: &Path| {
        read_table(path, &contract(), Purpose::Training, SAMPLE_ROWS).unwrap().0.content_digest()
    };
    assert_eq!(content(&one), content(&two));
    assert_eq!(content(&one), content(&committed_sample()));
}

#[test]
fn the_contract_names_every_column_of_the_demo_and_no_other() {
    let table = sample();
    let made: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    let contract = contract();
    let named: Vec<&str> = contract.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(made, named);
}

#[test]
fn the_demo_meets_every_expectation_and_a_spoiled_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let suite = read::<RawSuite>("expectations.toml").check(&contract()).unwrap();
    let judge =
        |path: &Path| suite.validate(&read_table(path, &contract(), Purpose::Training, 50_000).unwrap().0);
    let whole = folder.path().join("whole.csv");
    write_csv(&whole, 20_000, SEED_DEFAULT).unwrap();
    for path in [committed_sample(), whole] {
        let broken: Vec<_> = judge(&path).results.into_iter().filter(|result| !result.success).collect();
        assert!(broken.is_empty(), "{}: {broken:#?}", path.display());
    }
    let text = fs::read_to_string(committed_sample()).unwrap();
    let (spoiled, twice) = (folder.path().join("spoiled.csv"), text.lines().last().unwrap());
    fs::write(&spoiled, format!("{text}{twice}\n")).unwrap();
    let report = judge(&spoiled);
    assert_eq!((report.success, report.failed_critical), (false, 1), "a loan that is there twice");
}

#[test]
fn the_recipe_encodes_every_feature_and_nothing_else() {
    let contract = contract();
    let features: BTreeSet<String> = contract.with_role(Role::Feature).map(|c| c.name.clone()).collect();
    let recipe: RawRecipe = read("recipe.toml");
    let encoded: BTreeSet<String> = recipe.features.iter().map(|feature| feature.field.clone()).collect();
    assert_eq!(recipe.features.len(), encoded.len(), "a field is encoded twice");
    assert_eq!(encoded, features);
}

#[test]
fn levels_and_orders_hold_every_value_that_the_demo_makes() {
    let (table, contract) = (loan_default(20_000, SEED_DEFAULT).unwrap(), contract());
    let recipe: RawRecipe = read("recipe.toml");
    for column in table.columns() {
        let Values::Text(text) = &column.values else { continue };
        let spec = contract.find(&column.name).unwrap();
        let order = recipe.features.iter().find_map(|feature| match &feature.encoding {
            Encoding::Ordinal { order } if feature.field == column.name => Some(order),
            _ => None,
        });
        for allowed in [spec.levels.as_ref(), order].into_iter().flatten() {
            let made = text.levels.iter().filter(|level| !spec.missing.contains(level));
            let unknown: Vec<&String> = made.filter(|level| !allowed.contains(level)).collect();
            assert!(unknown.is_empty(), "{}: {unknown:?}", column.name);
        }
    }
}

/// What a reason may have to say of a field: above or below the reference, its value, or that it is missing.
fn variants(column: &ColumnSpec) -> Vec<&'static str> {
    let mut variants = if column.kind == Kind::Text { vec!["value"] } else { vec!["high", "low"] };
    if !column.required && column.default.is_none() {
        variants.push("missing");
    }
    variants
}

#[test]
fn every_feature_has_its_label_its_help_and_its_reasons() {
    let texts: toml::Table = read("text/en.toml");
    let policy: toml::Table = read("policy.toml");
    let contract = contract();
    let text = |key: &str| {
        let all = toml::Value::Table(texts.clone());
        let found = key.split('.').try_fold(&all, |at, part| at.get(part)).cloned();
        found.and_then(|value| value.as_str().map(str::to_string)).filter(|text| !text.trim().is_empty())
    };
    let mut needed = BTreeMap::new();
    for column in contract.with_role(Role::Feature) {
        let name = &column.name;
        let stem = policy["reasons"][name].as_str().unwrap();
        needed.insert(format!("label.{name}"), name);
        needed.insert(format!("help.{name}"), name);
        needed.extend(variants(column).into_iter().map(|variant| (format!("{stem}.{variant}"), name)));
    }
    let missing: Vec<&String> = needed.keys().filter(|key| text(key).is_none()).collect();
    assert!(missing.is_empty(), "text/en.toml lacks {missing:?}");
}

#[test]
fn the_project_names_the_positive_class_and_the_subject_of_its_contract() {
    let project: toml::Table = read("project.toml");
    let contract = contract();
    assert_eq!(project["positive"].as_str(), Some(POSITIVE));
    assert!(contract.target().levels.as_ref().unwrap().iter().any(|level| level == POSITIVE));
    let subject = contract.find(project["subject"].as_str().unwrap()).unwrap();
    assert_eq!(subject.role, Role::Id);
}
