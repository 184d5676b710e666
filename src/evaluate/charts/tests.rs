//! Every chart is well-formed, self-contained, deterministic and safe against hostile names.
//! Never judges looks.

use crate::base::limits;
use crate::base::rng::Random;
use crate::evaluate::calibration::isotonic::isotonic;
use crate::evaluate::calibration::{distribution, reliability};
use crate::evaluate::charts::bars::{draw_importance, draw_lift};
use crate::evaluate::charts::calibration::{draw_calibration, draw_calibration_with};
use crate::evaluate::charts::choice::confusion::draw_confusion;
use crate::evaluate::charts::choice::profit::{draw_choice, draw_profit};
use crate::evaluate::charts::curves::gain::draw_gain;
use crate::evaluate::charts::curves::several::draw_rocs;
use crate::evaluate::charts::curves::{draw_precision_recall, draw_roc};
use crate::evaluate::charts::distribution::{ClassNames, draw_distribution};
use crate::evaluate::charts::explain::dependence::draw_dependence;
use crate::evaluate::charts::explain::swarm::draw_swarm;
use crate::evaluate::charts::explain::waterfall::draw_waterfall;
use crate::evaluate::charts::loss::{EpochLoss, draw_loss};
use crate::evaluate::curves::{precision_recall, roc};
use crate::evaluate::importance::dependence::dependence;
use crate::evaluate::importance::effects::{FieldEffect, Values};
use crate::evaluate::importance::swarm::swarm;
use crate::evaluate::importance::waterfall::{Step, waterfall};
use crate::evaluate::importance::{FieldContribution, rank};
use crate::evaluate::intervals::{BootstrapPlan, bootstrap};
use crate::evaluate::ranked::Confusion;
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::{confusion, gain};
use crate::evaluate::thresholds::profit::{Amounts, profit, profit_at};
use crate::evaluate::thresholds::{Rule, choose};

const HOSTILE: &str = "</text><script>alert('x & y')</script>\u{7}";

fn rows(count: usize) -> (Vec<bool>, Vec<f64>) {
    let mut random = Random::new(2, "charts");
    let labels: Vec<bool> = (0..count).map(|row| row == 0 || (row > 1 && random.unit() < 0.18)).collect();
    let chance = |label: bool, x: f64| 1.0 / (1.0 + (2.2 - 1.4 * f64::from(u8::from(label)) - x).exp());
    let probabilities = labels.iter().map(|&label| chance(label, random.normal())).collect();
    (labels, probabilities)
}

fn epochs(count: u64) -> Vec<EpochLoss> {
    let train = |e: f64| 0.36 + 0.3 * (-e / 8.0).exp() - 0.0006 * e;
    let valid = |e: f64| 0.39 + 0.28 * (-e / 7.0).exp() + 0.0006 * e + 0.004 * (e * 1.7).sin();
    let epoch =
        |step: u64| EpochLoss { step, train: Some(train(step as f64)), valid: Some(valid(step as f64)) };
    (1..=count).map(epoch).collect()
}

fn contributions(first: &str, count: usize) -> Vec<FieldContribution> {
    let contribution = |i: usize| {
        let mean_absolute = 0.4 / (1.0 + i as f64 * 0.6);
        let mean = mean_absolute * ((i * 5 % 7) as f64 / 7.0 - 0.4);
        FieldContribution { field: format!("field_{i}"), mean_absolute, mean }
    };
    let mut list: Vec<_> = (0..count).map(contribution).collect();
    list[0].field = first.into();
    list
}

/// All charts of `count` rows, by file name.
fn charts(count: usize, name: &str) -> Vec<(&'static str, String)> {
    let (labels, probabilities) = rows(count);
    let scores = Scores::check(&labels, &probabilities).unwrap();
    let intervals = bootstrap(&scores, 0.2, &BootstrapPlan::seeded(1)).unwrap();
    let names = ClassNames { positive: name, negative: "repaid" };
    vec![
        ("roc", draw_roc(&roc(&scores), intervals.get("auc"))),
        ("precision_recall", draw_precision_recall(&precision_recall(&scores), intervals.get("pr_auc"))),
        ("calibration", draw_calibration(&reliability(&scores))),
        ("lift", draw_lift(&gain(&scores))),
        ("importance", draw_importance(&rank(&contributions(name, 22)).unwrap())),
        ("distribution", draw_distribution(&distribution(&scores), names, Some(0.2))),
        ("loss", draw_loss(&epochs(60))),
    ]
    .into_iter()
    .chain(of_choice(&scores, names))
    .chain(of_explanations(count, name))
    .collect()
}

/// Charts of a threshold, and those that set curves side by side.
fn of_choice(scores: &Scores<'_>, names: ClassNames<'_>) -> Vec<(&'static str, String)> {
    let amounts = Amounts {
        flagged_positive: -12.0,
        flagged_negative: -12.0,
        passed_positive: -2_400.0,
        passed_negative: 310.0,
    };
    let earned = profit(scores, &amounts).unwrap();
    let half = profit_at(scores, &amounts, 0.5).unwrap();
    let by_cost = choose(scores, &Rule::Cost { missed_positive: 5.0, flagged_negative: 1.0 }).unwrap();
    let table = confusion(&Confusion::at(scores.steps(), 0.2), 0.2);
    let curve = roc(scores);
    let curves = [("this", &curve), (names.positive, &curve), ("c", &curve)];
    vec![
        ("calibration_isotonic", draw_calibration_with(&reliability(scores), &isotonic(scores))),
        ("rocs", draw_rocs(&curves)),
        ("gain", draw_gain(&gain(scores))),
        ("confusion", draw_confusion(&table, names)),
        ("profit", draw_profit(&earned, Some(&half))),
        ("choice", draw_choice(&by_cost)),
    ]
}

fn of_explanations(count: usize, name: &str) -> Vec<(&'static str, String)> {
    let mut random = Random::new(6, "explanations");
    let numbers: Vec<f64> =
        (0..count).map(|row| if row % 11 == 3 { f64::NAN } else { (2.0 * random.normal()).exp() }).collect();
    let given: Vec<f64> = numbers
        .iter()
        .map(|v| if v.is_nan() { -0.4 } else { (1.0 + v).ln() - 1.0 + 0.1 * random.normal() })
        .collect();
    let town =
        |row: usize| ["north", name, "south", "west", "an old and rather long name of a town"][row % 5];
    let levels: Vec<Option<&str>> = (0..count).map(|row| (row % 7 > 0).then(|| town(row))).collect();
    let by_number = FieldEffect { field: name, values: Values::Numbers(&numbers), contributions: &given };
    let by_level = FieldEffect { field: "town", values: Values::Levels(&levels), contributions: &given };
    let step =
        |(field, contribution): (&str, f64)| Step { field: field.into(), value: name.into(), contribution };
    let steps: Vec<Step> = [("income", -0.8), (name, 0.5), ("age", 0.02), ("town", -0.2)].map(step).to_vec();
    vec![
        ("swarm", draw_swarm(&swarm(&[by_number, by_level], 1).unwrap())),
        ("dependence", draw_dependence(&dependence(&by_number, 1).unwrap())),
        ("dependence_levels", draw_dependence(&dependence(&by_level, 1).unwrap())),
        ("waterfall", draw_waterfall(&waterfall(-1.2, &steps, -1.68, Some(0.157)).unwrap())),
    ]
}

/// Opening and closing tags match and the text between them holds no bare mark-up.
pub(super) fn assert_well_formed(name: &str, svg: &str) {
    let mut open: Vec<&str> = Vec::new();
    for piece in svg.trim_end().split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("{name}: <{piece}"));
        assert!(!text.contains(['>', '"', '\u{7}']), "{name}: {text}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{name}: {tag}");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
        } else if !tag.ends_with('/') {
            open.extend(tag.split(' ').next());
        }
    }
    assert!(open.is_empty(), "{name}: {open:?} left open");
}

#[test]
fn every_chart_is_well_formed_and_loads_nothing() {
    for (name, svg) in charts(400, HOSTILE).into_iter().chain(charts(3, "x")) {
        assert_well_formed(name, &svg);
        for refused in ["<script", "href", "url(", "@import", " style=", "NaN", "inf"] {
            assert!(!svg.contains(refused), "{name} contains {refused:?}");
        }
        let mut tags = svg.split('<').skip(1).filter_map(|piece| piece.split('>').next());
        assert!(!tags.any(|tag| tag.contains(" on")), "{name} listens to events");
        assert_eq!(svg.matches("://").count(), 1, "{name} names more than the SVG namespace");
    }
}

#[test]
fn every_chart_says_what_it_shows() {
    for (name, svg) in charts(400, "defaulted") {
        assert!(svg.contains("role=\"img\"") && svg.contains("aria-labelledby=\""), "{name}");
        let description = svg.split("<desc id=\"").nth(1).unwrap().split("</desc>").next().unwrap();
        assert!(description.len() > 40, "{name}: {description}");
        assert!(svg.contains("@media (prefers-color-scheme:dark)"), "{name}");
    }
}

#[test]
fn a_drawing_is_the_same_every_time_and_stays_small() {
    let (one, other) = (charts(5_000, "defaulted"), charts(5_000, "defaulted"));
    assert_eq!(one, other);
    for (name, svg) in one {
        // A swarm has a thousand points a field.
        let most = if name == "swarm" { 256 << 10 } else { 64 << 10 };
        assert!(svg.len() < most, "{name}: {} bytes", svg.len());
    }
}

/// Every place that a shape or a text names, and no number that is none.
pub(super) fn assert_on_the_paper(name: &str, svg: &str) {
    let values = |text: &str, attribute: &str| -> Vec<f64> {
        let mark = format!(" {attribute}=\"");
        let found = text.split(&mark).skip(1).filter_map(|rest| rest.split('"').next());
        found.map(|value| value.parse().unwrap_or_else(|_| panic!("{name}: {attribute} {value}"))).collect()
    };
    let (width, height) = (values(svg, "width")[0], values(svg, "height")[0]);
    let inside = |value: f64, end: f64| assert!((0.0..=end).contains(&value), "{name}: {value} of {end}");
    for path in svg.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        for pair in path.trim_end_matches('Z').split(['M', 'L']).skip(1) {
            let (x, y) = pair.trim_end_matches("h0").split_once(' ').unwrap();
            inside(x.parse().unwrap(), width);
            inside(y.parse().unwrap(), height);
        }
    }
    for (attributes, end) in [(["x", "x1", "x2", "cx"], width), (["y", "y1", "y2", "cy"], height)] {
        for attribute in attributes {
            values(svg, attribute).into_iter().for_each(|value| inside(value, end));
        }
    }
}

#[test]
fn every_shape_lies_on_the_paper() {
    for (name, svg) in charts(400, "defaulted").into_iter().chain(charts(3, "x")) {
        assert_on_the_paper(name, &svg);
    }
}

#[test]
fn the_roc_chart_names_its_auc_and_interval() {
    let (labels, probabilities) = rows(400);
    let scores = Scores::check(&labels, &probabilities).unwrap();
    let curve = roc(&scores);
    let interval = bootstrap(&scores, 0.2, &BootstrapPlan::seeded(1)).unwrap()["auc"];
    let svg = draw_roc(&curve, Some(&interval));
    assert!(svg.contains(&format!(">AUC {:.3}</tspan>", curve.auc)));
    assert!(svg.contains(&format!(">95% interval {:.3} to {:.3}", interval.low, interval.high)));
    assert!(!draw_roc(&curve, None).contains("interval"));
}

#[test]
fn fields_beyond_the_last_bar_share_one() {
    let importance = rank(&contributions("a", limits::IMPORTANCE_BARS_MAX + 5)).unwrap();
    assert!(draw_importance(&importance).contains(">5 other fields</text>"));
    let importance = rank(&contributions("a", limits::IMPORTANCE_BARS_MAX)).unwrap();
    assert!(!draw_importance(&importance).contains("other fields"));
}

#[test]
fn fields_that_move_nothing_have_bars_of_no_length() {
    let still = FieldContribution { field: "a".into(), mean_absolute: 0.0, mean: 0.0 };
    for list in [&[][..], &[still]] {
        let svg = draw_importance(&rank(list).unwrap());
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert_well_formed("importance", &svg);
    }
}

#[test]
fn a_loss_that_is_no_number_is_left_out_and_none_at_all_is_said() {
    let broken = [EpochLoss { step: 1, train: Some(f64::NAN), valid: None }];
    for epochs in [&[][..], &broken] {
        let svg = draw_loss(epochs);
        assert!(svg.contains("No epoch was recorded") && !svg.contains("NaN"));
        assert_well_formed("loss", &svg);
    }
    let one = [EpochLoss { step: 1, train: Some(0.5), valid: Some(0.6) }];
    assert!(draw_loss(&one).contains("best 0.6000 at 1"));
    let held_out = [EpochLoss { step: 1, train: None, valid: Some(0.6) }];
    let svg = draw_loss(&held_out);
    assert!(svg.contains("at the end validation 0.6000") && !svg.contains("No epoch was recorded"));
    let away = [1e30, 1e35].map(|train| EpochLoss { step: 1, train: Some(train), valid: None });
    assert_well_formed("loss", &draw_loss(&away));
    assert!(draw_loss(&away).contains("training 1.000e35"));
}

#[test]
fn a_long_training_is_drawn_in_bounded_points_and_keeps_its_best() {
    let mut long = epochs(9_000);
    long[4_321].valid = Some(0.1);
    let svg = draw_loss(&long);
    assert!(svg.contains("best 0.1000 at 4322"));
    assert!(svg.matches('L').count() < 2 * limits::CURVE_POINTS_MAX + 10);
}
