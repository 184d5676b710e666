//! The two curves side by side: both meet the base rate, both rise, and each finds what it can say.
//! Never compares drawn numbers exactly.

use crate::base::fact::Fact;
use crate::base::rng::Random;
use crate::evaluate::calibration::reliability;
use crate::evaluate::scores::Scores;
use crate::model::calibrate::beta::Beta;
use crate::model::calibrate::{Calibration, CalibrationKind, Platt, SLOPE_MIN, sigmoid};

/// Margins, and labels drawn by a curve over them.
fn drawn(rows: usize, chance: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>) {
    let mut random = Random::new(11, "calibration");
    let margins: Vec<f64> = (0..rows).map(|_| 1.8 * random.normal() - 0.8).collect();
    let labels = margins.iter().map(|&m| random.unit() < chance(m)).collect();
    (margins, labels)
}

fn ece(margins: &[f64], labels: &[bool], curve: &Calibration) -> f64 {
    let probabilities: Vec<f64> = margins.iter().map(|&m| curve.probability(m)).collect();
    reliability(&Scores::check(labels, &probabilities).unwrap()).ece
}

/// Too sure at the low end only: no stretching of the margin mends that.
fn bent(margin: f64) -> f64 {
    Beta::new(0.35, 1.3, -0.4).unwrap().probability(margin)
}

#[test]
fn a_fit_meets_the_base_rate_and_lowers_the_calibration_error() {
    let (margins, labels) = drawn(30_000, bent);
    let base_rate = labels.iter().filter(|&&l| l).count() as f64 / labels.len() as f64;
    let before = ece(&margins, &labels, &Calibration::identity());
    let [platt, beta] = CalibrationKind::ALL.map(|kind| {
        let curve = Calibration::fit(kind, &margins, &labels);
        assert_eq!(curve.kind(), kind);
        let mean = margins.iter().map(|&m| curve.probability(m)).sum::<f64>() / margins.len() as f64;
        assert!((mean - base_rate).abs() < 2.0 / margins.len() as f64, "{kind:?}: {mean} {base_rate}");
        ece(&margins, &labels, &curve)
    });
    assert!(before > 0.08 && platt < before / 2.0 && beta < platt / 2.0, "{before} {platt} {beta}");
}

#[test]
fn a_known_beta_curve_is_found_again() {
    let (margins, labels) = drawn(120_000, bent);
    let (a, b, c) = Beta::fit(&margins, &labels).parameters();
    assert!((a - 0.35).abs() < 0.03 && (b - 1.3).abs() < 0.05 && (c + 0.4).abs() < 0.05, "{a} {b} {c}");
}

#[test]
fn ten_margins_have_the_beta_curves_that_the_oracles_find() {
    let margins = [-2.0, -1.5, -1.0, -0.5, -0.25, 0.0, 0.5, 0.75, 1.0, 2.0];
    // The first by scikit-learn's LogisticRegression (C=inf) of the smoothed targets as weights on ln p and
    // -ln(1 - p); the others, which lie on a bound, by scipy's L-BFGS-B.
    let cases = [
        ([0, 0, 1, 0, 0, 1, 0, 1, 1, 1], (0.422_006_81, 1.231_490_74, -0.572_545_02)),
        ([0, 1, 0, 0, 0, 1, 0, 1, 1, 1], (1e-3, 1.500_827_14, -1.148_854_30)),
        ([0, 0, 0, 0, 1, 1, 0, 1, 1, 0], (1.219_388_75, 1e-3, 0.650_736_06)),
    ];
    for (labels, (a, b, c)) in cases {
        let found = Beta::fit(&margins, &labels.map(|label| label == 1)).parameters();
        let near = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-5;
        assert!(near(found.0, a) && near(found.1, b) && near(found.2, c), "{found:?}");
    }
}

#[test]
fn the_identity_of_both_leaves_a_log_odds_as_it_is() {
    for curve in [Calibration::Platt(Platt::identity()), Calibration::Beta(Beta::identity())] {
        for margin in [-700.0, -3.0, 0.0, 1e-9, 2.5, 40.0] {
            assert!((curve.probability(margin) - sigmoid(margin)).abs() < 1e-15, "{margin}");
        }
    }
}

#[test]
fn a_beta_curve_rises_whatever_it_was_fitted_to() {
    let margins: Vec<f64> = (0..200).map(|i| f64::from(i - 100) / 12.0).collect();
    let labelings: [&dyn Fn(i32) -> bool; 5] =
        [&|i| i < 60, &|i| (40..160).contains(&i), &|i| !(40..160).contains(&i), &|i| i % 2 == 0, &|i| {
            i > 100
        }];
    for label in labelings {
        let labels: Vec<bool> = (0..200).map(label).collect();
        let curve = Beta::fit(&margins, &labels);
        let (a, b, _) = curve.parameters();
        assert!(a >= SLOPE_MIN && b >= SLOPE_MIN && a.is_finite() && b.is_finite(), "{curve:?}");
        let probabilities: Vec<f64> = margins.iter().map(|&m| curve.probability(m)).collect();
        assert!(probabilities.is_sorted_by(|x, y| x < y), "{curve:?}");
        let mean = probabilities.iter().sum::<f64>() / 200.0;
        let rate = labels.iter().filter(|&&l| l).count() as f64 / 200.0;
        assert!((mean - rate).abs() < 0.01, "{curve:?} {mean} {rate}");
    }
}

#[test]
fn few_equal_and_huge_margins_have_a_curve() {
    assert_eq!(Beta::fit(&[], &[]), Beta::identity());
    let labels: Vec<bool> = (0..1000).map(|i| i % 4 == 0).collect();
    assert!((Beta::fit(&[0.7; 1000], &labels).probability(0.7) - 0.25).abs() < 2e-3);
    let two = Beta::fit(&[-1.0, 1.0, -1.0, 1.0], &[false, true, true, true]);
    assert!(two.probability(-1.0) < two.probability(1.0));
    let huge = [-1e6, -1e3, 0.0, 1e3, 1e6];
    let curve = Beta::fit(&huge, &[false, false, true, true, true]);
    assert!(huge.map(|m| curve.probability(m)).is_sorted(), "{curve:?}");
}

/// A release names its model by the bytes of what it says, so these are for ever.
#[test]
fn a_platt_curve_is_written_as_it_always_was_and_a_beta_curve_beside_it() {
    let old = r#"{"method":"platt","slope":0.5,"intercept":-1.0}"#;
    let platt: Calibration = serde_json::from_str(old).unwrap();
    assert_eq!(platt, Calibration::Platt(Platt::new(0.5, -1.0).unwrap()));
    assert_eq!(serde_json::to_string(&platt).unwrap(), old);
    let beta = Calibration::Beta(Beta::new(0.5, 2.0, -1.0).unwrap());
    let text = serde_json::to_string(&beta).unwrap();
    assert_eq!(text, r#"{"method":"beta","a":0.5,"b":2.0,"c":-1.0}"#);
    assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), beta);
}

#[test]
fn a_calibration_that_is_half_one_and_half_another_is_refused() {
    for bad in [
        r#"{}"#,
        r#"{"slope":1.0,"intercept":0.0}"#,
        r#"{"method":"platt","slope":1.0}"#,
        r#"{"method":"platt","slope":0.0,"intercept":0.0}"#,
        r#"{"method":"platt","slope":1.0,"intercept":0.0,"a":1.0}"#,
        r#"{"method":"beta","a":1.0,"b":1.0}"#,
        r#"{"method":"beta","a":-1.0,"b":1.0,"c":0.0}"#,
        r#"{"method":"beta","a":1.0,"b":0.0,"c":0.0}"#,
        r#"{"method":"beta","a":1.0,"b":1.0,"c":0.0,"slope":1.0}"#,
        r#"{"method":"beta","a":1.0,"b":1.0,"c":0.0,"d":1.0}"#,
        r#"{"method":"isotonic","a":1.0,"b":1.0,"c":0.0}"#,
    ] {
        assert!(serde_json::from_str::<Calibration>(bad).is_err(), "{bad}");
    }
    assert_eq!("beta".parse::<CalibrationKind>().unwrap(), CalibrationKind::Beta);
    assert_eq!("Beta".parse::<CalibrationKind>().unwrap_err().code(), "model.calibration_kind");
}
