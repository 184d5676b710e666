//! The margin, contributions and points of a small card; numbers that are none.

use super::*;
use crate::model::calibrate::Platt;
use crate::model::scorecard::points::{PointsTable, RawScaling};

pub(crate) fn small() -> Scorecard {
    let column = |column, codes, ordered| CodeColumn { column, codes, ordered };
    let part = |place, bin_of: &[u8], woe: &[f64], coefficient| Part {
        place,
        bin_of: bin_of.to_vec(),
        woe: woe.to_vec(),
        coefficient,
    };
    Scorecard {
        columns: vec![column(0, 4, true), column(1, 2, true), column(2, 4, false)],
        intercept: -1.25,
        parts: vec![
            part(0, &[0, 1, 1, 2], &[0.0, -0.7, 0.9], 0.8),
            part(2, &[0, 2, 1, 2], &[0.3, -0.4, 0.6], 1.1),
        ],
    }
}

#[test]
fn the_margin_is_the_intercept_and_each_bins_worth() {
    assert_eq!(small().margin_of(&[3, 1, 2]), -1.25 + 0.8 * 0.9 + 1.1 * -0.4);
}

#[test]
fn contributions_add_up_and_average_to_nothing_over_the_reference() {
    let (card, reference) =
        (small(), vec![vec![0.1, 0.2, 0.3, 0.4], vec![0.5, 0.5], vec![0.0, 0.5, 0.25, 0.25]]);
    let mut average = [0.0; 3];
    for (a, c) in (0..4u8).flat_map(|a| (0..4u8).map(move |c| (a, c))) {
        let (base, values) = card.contributions(&[a, 1, c], &reference).unwrap();
        let sum = values.iter().fold(base, |sum, value| sum + value);
        assert!((sum - card.margin_of(&[a, 1, c])).abs() < 1e-12);
        let chance = reference[0][usize::from(a)] * reference[2][usize::from(c)];
        average.iter_mut().zip(&values).for_each(|(average, value)| *average += chance * value);
    }
    assert!(average.iter().all(|average| average.abs() < 1e-12), "{average:?}");
    assert!(card.contributions(&[0, 1, 0], &reference[..2]).is_err());
}

#[test]
fn points_lead_back_to_the_margin_and_twice_the_odds_are_pdo_points_more() {
    let (card, platt) = (small(), Platt::new(0.8, 0.1).unwrap());
    for positive_is_bad in [true, false] {
        let scaling = RawScaling { positive_is_bad, ..Default::default() }.check().unwrap();
        let table = PointsTable::of(&card, &scaling, &platt);
        for (a, c) in (0..4u8).flat_map(|a| (0..4u8).map(move |c| (a, c))) {
            let (points, margin) = (table.points_of(&card, &[a, 0, c]), card.margin_of(&[a, 0, c]));
            assert!((table.line.margin(points) - margin).abs() < 1e-9);
            let positive = platt.probability(margin);
            let good =
                if positive_is_bad { (1.0 - positive) / positive } else { positive / (1.0 - positive) };
            assert!((points - (600.0 + 20.0 * (good / 50.0).log2())).abs() < 1e-9);
        }
    }
}

#[test]
fn whole_points_are_off_by_no_more_than_they_say() {
    let (card, platt) = (small(), Platt::identity());
    let exact = PointsTable::of(&card, &RawScaling::default().check().unwrap(), &platt);
    let whole = RawScaling { whole: true, ..Default::default() }.check().unwrap();
    let rounded = PointsTable::of(&card, &whole, &platt);
    let off =
        |a: u8, c: u8| (rounded.points_of(&card, &[a, 0, c]) - exact.points_of(&card, &[a, 0, c])).abs();
    let worst = (0..4u8).flat_map(|a| (0..4u8).map(move |c| off(a, c))).fold(0.0, f64::max);
    assert!(worst > 0.0 && (worst - rounded.loss_max).abs() < 1e-9, "{worst} {}", rounded.loss_max);
    assert!(rounded.parts.iter().flatten().all(|points| points.fract() == 0.0) && exact.loss_max == 0.0);
    assert!(RawScaling { pdo: f64::NAN, ..Default::default() }.check().is_err());
}

#[test]
fn numbers_that_are_no_scorecard_are_refused_by_name() {
    let refused = |change: fn(&mut Scorecard)| {
        let mut card = small();
        change(&mut card);
        card.check().unwrap_err()
    };
    assert!(small().check().is_ok());
    assert_eq!(refused(|c| c.intercept = f64::NAN), ScorecardError::Intercept);
    assert_eq!(refused(|c| c.columns[1].codes = 1), ScorecardError::Codes { column: 1, codes: 1 });
    assert!(matches!(refused(|c| c.parts[1].place = 0), ScorecardError::Place { part: 1, place: 0, .. }));
    assert!(matches!(refused(|c| c.parts[1].place = 9), ScorecardError::Place { part: 1, place: 9, .. }));
    assert!(matches!(
        refused(|c| {
            c.parts[0].bin_of.pop();
        }),
        ScorecardError::BinOf { part: 0, found: 3, codes: 4 }
    ));
    assert!(matches!(
        refused(|c| c.parts[0].bin_of[2] = 3),
        ScorecardError::Bin { code: 2, bin: 3, bins: 3, .. }
    ));
    assert!(matches!(refused(|c| c.parts[1].woe.clear()), ScorecardError::Bins { part: 1, bins: 0 }));
    assert!(matches!(
        refused(|c| c.parts[1].woe[1] = f64::INFINITY),
        ScorecardError::Evidence { part: 1, bin: 1 }
    ));
    assert!(matches!(refused(|c| c.parts[1].coefficient = 0.0), ScorecardError::Coefficient { part: 1, .. }));
}
