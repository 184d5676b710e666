//! What holds for every chart whatever it is given: no number that is none, well-formed, all of it on the paper.
//! Never judges looks.

use proptest::prelude::{Just, Strategy, proptest};
use proptest::prop_oneof;

use crate::evaluate::calibration::isotonic::isotonic;
use crate::evaluate::calibration::reliability;
use crate::evaluate::charts::calibration::draw_calibration_with;
use crate::evaluate::charts::choice::confusion::draw_confusion;
use crate::evaluate::charts::choice::profit::{draw_choice, draw_profit};
use crate::evaluate::charts::curves::gain::draw_gain;
use crate::evaluate::charts::curves::several::draw_rocs;
use crate::evaluate::charts::distribution::ClassNames;
use crate::evaluate::charts::explain::dependence::draw_dependence;
use crate::evaluate::charts::explain::swarm::draw_swarm;
use crate::evaluate::charts::explain::waterfall::draw_waterfall;
use crate::evaluate::charts::tests::{assert_on_the_paper, assert_well_formed};
use crate::evaluate::curves::roc;
use crate::evaluate::importance::dependence::dependence;
use crate::evaluate::importance::effects::{FieldEffect, Values};
use crate::evaluate::importance::swarm::swarm;
use crate::evaluate::importance::waterfall::{Step, waterfall};
use crate::evaluate::ranked::Confusion;
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::{confusion, gain};
use crate::evaluate::thresholds::profit::{Amounts, profit, profit_at};
use crate::evaluate::thresholds::{Rule, choose};

fn assert_drawn(name: &str, svg: &str) {
    // Names in these tests have no such letters.
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}: {svg}");
    assert_well_formed(name, svg);
    assert_on_the_paper(name, svg);
}

/// Numbers of every size a check lets pass.
fn number(most: f64) -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -3.0f64..3.0,
        1 => Just(0.0),
        1 => (-1.0f64..1.0).prop_map(move |share| share * most),
        1 => Just(most),
        1 => Just(-most),
        1 => Just(1e-300),
        1 => Just(0.25),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![4 => number(1e300), 1 => Just(f64::NAN)]
}

fn both_classes() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
    (2usize..60).prop_flat_map(|rows| {
        let labels = proptest::collection::vec(proptest::bool::ANY, rows).prop_map(|mut labels| {
            (labels[0], labels[1]) = (true, false);
            labels
        });
        let probability =
            prop_oneof![2 => 0.0f64..=1.0, 1 => Just(0.0), 1 => Just(1.0), 1 => Just(1e-12), 1 => Just(0.5)];
        (labels, proptest::collection::vec(probability, rows))
    })
}

proptest! {
    #[test]
    fn explanations_of_any_numbers_are_drawn_whole(
        rows in proptest::collection::vec((value(), number(1e12), 0usize..40), 0..80),
        flat in proptest::bool::ANY,
    ) {
        let numbers: Vec<f64> = rows.iter().map(|r| if flat { 2.0 } else { r.0 }).collect();
        let given: Vec<f64> = rows.iter().map(|r| r.1).collect();
        let names: Vec<String> = rows.iter().map(|r| format!("level {}", r.2)).collect();
        let levels: Vec<Option<&str>> = names.iter().map(|n| (n != "level 0").then_some(n.as_str())).collect();
        let one = FieldEffect { field: "a", values: Values::Numbers(&numbers), contributions: &given };
        let two = FieldEffect { field: "b", values: Values::Levels(&levels), contributions: &given };
        assert_drawn("swarm", &draw_swarm(&swarm(&[one, two], 1).unwrap()));
        for effect in [one, two] {
            assert_drawn("dependence", &draw_dependence(&dependence(&effect, 1).unwrap()));
        }
        let steps: Vec<Step> = given.iter().zip(&names)
            .map(|(&contribution, field)| Step { field: field.clone(), value: String::new(), contribution }).collect();
        let margin = 0.3 + given.iter().sum::<f64>();
        assert_drawn("waterfall", &draw_waterfall(&waterfall(0.3, &steps, margin, None).unwrap()));
    }

    #[test]
    fn choices_on_any_scores_are_drawn_whole(
        (labels, probabilities) in both_classes(),
        amounts in proptest::collection::vec(number(1e15), 4),
        cut in 0.0f64..=1.0,
    ) {
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let amounts = Amounts {
            flagged_positive: amounts[0],
            flagged_negative: amounts[1],
            passed_positive: amounts[2],
            passed_negative: amounts[3],
        };
        if let Ok(earned) = profit(&scores, &amounts) {
            assert_drawn("profit", &draw_profit(&earned, Some(&profit_at(&scores, &amounts, cut).unwrap())));
            assert_drawn("choice", &draw_choice(&choose(&scores, &Rule::Profit(amounts)).unwrap()));
        }
        for rule in [Rule::Rate { at_most: cut }, Rule::FBeta { beta: 2.0 }, Rule::Cost { missed_positive: 1e9, flagged_negative: cut }] {
            assert_drawn("choice", &draw_choice(&choose(&scores, &rule).unwrap()));
        }
        let names = ClassNames { positive: "yes", negative: "no" };
        let table = confusion(&Confusion::at(scores.steps(), cut), cut);
        assert_drawn("confusion", &draw_confusion(&table, names));
        let curve = roc(&scores);
        assert_drawn("rocs", &draw_rocs(&[("a", &curve); 7]));
        assert_drawn("gain", &draw_gain(&gain(&scores)));
        assert_drawn("calibration", &draw_calibration_with(&reliability(&scores), &isotonic(&scores)));
    }
}

#[test]
fn charts_of_nothing_say_so() {
    for svg in [draw_swarm(&swarm(&[], 1).unwrap()), draw_rocs(&[])] {
        assert!(svg.contains("No rows to show"));
        assert_drawn("nothing", &svg);
    }
    let none = FieldEffect { field: "a", values: Values::Numbers(&[]), contributions: &[] };
    let svg = draw_dependence(&dependence(&none, 1).unwrap());
    assert!(svg.contains("No rows to show"));
    assert_drawn("nothing", &svg);
    assert_drawn("no walk", &draw_waterfall(&waterfall(0.0, &[], 0.0, None).unwrap()));
}

/// The first drawing of a mean over all rows once left the paper, as the axis knew the drawn rows only.
#[test]
fn a_rare_value_that_was_not_drawn_stays_on_the_paper() {
    let rare = |row: usize| row == 4_444 || row == 17;
    let numbers: Vec<f64> = (0..6_000).map(|row| if rare(row) { 9.0 } else { (row % 4) as f64 }).collect();
    let given: Vec<f64> = (0..6_000).map(|row| if rare(row) { 80.0 } else { 0.5 }).collect();
    let names: Vec<String> = numbers.iter().map(|number| number.to_string()).collect();
    let levels: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
    for seed in 0..5 {
        for values in [Values::Numbers(&numbers), Values::Levels(&levels)] {
            let effect = FieldEffect { field: "a", values, contributions: &given };
            assert_drawn("dependence", &draw_dependence(&dependence(&effect, seed).unwrap()));
        }
    }
}
