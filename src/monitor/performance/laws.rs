//! Laws that hold for any outcomes whatever, tried on many small drawn ones with ties.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

use crate::monitor::estimate::Estimate;
use crate::monitor::performance::month::month_of;
use crate::monitor::performance::settings::{PerformanceSettings, RawPerformance};
use crate::monitor::performance::{Known, Performance, Reference, Window, measure};

const DAY_MS: i64 = 86_400_000;

/// Over about four months of 2026, on a grid of probabilities.
fn outcomes() -> impl Strategy<Value = Vec<Known>> {
    let one = (0i64..120, 0u32..=20, proptest::bool::weighted(0.3)).prop_map(|(day, grid, bad)| Known {
        decided_ms: (20_454 + day) * DAY_MS,
        probability: f64::from(grid) / 20.0,
        bad,
        outcome: "approve".into(),
        groups: BTreeMap::new(),
    });
    proptest::collection::vec(one, 0..150)
}

fn settings() -> PerformanceSettings {
    RawPerformance { min_known: Some(10), min_class: Some(2), ..RawPerformance::default() }.check().unwrap()
}

fn measured(known: &[Known]) -> Performance {
    let mut decided = BTreeMap::from([("2026-05".to_string(), 7)]);
    for known in known {
        *decided.entry(month_of(known.decided_ms).unwrap()).or_insert(1) += 1;
    }
    let window = Window { known, decided: &decided, now_ms: 20_650 * DAY_MS };
    let auc = Some(Estimate { value: 0.7, low: 0.66, high: 0.74 });
    measure(&window, &Reference { bad_rate: 0.3, auc }, &settings()).unwrap()
}

fn value(performance: &Performance, name: &str) -> Option<f64> {
    performance.figures.iter().find(|figure| figure.name == name).and_then(|figure| figure.value)
}

proptest! {
    #[test]
    fn the_order_in_which_outcomes_come_moves_nothing(known in outcomes()) {
        let mut back = known.clone();
        back.reverse();
        prop_assert_eq!(measured(&known), measured(&back));
    }

    #[test]
    fn every_value_lies_in_its_interval_and_every_known_case_in_a_month(known in outcomes()) {
        let found = measured(&known);
        prop_assert_eq!(found.vintages.iter().map(|v| v.known).sum::<u64>(), known.len() as u64);
        let vintages = found.vintages.iter().flat_map(|v| &v.figures);
        for figure in vintages.chain(&found.figures).chain(&found.baseline) {
            let Some(value) = figure.value else {
                prop_assert_eq!((figure.low, figure.high), (None, None));
                continue;
            };
            prop_assert!(value.is_finite(), "{:?}", figure);
            if let (Some(low), Some(high)) = (figure.low, figure.high) {
                prop_assert!(low <= value + 1e-12 && value <= high + 1e-12, "{:?}", figure);
            }
        }
        let binned: u64 = found.calibration.iter().map(|bin| bin.rows).sum();
        prop_assert!(binned == 0 || binned == found.figures[0].n);
    }

    #[test]
    fn an_outcome_more_changes_one_vintage(known in outcomes(), bad: bool, probability in 0.0f64..1.0) {
        let more = Known {
            decided_ms: 20_470 * DAY_MS,
            probability,
            bad,
            outcome: "decline".into(),
            groups: BTreeMap::new(),
        };
        let (before, after) = (measured(&known), measured(&[known.as_slice(), &[more]].concat()));
        let others = |found: &Performance| {
            found.vintages.iter().filter(|v| v.month != "2026-01").cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(others(&before), others(&after));
        prop_assert_eq!(before.known + 1, after.known);
    }

    #[test]
    fn good_for_bad_swaps_the_figures_and_keeps_the_verdict(known in outcomes()) {
        let mut swapped = known.clone();
        for known in &mut swapped {
            (known.bad, known.probability) = (!known.bad, 1.0 - known.probability);
        }
        let (one, other) = (measured(&known), measured(&swapped));
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-6,
            (a, b) => a.is_none() && b.is_none(),
        };
        for name in ["auc", "gini", "ks", "log_loss", "brier", "calibration_slope"] {
            prop_assert!(near(value(&one, name), value(&other, name)), "{}", name);
        }
        let minus = value(&other, "calibration_intercept").map(|v| -v);
        prop_assert!(near(value(&one, "calibration_intercept"), minus));
        prop_assert_eq!(one.verdict, other.verdict);
    }
}
