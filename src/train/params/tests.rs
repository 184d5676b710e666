//! What train.toml may say, what is refused, and what an override does.

use super::*;
use serde_json::{Value, json};

fn parse(value: Value) -> Result<RawTrainParams, serde_json::Error> {
    serde_json::from_value(value)
}

fn set(assignments: &[&str]) -> Result<TrainParams, ParamsError> {
    let mut raw = RawTrainParams::default();
    assignments.iter().try_for_each(|assignment| raw.set(assignment))?;
    raw.check()
}

#[test]
fn an_empty_file_trains_with_every_value_written_out() {
    let params = parse(json!({})).unwrap().check().unwrap();
    let expected = json!({
        "seed": 1,
        "device": "flat",
        "split": {"by": "random", "test": 0.2, "valid": 0.2},
        "family": {"kind": "logistic", "learning_rate": 0.02, "batch_rows": 256, "epochs": 200,
            "patience": 10, "weight_decay": 1.0, "class_weight": "none"},
    });
    assert_eq!(serde_json::to_value(params).unwrap(), expected);
}

#[test]
fn an_unknown_key_is_refused_at_any_depth() {
    assert!(parse(json!({"sed": 1})).is_err());
    assert!(parse(json!({"split": {"share": 0.1}})).is_err());
    assert!(parse(json!({"logistic": {"momentum": 0.1}})).is_err());
    assert!(parse(json!({"mlp": {"layers": [8]}})).is_err());
}

#[test]
fn a_value_out_of_its_range_is_refused_with_the_range() {
    for (assignment, key) in [
        ("split.valid=0", "split.valid"),
        ("split.test=0.9", "split.test"),
        ("logistic.learning_rate=0", "logistic.learning_rate"),
        ("logistic.batch_rows=0", "logistic.batch_rows"),
        ("logistic.epochs=10001", "logistic.epochs"),
        ("logistic.patience=0", "logistic.patience"),
        ("logistic.weight_decay=-1", "logistic.weight_decay"),
        ("logistic.class_weight={\"positive\":0}", "logistic.class_weight.positive"),
        ("mlp.hidden=[8,0]", "mlp.hidden"),
        ("mlp.hidden=[1025]", "mlp.hidden"),
        ("mlp.dropout=0.95", "mlp.dropout"),
        ("mlp.embedding_max=65", "mlp.embedding_max"),
        ("mlp.learning_rate=2", "mlp.learning_rate"),
        ("mlp.weight_decay=-1", "mlp.weight_decay"),
        ("mlp.batch_rows=0", "mlp.batch_rows"),
        ("mlp.epochs=0", "mlp.epochs"),
        ("mlp.patience=0", "mlp.patience"),
        ("mlp.class_weight={\"positive\":0}", "mlp.class_weight.positive"),
        ("seed=9007199254740992", "seed"),
    ] {
        let refused = set(&[assignment]).unwrap_err();
        assert!(matches!(refused, ParamsError::Range { key: k, .. } if k == key), "{refused}");
    }
    for layers in ["[]", "[8,8,8,8,8,8,8,8,8]"] {
        let refused = set(&[&format!("mlp.hidden={layers}")]).unwrap_err();
        assert!(matches!(refused, ParamsError::Count { key: "mlp.hidden", min: 1, max: 8, .. }), "{refused}");
    }
    let message = set(&["logistic.epochs=0"]).unwrap_err().to_string();
    assert_eq!(message, "logistic.epochs = 0: must be between 1 and 10000");
}

#[test]
fn a_split_takes_what_it_needs_and_refuses_the_rest() {
    let by_column = set(&["split.by=column", "split.column=2020", "split.test_values=[0,\"b\"]"]).unwrap();
    let test_values = vec!["0".to_string(), "b".to_string()];
    let column = Some("2020".to_string());
    assert_eq!(by_column.split, SplitParams::Column { column, test_values, valid: 0.2 });
    let by_time = set(&["split.by=time", "split.column=issued"]).unwrap();
    let column = "issued".to_string();
    assert_eq!(by_time.split, SplitParams::Time { column, test: 0.2, valid: 0.2 });
    for needy in [vec!["split.by=time"], vec!["split.by=column"]] {
        assert!(matches!(set(&needy), Err(ParamsError::Needed { .. })), "{needy:?}");
    }
    for odd in [
        vec!["split.column=x"],
        vec!["split.by=time", "split.column=x", "split.test_values=[1]"],
        vec!["split.by=column", "split.test_values=[1]", "split.test=0.1"],
    ] {
        assert!(matches!(set(&odd), Err(ParamsError::DoesNotApply { .. })), "{odd:?}");
    }
}

#[test]
fn an_override_reads_numbers_words_and_objects() {
    let params =
        set(&["seed=7", "logistic.epochs = 20", "logistic.class_weight={\"positive\":2.5}"]).unwrap();
    assert_eq!(params.seed, 7);
    let FamilyParams::Logistic(logistic) = params.family else { panic!() };
    assert_eq!((logistic.epochs, logistic.class_weight), (20, ClassWeight::Positive(2.5)));
    assert_eq!(set(&["family=baseline", "logistic.epochs=20"]).unwrap().family, FamilyParams::Baseline);
}

#[test]
fn the_family_that_is_named_trains_with_every_value_written_out() {
    let params = set(&["family=mlp", "mlp.hidden=[16]", "logistic.epochs=3"]).unwrap();
    let written = serde_json::to_value(&params).unwrap();
    assert_eq!((&written["family"]["kind"], &written["family"]["hidden"]), (&json!("mlp"), &json!([16])));
    let keys = written["family"].as_object().unwrap().len();
    // The kind beside what is written; how many networks are averaged follows from the rows.
    assert_eq!(keys, serde_json::to_value(RawMlp::default()).unwrap().as_object().unwrap().len());
    for name in FamilyName::ALL {
        assert_eq!(set(&[&format!("family={name}")]).unwrap().family.as_str(), name);
    }
}

#[test]
fn a_bad_override_names_its_key() {
    let refused = set(&["logistic.epoch=20"]).unwrap_err().to_string();
    assert!(refused.contains("did you mean \"logistic.epochs\""), "{refused}");
    assert!(matches!(set(&["logistic=1"]), Err(ParamsError::UnknownKey { .. })));
    assert!(matches!(set(&["split/by=time"]), Err(ParamsError::UnknownKey { .. })));
    assert!(matches!(set(&["epochs"]), Err(ParamsError::NotAnAssignment { .. })));
    let refused = set(&["logistic.epochs=many"]).unwrap_err().to_string();
    assert!(refused.starts_with("logistic.epochs = \"many\": "), "{refused}");
    let refused = set(&["logistic.epochs=1.5"]).unwrap_err().to_string();
    assert!(refused.starts_with("logistic.epochs = 1.5: "), "{refused}");
}

#[test]
fn the_reference_device_is_there_only_if_it_was_built() {
    let refused = set(&["device=ndarray"]);
    if cfg!(feature = "ndarray") {
        assert_eq!(refused.unwrap().device, ComputeDevice::Ndarray);
    } else {
        let refused = refused.unwrap_err();
        assert!(refused.next_step().unwrap().contains("--features ndarray"));
    }
}

#[test]
fn every_number_of_the_newer_families_is_refused_by_its_own_key() {
    for (assignment, key) in [
        ("boosting.rounds=0", "[boosting] rounds = 0"),
        ("boosting.learning_rate=2", "[boosting] learning_rate = 2"),
        ("boosting.leaves=1", "[boosting] leaves = 1"),
        ("boosting.depth=17", "[boosting] depth = 17"),
        ("boosting.leaf_rows=0", "[boosting] leaf_rows = 0"),
        ("boosting.row_share=0", "[boosting] row_share = 0"),
        ("boosting.column_share=1.5", "[boosting] column_share = 1.5"),
        ("boosting.lambda=-1", "[boosting] lambda = -1"),
        ("boosting.patience=0", "[boosting] patience = 0"),
        ("boosting.models=21", "[boosting] models = 21"),
        ("boosting.held_share=0.6", "[boosting] held_share = 0.6"),
        ("boosting.class_weight={\"positive\":0}", "boosting.class_weight.positive = 0"),
        ("forest.trees=0", "[forest] trees = 0"),
        ("forest.depth=17", "[forest] depth = 17"),
        ("forest.leaf_rows=0", "[forest] leaf_rows = 0"),
        ("forest.root_share=0", "[forest] root_share = 0"),
        ("forest.class_weight={\"positive\":2000}", "forest.class_weight.positive = 2000"),
        ("scorecard.bins_max=21", "scorecard.bins_max is 21"),
        ("scorecard.share_min=0.6", "scorecard.share_min is 0.6"),
        ("scorecard.smoothing=0", "scorecard.smoothing is 0"),
        ("scorecard.l2=-1", "scorecard.l2 is -1"),
        ("scorecard.iv_min=101", "scorecard.iv_min is 101"),
        ("ensemble.folds=1", "ensemble.folds = 1"),
        ("calibration.folds=1", "calibration.folds = 1"),
        ("calibration.folds=21", "calibration.folds = 21"),
        ("logistic.models=21", "logistic.models = 21"),
    ] {
        // Whatever the family is: a number that waits in another section is no better.
        for family in ["family=logistic", "family=boosting"] {
            let refused = set(&[family, assignment]).unwrap_err();
            assert_eq!(refused.code(), "train_params.range", "{assignment}: {refused}");
            assert!(refused.to_string().starts_with(key), "{assignment}: {refused}");
        }
    }
    assert_eq!(set(&["calibration.method=isotonic"]).unwrap_err().code(), "train_params.value");
    assert!(set(&["calibration.folds=0", "calibration.method=beta"]).is_ok());
}

#[test]
fn an_ensemble_has_two_members_or_more_each_once_and_none_that_can_be_no_member() {
    for (members, code) in [
        ("[\"forest\"]", "train_params.range"),
        ("[]", "train_params.range"),
        ("[\"forest\",\"forest\"]", "train_params.member"),
        ("[\"forest\",\"baseline\"]", "train_params.member"),
        ("[\"ensemble\",\"forest\"]", "train_params.member"),
        ("[\"forest\",\"tree\"]", "train_params.value"),
    ] {
        let refused = set(&[&format!("ensemble.members={members}")]).unwrap_err();
        assert_eq!(refused.code(), code, "{members}: {refused}");
    }
    let params = set(&["family=ensemble", "ensemble.members=[\"mlp\",\"forest\"]"]).unwrap();
    let FamilyParams::Ensemble(ensemble) = params.family else { panic!() };
    assert_eq!(ensemble.members.iter().map(FamilyParams::as_str).collect::<Vec<_>>(), ["mlp", "forest"]);
}

#[test]
fn a_direction_is_set_by_its_field() {
    use crate::train::trees::codes::Monotone;
    let params = set(&["family=boosting", "monotone.dti=rising", "monotone.annual_inc=falling"]).unwrap();
    let of = |field| params.monotone.of(field);
    assert_eq!([of("dti"), of("annual_inc"), of("x")], [Monotone::Rising, Monotone::Falling, Monotone::Free]);
    assert!(matches!(set(&["monotone.dti=up"]), Err(ParamsError::Value { .. })));
    assert!(matches!(set(&["monotone.=rising"]), Err(ParamsError::UnknownKey { .. })));
    for family in ["logistic", "scorecard", "forest", "mlp", "ensemble"] {
        assert!(set(&[&format!("family={family}"), "monotone.dti=rising"]).is_ok(), "{family}");
    }
}
