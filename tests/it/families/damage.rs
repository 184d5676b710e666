//! Weights that somebody changed: never loaded as the model's, and never a panic of what reads them.

use serde_json::{Value, json};
use tallystick::base::digest::Digest;
use tallystick::base::fact::Fact;
use tallystick::model::scorer::Family;
use tallystick::model::trees::{Child, Split};
use tallystick::model::weights::{WeightsError, parse_safetensors, to_safetensors};
use tallystick::registry::content::{LoadedModel, load};

use crate::families::{families, loaded, trained};

fn bytes_of(model: &LoadedModel) -> Vec<u8> {
    to_safetensors(&model.model.family).unwrap()
}

fn read(model: &LoadedModel, bytes: &[u8]) -> Result<Family, WeightsError> {
    parse_safetensors(&model.content.family, &model.model.recipe, bytes)
}

#[test]
fn a_changed_byte_anywhere_is_refused_and_what_is_read_all_the_same_is_what_is_written() {
    for family in families() {
        let candidate = trained(family);
        let model = loaded(candidate);
        let good = bytes_of(&model);
        let header = 8 + u64::from_le_bytes(*good.first_chunk().unwrap()) as usize;
        // All of a short header and its numbers, else some 300 places over both.
        let places = (0..header).step_by((header / 150).max(1));
        let places = places.chain((header..good.len()).step_by((good.len() / 150).max(1)));
        for at in places {
            let mut bad = good.clone();
            bad[at] ^= 0xFF;
            let fetch = |digest: Digest, _: u64| -> Result<Vec<u8>, std::io::Error> {
                let own = candidate.pack.find_blob(digest).unwrap().to_vec();
                Ok(if own == good { bad.clone() } else { own })
            };
            let refused = load(&candidate.pack.model_json, candidate.pack.digest, &fetch);
            assert!(refused.is_err(), "{family}: byte {at} was changed and nobody noticed");
            if let Ok(other) = read(&model, &bad) {
                assert_eq!(to_safetensors(&other).unwrap(), bad, "{family}: byte {at}");
            }
        }
        for length in (0..good.len()).step_by((good.len() / 100).max(1)) {
            assert!(read(&model, &good[..length]).is_err(), "{family}: {length} bytes");
        }
    }
}

#[test]
fn a_tensor_that_nobody_asked_for_is_refused_by_every_family() {
    for family in families() {
        let model = loaded(trained(family));
        let good = bytes_of(&model);
        let length = u64::from_le_bytes(*good.first_chunk().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&good[8..8 + length]).unwrap();
        let end = good.len() - 8 - length;
        header["zzz"] = json!({"dtype": "U8", "shape": [1], "data_offsets": [end, end + 1]});
        let mut text = header.to_string();
        text.extend(std::iter::repeat_n(' ', text.len().next_multiple_of(8) - text.len()));
        let head = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let refused = read(&model, &[&head[..], &good[8 + length..], &[0]].concat()).unwrap_err();
        assert!(["weights.tensors", "weights.shape"].contains(&refused.code()), "{family}: {refused}");
    }
}

#[test]
fn a_circle_a_stray_leaf_and_a_code_out_of_range_are_no_trees() {
    for family in ["boosting", "forest"] {
        let model = loaded(trained(family));
        let refused = |change: &dyn Fn(&mut tallystick::model::trees::Trees)| {
            let mut changed = model.model.family.clone();
            let (Family::Boosting(trees) | Family::Forest(trees)) = &mut changed else { panic!("{family}") };
            change(trees);
            read(&model, &to_safetensors(&changed).unwrap()).unwrap_err()
        };
        let code = |change: &dyn Fn(&mut tallystick::model::trees::Trees)| refused(change).code();
        assert_eq!(code(&|trees| trees.trees[0].branches[1].left = Child::Branch(0)), "weights.trees");
        assert_eq!(code(&|trees| trees.trees[0].branches[0].left = Child::Branch(0)), "weights.trees");
        assert_eq!(code(&|trees| trees.trees[0].branches[0].right = Child::Leaf(60_000)), "weights.trees");
        assert_eq!(code(&|trees| trees.trees[0].branches[0].column = 999), "weights.trees");
        assert_eq!(code(&|trees| trees.trees[0].leaves[0].value = f64::INFINITY), "weights.not_finite");
        let beyond = Split::UpTo { code: 255, missing_left: false };
        assert_eq!(code(&|trees| trees.trees[0].branches[0].split = beyond), "weights.trees");
    }
}

#[test]
fn a_bin_out_of_range_and_numbers_that_mean_nothing_are_no_scorecard_and_no_ensemble() {
    let model = loaded(trained("scorecard"));
    let Family::Scorecard(card) = &model.model.family else { panic!("a scorecard was trained") };
    let refused = |change: &dyn Fn(&mut tallystick::model::scorecard::Scorecard)| {
        let mut changed = card.clone();
        change(&mut changed);
        read(&model, &to_safetensors(&Family::Scorecard(changed)).unwrap()).unwrap_err().code()
    };
    assert_eq!(refused(&|card| card.parts[0].bin_of[1] = 255), "weights.scorecard");
    assert_eq!(refused(&|card| card.parts[0].bin_of.truncate(1)), "weights.scorecard");
    assert_eq!(refused(&|card| card.parts[0].coefficient = -1.0), "weights.scorecard");
    assert_eq!(refused(&|card| card.parts[0].woe[0] = f64::NAN), "weights.not_finite");
    assert_eq!(refused(&|card| card.parts[0].place = 900), "weights.tensors");

    let model = loaded(trained("ensemble"));
    let Family::Ensemble(ensemble) = &model.model.family else { panic!("an ensemble was trained") };
    let refused = |change: &dyn Fn(&mut tallystick::model::ensemble::Ensemble)| {
        let mut changed = ensemble.clone();
        change(&mut changed);
        read(&model, &to_safetensors(&Family::Ensemble(changed)).unwrap()).unwrap_err().code()
    };
    assert_eq!(refused(&|ensemble| ensemble.members[0].weight = 0.0), "weights.shape");
    assert_eq!(refused(&|ensemble| ensemble.members[0].weight = f64::NAN), "weights.not_finite");
    assert_eq!(refused(&|ensemble| ensemble.members.clear()), "weights.shape");
    let within = Family::Ensemble(ensemble.clone());
    assert_eq!(refused(&|ensemble| ensemble.members[0].family = within.clone()), "weights.tensors");
}
