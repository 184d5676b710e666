//! A model goes to bytes and back; whatever else arrives instead of those bytes is refused.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::base::fact::Fact;
use crate::model::network::tests::drawn;
use crate::model::scorer::Family;
use crate::registry::fixture::{contract, model, pack, pack_of, training};

/// Loads with some blobs replaced.
fn load_with(pack: &Pack, replaced: &BTreeMap<Digest, Vec<u8>>) -> Result<LoadedModel, ContentError> {
    load(&pack.model_json, pack.digest, &|digest, _| {
        let kept = || pack.find_blob(digest).map(<[u8]>::to_vec);
        replaced.get(&digest).cloned().or_else(kept).ok_or(NotInPack(digest))
    })
}

/// A pack whose content was rewritten by someone who also keeps the digests right.
fn rewritten(edit: impl Fn(&mut ModelContent), blobs: Vec<(Digest, Vec<u8>)>) -> Pack {
    let mut content: ModelContent = canonical::parse(&pack().model_json).unwrap();
    edit(&mut content);
    let model_json = canonical::to_bytes(&content).unwrap();
    Pack { digest: Digest::of(&model_json), model_json, blobs: [pack().blobs, blobs].concat() }
}

fn code(edit: impl Fn(&mut ModelContent)) -> &'static str {
    rewritten(edit, Vec::new()).load().unwrap_err().code()
}

#[test]
fn what_is_assembled_loads_as_the_same_model() {
    let pack = pack();
    let loaded = pack.load().unwrap();
    assert_eq!(loaded.model, model());
    assert_eq!(loaded.digest, pack.digest);
    assert_eq!(loaded.content.training, training());
    assert_eq!(loaded.golden.rows.len(), 20);
    assert_eq!(loaded.fields().collect::<Vec<_>>(), ["income", "age", "purpose"]);
    let names: Vec<&str> = loaded.content.contract.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "income", "age", "purpose", "bad"]);
    assert!(contract().find("sex").is_some());
}

#[test]
fn a_network_that_is_assembled_loads_as_the_same_model_and_no_other() {
    let network = drawn(6, &[2, 3, 5], &[2], &[6, 3]);
    let model = Model { family: Family::Network(network), ..model() };
    let pack = pack_of(&model, training());
    let loaded = pack.load().unwrap();
    assert_eq!((loaded.model, loaded.content.family.as_str()), (model.clone(), "mlp"));
    let weights = loaded.content.weights.digest;
    let bytes = pack.find_blob(weights).unwrap();
    for position in (0..bytes.len()).step_by(5) {
        let mut altered = bytes.to_vec();
        altered[position] ^= 0x01;
        let refused = load_with(&pack, &BTreeMap::from([(weights, altered)])).unwrap_err();
        assert_eq!(refused.code(), "content.altered", "byte {position}");
    }
    // Somebody who keeps the digests right is found by the golden rows.
    let other = Model { family: Family::Network(drawn(7, &[2, 3, 5], &[2], &[6, 3])), ..model };
    let other = pack_of(&other, training());
    let swapped = Pack { blobs: [other.blobs.clone(), pack.blobs.clone()].concat(), ..pack.clone() };
    let mut content: ModelContent = canonical::parse(&swapped.model_json).unwrap();
    content.weights = canonical::parse::<ModelContent>(&other.model_json).unwrap().weights;
    let model_json = canonical::to_bytes(&content).unwrap();
    let refused = Pack { digest: Digest::of(&model_json), model_json, ..swapped }.load().unwrap_err();
    assert_eq!(refused.code(), "content.golden_mismatch");
}

#[test]
fn the_same_parts_give_the_same_bytes_and_one_changed_parameter_other_ones() {
    assert_eq!(pack(), pack());
    let digests = [
        pack().digest,
        pack_of(&model(), Training { seed: 8, ..training() }).digest,
        pack_of(&model(), Training { params: json!({"epochs": 21}), ..training() }).digest,
        pack_of(&model(), Training { data: Digest::of(b"other"), ..training() }).digest,
        pack_of(&Model { accepted: None, ..model() }, training()).digest,
    ];
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn every_flipped_byte_of_model_json_is_refused() {
    let pack = pack();
    for position in 0..pack.model_json.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut bytes = pack.model_json.clone();
            bytes[position] ^= bit;
            let refused = load(&bytes, pack.digest, &|digest, _| Err::<Vec<u8>, _>(NotInPack(digest)));
            assert_eq!(refused.unwrap_err().code(), "content.altered", "byte {position}");
        }
    }
}

#[test]
fn every_flipped_byte_of_a_blob_is_refused() {
    let pack = pack();
    for (digest, bytes) in &pack.blobs {
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 0x01;
            let refused = load_with(&pack, &BTreeMap::from([(*digest, altered)])).unwrap_err();
            assert_eq!(refused.code(), "content.altered", "blob {digest} byte {position}");
        }
    }
}

#[test]
fn a_cut_longer_or_absent_blob_is_refused() {
    let pack = pack();
    for (digest, bytes) in &pack.blobs {
        let longer = [bytes.as_slice(), b" "].concat();
        for wrong in [Vec::new(), bytes[..bytes.len() - 1].to_vec(), longer] {
            let refused = load_with(&pack, &BTreeMap::from([(*digest, wrong)])).unwrap_err();
            assert_eq!(refused.code(), "content.altered");
        }
        let without = Pack { blobs: vec![], ..pack.clone() };
        assert_eq!(without.load().unwrap_err().code(), "content.blob");
    }
}

#[test]
fn a_margin_that_is_off_by_one_bit_is_refused_by_its_row() {
    let mut golden = pack().load().unwrap().golden;
    golden.rows[3].margin = golden.rows[3].margin.next_up();
    let bytes = canonical::to_bytes(&golden).unwrap();
    let blob = BlobRef { digest: Digest::of(&bytes), size: bytes.len() as u64 };
    let refused = rewritten(|c| c.golden = blob, vec![(blob.digest, bytes)]).load().unwrap_err();
    assert_eq!(refused.code(), "content.golden_mismatch");
    assert!(matches!(refused, ContentError::Golden { row: 3, .. }));
}

#[test]
fn golden_rows_of_another_shape_are_refused() {
    let golden = pack().load().unwrap().golden;
    let refused = |golden: Golden| {
        let bytes = canonical::to_bytes(&golden).unwrap();
        let blob = BlobRef { digest: Digest::of(&bytes), size: bytes.len() as u64 };
        rewritten(|c| c.golden = blob, vec![(blob.digest, bytes)]).load().unwrap_err().code()
    };
    assert_eq!(refused(Golden { rows: vec![], ..golden.clone() }), "content.golden_empty");
    assert_eq!(refused(Golden { format: "other".into(), ..golden.clone() }), "content.format");
    let mut short = golden.clone();
    short.rows[1].cells.pop();
    assert_eq!(refused(short), "content.golden_shape");
    let mut other = golden;
    other.rows[0].cells[0] = golden::GoldenCell::Text("rich".into());
    assert_eq!(refused(other), "content.golden_shape");
}

#[test]
fn content_that_contradicts_itself_is_refused_even_with_right_digests() {
    assert_eq!(code(|c| c.format = "tallystick.model.v2".into()), "content.format");
    assert_eq!(code(|c| c.family = "oracle".into()), "weights.kind");
    assert_eq!(code(|c| c.background.push(0.0)), "model.width");
    assert_eq!(code(|c| c.accepted_reference = Some(vec![0.0])), "model.width");
    assert_eq!(code(|c| c.recipe.fields[1].start = 3), "content.form");
    assert_eq!(code(|c| c.recipe.fields[0].field = "wealth".into()), "content.field");
    assert_eq!(code(|c| c.recipe.fields[2].field = "id".into()), "content.field");
    assert_eq!(code(|c| c.weights = c.golden), "weights.format");
    assert_eq!(code(|c| c.weights.size += 1), "content.altered");
    assert_eq!(code(|c| c.weights.size = 1 << 52), "content.too_large");
    assert_eq!(code(|c| c.reference = c.golden), "content.form");
    assert_eq!(code(|c| c.training.base_rate = 1.5), "content.base_rate");
}

#[test]
fn unknown_keys_and_loose_spellings_are_refused() {
    let text = String::from_utf8(pack().model_json).unwrap();
    let code = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let bytes = text.replacen(from, to, 1).into_bytes();
        load(&bytes, Digest::of(&bytes), &|digest, _| Err::<Vec<u8>, _>(NotInPack(digest)))
            .unwrap_err()
            .code()
    };
    assert_eq!(code("\"family\":", "\"extra\":1,\"family\":"), "content.form");
    assert_eq!(code("\"slope\":", "\"scope\":1,\"slope\":"), "content.form");
    assert_eq!(code("\"method\":\"platt\"", "\"method\":\"isotonic\""), "content.form");
    assert_eq!(code("\"slope\":1.25", "\"slope\":-1.25"), "content.form");
    assert_eq!(code("\"slope\":1.25", "\"slope\":1.250"), "content.form");
    assert_eq!(code("\"purpose\":\"credit\"", "\"purpose\":\"war\""), "content.form");
}

#[test]
fn a_whole_number_that_json_would_round_makes_no_model() {
    let refused = |training: Training| {
        let loaded = pack().load().unwrap();
        let (contract, golden) = (contract(), loaded.golden.to_table());
        let parts = Parts {
            purpose: Purpose::Credit,
            contract: &contract,
            model: &loaded.model,
            reference: &loaded.reference,
            golden: &golden,
            subject: Some("id"),
            training,
        };
        assemble(parts).map(|pack| pack.digest)
    };
    let big = (1u64 << 53) + 1;
    assert_eq!(refused(training()).unwrap(), pack().digest);
    assert_eq!(refused(Training { seed: big, ..training() }).unwrap_err().code(), "content.form");
    let params = json!({"a": [1, {"b": big}]});
    assert_eq!(refused(Training { params, ..training() }).unwrap_err().code(), "content.form");
}
