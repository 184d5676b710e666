//! The committed fixtures: made by the generator, and in agreement with the demo project that describes them.
//! `TALLYSTICK_BLESS=1` writes them again; without it they are compared byte by byte.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use tallystick::data::contract::{ColumnSpec, Contract, RawContract, Role};
use tallystick::data::table::{Kind, Table, Values};
use tallystick::demo::loan_default::{POSITIVE, SEED_DEFAULT, loan_default};
use tallystick::features::recipe::{Encoding, RawRecipe};

const SAMPLE_ROWS: usize = 2_900;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects/loan-default")
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
fn the_contract_names_every_column_of_the_demo_and_no_other() {
    let table = sample();
    let made: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
    let contract = contract();
    let named: Vec<&str> = contract.columns().iter().map(|column| column.name.as_str()).collect();
    assert_eq!(made, named);
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
