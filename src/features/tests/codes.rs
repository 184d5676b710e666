//! Codes from fitting to a row: beside columns and instead of them, for cells that training saw and those it did not.

use super::{numbers, recipe, table, text};
use crate::base::limits;
use crate::data::table::Table;
use crate::features::binning::codes::{Code, CodeRules};
use crate::features::fit::{Form, fit};
use crate::features::recipe::{Encoding, FittedRecipe, Recipe};

fn fields() -> Recipe {
    let order = ["low", "mid", "high"].map(String::from).to_vec();
    recipe(vec![
        ("dti", Encoding::Piecewise { bins: 8 }),
        ("grade", Encoding::OneHot { min_rows: 20 }),
        ("risk", Encoding::Ordinal { order }),
        ("city", Encoding::Hash { buckets: 4 }),
    ])
}

fn training() -> Table {
    let rows = 0..400;
    let grade = |row: usize| if row.is_multiple_of(100) { "rare" } else { ["B", "A", ""][row % 3] };
    let city: Vec<String> = rows.clone().map(|row| format!("city {}", row % 8)).collect();
    table(vec![
        numbers("dti", rows.clone().map(|row| if row % 9 == 0 { f64::NAN } else { (row % 50) as f64 })),
        text("grade", rows.clone().map(grade)),
        text("risk", rows.map(|row| ["low", "high", "odd", ""][row % 4])),
        text("city", city.iter().map(String::as_str)),
    ])
}

fn cells(dti: f64, grade: &str, risk: &str, city: &str) -> Table {
    table(vec![numbers("dti", [dti]), text("grade", [grade]), text("risk", [risk]), text("city", [city])])
}

/// The codes of one row.
fn codes(fitted: &FittedRecipe, row: &Table) -> Vec<usize> {
    let matrix = fitted.transform(row).unwrap();
    assert_eq!(matrix.width, fitted.row_width());
    matrix.row(0)[fitted.width..].iter().map(|code| *code as usize).collect()
}

#[test]
fn a_cell_has_its_code_and_missing_and_unseen_ones_have_theirs() {
    let codes_only = fit(&fields(), &Form::Codes(CodeRules::default()), &training()).unwrap();
    assert_eq!((codes_only.width, codes_only.row_width()), (0, 4));
    codes_only.check().unwrap();
    assert_eq!(codes(&codes_only, &cells(f64::NAN, "", "", "")), [0, 0, 0, 0]);
    assert_eq!(codes(&codes_only, &cells(0.0, "A", "low", "city 0")), [1, 1, 1, 1]);
    assert_eq!(codes(&codes_only, &cells(49.0, "B", "high", "city 7")), [50, 2, 3, 8]);
    // A level that training saw too rarely, or never, shares the last code; one without a place in the order is missing.
    assert_eq!(codes(&codes_only, &cells(-1e300, "rare", "odd", "new")), [1, 3, 0, 9]);
    assert_eq!(codes(&codes_only, &cells(f64::INFINITY, "Z", "never", "city 8")), [50, 3, 0, 9]);
}

#[test]
fn codes_beside_columns_are_the_codes_alone_and_the_columns_alone() {
    let both = fit(&fields(), &Form::Both(CodeRules::default()), &training()).unwrap();
    let alone = fit(&fields(), &Form::Codes(CodeRules::default()), &training()).unwrap();
    let columns = fit(&fields(), &Form::Columns, &training()).unwrap();
    both.check().unwrap();
    let (all, coded, encoded) = (
        both.transform(&training()).unwrap(),
        alone.transform(&training()).unwrap(),
        columns.transform(&training()).unwrap(),
    );
    for row in 0..all.rows {
        let (own, codes) = all.row(row).split_at(both.width);
        assert_eq!((own, codes), (encoded.row(row), coded.row(row)), "{row}");
    }
    assert_eq!(all.first_columns(both.width), encoded);
}

#[test]
fn a_fitted_recipe_with_codes_is_read_as_it_was_written_and_no_other() {
    let both = fit(&fields(), &Form::Both(CodeRules::default()), &training()).unwrap();
    let written = serde_json::to_value(&both).unwrap();
    assert_eq!(serde_json::from_value::<FittedRecipe>(written.clone()).unwrap(), both);
    let refused = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut other = written.clone();
        change(&mut other);
        serde_json::from_value::<FittedRecipe>(other).is_err()
    };
    assert!(refused(&|r| r["fields"][1]["code"]["column"] = 0.into()), "codes stand behind all columns");
    assert!(refused(&|r| r["fields"][0]["code"]["of"]["cuts"] = serde_json::json!([2.0, 1.0])));
    assert!(refused(&|r| r["fields"][1]["code"]["of"]["levels"] = serde_json::json!(["B", "A"])));
    assert!(refused(&|r| r["fields"][2]["code"]["of"]["order"] = serde_json::json!([])));
    assert!(
        refused(&|r| r["fields"][1]["code"]["of"] = r["fields"][0]["code"]["of"].clone()),
        "of another kind"
    );
    let many: Vec<f64> = (0..limits::CODES_MAX).map(|cut| cut as f64).collect();
    assert!(refused(&|r| r["fields"][0]["code"]["of"]["cuts"] = many.clone().into()));
}

#[test]
fn ten_thousand_levels_have_the_codes_there_are_and_the_frequent_come_first() {
    let city: Vec<String> =
        (0..10_000).map(|row| format!("{}", if row < 5_000 { row % 300 } else { row })).collect();
    let recipe = recipe(vec![("city", Encoding::Hash { buckets: 4 })]);
    let fitted = fit(
        &recipe,
        &Form::Codes(CodeRules::default()),
        &table(vec![text("city", city.iter().map(String::as_str))]),
    );
    let Some(Code::Levels { levels }) = fitted.unwrap().fields.remove(0).code.map(|code| code.of) else {
        panic!()
    };
    assert_eq!(levels.len(), limits::CODES_MAX - 2);
    assert!(levels.is_sorted() && levels.iter().all(|level| level.parse::<usize>().unwrap() < 300));
}
