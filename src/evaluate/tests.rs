//! Every figure against scikit-learn's on two fixtures; `tests/oracles/metrics.py` makes and checks them.
//! Never compares a drawn number exactly: bootstrap intervals agree within sampling error.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::evaluate::calibration::isotonic::isotonic;
use crate::evaluate::calibration::reliability;
use crate::evaluate::curves::{precision_recall, roc};
use crate::evaluate::intervals::{BootstrapPlan, bootstrap};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::ranked;
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::gain;
use crate::evaluate::thresholds::{Rule, choose};

#[derive(Deserialize)]
struct Oracle {
    labels: Vec<u8>,
    probabilities: Vec<f64>,
    ranking: BTreeMap<String, f64>,
    at_thresholds: Vec<BTreeMap<String, f64>>,
    auc_variance: f64,
    isotonic: IsotonicOracle,
    reliability: Vec<BTreeMap<String, f64>>,
    gain: Vec<BTreeMap<String, f64>>,
    roc: RocOracle,
    precision_recall: PrOracle,
    choices: BTreeMap<String, ChoiceOracle>,
    bootstrap: BootstrapOracle,
}

#[derive(Deserialize)]
struct RocOracle {
    fpr: Vec<f64>,
    tpr: Vec<f64>,
    threshold: Vec<f64>,
}

#[derive(Deserialize)]
struct IsotonicOracle {
    probability: Vec<f64>,
    rate: Vec<f64>,
}

#[derive(Deserialize)]
struct PrOracle {
    precision: Vec<f64>,
    recall: Vec<f64>,
    threshold: Vec<f64>,
}

#[derive(Deserialize)]
struct ChoiceOracle {
    threshold: Option<f64>,
    value: f64,
}

#[derive(Deserialize)]
struct BootstrapOracle {
    threshold: f64,
    rounds: usize,
    intervals: BTreeMap<String, [f64; 2]>,
}

/// Runs a comparison on both fixtures.
fn on_each(check: impl Fn(&Oracle, &Scores<'_>)) {
    for text in [
        include_str!("../../fixtures/oracles/metrics.json"),
        include_str!("../../fixtures/oracles/metrics_ties.json"),
    ] {
        let oracle: Oracle = serde_json::from_str(text).unwrap();
        let labels: Vec<bool> = oracle.labels.iter().map(|&label| label == 1).collect();
        check(&oracle, &Scores::check(&labels, &oracle.probabilities).unwrap());
    }
}

fn assert_near(name: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-9, "{name}: ours {ours}, the oracle's {theirs}");
}

fn assert_holds(ours: &BTreeMap<String, f64>, theirs: &BTreeMap<String, f64>) {
    theirs.iter().for_each(|(name, value)| assert_near(name, ours[name], *value));
}

/// A result's number fields by name.
fn numbers(value: &impl serde::Serialize) -> BTreeMap<String, f64> {
    let object = serde_json::to_value(value).unwrap();
    let fields = object.as_object().unwrap().iter();
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
}

#[test]
fn every_metric_equals_scikit_learn() {
    on_each(|oracle, scores| {
        for cut in &oracle.at_thresholds {
            let ours = Metrics::of(scores, cut["threshold"]).unwrap().to_map();
            assert_holds(&ours, &oracle.ranking);
            assert_holds(&ours, cut);
            assert_eq!(ours.len(), oracle.ranking.len() + cut.len(), "a metric without an oracle");
        }
    });
}

#[test]
fn the_variance_of_the_auc_equals_that_of_all_pairs() {
    on_each(|oracle, scores| {
        let ours = ranked::auc_variance(scores.steps()).unwrap();
        assert!((ours / oracle.auc_variance - 1.0).abs() < 1e-9, "{ours} {}", oracle.auc_variance);
    });
}

#[test]
fn isotonic_rates_equal_scikit_learn() {
    on_each(|oracle, scores| {
        let blocks = isotonic(scores).blocks;
        assert!(blocks.windows(2).all(|w| w[0].rate < w[1].rate));
        assert_eq!(oracle.isotonic.probability.len(), scores.steps().len());
        for (probability, rate) in oracle.isotonic.probability.iter().zip(&oracle.isotonic.rate) {
            let block = blocks.iter().find(|b| *probability <= b.probability_max).unwrap();
            assert_near("isotonic rate", block.rate, *rate);
        }
    });
}

#[test]
fn roc_points_equal_scikit_learn() {
    on_each(|oracle, scores| {
        let points = roc(scores).points;
        assert_eq!(points.len(), oracle.roc.fpr.len());
        for (index, point) in points.iter().enumerate() {
            assert_near("fpr", point.false_positive_rate, oracle.roc.fpr[index]);
            assert_near("tpr", point.true_positive_rate, oracle.roc.tpr[index]);
        }
        let thresholds: Option<Vec<f64>> = points[1..].iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, Some(oracle.roc.threshold.clone()));
    });
}

#[test]
fn precision_recall_points_equal_scikit_learn() {
    on_each(|oracle, scores| {
        let points = precision_recall(scores).points;
        assert_eq!(points.len(), oracle.precision_recall.recall.len());
        for (index, point) in points.iter().enumerate() {
            assert_near("recall", point.recall, oracle.precision_recall.recall[index]);
            assert_near("precision", point.precision, oracle.precision_recall.precision[index]);
        }
        let thresholds: Option<Vec<f64>> = points[1..].iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, Some(oracle.precision_recall.threshold.clone()));
    });
}

#[test]
fn reliability_bins_and_gain_deciles_equal_the_oracle() {
    on_each(|oracle, scores| {
        let bins = reliability(scores).bins;
        assert_eq!(bins.len(), oracle.reliability.len());
        bins.iter().zip(&oracle.reliability).for_each(|(ours, theirs)| assert_holds(&numbers(ours), theirs));
        let rows = gain(scores).rows;
        assert_eq!(rows.len(), oracle.gain.len());
        rows.iter().zip(&oracle.gain).for_each(|(ours, theirs)| assert_holds(&numbers(ours), theirs));
    });
}

#[test]
fn chosen_thresholds_equal_a_search_of_all() {
    let rules = [
        ("cost_5_1", Rule::Cost { missed_positive: 5.0, flagged_negative: 1.0 }),
        ("cost_20_1", Rule::Cost { missed_positive: 20.0, flagged_negative: 1.0 }),
        ("rate_0.1", Rule::Rate { at_most: 0.1 }),
        ("rate_0.25", Rule::Rate { at_most: 0.25 }),
        ("f_beta_1", Rule::FBeta { beta: 1.0 }),
        ("f_beta_2", Rule::FBeta { beta: 2.0 }),
    ];
    on_each(|oracle, scores| {
        assert_eq!(rules.len(), oracle.choices.len());
        for (name, rule) in &rules {
            let (ours, theirs) = (choose(scores, rule).unwrap(), &oracle.choices[*name]);
            assert_near(name, ours.value, theirs.value);
            assert_eq!(Some(ours.threshold), theirs.threshold, "{name}");
        }
    });
}

#[test]
fn bootstrap_intervals_agree_with_numpy_within_sampling_error() {
    on_each(|oracle, scores| {
        let plan = BootstrapPlan { rounds: oracle.bootstrap.rounds, ..BootstrapPlan::seeded(1) };
        let ours = bootstrap(scores, oracle.bootstrap.threshold, &plan).unwrap();
        for (name, [low, high]) in &oracle.bootstrap.intervals {
            let interval = ours[name];
            let allowed = 0.06 * (high - low);
            assert!((interval.low - low).abs() < allowed, "{name}: low {} and {low}", interval.low);
            assert!((interval.high - high).abs() < allowed, "{name}: high {} and {high}", interval.high);
        }
    });
}
