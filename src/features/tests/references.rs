//! The reference and the golden rows: what they tell, and what they must never tell.

use super::{numbers, recipe, table, text};
use crate::base::canonical;
use crate::base::fact::{Class, Fact};
use crate::data::table::{Cell, Column, Kind, Table, Values};
use crate::features::fit::{Form, fit};
use crate::features::golden::draw_golden;
use crate::features::recipe::{Encoding, FittedRecipe};
use crate::features::reference::{LevelRows, Marginal, Reference};

/// Incomes in cents with gaps and one freak, dependants, a yes or no, and levels of which two are rare.
fn training() -> Table {
    let income = |i: usize| match i {
        7 => 9_999_999.123_456,
        _ if i.is_multiple_of(25) => f64::NAN,
        _ => (200_000 + i * 7919 % 600_000) as f64 / 100.0,
    };
    let grade = |i: usize| match i {
        0..=18 => "nineteen",
        19 => "unique",
        _ if i.is_multiple_of(3) => "A",
        _ => "B",
    };
    let integers = |name: &str, kind, values: Vec<f64>| Column { kind, ..numbers(name, values) };
    table(vec![
        numbers("income", (0..1000).map(income)),
        integers("children", Kind::Integer, (0..1000).map(|i| f64::from(i % 10 % 4)).collect()),
        integers("owns", Kind::Boolean, (0..1000).map(|i| f64::from(u8::from(i % 20 != 0))).collect()),
        text("grade", (0..1000).map(grade)),
    ])
}

fn fitted(training: &Table) -> FittedRecipe {
    let all = vec![
        ("income", Encoding::Piecewise { bins: 8 }),
        ("children", Encoding::Scale),
        ("owns", Encoding::Scale),
        ("grade", Encoding::OneHot { min_rows: 20 }),
    ];
    let known = all.into_iter().filter(|(field, _)| training.find_column(field).is_some());
    fit(&recipe(known.collect()), &Form::Columns, training).unwrap()
}

fn reference(training: &Table) -> Reference {
    let recipe = fitted(training);
    let reference = Reference::fit(&recipe, training).unwrap();
    reference.check().and_then(|()| reference.check_fits(&recipe)).unwrap();
    reference
}

#[test]
fn every_row_counts_to_exactly_one_bin() {
    let training = training();
    for field in &reference(&training).fields {
        let column = training.find_column(&field.field).unwrap();
        let mut counted = vec![0; field.bin_rows().len()];
        (0..training.rows()).for_each(|row| counted[field.bin_of(column.cell(row))] += 1);
        assert_eq!(counted, field.bin_rows(), "{}", field.field);
    }
}

#[test]
fn the_reference_tells_decimals_and_bins_but_no_rare_value() {
    let reference = reference(&training());
    let Marginal::Numbers { edges, rows, decimals } = &reference.fields[0].marginal else { panic!() };
    assert_eq!((edges.len(), rows.len(), *decimals), (11, 10, 2));
    assert!(edges.iter().all(|edge| *edge < 10_000.0), "the freak's income is no edge: {edges:?}");
    let of_owns = Marginal::Numbers { edges: vec![0.0, 0.0, 1.0], rows: vec![50, 950], decimals: 0 };
    assert_eq!(reference.fields[2].marginal, of_owns);
    let level = |level: &str, rows| LevelRows { level: level.into(), rows };
    let of_grade = Marginal::Text { levels: vec![level("A", 327), level("B", 653)], other: 20 };
    assert_eq!(reference.fields[3].marginal, of_grade);
    assert_eq!(reference.fields[3].bin_of(Cell::Text("unique")), 2);
    assert_eq!(reference.fields[3].bin_of(Cell::Missing), 3);
}

#[test]
fn a_field_that_few_rows_have_tells_only_how_many() {
    let rare = (0..500).map(|i| if i < 19 { f64::from(i) } else { f64::NAN });
    let training = table(vec![numbers("income", rare)]);
    let reference = reference(&training);
    let hidden = Marginal::Numbers { edges: vec![], rows: vec![19], decimals: 0 };
    assert_eq!((&reference.fields[0].marginal, reference.fields[0].missing), (&hidden, 481));
    // All that is known to be drawn is a missing cell, and that equals a training row.
    assert_eq!(draw_golden(&reference, &training, 1, 10).unwrap().rows(), 0);
}

#[test]
fn a_reference_goes_through_its_file_unchanged_and_a_false_one_is_refused() {
    let good = reference(&training());
    let bytes = canonical::to_bytes(&good).unwrap();
    assert_eq!(canonical::parse::<Reference>(&bytes).unwrap(), good);
    let refuse = |what: &str, spoil: &dyn Fn(&mut Reference)| {
        let mut reference = good.clone();
        spoil(&mut reference);
        let error = reference.check().expect_err(what);
        assert_eq!((error.code(), error.class()), ("features.reference_malformed", Class::Integrity));
        assert!(serde_json::from_str::<Reference>(&serde_json::to_string(&reference).unwrap()).is_err());
    };
    let bins = |edges: &[f64], rows: &[u64]| Marginal::Numbers {
        edges: edges.to_vec(),
        rows: rows.to_vec(),
        decimals: 0,
    };
    refuse("fewer rows than counted", &|r| r.rows -= 1);
    refuse("a sum that overflows", &|r| r.fields[0].missing = u64::MAX);
    refuse("a bin of 19", &|r| r.fields[2].marginal = bins(&[0.0, 0.0, 1.0], &[19, 981]));
    refuse("falling edges", &|r| r.fields[2].marginal = bins(&[0.0, 1.0, 0.5], &[50, 950]));
    refuse("an edge too few", &|r| r.fields[2].marginal = bins(&[0.0, 1.0], &[50, 950]));
    refuse("one edge", &|r| r.fields[2].marginal = bins(&[0.0], &[]));
    refuse("no bins", &|r| r.fields[2].marginal = bins(&[], &[]));
    refuse("text with bins", &|r| r.fields[3].marginal = r.fields[2].marginal.clone());
    let mut fewer = good.clone();
    fewer.fields.pop();
    assert!(fewer.check_fits(&fitted(&training())).is_err());
}

fn rows_of(table: &Table) -> Vec<Vec<String>> {
    let row = |row| table.columns().iter().map(|c| format!("{:?}", c.cell(row))).collect();
    (0..table.rows()).map(row).collect()
}

#[test]
fn golden_rows_look_like_training_rows_and_are_none() {
    // Two coarse fields: drawn freely, nearly every row would equal one of the training rows.
    let all = training();
    let columns = ["children", "grade"].map(|name| all.find_column(name).unwrap().clone());
    for training in [all, table(columns.to_vec())] {
        let golden = draw_golden(&reference(&training), &training, 42, 200).unwrap();
        assert_eq!(golden.rows(), 200);
        let real = rows_of(&training);
        assert!(rows_of(&golden).iter().all(|row| !real.contains(row)));
    }
}

#[test]
fn golden_cells_stay_in_their_bins_and_rare_levels_never_appear() {
    let training = training();
    let reference = reference(&training);
    let golden = draw_golden(&reference, &training, 42, 400).unwrap();
    let Values::Number(income) = &golden.columns()[0].values else { panic!() };
    let present: Vec<f64> = income.iter().copied().filter(|x| !x.is_nan()).collect();
    assert!(present.len() < 400, "the training has gaps in income");
    assert!(present.iter().all(|x| (2_000.0..8_000.0).contains(x) && (x * 100.0).round() / 100.0 == *x));
    let Values::Number(owns) = &golden.columns()[2].values else { panic!() };
    let zeros = owns.iter().filter(|x| **x == 0.0).count();
    assert!((5..60).contains(&zeros) && owns.iter().all(|x| *x == 0.0 || *x == 1.0), "{zeros}");
    let Values::Text(grade) = &golden.columns()[3].values else { panic!() };
    assert_eq!(grade.levels[..], ["A", "B"]);
    assert!(fitted(&training).transform(&golden).is_ok());
}

#[test]
fn golden_rows_are_fixed_by_their_seed() {
    let training = training();
    let reference = reference(&training);
    let draw = |seed| draw_golden(&reference, &training, seed, 20).unwrap().content_digest();
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert!(draw_golden(&reference, &training, 1, 1_001).is_err());
}
