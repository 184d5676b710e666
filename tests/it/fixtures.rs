//! The committed fixtures: made by the generators, and in agreement with the demo projects that describe them.
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
use tallystick::demo::project::{DemoProject, PROJECTS};
use tallystick::demo::sheet::SEED_DEFAULT;
use tallystick::features::recipe::{Encoding, RawRecipe};

/// Of loan-default, on which most tests train.
const SAMPLE_ROWS: usize = 2_900;
const SAMPLE_BYTES_MAX: usize = 600_000;
/// Of the others.
const SMALL_ROWS: usize = 400;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn sample_of(demo: &DemoProject) -> (PathBuf, usize) {
    let rows = if demo.name == PROJECTS[0].name { SAMPLE_ROWS } else { SMALL_ROWS };
    (fixtures().join(demo.name).join("sample.csv"), rows)
}

fn committed_sample() -> PathBuf {
    sample_of(&PROJECTS[0]).0
}

fn read<T: DeserializeOwned>(demo: &DemoProject, name: &str) -> T {
    let path = fixtures().join("projects").join(demo.name).join(name);
    let text = fs::read_to_string(&path).unwrap();
    toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn contract_of(demo: &DemoProject) -> Contract {
    read::<RawContract>(demo, "contract.toml").check().unwrap()
}

fn contract() -> Contract {
    contract_of(&PROJECTS[0])
}

fn sample() -> Table {
    PROJECTS[0].table(SAMPLE_ROWS, SEED_DEFAULT).unwrap()
}

#[test]
fn the_committed_samples_are_what_the_generators_make() {
    for demo in &PROJECTS {
        let folder = tempfile::tempdir().unwrap();
        let (committed, rows) = sample_of(demo);
        let path = folder.path().join("sample.csv");
        demo.write_csv(&path, rows, SEED_DEFAULT).unwrap();
        let made = fs::read(&path).unwrap();
        assert!(made.len() < SAMPLE_BYTES_MAX, "{} bytes", made.len());
        if std::env::var_os("TALLYSTICK_BLESS").is_some() {
            fs::create_dir_all(committed.parent().unwrap()).unwrap();
            fs::write(&committed, &made).unwrap();
        }
        let found = fs::read(&committed).unwrap();
        let place = made.iter().zip(&found).position(|(a, b)| a != b);
        let lengths = (made.len(), found.len());
        assert!(made == found, "{}: {lengths:?} bytes, first difference at {place:?}", demo.name);
    }
}

#[test]
fn the_small_samples_keep_their_contracts() {
    for demo in &PROJECTS[1..] {
        let (path, rows) = sample_of(demo);
        let (_, report) = read_table(&path, &contract_of(demo), Purpose::Training, rows).unwrap();
        assert_eq!(report.rows_good, rows as u64, "{}: {:#?}", demo.name, report.findings);
        assert!(report.unknown_columns.is_empty() && report.findings.is_empty(), "{:#?}", report.findings);
    }
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
fn each_contract_names_every_column_of_its_demo_and_no_other() {
    for demo in &PROJECTS {
        let table = demo.table(500, SEED_DEFAULT).unwrap();
        let made: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
        let contract = contract_of(demo);
        let named: Vec<&str> = contract.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(made, named, "{}", demo.name);
    }
}

#[test]
fn each_demo_meets_every_expectation_and_a_spoiled_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    for demo in &PROJECTS {
        let contract = contract_of(demo);
        let suite = read::<RawSuite>(demo, "expectations.toml").check(&contract).unwrap();
        let judge =
            |path: &Path| suite.validate(&read_table(path, &contract, Purpose::Training, 50_000).unwrap().0);
        let whole = folder.path().join(format!("{}.csv", demo.name));
        demo.write_csv(&whole, 12_000, SEED_DEFAULT).unwrap();
        let (sample, _) = sample_of(demo);
        for path in [&sample, &whole] {
            let broken: Vec<_> = judge(path).results.into_iter().filter(|result| !result.success).collect();
            assert!(broken.is_empty(), "{}: {broken:#?}", path.display());
        }
        let text = fs::read_to_string(&sample).unwrap();
        let (spoiled, twice) = (folder.path().join("spoiled.csv"), text.lines().last().unwrap());
        fs::write(&spoiled, format!("{text}{twice}\n")).unwrap();
        let report = judge(&spoiled);
        assert_eq!((report.success, report.failed_critical), (false, 1), "{}: a row twice", demo.name);
    }
}

#[test]
fn each_recipe_encodes_every_feature_and_nothing_else() {
    for demo in &PROJECTS {
        let contract = contract_of(demo);
        let features: BTreeSet<String> = contract.with_role(Role::Feature).map(|c| c.name.clone()).collect();
        let recipe: RawRecipe = read(demo, "recipe.toml");
        let encoded: BTreeSet<String> = recipe.features.iter().map(|feature| feature.field.clone()).collect();
        assert_eq!(recipe.features.len(), encoded.len(), "a field is encoded twice");
        assert_eq!(encoded, features, "{}", demo.name);
    }
}

#[test]
fn levels_and_orders_hold_every_value_that_the_demos_make() {
    for demo in &PROJECTS {
        let (table, contract) = (demo.table(12_000, SEED_DEFAULT).unwrap(), contract_of(demo));
        let recipe: RawRecipe = read(demo, "recipe.toml");
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
}

/// What a reason may have to say of a field: above or below the reference, its value, or that it is missing.
fn variants(column: &ColumnSpec) -> Vec<&'static str> {
    let mut variants = if column.kind == Kind::Text { vec!["value"] } else { vec!["high", "low"] };
    if !column.required && column.default.is_none() {
        variants.push("missing");
    }
    variants
}

/// All that a form of the project shows: sections with titles, labels, help, examples; and the reasons.
#[test]
fn every_field_that_is_asked_for_has_its_section_its_texts_and_its_reasons() {
    for demo in &PROJECTS {
        let texts: toml::Table = read(demo, "text/en.toml");
        let policy: toml::Table = read(demo, "policy.toml");
        let contract = contract_of(demo);
        let text = |table: &[&str]| {
            let all = toml::Value::Table(texts.clone());
            let found = table.iter().try_fold(&all, |at, part| at.get(part)).cloned();
            found.and_then(|value| value.as_str().map(str::to_string)).filter(|text| !text.trim().is_empty())
        };
        let mut missing = BTreeMap::new();
        let mut need = |keys: &[&str]| {
            if text(keys).is_none() {
                missing.insert(keys.join("."), demo.name);
            }
        };
        for column in contract.columns() {
            let name = column.name.as_str();
            let asked = matches!(column.role, Role::Feature | Role::Id);
            assert_eq!(column.section.is_some(), asked, "{}: {name}", demo.name);
            if !asked {
                continue;
            }
            need(&["section", column.section.as_deref().unwrap()]);
            ["label", "help", "example"].iter().for_each(|table| need(&[table, name]));
            if column.role == Role::Feature {
                let stem = policy["reasons"][name].as_str().unwrap();
                let (table, key) = stem.split_once('.').unwrap();
                variants(column).into_iter().for_each(|variant| need(&[table, key, variant]));
            }
        }
        assert!(missing.is_empty(), "text/en.toml lacks {missing:?}");
    }
}

#[test]
fn each_project_has_the_name_of_its_folder_and_a_subject_of_its_contract() {
    for demo in &PROJECTS {
        let project: toml::Table = read(demo, "project.toml");
        let contract = contract_of(demo);
        assert_eq!(project["name"].as_str(), Some(demo.name));
        let positive = project["positive"].as_str().unwrap();
        let levels = contract.target().levels.clone();
        assert!(levels.is_none_or(|levels| levels.iter().any(|level| level == positive)), "{}", demo.name);
        let subject = contract.find(project["subject"].as_str().unwrap()).unwrap();
        assert_eq!(subject.role, Role::Id, "{}", demo.name);
    }
}
