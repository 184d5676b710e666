//! The demo's promises: repeatable, learnable, no column alone enough, leaks that look like leaks.

use super::*;
use crate::base::limits;
use crate::data::table::{Cell, Values};
use crate::demo::sheet::SEED_DEFAULT;

type ValueOf = fn(&Row) -> f64;

fn drawn(rows: usize, seed: u64) -> Vec<Row> {
    let mut draw = Draw::new(seed, "demo.loan_default");
    (0..rows).map(|place| draw_row(&mut draw, place, rows)).collect()
}

/// The chance that a lost loan stands above a repaid one, ties counted half.
fn separation(rows: &[Row], value: impl Fn(&Row) -> f64) -> f64 {
    let mut lost: Vec<f64> = rows.iter().filter(|r| r.outcome.charged_off).map(&value).collect();
    let repaid: Vec<f64> = rows.iter().filter(|r| !r.outcome.charged_off).map(&value).collect();
    lost.sort_by(f64::total_cmp);
    let above = |x: &f64| {
        let (below, upto) = (lost.partition_point(|l| l < x), lost.partition_point(|l| l <= x));
        (lost.len() - upto) as f64 + 0.5 * (upto - below) as f64
    };
    repaid.iter().map(above).sum::<f64>() / (lost.len() * repaid.len()) as f64
}

#[test]
fn the_same_seed_gives_the_same_table_and_another_seed_another() {
    let digest = |seed| loan_default(500, seed).unwrap().content_digest();
    assert_eq!(digest(7), digest(7));
    assert_ne!(digest(7), digest(8));
}

#[test]
fn no_rows_and_too_many_rows_are_refused() {
    assert!(matches!(loan_default(0, 7), Err(DemoError::Rows { rows: 0, .. })));
    assert!(matches!(loan_default(limits::ROWS_MAX + 1, 7), Err(DemoError::Rows { .. })));
}

#[test]
fn about_one_loan_in_six_is_lost() {
    for seed in [7, 8] {
        let rows = drawn(ROWS_DEFAULT, seed);
        let share = rows.iter().filter(|r| r.outcome.charged_off).count() as f64 / rows.len() as f64;
        assert!((0.15..0.20).contains(&share), "{share}");
    }
}

#[test]
fn the_truth_can_be_learned_but_no_column_tells_it_alone() {
    let rows = drawn(ROWS_DEFAULT, SEED_DEFAULT);
    let truth = |r: &Row| log_odds(&r.borrower, &r.loan, f64::from(r.issued.index) / 12.0);
    let ceiling = separation(&rows, truth);
    assert!((0.77..0.83).contains(&ceiling), "{ceiling}");
    let columns: [(&str, ValueOf); 6] = [
        ("int_rate", |r| r.loan.rate),
        ("sub_grade", |r| f64::from(r.loan.sub_grade)),
        ("annual_inc", |r| -r.borrower.income),
        ("dti", |r| r.borrower.dti),
        ("revol_util", |r| r.borrower.file.revolving_use.unwrap_or(50.0)),
        ("inq_last_6mths", |r| r.borrower.file.inquiries),
    ];
    for (name, value) in columns {
        let alone = separation(&rows, value);
        assert!((0.54..0.70).contains(&alone), "{name}: {alone}");
    }
}

#[test]
fn a_missing_delinquency_is_good_news() {
    let rows = drawn(ROWS_DEFAULT, SEED_DEFAULT);
    let lost_share = |missing: bool| {
        let group = rows.iter().filter(|r| r.borrower.file.months_since_delinquency.is_none() == missing);
        let (all, lost) = group.fold((0, 0), |(a, l), r| (a + 1, l + u32::from(r.outcome.charged_off)));
        f64::from(lost) / f64::from(all)
    };
    assert!(lost_share(true) < lost_share(false) - 0.03, "{} {}", lost_share(true), lost_share(false));
}

#[test]
fn only_lost_loans_have_recoveries_and_only_they_repay_less_than_was_lent() {
    for row in drawn(5_000, SEED_DEFAULT) {
        assert!(row.outcome.charged_off || row.outcome.recovered == 0.0, "{}", row.id);
        assert!(row.outcome.charged_off || row.outcome.total_paid >= row.loan.amount - 1.0, "{}", row.id);
    }
}

#[test]
fn loans_are_in_order_of_issue_from_2012_to_2015() {
    let table = loan_default(5_000, SEED_DEFAULT).unwrap();
    let Values::Number(days) = &table.find_column("issue_d").unwrap().values else { unreachable!() };
    assert!(days.is_sorted());
    assert_eq!(clock::iso_date(days[0]).unwrap(), "2012-01-01");
    assert_eq!(clock::iso_date(days[days.len() - 1]).unwrap(), "2015-12-01");
}

#[test]
fn numbers_have_no_digits_beyond_their_last_place() {
    let table = loan_default(2_000, SEED_DEFAULT).unwrap();
    let fine = |cell| match cell {
        Cell::Number(x) => x.to_string().split_once('.').is_none_or(|(_, places)| places.len() <= 2),
        _ => true,
    };
    for column in table.columns() {
        assert!((0..table.rows()).all(|row| fine(column.cell(row))), "{}", column.name);
    }
}
