//! The same in, the same out: one row and a batch, twice in a row, side by side, on one thread and on two; and mean
//! probabilities that stay at the base rate, whatever the classes weighed.

use std::process::Stdio;

use serde_json::Value;

use crate::families::{families, loaded, loans, margins, some_loans, train, trained};
use crate::support::{Ended, Place, fixture};

#[test]
fn one_row_has_the_bits_that_it_has_in_a_batch() {
    let rows = loans().select(&(0..300).collect::<Vec<_>>());
    for family in families() {
        let model = loaded(trained(family));
        let batch = margins(&model, &rows);
        for row in (0..300).step_by(7) {
            let alone = rows.select(&[row]);
            let matrix = model.model.recipe.transform(&alone).unwrap();
            assert_eq!(margins(&model, &alone)[0].to_bits(), batch[row].to_bits(), "{family} {row}");
            assert_eq!(model.model.margin(matrix.row(0)).to_bits(), batch[row].to_bits(), "{family} {row}");
        }
        let different = batch.iter().any(|margin| *margin != batch[0]);
        assert_eq!(different, family != "baseline", "{family}");
    }
}

#[test]
fn base_and_contributions_add_up_to_the_margin_from_either_reference() {
    let rows = loans().select(&(0..2_900).step_by(29).collect::<Vec<_>>());
    for family in families() {
        let model = loaded(trained(family)).model;
        let matrix = model.recipe.transform(&rows).unwrap();
        let references: Vec<&Vec<f64>> = [&model.background].into_iter().chain(&model.accepted).collect();
        for reference in references {
            let reasoner = model.reasoner(reference).unwrap();
            for row in 0..rows.rows() {
                let explained = model.explain(matrix.row(row), &reasoner);
                let sum = explained.fields.iter().fold(explained.base, |sum, field| sum + field.value);
                assert!((sum - explained.margin).abs() < 1e-9, "{family} {row}: {sum} {}", explained.margin);
                assert_eq!(explained.fields.len(), model.recipe.fields.len(), "{family}");
                let told = explained.fields.iter().filter(|field| field.value != 0.0).count();
                assert!(told > 3 || family == "baseline", "{family}: {told} fields");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_digest_again_and_side_by_side_and_another_seed_another() {
    let table = some_loans();
    for family in families() {
        let digest = trained(family).pack.digest;
        let again = || train(family, &[], &table).pack.digest;
        let both = std::thread::scope(|scope| {
            let children = [scope.spawn(again), scope.spawn(again)];
            children.map(|child| child.join().unwrap())
        });
        assert_eq!(both, [digest, digest], "{family}");
    }
    assert_ne!(train("forest", &["seed=8"], &table).pack.digest, trained("forest").pack.digest);
}

#[test]
fn the_program_gives_the_same_digest_on_one_thread_and_on_two_side_by_side() {
    let data = fixture("loan-default/sample.csv");
    let places: Vec<Place> = (0..2).map(|_| Place::with_home()).collect();
    places.iter().for_each(|place| drop(place.project()));
    for family in ["boosting", "forest", "scorecard", "ensemble"] {
        let words = [
            &["train", "project", "--family", family, "--data", &data][..],
            &["--set", "boosting.models=2", "--set", "boosting.rounds=25", "--set", "forest.trees=10"],
            &["--set", "logistic.epochs=3", "--set", "ensemble.folds=2", "--set", "calibration.folds=2"],
        ]
        .concat();
        let start = |(place, threads): (&Place, &str)| {
            let mut command = place.command(&words);
            command.env("RAYON_NUM_THREADS", threads).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let children: Vec<_> = places.iter().zip(["1", "2"]).map(start).collect();
        let digests: Vec<Value> = children
            .into_iter()
            .map(|child| {
                let ended = Ended::of(child.wait_with_output().unwrap());
                assert_eq!(ended.code, 0, "{family}: {} {}", ended.json, ended.stderr);
                ended.json["model"]["digest"].clone()
            })
            .collect();
        assert!(digests[0].is_string() && digests[0] == digests[1], "{family}: {digests:?}");
    }
}

#[test]
fn whatever_the_classes_weigh_the_mean_probability_is_near_the_base_rate() {
    let rows = |held: bool| (0..loans().rows()).filter(move |row| (row % 3 == 0) == held).collect::<Vec<_>>();
    let (own, others) = (loans().select(&rows(false)), loans().select(&rows(true)));
    for (family, key) in [
        ("logistic", "logistic"),
        ("mlp", "mlp"),
        ("boosting", "boosting"),
        ("forest", "forest"),
        ("ensemble", "boosting"),
    ] {
        for (method, weight) in [("platt", "\"balanced\""), ("beta", "{\"positive\":8}")] {
            let weighed = format!("{key}.class_weight={weight}");
            let method_key = format!("calibration.method={method}");
            // A network's margins grow with the rows it has, so it is calibrated as it is by default: on its own.
            let own_folds = if family == "mlp" { "calibration.folds=0" } else { "calibration.folds=5" };
            let more =
                [method_key.as_str(), weighed.as_str(), "boosting.rounds=60", "mlp.epochs=8", own_folds];
            let model = loaded(&train(family, &more, &own));
            let scored = margins(&model, &others);
            let sum: f64 = scored.iter().map(|&margin| model.model.probability(margin)).sum();
            let (mean, base) = (sum / scored.len() as f64, model.content.training.base_rate);
            assert!((mean / base - 1.0).abs() < 0.1, "{family} {method} {weight}: {mean} for {base}");
        }
    }
}
