//! Fitting, transforming and noting on tables whose answer can be read off.

use super::{fit_one, numbers, recipe, table, text};
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::data::table::{Column, Table, Values};
use crate::features::fit::{Form, fit};
use crate::features::notes::RowNotes;
use crate::features::recipe::{Encoding, FittedEncoding, FittedRecipe, Recipe};

fn levels(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn mixed_recipe() -> Recipe {
    recipe(vec![
        ("dti", Encoding::Piecewise { bins: 8 }),
        ("income", Encoding::Scale),
        ("age", Encoding::Quantile { bins: 8 }),
        ("grade", Encoding::OneHot { min_rows: 20 }),
        ("risk", Encoding::Ordinal { order: levels(&["low", "mid", "high"]) }),
        ("city", Encoding::Hash { buckets: 16 }),
    ])
}

/// 600 rows with gaps; cities and grades are more than those that are frequent.
fn mixed_table() -> Table {
    let rows = 0..600usize;
    let gap = |row: usize, every: usize, x: f64| if row.is_multiple_of(every) { f64::NAN } else { x };
    let city = |row: usize| format!("city {}", row * row % 97);
    let cities: Vec<String> = rows.clone().map(city).collect();
    let grades = ["A", "B", "A", "C", "", "B", "A"].into_iter().cycle();
    let odd = |row: usize, grade| if row.is_multiple_of(150) { "rare" } else { grade };
    table(vec![
        text("city", cities.iter().map(String::as_str)),
        numbers("dti", rows.clone().map(|row| gap(row, 11, (row * 7919 % 1000) as f64 / 10.0))),
        numbers("income", rows.clone().map(|row| 1e4 + (row * row * 31 % 90_000) as f64)),
        numbers("age", rows.clone().map(|row| gap(row, 13, 20.0 + (row * 17 % 50) as f64))),
        text("grade", rows.clone().zip(grades).map(|(row, grade)| odd(row, grade))),
        text("risk", ["low", "high", "mid", "", "odd"].into_iter().cycle().take(600)),
    ])
}

/// The rows of `whole` as a reader of just those rows would build them: with a dictionary of their own.
fn read_alone(whole: &Table, rows: &[usize]) -> Table {
    let own = |column: &Column| match &column.values {
        Values::Number(values) => numbers(&column.name, rows.iter().map(|&row| values[row])),
        Values::Text(values) => text(&column.name, rows.iter().map(|&row| values.get(row).unwrap_or(""))),
    };
    table(whole.columns().iter().map(own).collect())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn a_row_is_the_same_to_the_bit_whatever_rows_come_with_it() {
    let whole = mixed_table();
    let fitted = fit(&mixed_recipe(), &Form::Columns, &whole).unwrap();
    let expected = fitted.transform(&whole).unwrap();
    let all: Vec<usize> = (0..whole.rows()).collect();
    for size in [1, 7, 600] {
        for chunk in all.chunks(size) {
            let alone = fitted.transform(&read_alone(&whole, chunk)).unwrap();
            for (index, &row) in chunk.iter().enumerate() {
                assert_eq!(bits(alone.row(index)), bits(expected.row(row)), "row {row} in chunks of {size}");
            }
        }
    }
    let backwards: Vec<usize> = all.iter().rev().copied().collect();
    let last = fitted.transform(&whole.select(&backwards)).unwrap();
    assert_eq!(bits(last.row(0)), bits(expected.row(599)));
}

#[test]
fn every_column_of_the_matrix_has_one_name_of_its_own() {
    let fitted = fit(&mixed_recipe(), &Form::Columns, &mixed_table()).unwrap();
    fitted.check().unwrap();
    let columns = fitted.columns();
    assert_eq!(columns.len(), fitted.width);
    for (index, field) in fitted.fields.iter().enumerate() {
        let own = &columns[field.start..field.start + field.width];
        assert!(
            own.iter().all(|column| column.field == index && column.name.starts_with(field.field.as_str()))
        );
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    for name in
        ["dti[0]", "dti[7]", "dti?missing", "income", "age", "age?missing", "grade=A", "grade?missing"]
    {
        assert!(names.contains(&name), "{name}");
    }
    for name in ["grade?unknown", "risk", "risk?missing", "city#0", "city#15", "city?missing"] {
        assert!(names.contains(&name), "{name}");
    }
    assert!(!names.contains(&"income?missing"), "income has no gaps");
}

#[test]
fn rare_levels_share_the_unknown_column_and_missing_has_its_own() {
    let fitted = fit(&mixed_recipe(), &Form::Columns, &mixed_table()).unwrap();
    let grade = &fitted.fields[3];
    assert_eq!(grade.encoding, FittedEncoding::OneHot { levels: levels(&["A", "B", "C"]) });
    let matrix = fit_one(Encoding::OneHot { min_rows: 2 }, text("g", ["b", "a", "b", "a", "c"])).unwrap();
    let encoded = matrix.transform(&table(vec![text("g", ["a", "b", "c", "new", ""])])).unwrap();
    let rows: Vec<&[f32]> = (0..5).map(|row| encoded.row(row)).collect();
    assert_eq!(rows[0], [1.0, 0.0, 0.0, 0.0]);
    assert_eq!(rows[1], [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(rows[2], [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(rows[3], [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(rows[4], [0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn a_constant_field_has_no_column_and_only_gaps_are_told() {
    let constant = |gap: f64| numbers("c", [5.0, 5.0, gap, 5.0]);
    let recipe =
        recipe(vec![("c", Encoding::Piecewise { bins: 4 }), ("d", Encoding::Scale), ("x", Encoding::Scale)]);
    let training =
        |gap| table(vec![constant(gap), numbers("d", [0.1; 4]), numbers("x", [1.0, 2.0, 3.0, 4.0])]);
    let full = fit(&recipe, &Form::Columns, &training(5.0)).unwrap();
    full.check().unwrap();
    assert_eq!(full.fields.iter().map(|f| (f.start, f.width)).collect::<Vec<_>>(), [(0, 0), (0, 0), (0, 1)]);
    let live = table(vec![numbers("c", [9.0]), numbers("d", [1e9]), numbers("x", [2.5])]);
    assert_eq!(full.transform(&live).unwrap().values, [0.0]);
    assert_eq!(full.notes(&live, 0).unwrap().out_of_range, ["c", "d"]);
    let gaps = fit(&recipe, &Form::Columns, &training(f64::NAN)).unwrap();
    assert_eq!(gaps.fields[0].width, 1);
    assert_eq!(gaps.transform(&training(f64::NAN)).unwrap().row(2)[0], 1.0);
    let nothing = fit_one(Encoding::Scale, numbers("d", [0.1; 4])).unwrap_err();
    assert_eq!(nothing.code(), "features.nothing_varies");
}

#[test]
fn heavy_ties_make_fewer_bins_and_few_values_one_cut_each() {
    let cuts = |values: Vec<f64>| match &fit_one(Encoding::Piecewise { bins: 4 }, numbers("x", values))
        .unwrap()
        .fields[0]
        .encoding
    {
        FittedEncoding::Piecewise { cuts, .. } => cuts.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(cuts(vec![0.0, 1.0, 1.0, 0.0]), [0.0, 1.0]);
    assert_eq!(cuts((0..101).map(f64::from).collect()), [0.0, 25.0, 50.0, 75.0, 100.0]);
    assert_eq!(cuts((0..100).map(f64::from).collect()), [0.0, 24.5, 49.5, 74.5, 99.0]);
    let tied = (0..100).map(|i| if i < 60 { 0.0 } else { f64::from(i) });
    assert_eq!(cuts(tied.collect()), [0.0, 74.5, 99.0]);
}

#[test]
fn one_freak_row_of_many_is_no_cut() {
    let mut values: Vec<f64> = (0..4_000).map(f64::from).collect();
    values.extend([1e9, -1e9]);
    let fitted = fit_one(Encoding::Quantile { bins: 4 }, numbers("x", values)).unwrap();
    let FittedEncoding::Quantile { cuts, .. } = &fitted.fields[0].encoding else { panic!() };
    assert_eq!((cuts[0], cuts[cuts.len() - 1]), (18.0, 3981.0));
    assert!(!serde_json::to_string(&fitted).unwrap().contains("1000000000"));
}

#[test]
fn scaled_values_have_mean_zero_and_stop_at_eight_deviations() {
    let fitted = fit_one(Encoding::Scale, numbers("x", [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])).unwrap();
    let live = table(vec![numbers("x", [5.0, 7.0, 1e12, -1e12])]);
    assert_eq!(fitted.transform(&live).unwrap().values, [0.0, 1.0, 8.0, -8.0]);
}

#[test]
fn too_many_levels_are_refused_with_a_way_out() {
    let names: Vec<String> = (0..=limits::ONE_HOT_LEVELS_MAX).map(|i| format!("employer {i}")).collect();
    let cells = text("employer", names.iter().map(String::as_str));
    let error = fit_one(Encoding::OneHot { min_rows: 1 }, cells.clone()).unwrap_err();
    assert_eq!((error.code(), error.class()), ("features.too_many_levels", Class::DataRefused));
    assert!(error.to_string().contains("\"employer\"") && error.next_step().unwrap().contains("hash"));
    assert!(fit_one(Encoding::Hash { buckets: 32 }, cells).unwrap().fields[0].known_levels.is_empty());
}

#[test]
fn what_cannot_be_fitted_or_encoded_is_named() {
    let code =
        |result: Result<FittedRecipe, crate::features::error::FeatureError>| result.unwrap_err().code();
    assert_eq!(code(fit_one(Encoding::Scale, numbers("x", [f64::NAN; 3]))), "features.no_values");
    assert_eq!(code(fit_one(Encoding::Scale, numbers("x", []))), "features.no_values");
    assert_eq!(code(fit_one(Encoding::Hash { buckets: 2 }, text("x", ["", ""]))), "features.no_values");
    assert_eq!(code(fit_one(Encoding::Scale, numbers("x", [1.0, 1e101]))), "features.magnitude");
    assert_eq!(code(fit_one(Encoding::Scale, numbers("x", [1.0, f64::INFINITY]))), "features.magnitude");
    assert_eq!(code(fit_one(Encoding::Scale, text("x", ["a"]))), "features.column_kind");
    let order = Encoding::Ordinal { order: levels(&["low", "high"]) };
    assert_eq!(code(fit_one(order, text("x", ["LOW", "HIGH"]))), "features.order_unmatched");
    let fitted = fit_one(Encoding::Scale, numbers("x", [1.0, 2.0])).unwrap();
    let live = table(vec![numbers("z", [1.0])]);
    assert_eq!(fitted.transform(&live).unwrap_err().code(), "features.missing_column");
    assert_eq!(fitted.transform(&table(vec![text("x", ["1"])])).unwrap_err().code(), "features.column_kind");
}

#[test]
fn the_notes_of_a_row_name_what_is_missing_unseen_or_beyond_the_training() {
    let fitted = fit(&mixed_recipe(), &Form::Columns, &mixed_table()).unwrap();
    let live = table(vec![
        numbers("dti", [99.99, f64::NAN]),
        numbers("income", [5e9, 5e4]),
        numbers("age", [30.0, 19.0]),
        text("grade", ["rare", ""]),
        text("risk", ["odd", "low"]),
        text("city", ["Atlantis", "city 1"]),
    ]);
    let unseen = |pairs: &[(&str, &str)]| pairs.iter().map(|(f, l)| (f.to_string(), l.to_string())).collect();
    let first = RowNotes {
        missing: vec![],
        unseen: unseen(&[("grade", "rare"), ("risk", "odd")]),
        out_of_range: levels(&["dti", "income"]),
    };
    let second =
        RowNotes { missing: levels(&["dti", "grade"]), unseen: vec![], out_of_range: levels(&["age"]) };
    let bound = fitted.bind(&live).unwrap();
    assert_eq!((bound.notes(0), bound.notes(1)), (first, second));
    assert_eq!(bound.notes(2).missing.len(), 6);
}

#[test]
fn a_hashed_field_knows_its_frequent_levels() {
    let cells = (0..100).map(|i| {
        if i < 50 {
            "Oslo"
        } else if i < 95 {
            "Bergen"
        } else {
            "Hell"
        }
    });
    let fitted = fit_one(Encoding::Hash { buckets: 8 }, text("city", cells)).unwrap();
    assert_eq!(fitted.fields[0].known_levels, ["Bergen", "Oslo"]);
    let live = table(vec![text("city", ["Oslo", "Hell"])]);
    assert!(fitted.notes(&live, 0).unwrap().unseen.is_empty());
    assert_eq!(fitted.notes(&live, 1).unwrap().unseen, [("city".to_string(), "Hell".to_string())]);
}
