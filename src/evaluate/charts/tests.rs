//! Every chart is well-formed, self-contained, deterministic and safe against hostile names.
//! Never judges looks.

use crate::base::limits;
use crate::base::rng::Random;
use crate::evaluate::calibration::{distribution, reliability};
use crate::evaluate::charts::bars::{draw_importance, draw_lift};
use crate::evaluate::charts::calibration::draw_calibration;
use crate::evaluate::charts::curves::{draw_precision_recall, draw_roc};
use crate::evaluate::charts::distribution::{ClassNames, draw_distribution};
use crate::evaluate::charts::loss::{EpochLoss, draw_loss};
use crate::evaluate::curves::{precision_recall, roc};
use crate::evaluate::importance::{FieldContribution, rank};
use crate::evaluate::intervals::{BootstrapPlan, bootstrap};
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::gain;

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
    let epoch = |step: u64| EpochLoss { step, train: train(step as f64), valid: Some(valid(step as f64)) };
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
}

/// Opening and closing tags match and the text between them holds no bare mark-up.
fn assert_well_formed(name: &str, svg: &str) {
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
        for refused in ["<script", "href", "url(", "@import", " style=", " on", "NaN", "inf"] {
            assert!(!svg.replace(" one ", "").contains(refused), "{name} contains {refused:?}");
        }
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
        assert!(svg.len() < 64 << 10, "{name}: {} bytes", svg.len());
    }
}

#[test]
fn every_shape_lies_on_the_paper() {
    for (name, svg) in charts(400, "defaulted") {
        let size = |attribute: &str| -> f64 {
            let rest = svg.split(attribute).nth(1).unwrap();
            rest.split('"').nth(1).unwrap().parse().unwrap()
        };
        let (width, height) = (size(" width="), size(" height="));
        for path in svg.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            for pair in path.trim_end_matches('Z').split(['M', 'L']).skip(1) {
                let (x, y) = pair.split_once(' ').unwrap();
                let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
                assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y), "{name}: {x} {y}");
            }
        }
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
    let broken = [EpochLoss { step: 1, train: f64::NAN, valid: None }];
    for epochs in [&[][..], &broken] {
        let svg = draw_loss(epochs);
        assert!(svg.contains("No epoch was recorded") && !svg.contains("NaN"));
        assert_well_formed("loss", &svg);
    }
    let one = [EpochLoss { step: 1, train: 0.5, valid: Some(0.6) }];
    assert!(draw_loss(&one).contains("best 0.6000 at 1"));
    let away = [1e30, 1e35].map(|train| EpochLoss { step: 1, train, valid: None });
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
