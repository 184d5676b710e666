//! Columns that are not what a trainer would wish for: constant, empty, of a thousand levels, of five rows, of one
//! outcome, and cells far from all that was seen. Each has a defined answer or an error that says what is wrong.

use tallystick::data::table::{Cell, Table};

use crate::families::{
    families, loaded, loans, margins, some_loans, train, trained, try_train, with_number, with_text,
};

fn refusal(family: &str, table: &Table) -> (&'static str, String) {
    let Err(failure) = try_train(family, &[], table) else { panic!("{family} was trained") };
    (failure.code(), failure.to_string())
}

#[test]
fn a_constant_field_says_nothing_and_stops_nobody() {
    let table = with_number(&some_loans(), "dti", 12.5);
    for family in families() {
        let model = loaded(&train(family, &[], &table)).model;
        let matrix = model.recipe.transform(&loans().select(&[0, 1, 2, 3])).unwrap();
        let reasoner = model.reasoner(&model.background).unwrap();
        for row in 0..4 {
            let explained = model.explain(matrix.row(row), &reasoner);
            let dti = explained.fields.iter().find(|field| field.field == "dti").unwrap();
            assert_eq!(dti.value, 0.0, "{family}");
        }
    }
}

#[test]
fn a_field_that_is_always_missing_is_refused_by_name() {
    let number = with_number(&some_loans(), "revol_util", f64::NAN);
    let text = with_text(&some_loans(), "addr_state", (0..some_loans().rows()).map(|_| None));
    for family in families() {
        for (table, name) in [(&number, "revol_util"), (&text, "addr_state")] {
            let (code, words) = refusal(family, table);
            assert_eq!(code, "features.no_values", "{family}: {words}");
            assert!(words.contains(name), "{family}: {words}");
        }
    }
}

#[test]
fn one_outcome_is_refused_whichever_it_is() {
    for (outcome, code) in
        [("Fully Paid", "data.label.no_positive"), ("Charged Off", "data.label.no_negative")]
    {
        let rows = some_loans().rows();
        let table = with_text(&some_loans(), "loan_status", (0..rows).map(|_| Some(outcome.to_string())));
        for family in families() {
            let (found, words) = refusal(family, &table);
            assert_eq!(found, code, "{family}: {words}");
        }
    }
}

#[test]
fn one_row_of_an_outcome_among_many_is_refused_or_learned_from_and_never_a_panic() {
    let rows = some_loans().rows();
    for positives in [1, 2, 3, 5] {
        let outcome = |row| if row < positives { "Charged Off" } else { "Fully Paid" };
        let table =
            with_text(&some_loans(), "loan_status", (0..rows).map(|row| Some(outcome(row).to_string())));
        for family in families() {
            match try_train(family, &[], &table) {
                Ok(candidate) => drop(loaded(&candidate)),
                Err(failure) => {
                    let (code, words) = (failure.code(), failure.to_string());
                    let known = ["data.split.one_class", "train.one_class", "train.trees.one_class"];
                    assert!(known.contains(&code), "{family}: {code} {words}");
                }
            }
        }
    }
}

#[test]
fn five_rows_are_refused_with_what_they_lack() {
    let is_bad =
        |row: &usize| loans().find_column("loan_status").unwrap().cell(*row) == Cell::Text("Charged Off");
    let mut bad = (0..loans().rows()).filter(is_bad);
    let mut good = (0..loans().rows()).filter(|row| !is_bad(row));
    for positives in [1, 2] {
        let rows: Vec<usize> =
            bad.by_ref().take(positives).chain(good.by_ref().take(5 - positives)).collect();
        let table = loans().select(&rows);
        for family in families() {
            let (code, words) = refusal(family, &table);
            assert_eq!(code, "data.split.one_class", "{family}: {words}");
        }
    }
}

#[test]
fn ten_thousand_levels_are_as_good_as_none_and_unseen_ones_all_alike() {
    let rows: Vec<usize> = (0..10_000).map(|row| row % loans().rows()).collect();
    let own = |row: usize| Some(format!("purpose {row}"));
    let table = with_text(&loans().select(&rows), "purpose", (0..10_000).map(own));
    let smaller = ["boosting.rounds=5", "forest.trees=3", "logistic.epochs=1", "mlp.epochs=1"];
    for family in families() {
        let model = loaded(&train(family, &smaller, &table));
        let one = loans().select(&[7; 3]);
        let levels = ["purpose 3", "never seen", "purpose 9999"];
        let found =
            margins(&model, &with_text(&one, "purpose", levels.into_iter().map(|l| Some(l.to_string()))));
        assert!(found.iter().all(|margin| margin.is_finite() && *margin == found[0]), "{family}: {found:?}");
    }
}

#[test]
fn far_from_all_that_was_seen_a_number_counts_as_the_nearest_that_was() {
    let rows = loans().select(&(0..50).collect::<Vec<_>>());
    for family in families() {
        let model = loaded(trained(family));
        for field in ["dti", "annual_inc", "loan_amnt", "revol_util"] {
            for (near, far) in [(1e8, 1e15), (-1e8, -1e15), (1e8, f64::INFINITY), (-1e8, f64::NEG_INFINITY)] {
                let found = margins(&model, &with_number(&rows, field, far));
                assert!(found.iter().all(|margin| margin.is_finite()), "{family} {field} {far}");
                assert_eq!(
                    found,
                    margins(&model, &with_number(&rows, field, near)),
                    "{family} {field} {far}"
                );
            }
        }
        // Nothing but what the contract demands.
        let mut bare = rows.clone();
        for field in ["revol_util", "mths_since_last_delinq", "earliest_cr_line", "total_acc"] {
            bare = with_number(&bare, field, f64::NAN);
        }
        for field in ["emp_length", "addr_state", "verification_status"] {
            bare = with_text(&bare, field, (0..50).map(|_| None));
        }
        assert!(margins(&model, &bare).iter().all(|margin| margin.is_finite()), "{family}");
    }
}
