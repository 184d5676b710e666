//! From coded rows to a card: what is learned, what is left out, and what is the same again.

use super::fit::{Fate, fit_scorecard};
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
    assert_eq!(a.parts.len(), b.parts.len());
    for (a, b) in a.parts.iter().zip(&b.parts) {
        assert!(a.woe.iter().zip(&b.woe).all(|(a, b)| (a - b).abs() < 1e-6), "{:?} {:?}", a.woe, b.woe);
    }
}

#[test]
fn a_bin_is_worth_what_it_says_beside_the_others_and_a_missing_cell_never_seen_nothing() {
    let (codes, labels) = drawn();
    let weights = vec![1.0; ROWS];
    let seen: Vec<u8> =
        codes.iter().enumerate().map(|(at, &c)| if at < ROWS { c.max(1) } else { c }).collect();
    let rows = CodedRows::check(&COLUMNS, &seen, &labels, &weights).unwrap();
    let params = RawScorecardParams::default().check().unwrap();
    let (card, binned) = fit_scorecard(&rows, &vec![ColumnRequest::default(); 4], &params).unwrap();
    let mean = |part: &crate::model::scorecard::Part| {
        let cells = &seen[part.place * ROWS..(part.place + 1) * ROWS];
        cells.iter().map(|&code| part.worth(code)).sum::<f64>() / ROWS as f64
    };
    assert!(card.parts.iter().all(|part| mean(part).abs() < 1e-9));
    assert_eq!(card.parts[0].worth(0), 0.0);
    for part in &card.parts {
        let evidence: Vec<f64> = binned[part.place].bins.bins.iter().map(|bin| bin.woe).collect();
        assert_eq!((&part.woe, part.coefficient), (&evidence, 1.0));
    }
    // The truth's slope is 0.08 a code, over 38 codes.
    let rise = card.parts[0].worth(39) - card.parts[0].worth(1);
    assert!((2.0..3.8).contains(&rise), "{rise}");
}
