//! Laws that hold for any scores whatever, tried on many small drawn ones with ties.
//! Never compares with stored numbers; `tests.rs` does.

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use proptest::sample::select;

use crate::evaluate::calibration::isotonic::isotonic;
use crate::evaluate::calibration::{distribution, reliability};
use crate::evaluate::curves::{ks, precision_recall, roc};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::ranked::{self, Confusion};
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::gain;
use crate::evaluate::tables::segments::{by_levels, by_quantiles};
use crate::evaluate::thresholds::profit::{Amounts, cost_benefit, profit, profit_at};
use crate::evaluate::thresholds::{Rule, choose};

/// Both classes, and probabilities on a grid coarse enough to tie.
fn rows() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
    (2usize..120, select(vec![2u32, 7, 1_000])).prop_flat_map(|(rows, grid)| {
        let label = proptest::collection::vec(proptest::bool::weighted(0.3), rows);
        let probability = (0..=grid).prop_map(move |k| f64::from(k) / f64::from(grid));
        let both = label.prop_map(|mut labels| {
            (labels[0], labels[1]) = (true, false);
            labels
        });
        (both, proptest::collection::vec(probability, rows))
    })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

proptest! {
    #[test]
    fn a_strictly_monotone_transform_leaves_every_rank_metric((labels, probabilities) in rows()) {
        let bent: Vec<f64> = probabilities.iter().map(|p| 0.1 + 0.5 * p * (1.0 + p) / 2.0).collect();
        let (one, other) =
            (Scores::check(&labels, &probabilities).unwrap(), Scores::check(&labels, &bent).unwrap());
        prop_assert_eq!(ranked::auc(one.steps()), ranked::auc(other.steps()));
        prop_assert_eq!(ranked::ks(one.steps()), ranked::ks(other.steps()));
        prop_assert_eq!(ranked::average_precision(one.steps()), ranked::average_precision(other.steps()));
        prop_assert_eq!(gain(&one), gain(&other));
    }

    #[test]
    fn swapped_labels_give_the_rest_of_the_auc_and_the_same_ks((labels, probabilities) in rows()) {
        let swapped: Vec<bool> = labels.iter().map(|l| !l).collect();
        let (one, other) =
            (Scores::check(&labels, &probabilities).unwrap(), Scores::check(&swapped, &probabilities).unwrap());
        prop_assert!(near(ranked::auc(one.steps()) + ranked::auc(other.steps()), 1.0));
        prop_assert!(near(ranked::ks(one.steps()), ranked::ks(other.steps())));
    }

    #[test]
    fn the_auc_is_the_share_of_pairs_won((labels, probabilities) in rows()) {
        let of = |wanted: bool| labels.iter().zip(&probabilities).filter(move |(l, _)| **l == wanted);
        let mut won = 0.0;
        for (_, p) in of(true) {
            for (_, q) in of(false) {
                won += if p > q { 1.0 } else if p == q { 0.5 } else { 0.0 };
            }
        }
        let pairs = (of(true).count() * of(false).count()) as f64;
        let scores = Scores::check(&labels, &probabilities).unwrap();
        prop_assert!(near(ranked::auc(scores.steps()), won / pairs));
    }

    #[test]
    fn the_order_of_rows_moves_no_metric_but_ece((labels, probabilities) in rows()) {
        let (back, up): (Vec<bool>, Vec<f64>) = labels.iter().zip(&probabilities).rev().unzip();
        let map = |l: &[bool], p: &[f64]| Metrics::of(&Scores::check(l, p).unwrap(), 0.4).unwrap().to_map();
        let (mut one, mut other) = (map(&labels, &probabilities), map(&back, &up));
        one.remove("ece");
        other.remove("ece");
        prop_assert_eq!(one, other);
    }

    #[test]
    fn curves_integrate_to_their_figures((labels, probabilities) in rows()) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let curve = roc(&scores);
        let area: f64 = curve.points.windows(2).map(|w| {
            (w[1].false_positive_rate - w[0].false_positive_rate)
                * (w[0].true_positive_rate + w[1].true_positive_rate) / 2.0
        }).sum();
        prop_assert!(near(area, curve.auc));
        let curve = precision_recall(&scores);
        let area: f64 = curve.points.windows(2).map(|w| (w[1].recall - w[0].recall) * w[1].precision).sum();
        prop_assert!(near(area, curve.pr_auc));
        let curve = ks(&scores);
        let peak = curve.points.iter().find(|p| p.threshold == curve.threshold).unwrap();
        prop_assert!(near((peak.positives - peak.negatives).abs(), curve.ks));
    }

    #[test]
    fn no_threshold_of_a_grid_beats_the_chosen_one((labels, probabilities) in rows(), missed in 1u32..40, beta in 1u32..4) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let cost = Rule::Cost { missed_positive: f64::from(missed), flagged_negative: 2.0 };
        let f_beta = Rule::FBeta { beta: f64::from(beta) };
        let (cheapest, sharpest) = (choose(&scores, &cost).unwrap(), choose(&scores, &f_beta).unwrap());
        for k in 0..=101 {
            let counts = Confusion::at(scores.steps(), f64::from(k) / 100.0);
            prop_assert!(cheapest.value <= cost.value(&counts));
            prop_assert!(sharpest.value >= f_beta.value(&counts));
        }
        for choice in [cheapest, sharpest] {
            prop_assert_eq!(choice.confusion, Confusion::at(scores.steps(), choice.threshold));
            prop_assert!(choice.sweep.iter().all(|p| p.value == choice.rule.value(&Confusion::at(scores.steps(), p.threshold))));
        }
    }

    #[test]
    fn a_rate_is_kept_and_could_not_be_fuller((labels, probabilities) in rows(), percent in 0u32..=100) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let at_most = f64::from(percent) / 100.0;
        let choice = choose(&scores, &Rule::Rate { at_most }).unwrap();
        prop_assert!(choice.value <= at_most);
        let next = scores.steps().iter().find(|step| step.probability < choice.threshold);
        if let Some(step) = next {
            let wider = Confusion::at(scores.steps(), step.probability);
            prop_assert!(wider.flagged() as f64 / wider.rows() as f64 > at_most);
        }
    }

    #[test]
    fn tables_and_bins_count_every_row_once((labels, probabilities) in rows()) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let bins = reliability(&scores).bins;
        prop_assert_eq!(bins.iter().map(|b| b.rows).sum::<u64>(), scores.rows());
        prop_assert_eq!(bins.iter().map(|b| b.positives).sum::<u64>(), scores.positives());
        prop_assert!(bins.iter().all(|b| b.rate_low <= b.positive_rate + 1e-12 && b.positive_rate <= b.rate_high + 1e-12));
        let table = gain(&scores);
        prop_assert_eq!(table.rows.iter().map(|r| r.rows).sum::<u64>(), scores.rows());
        prop_assert!(near(table.rows.iter().map(|r| r.positives).sum::<f64>(), scores.positives() as f64));
        let bars = distribution(&scores);
        prop_assert_eq!(bars.positives.iter().sum::<u64>(), scores.positives());
        prop_assert_eq!(bars.negatives.iter().sum::<u64>(), scores.negatives());
    }

    #[test]
    fn no_point_of_the_grid_earns_more_than_the_chosen_one(
        (labels, probabilities) in rows(),
        amounts in proptest::collection::vec(-500i32..500, 4),
    ) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let amount = |place: usize| f64::from(amounts[place]);
        let amounts = Amounts {
            flagged_positive: amount(0),
            flagged_negative: amount(1),
            passed_positive: amount(2),
            passed_negative: amount(3),
        };
        let Ok(curve) = profit(&scores, &amounts) else { return Ok(()) };
        let thresholds = probabilities.iter().copied().chain([0.0, 0.123, 0.5, 1.0, 2.0]);
        for threshold in thresholds {
            let other = profit_at(&scores, &amounts, threshold).unwrap();
            prop_assert!(other.profit <= curve.best.profit, "{threshold}: {} {}", other.profit, curve.best.profit);
        }
        prop_assert!(curve.points.iter().chain(&cost_benefit(&scores, &amounts).unwrap()).all(|p| p.profit <= curve.best.profit));
        let chosen = choose(&scores, &Rule::Profit(amounts)).unwrap();
        prop_assert_eq!((chosen.threshold, chosen.value), (curve.best.threshold, curve.best.profit));
    }

    #[test]
    fn isotonic_rates_rise_and_never_miss_more_squared_than_the_scores((labels, probabilities) in rows()) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let blocks = isotonic(&scores).blocks;
        prop_assert!(blocks.windows(2).all(|w| w[0].rate < w[1].rate && w[0].probability_max < w[1].probability_min));
        prop_assert_eq!(blocks.iter().map(|b| b.positives).sum::<u64>(), scores.positives());
        let rate = |p: f64| blocks.iter().find(|b| p <= b.probability_max).unwrap().rate;
        let fitted: Vec<f64> = probabilities.iter().map(|&p| rate(p)).collect();
        let better = Scores::check(&labels, &fitted).unwrap();
        prop_assert!(ranked::brier(better.steps()) <= ranked::brier(scores.steps()) + 1e-12);
    }

    #[test]
    fn segments_count_every_row_once_whatever_parts_them(
        (labels, probabilities) in rows(),
        parts in 1u64..7,
    ) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let values: Vec<f64> = probabilities.iter().enumerate()
            .map(|(row, p)| if row % 5 == 4 { f64::NAN } else { (p * 4.0).floor() }).collect();
        let levels: Vec<Option<&str>> =
            values.iter().map(|v| if v.is_nan() { None } else { Some(["a", "b", "c", "d", "e"][*v as usize]) }).collect();
        for table in [by_quantiles(&scores, &values, parts).unwrap(), by_levels(&scores, &levels).unwrap()] {
            prop_assert_eq!(table.iter().map(|s| s.rows).sum::<u64>(), scores.rows());
            prop_assert_eq!(table.iter().map(|s| s.positives).sum::<u64>(), scores.positives());
            let loss: f64 = table.iter().map(|s| s.log_loss * s.rows as f64).sum::<f64>() / scores.rows() as f64;
            let whole = Metrics::of(&scores, 0.5).unwrap().log_loss;
            prop_assert!((loss - whole).abs() < 1e-9, "{loss} {whole}");
        }
    }
}
