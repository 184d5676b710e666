//! Figures against hand calculations, and what late, corrected and missing outcomes do to them.

use std::collections::BTreeMap;

use crate::base::clock::parse_millis;
use crate::base::fact::Fact;
use crate::base::rng::Random;
use crate::monitor::estimate::Estimate;
use crate::monitor::performance::month::month_of;
use crate::monitor::performance::settings::{PerformanceSettings, RawPerformance};
use crate::monitor::performance::{
    Figure, Known, Performance, PerformanceError, Reference, Vintage, Window, limits, measure,
};
use crate::monitor::verdict::Verdict;

fn at(text: &str) -> i64 {
    parse_millis(text).unwrap()
}

fn known(decided: &str, probability: f64, bad: bool) -> Known {
    let decided_ms = at(decided);
    Known { decided_ms, probability, bad, outcome: "approve".into(), groups: BTreeMap::new() }
}

/// Decisions through one month whose outcomes come as foretold, `lift` apart in log-odds.
fn month(month: &str, rows: usize, noise: f64) -> Vec<Known> {
    let mut random = Random::new(11, month);
    let start = at(&format!("{month}-01T00:00:00Z"));
    let decided = |row: usize| start + row as i64 * 1_000;
    let draw = |row: usize| {
        let log_odds = -1.2 + random.normal();
        let truth = 1.0 / (1.0 + (-(log_odds + noise * random.normal())).exp());
        let (bad, probability) = (random.unit() < truth, 1.0 / (1.0 + (-log_odds).exp()));
        Known {
            decided_ms: decided(row),
            probability,
            bad,
            outcome: "approve".into(),
            groups: BTreeMap::new(),
        }
    };
    (0..rows).map(draw).collect()
}

/// As many decided in each month as are known.
fn decided(known: &[Known]) -> BTreeMap<String, u64> {
    let mut decided = BTreeMap::new();
    for known in known {
        *decided.entry(month_of(known.decided_ms).unwrap()).or_insert(0) += 1;
    }
    decided
}

fn reference() -> Reference {
    Reference { bad_rate: 0.25, auc: Some(Estimate { value: 0.74, low: 0.71, high: 0.77 }) }
}

const LATER: &str = "2027-06-01T00:00:00Z";

fn measured(known: &[Known]) -> Performance {
    let decided = decided(known);
    let window = Window { known, decided: &decided, now_ms: at(LATER) };
    measure(&window, &reference(), &PerformanceSettings::default()).unwrap()
}

fn value(figures: &[Figure], name: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.name == name).unwrap().value
}

fn vintage<'a>(performance: &'a Performance, month: &str) -> &'a Vintage {
    performance.vintages.iter().find(|vintage| vintage.month == month).unwrap()
}

fn small() -> PerformanceSettings {
    RawPerformance { min_known: Some(10), min_class: Some(2), ..RawPerformance::default() }.check().unwrap()
}

#[test]
fn every_figure_is_what_a_hand_reckons() {
    // At 0.8: three bad, one good; at 0.3: one bad, two good; at 0.1: three good.
    let mut rows = Vec::new();
    for (probability, bad, good) in [(0.8, 3, 1), (0.3, 1, 2), (0.1, 0, 3)] {
        for row in 0..bad + good {
            rows.push(known("2026-03-10T12:00:00Z", probability, row < bad));
        }
    }
    let decided = BTreeMap::from([("2026-03".to_string(), 12)]);
    let window = Window { known: &rows, decided: &decided, now_ms: at(LATER) };
    let found = measure(&window, &Reference { bad_rate: 0.25, auc: None }, &small()).unwrap();
    let is = |figures: &[Figure], name: &str, wanted: f64| {
        let found = value(figures, name).unwrap();
        assert!((found - wanted).abs() < 1e-9, "{name}: {found} is not {wanted}");
    };
    // Of 4 x 6 pairs three bad win five and tie one, one wins three and ties two.
    is(&found.figures, "auc", (3.0 * 5.5 + 4.0) / 24.0);
    is(&found.figures, "gini", 2.0 * 20.5 / 24.0 - 1.0);
    is(&found.figures, "ks", 3.0 / 4.0 - 1.0 / 6.0);
    is(&found.figures, "bad_rate", 0.4);
    is(&found.figures, "mean_probability", (4.0 * 0.8 + 3.0 * 0.3 + 3.0 * 0.1) / 10.0);
    is(&found.figures, "brier", (3.0 * 0.04 + 0.64 + 0.49 + 2.0 * 0.09 + 3.0 * 0.01) / 10.0);
    let losses = 3.0 * 0.8f64.ln() + 0.2f64.ln() + 0.3f64.ln() + 2.0 * 0.7f64.ln() + 3.0 * 0.9f64.ln();
    is(&found.figures, "log_loss", -losses / 10.0);
    is(&found.figures, "ece", (4.0 * 0.05 + 3.0 * (1.0 / 3.0 - 0.3) + 3.0 * 0.1) / 10.0);
    is(&found.baseline, "brier", (4.0 * 0.5625 + 6.0 * 0.0625) / 10.0);
    is(&found.baseline, "ece", 0.15);
    is(&found.baseline, "auc", 0.5);
    is(&found.baseline, "calibration_intercept", (0.4f64 / 0.6).ln() - (0.25f64 / 0.75).ln());
    assert_eq!(value(&found.baseline, "calibration_slope"), None);
    assert_eq!((found.decided, found.known, found.calibration.len()), (12, 10, 3));
    assert!(found.figures.iter().all(|figure| figure.n == 10));
}

#[test]
fn a_late_outcome_changes_the_month_of_its_decision_and_no_other() {
    let mut rows = [month("2026-01", 300, 0.0), month("2026-02", 300, 0.0)].concat();
    let late = rows.remove(10);
    let mut decided = decided(&rows);
    *decided.get_mut("2026-01").unwrap() += 1;
    let measured = |known: &[Known]| {
        let window = Window { known, decided: &decided, now_ms: at(LATER) };
        measure(&window, &reference(), &PerformanceSettings::default()).unwrap()
    };
    let before = measured(&rows);
    rows.push(late);
    let after = measured(&rows);
    assert_eq!((vintage(&before, "2026-01").known, vintage(&after, "2026-01").known), (299, 300));
    assert_ne!(vintage(&before, "2026-01").figures, vintage(&after, "2026-01").figures);
    assert_eq!(vintage(&before, "2026-02"), vintage(&after, "2026-02"));
}

#[test]
fn a_corrected_outcome_leaves_no_trace_of_the_first() {
    let rows = [month("2026-01", 200, 0.0), month("2026-02", 200, 0.0)].concat();
    let mut wrong = rows.clone();
    wrong[5].bad = !wrong[5].bad;
    let (first, right) = (measured(&wrong), measured(&rows));
    assert_ne!(vintage(&first, "2026-01"), vintage(&right, "2026-01"));
    assert_eq!(vintage(&first, "2026-02"), vintage(&right, "2026-02"));
    wrong[5].bad = rows[5].bad;
    assert_eq!(measured(&wrong), right);
}

#[test]
fn with_nothing_known_every_figure_is_there_by_name_without_a_value() {
    let decided = BTreeMap::from([("2026-01".to_string(), 40)]);
    let window = Window { known: &[], decided: &decided, now_ms: at(LATER) };
    let found = measure(&window, &reference(), &PerformanceSettings::default()).unwrap();
    assert_eq!((found.decided, found.known, found.verdict), (40, 0, Verdict::Insufficient));
    for figures in [&found.figures, &found.baseline, &found.vintages[0].figures] {
        assert_eq!(figures.len(), 10);
        assert!(
            figures.iter().all(|f| (f.value, f.low, f.high, f.n) == (None, None, None, 0)),
            "{figures:?}"
        );
    }
    assert!(found.calibration.is_empty());
    let none = Window { known: &[], decided: &BTreeMap::new(), now_ms: 0 };
    let none = measure(&none, &reference(), &PerformanceSettings::default()).unwrap();
    assert_eq!((none.matured, none.vintages.len()), (false, 0));
}

#[test]
fn one_class_alone_has_a_rate_and_a_loss_but_nothing_to_tell_apart() {
    let mut rows = month("2026-01", 200, 0.0);
    rows.iter_mut().for_each(|row| row.bad = false);
    let found = measured(&rows);
    for name in ["auc", "gini", "ks", "calibration_slope", "calibration_intercept", "ece"] {
        assert_eq!(value(&found.figures, name), None, "{name}");
    }
    assert_eq!(value(&found.figures, "bad_rate"), Some(0.0));
    assert!(value(&found.figures, "log_loss").unwrap() > 0.0);
    // 200 good cases of which a quarter were foretold to be bad are no chance.
    assert_eq!(found.verdict, Verdict::Shifted);
}

#[test]
fn one_probability_for_everyone_tells_nothing_apart_and_is_found_out() {
    let mut rows = month("2026-01", 400, 0.0);
    rows.iter_mut().for_each(|row| row.probability = 0.25);
    let found = measured(&rows);
    assert_eq!(value(&found.figures, "auc"), Some(0.5));
    assert_eq!((value(&found.figures, "ks"), value(&found.figures, "calibration_slope")), (Some(0.0), None));
    assert_eq!((found.calibration.len(), &found.figures), (1, &found.baseline));
    assert_eq!(found.verdict, Verdict::Shifted);
}

#[test]
fn a_month_matures_after_its_wait_or_once_nearly_all_is_known_and_never_before_its_end() {
    let rows = month("2026-03", 100, 0.0);
    let at_time = |now: &str, decided: u64| {
        let decided = BTreeMap::from([("2026-03".to_string(), decided)]);
        let window = Window { known: &rows, decided: &decided, now_ms: at(now) };
        measure(&window, &reference(), &PerformanceSettings::default()).unwrap().matured
    };
    assert!(!at_time("2026-06-29T23:59:59Z", 200));
    assert!(at_time("2026-06-30T00:00:00Z", 200));
    assert!(at_time("2026-04-01T00:00:00Z", 111) && !at_time("2026-04-01T00:00:00Z", 112));
    assert!(!at_time("2026-03-31T23:59:59Z", 100));
}

#[test]
fn figures_are_those_of_matured_months_as_soon_as_there_is_one() {
    let rows = [month("2026-01", 300, 0.0), month("2026-05", 80, 0.0)].concat();
    let mut decided = decided(&rows);
    decided.insert("2026-05".into(), 300);
    let window = Window { known: &rows, decided: &decided, now_ms: at("2026-06-05T00:00:00Z") };
    let found = measure(&window, &reference(), &PerformanceSettings::default()).unwrap();
    assert_eq!((found.matured, found.known, found.figures[0].n), (true, 380, 300));
    assert_eq!(found.figures, vintage(&found, "2026-01").figures);
    let young = vintage(&found, "2026-05");
    assert_eq!((young.known, young.verdict), (80, Verdict::Insufficient));
    assert!(value(&young.figures, "auc").is_some());
}

#[test]
fn a_model_that_still_ranks_is_stable_and_one_that_lost_its_rank_has_shifted() {
    let found = measured(&month("2026-01", 4_000, 0.0));
    assert_eq!(found.verdict, Verdict::Stable, "{:?}", found.figures);
    let slope = found.figures.iter().find(|f| f.name == "calibration_slope").unwrap();
    assert!(slope.low.unwrap() < 1.0 && 1.0 < slope.high.unwrap(), "{slope:?}");
    let lost = measured(&month("2026-01", 4_000, 2.5));
    assert_eq!(lost.verdict, Verdict::Shifted);
    assert!(value(&lost.figures, "calibration_slope").unwrap() < 0.8);
}

#[test]
fn a_small_month_that_chance_put_below_the_limit_is_no_loss() {
    let small: Vec<Performance> =
        (1..=12).map(|m| measured(&month(&format!("2026-{m:02}"), 60, 0.0))).collect();
    let below = |found: &&Performance| value(&found.figures, "auc").is_some_and(|auc| auc < 0.74 - 0.05);
    assert!(small.iter().filter(below).count() >= 3);
    assert!(small.iter().all(|found| found.verdict == Verdict::Stable));
}

#[test]
fn what_no_store_could_mean_is_refused_by_name() {
    let rows = month("2026-01", 20, 0.0);
    let months = decided(&rows);
    let code = |known: &[Known], decided: &BTreeMap<String, u64>, reference: &Reference| {
        let window = Window { known, decided, now_ms: 0 };
        measure(&window, reference, &PerformanceSettings::default()).unwrap_err().code()
    };
    let spoiled = |edit: fn(&mut Known)| {
        let mut rows = rows.clone();
        edit(&mut rows[3]);
        rows
    };
    let good = reference();
    assert_eq!(code(&spoiled(|k| k.probability = f64::NAN), &months, &good), "monitor.not_a_probability");
    assert_eq!(code(&spoiled(|k| k.decided_ms = i64::MIN), &months, &good), "monitor.no_month");
    let fewer = BTreeMap::from([("2026-01".to_string(), 19)]);
    assert_eq!(code(&rows, &fewer, &good), "monitor.more_than_decided");
    let error = measure(
        &Window { known: &rows, decided: &BTreeMap::new(), now_ms: 0 },
        &good,
        &PerformanceSettings::default(),
    );
    let wanted = PerformanceError::MoreThanDecided { month: "2026-01".into(), known: 20, decided: 0 };
    assert_eq!(error, Err(wanted));
    let word = BTreeMap::from([("January".to_string(), 19)]);
    assert_eq!(code(&[], &word, &good), "monitor.not_a_month");
    let many = (0..=limits::MONTHS_MAX).map(|m| (format!("{:04}-{:02}", 1900 + m / 12, m % 12 + 1), 1));
    assert_eq!(code(&[], &many.collect(), &good), "monitor.performance_months");
    for bad in
        [Reference { bad_rate: 1.2, ..good }, Reference { auc: Some(Estimate::exact(f64::NAN)), ..good }]
    {
        assert_eq!(code(&rows, &months, &bad), "monitor.performance_reference");
    }
}
