//! `[monotone]`: as a field rises, the margin never goes the forbidden way, row by row, all through its range.

use tallystick::data::table::{Table, Values};

use crate::families::{loaded, loans, margins, some_loans, train, try_project, try_train, with_column};

const ASKED: [&str; 2] = ["monotone.dti=rising", "monotone.annual_inc=falling"];

/// From below all that was seen to above it.
fn sweep(field: &str) -> Vec<f64> {
    match field {
        "dti" => (0..=200).map(|step| f64::from(step) * 0.4 - 5.0).collect(),
        _ => (0..=200).map(|step| 1_000.0 * 1.05_f64.powi(step)).collect(),
    }
}

/// How many steps of the field raise the margin, and how many lower it, over 50 rows.
fn steps(family: &str, more: &[&str], field: &str) -> (usize, usize) {
    let model = loaded(&train(family, more, &some_loans()));
    let (mut up, mut down) = (0, 0);
    for row in (0..2_900).step_by(58) {
        let values = sweep(field);
        let same: Table = loans().select(&vec![row; values.len()]);
        let found = margins(&model, &with_column(&same, field, Values::Number(values.into())));
        up += found.windows(2).filter(|pair| pair[1] > pair[0]).count();
        down += found.windows(2).filter(|pair| pair[1] < pair[0]).count();
    }
    (up, down)
}

#[test]
fn a_field_that_was_asked_never_moves_the_margin_the_forbidden_way() {
    let both = ["ensemble.members=[\"boosting\",\"scorecard\"]"];
    for family in ["boosting", "scorecard", "ensemble", "logistic", "forest"] {
        let more = [&ASKED[..], &both[..], &["boosting.rounds=60", "boosting.leaf_rows=5"]].concat();
        let (up, down) = steps(family, &more, "dti");
        assert!(down == 0 && up > 0, "{family}: dti raises {up} times and lowers {down} times");
        let (up, down) = steps(family, &more, "annual_inc");
        assert!(up == 0 && down > 0, "{family}: annual_inc raises {up} times and lowers {down} times");
    }
    // Unasked, the same trees do go both ways: the request is what holds them.
    let (up, down) = steps("boosting", &["boosting.rounds=60", "boosting.leaf_rows=5"], "dti");
    assert!(up > 0 && down > 0, "{up} {down}");
}

#[test]
fn a_direction_of_no_field_or_of_levels_without_an_order_is_refused_by_name() {
    for family in ["boosting", "scorecard"] {
        for (asked, code, words) in [
            ("monotone.dto=rising", "train_params.monotone_field", "did you mean \"dti\""),
            ("monotone.purpose=rising", "train_params.monotone_order", "\"purpose\""),
        ] {
            let Err(failure) = try_train(family, &[asked], &some_loans()) else { panic!("{family} {asked}") };
            assert_eq!(failure.code(), code, "{failure}");
            assert!(failure.to_string().contains(words), "{failure}");
        }
        assert!(
            try_train(family, &["monotone.sub_grade=rising"], &some_loans()).is_ok(),
            "levels in an order"
        );
    }
    assert_eq!(try_project("boosting", &["monotone.dti=up"]).unwrap_err().code(), "train_params.value");
}
