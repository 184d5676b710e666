//! From coded rows to a card: what is learned, what is left out, and what is the same again.

use super::fit::{Fate, fit_scorecard};
use super::logistic::{Regressor, Sample, fit_nonnegative};
use super::params::{ColumnRequest, RawScorecardParams, Trend};
use crate::base::rng::Random;
use crate::model::trees::CodeColumn;
use crate::train::scorecard::coded::CodedRows;

const COLUMNS: [CodeColumn; 4] = [
    CodeColumn { column: 0, codes: 40, ordered: true },
    CodeColumn { column: 1, codes: 40, ordered: true },
    CodeColumn { column: 2, codes: 9, ordered: false },
    CodeColumn { column: 3, codes: 40, ordered: true },
];
const ROWS: usize = 4000;

/// A rising column, a hill, levels, and a column of nothing.
fn drawn() -> (Vec<u8>, Vec<bool>) {
    let mut random = Random::new(11, "scorecard");
    let mut codes = vec![0u8; 4 * ROWS];
    let mut labels = Vec::new();
    for row in 0..ROWS {
        let mut cell = |column: usize| random.below(COLUMNS[column].codes);
        let (a, b, c, d) = (cell(0), cell(1), cell(2), cell(3));
        for (column, code) in [a, b, c, d].into_iter().enumerate() {
            codes[column * ROWS + row] = code as u8;
        }
        let margin = 0.08 * a as f64 - 0.1 * (b as f64 - 20.0).abs() + 0.5 * (c % 3) as f64 - 2.0;
        labels.push(random.unit() < 1.0 / (1.0 + (-margin).exp()));
    }
    (codes, labels)
}

#[test]
fn a_column_that_must_rise_never_lowers_the_margin_whatever_the_rest_says() {
    let (codes, labels) = drawn();
    let weights = vec![1.0; ROWS];
    let rows = CodedRows::check(&COLUMNS, &codes, &labels, &weights).unwrap();
    let rising = ColumnRequest { trend: Some(Trend::Rising), ..Default::default() };
    let mut requests = vec![rising.clone(), rising, ColumnRequest::default(), ColumnRequest::default()];
    requests[3].trend = Some(Trend::Falling);
    let (card, binned) =
        fit_scorecard(&rows, &requests, &RawScorecardParams::default().check().unwrap()).unwrap();
    card.check().unwrap();
    assert!(matches!(binned[0].fate, Fate::Scored(c) if c > 0.5), "{:?}", binned[0].fate);
    let mut random = Random::new(1, "sweep");
    for _ in 0..200 {
        let mut row: Vec<u8> = COLUMNS.iter().map(|c| random.below(c.codes) as u8).collect();
        for column in 0..2 {
            let kept = row[column];
            let margins: Vec<f64> = (1..40u8)
                .map(|code| {
                    row[column] = code;
                    card.margin_of(&row)
                })
                .collect();
            assert!(margins.windows(2).all(|two| two[0] <= two[1] + 1e-12));
            row[column] = kept;
        }
    }
    let again = fit_scorecard(&rows, &requests, &RawScorecardParams::default().check().unwrap()).unwrap();
    assert_eq!((card, binned), again);
}

#[test]
fn a_column_of_nothing_is_left_out_and_says_why() {
    let (codes, labels) = drawn();
    let weights = vec![1.0; ROWS];
    let rows = CodedRows::check(&COLUMNS, &codes, &labels, &weights).unwrap();
    let strict = RawScorecardParams { iv_min: 0.02, ..Default::default() }.check().unwrap();
    let (card, binned) = fit_scorecard(&rows, &vec![ColumnRequest::default(); 4], &strict).unwrap();
    assert_eq!(binned[3].fate, Fate::Weak);
    assert_eq!(card.parts.iter().map(|part| part.place).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_row_of_weight_three_counts_as_three_rows() {
    let (codes, labels) = drawn();
    let weights: Vec<f64> = (0..ROWS).map(|row| if row.is_multiple_of(4) { 3.0 } else { 1.0 }).collect();
    let times = |row: usize| if row.is_multiple_of(4) { 3 } else { 1 };
    let repeat = |row: usize| std::iter::repeat_n(row, times(row));
    let places: Vec<usize> = (0..ROWS).flat_map(repeat).collect();
    let more: Vec<u8> =
        (0..4).flat_map(|c| places.iter().map(move |row| c * ROWS + row)).map(|at| codes[at]).collect();
    let more_labels: Vec<bool> = places.iter().map(|&row| labels[row]).collect();
    let ones = vec![1.0; places.len()];
    let params = RawScorecardParams::default().check().unwrap();
    let requests = vec![ColumnRequest::default(); 4];
    let weighed = CodedRows::check(&COLUMNS, &codes, &labels, &weights).unwrap();
    let repeated = CodedRows::check(&COLUMNS, &more, &more_labels, &ones).unwrap();
    let (a, b) = (
        fit_scorecard(&weighed, &requests, &params).unwrap().0,
        fit_scorecard(&repeated, &requests, &params).unwrap().0,
    );
    assert!((a.intercept - b.intercept).abs() < 1e-7);
    assert!(a.parts.iter().zip(&b.parts).all(|(a, b)| (a.coefficient - b.coefficient).abs() < 1e-7));
}

#[test]
fn the_curve_is_where_no_slope_is_left_and_a_column_that_would_turn_round_is_zero() {
    let (codes, labels) = drawn();
    let value =
        |scale: f64| (0..40).map(|code| scale * (f64::from(code) - 20.0) / 10.0).collect::<Vec<f64>>();
    let regressors = [
        Regressor { cells: &codes[..ROWS], value_of: value(1.0) },
        Regressor { cells: &codes[3 * ROWS..], value_of: value(1.0) },
        Regressor { cells: &codes[..ROWS], value_of: value(-1.0) },
    ];
    let weights = vec![1.0; ROWS];
    let sample = Sample { regressors: &regressors, labels: &labels, weights: &weights };
    let curve = fit_nonnegative(&sample, 2.0).unwrap();
    assert_eq!(curve.coefficients[2], 0.0);
    let mut slopes = [0.0; 3];
    for (row, &label) in labels.iter().enumerate() {
        let x: Vec<f64> = regressors[..2].iter().map(|r| r.value_of[usize::from(r.cells[row])]).collect();
        let margin = curve.intercept + curve.coefficients[0] * x[0] + curve.coefficients[1] * x[1];
        let miss = 1.0 / (1.0 + (-margin).exp()) - f64::from(u8::from(label));
        slopes[0] += miss;
        slopes[1] += miss * x[0];
        slopes[2] += miss * x[1];
    }
    assert!(slopes[0].abs() < 1e-5 && (slopes[1] + 2.0 * curve.coefficients[0]).abs() < 1e-5, "{slopes:?}");
    let last = slopes[2] + 2.0 * curve.coefficients[1];
    assert!(last.abs() < 1e-5 || (curve.coefficients[1] == 0.0 && last > 0.0), "{last}");
}
