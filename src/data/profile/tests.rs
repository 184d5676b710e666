//! Profiles of tables made here: what each figure must be, and what luck must not look like.

use crate::base::rng::Random;
use crate::data::profile::column::{Profile, profile};
use crate::data::profile::group::{Group, PureGroup};
use crate::data::table::{Cell, Kind, Table, TableBuilder};

/// A table of one column `x` beside the outcome `y`.
fn table(kind: Kind, rows: &[(Cell<'_>, bool)]) -> Table {
    let mut builder = TableBuilder::new([("x", kind), ("y", Kind::Boolean)]);
    rows.iter().for_each(|(cell, label)| builder.push_row([*cell, Cell::Number(f64::from(*label))]));
    builder.finish()
}

fn of(kind: Kind, rows: &[(Cell<'_>, bool)]) -> Profile {
    profile(&table(kind, rows), Some(("y", "true"))).unwrap()
}

fn auc(kind: Kind, rows: &[(Cell<'_>, bool)]) -> f64 {
    of(kind, rows).find("x").unwrap().signal.as_ref().unwrap().auc
}

fn pure(kind: Kind, rows: &[(Cell<'_>, bool)]) -> Option<PureGroup> {
    of(kind, rows).find("x").unwrap().signal.clone().unwrap().pure
}

#[test]
fn the_figures_of_a_column_are_those_of_its_present_cells() {
    let cells = [3.0, 1.0, f64::NAN, 0.0, 4.0, 2.0]
        .map(|x: f64| if x.is_nan() { Cell::Missing } else { Cell::Number(x) });
    let mut builder = TableBuilder::new([("x", Kind::Number)]);
    cells.iter().for_each(|cell| builder.push_row([*cell]));
    let profile = profile(&builder.finish(), None).unwrap();
    let column = &profile.columns[0];
    let numbers = column.numbers.as_ref().unwrap();
    assert_eq!((column.missing, column.distinct, numbers.zeros), (1, 5, 1));
    assert_eq!((numbers.min, numbers.max, numbers.mean, numbers.quantiles[3]), (0.0, 4.0, 2.0, 2.0));
    assert!((numbers.deviation - 2.5f64.sqrt()).abs() < 1e-12);
    assert!(column.signal.is_none() && profile.positive_rate.is_none());
}

#[test]
fn the_rank_auc_counts_pairs_and_halves_ties_whichever_way_it_points() {
    let n = Cell::Number;
    // Pairs won by the positive rows 2 and 3: 1 + 1/2 of the ties, of 2 x 2.
    let rows = [(n(1.0), false), (n(2.0), true), (n(2.0), false), (n(3.0), true)];
    assert_eq!(auc(Kind::Number, &rows), 3.5 / 4.0);
    let turned: Vec<_> = rows.iter().map(|(cell, label)| (*cell, !label)).collect();
    assert_eq!(auc(Kind::Number, &turned), 3.5 / 4.0);
    let gaps = [(n(1.0), false), (Cell::Missing, true), (n(9.0), false), (Cell::Missing, true)];
    assert_eq!(auc(Kind::Number, &gaps), 1.0);
}

#[test]
fn text_that_never_repeats_foretells_nothing() {
    let mut random = Random::new(3, "test");
    let names: Vec<(String, bool)> = (0..4_000).map(|n| (format!("n{n}"), random.unit() < 0.2)).collect();
    let unique: Vec<_> = names.iter().map(|(name, label)| (Cell::Text(name), *label)).collect();
    assert_eq!(auc(Kind::Text, &unique), 0.5);
    let twice: Vec<(String, bool)> =
        (0..4_000).map(|n| (format!("n{}", n / 2), random.unit() < 0.2)).collect();
    let pairs: Vec<_> = twice.iter().map(|(name, label)| (Cell::Text(name), *label)).collect();
    assert!(auc(Kind::Text, &pairs) < 0.55);
    let known: Vec<_> =
        unique.iter().map(|(_, l)| (Cell::Text(if *l { "bad" } else { "good" }), *l)).collect();
    assert_eq!(auc(Kind::Text, &known), 1.0);
}

#[test]
fn the_information_value_is_the_one_computed_by_hand() {
    // a: 30 negative, 10 positive; b: 20 negative, 40 positive.
    let rows: Vec<_> = (0..100)
        .map(|row| match row {
            0..30 => (Cell::Text("a"), false),
            30..40 => (Cell::Text("a"), true),
            40..60 => (Cell::Text("b"), false),
            _ => (Cell::Text("b"), true),
        })
        .collect();
    let (ga, ba, gb, bb) = (30.5f64 / 50.0, 10.5 / 50.0, 20.5f64 / 50.0, 40.5 / 50.0);
    let expected = (ga - ba) * (ga / ba).ln() + (gb - bb) * (gb / bb).ln();
    let found = of(Kind::Text, &rows).find("x").unwrap().signal.clone().unwrap().information_value;
    assert!((found - expected).abs() < 1e-12);
}

#[test]
fn a_pure_group_is_found_unless_luck_explains_it() {
    let n = Cell::Number;
    let recovered: Vec<_> =
        (0..2_000).map(|row| (n(if row < 200 { f64::from(row) + 1.0 } else { 0.0 }), row < 300)).collect();
    let group = pure(Kind::Number, &recovered).unwrap();
    assert_eq!((group.group, group.rows, group.positive_rate), (Group::NonZero, 200, 1.0));
    assert!((group.class_share - 200.0 / 300.0).abs() < 1e-12);
    // Of 2 % positive rows none among 100: three chances in twenty.
    let lucky: Vec<_> = (0..5_000)
        .map(|row| (Cell::Text(if row < 100 { "rare" } else { "usual" }), row >= 100 && row % 49 == 0))
        .collect();
    assert_eq!(pure(Kind::Text, &lucky), None);
    let gaps: Vec<_> = (0..10_000)
        .map(|row| (if row < 30 { Cell::Text("ACTIVE") } else { Cell::Missing }, row < 2_000))
        .collect();
    assert_eq!(pure(Kind::Text, &gaps).unwrap().group, Group::Present);
}

#[test]
fn a_level_of_few_rows_is_not_named() {
    let rows: Vec<_> =
        (0..60).map(|row| (Cell::Text(["often", "often", "Miller"][row % 3]), row % 2 == 0)).collect();
    let named = &of(Kind::Text, &rows[..57]);
    let column = named.find("x").unwrap();
    assert_eq!((column.distinct, column.levels.as_slice()), (2, &[("often".to_string(), 38)][..]));
}
