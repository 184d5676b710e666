//! What holds for every table: bounds, order, finiteness, and independence of the order of rows.

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{fit_one, numbers, recipe, table, text};
use crate::base::rng::Random;
use crate::data::table::Table;
use crate::features::fit::{Form, fit};
use crate::features::recipe::Encoding;
use crate::features::reference::Reference;

/// Numbers as they come: ties, ordinary sizes, and the ends of what a double can hold.
fn a_number() -> impl Strategy<Value = f64> {
    let finite = any::<f64>().prop_filter("a number", |x| x.is_finite());
    prop_oneof![
        4 => (-5i32..5).prop_map(f64::from),
        4 => -1e6..1e6f64,
        2 => finite,
        1 => Just(f64::from_bits(1)),
        1 => Just(-0.0),
    ]
}

/// A number that a recipe can be fitted to, or a gap.
fn a_training_cell() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => a_number().prop_map(|x| if x.abs() > 1e100 { x / 1e209 } else { x }),
        1 => Just(f64::NAN),
        1 => Just(1e100),
        1 => Just(-1e100),
    ]
}

fn a_level() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-d]", 1 => "[a-z]{2}", 1 => Just(String::new())]
}

fn numeric_encodings(bins: usize) -> [Encoding; 3] {
    [Encoding::Scale, Encoding::Quantile { bins }, Encoding::Piecewise { bins }]
}

fn shuffled(table: &Table, seed: u64) -> Table {
    let mut order: Vec<usize> = (0..table.rows()).collect();
    Random::new(seed, "order").shuffle(&mut order);
    table.select(&order)
}

proptest! {
    #[test]
    fn piecewise_columns_lie_within_0_and_1_and_never_fall_as_the_value_rises(
        training in proptest::collection::vec(a_training_cell(), 1..300),
        mut live in proptest::collection::vec(a_number(), 2..40),
        bins in 2usize..40,
    ) {
        let Ok(fitted) = fit_one(Encoding::Piecewise { bins }, numbers("x", training)) else { return Ok(()) };
        live.sort_by(f64::total_cmp);
        let matrix = fitted.transform(&table(vec![numbers("x", live)])).unwrap();
        prop_assert!(matrix.values.iter().all(|x| (0.0..=1.0).contains(x)));
        for row in 1..matrix.rows {
            let (before, after) = (matrix.row(row - 1), matrix.row(row));
            prop_assert!(before.iter().zip(after).all(|(a, b)| a <= b));
            prop_assert!(before.iter().sum::<f32>() <= after.iter().sum::<f32>());
        }
    }

    #[test]
    fn no_number_and_no_gap_makes_a_cell_that_is_not_finite(
        training in proptest::collection::vec(a_training_cell(), 1..200),
        live in proptest::collection::vec(prop_oneof![a_number(), Just(f64::NAN), Just(f64::INFINITY)], 1..40),
        bins in 2usize..20,
    ) {
        for encoding in numeric_encodings(bins) {
            let Ok(fitted) = fit_one(encoding, numbers("x", training.clone())) else { continue };
            prop_assert_eq!(fitted.check(), Ok(()));
            prop_assert_eq!(fitted.columns().len(), fitted.width);
            let matrix = fitted.transform(&table(vec![numbers("x", live.clone())])).unwrap();
            prop_assert!(matrix.values.iter().all(|x| x.is_finite() && x.abs() <= 8.0));
        }
    }

    #[test]
    fn an_unseen_level_lands_in_the_unknown_column_and_never_fails(
        training in proptest::collection::vec("[a-d]", 1..200),
        unseen in "[A-Z]{1,8}",
        min_rows in 1usize..30,
    ) {
        let training = text("g", training.iter().map(String::as_str));
        let live = table(vec![text("g", [unseen.as_str()])]);
        let one_hot = fit_one(Encoding::OneHot { min_rows }, training.clone()).unwrap();
        let row = one_hot.transform(&live).unwrap().values;
        prop_assert_eq!(row.iter().position(|x| *x == 1.0), Some(one_hot.width - 1));
        prop_assert_eq!(row.iter().sum::<f32>(), 1.0);
        prop_assert_eq!(one_hot.notes(&live, 0).unwrap().unseen, vec![("g".to_string(), unseen)]);
        let hash = fit_one(Encoding::Hash { buckets: 8 }, training).unwrap();
        let row = hash.transform(&live).unwrap().values;
        prop_assert!(row[8] == 0.0 && row.iter().sum::<f32>() == 1.0);
    }

    #[test]
    fn the_order_of_training_rows_changes_nothing(
        rows in proptest::collection::vec((a_training_cell(), a_level()), 1..300),
        seed in any::<u64>(),
    ) {
        let of = |name: &str| numbers(name, rows.iter().map(|row| row.0));
        let levels = |name: &str| text(name, rows.iter().map(|row| row.1.as_str()));
        let whole = table(vec![of("a"), of("b"), of("c"), levels("d"), levels("e")]);
        let [scale, quantile, piecewise] = numeric_encodings(8);
        let (one_hot, hash) = (Encoding::OneHot { min_rows: 5 }, Encoding::Hash { buckets: 4 });
        let recipe = recipe(vec![("a", scale), ("b", quantile), ("c", piecewise), ("d", one_hot), ("e", hash)]);
        let Ok(fitted) = fit(&recipe, &Form::Columns, &whole) else { return Ok(()) };
        let other = shuffled(&whole, seed);
        prop_assert_eq!(&fit(&recipe, &Form::Columns, &other).unwrap(), &fitted);
        prop_assert_eq!(serde_json::to_string(&fit(&recipe, &Form::Columns, &other).unwrap()).unwrap(), serde_json::to_string(&fitted).unwrap());
        let reference = Reference::fit(&fitted, &whole).unwrap();
        prop_assert_eq!(&Reference::fit(&fitted, &other).unwrap(), &reference);
        prop_assert_eq!(reference.check(), Ok(()));
    }
}
