//! Tables of policies that hold together and of those that do not.

use serde_json::{Value, json};

use super::*;
use crate::registry::fixture::{contract, texts};

pub(crate) const CUTOFF: f64 = 0.2;

/// Where the first band ends: at 0.8 times the odds of the cut-off.
pub(crate) fn low_band() -> f64 {
    let odds = 0.8 * CUTOFF / (1.0 - CUTOFF);
    odds / (1.0 + odds)
}

pub(crate) fn raw_json() -> Value {
    json!({
        "name": "standard",
        "positive_is": "bad",
        "cutoff": {"by": "cost", "missed_bad": 5.0, "refused_good": 1.0},
        "band": [
            {"outcome": "approve", "upto_cutoff": 0.8},
            {"outcome": "refer", "upto": 0.3},
            {"outcome": "decline"},
        ],
        "rule": [
            {"id": "young", "when": {"field": "age", "op": "<", "value": 18}, "outcome": "decline", "reason": "rule.young"},
            {"id": "boat", "when": {"field": "purpose", "op": "in", "value": ["boat"]}, "outcome": "refer", "reason": "rule.boat"},
        ],
        "reasons": {"income": "pay"},
    })
}

pub(crate) fn raw() -> RawPolicy {
    serde_json::from_value(raw_json()).unwrap()
}

fn check(edit: impl Fn(&mut Value)) -> Result<Policy, PolicyError> {
    check_for(Purpose::Credit, edit)
}

fn check_for(purpose: Purpose, edit: impl Fn(&mut Value)) -> Result<Policy, PolicyError> {
    let mut value = raw_json();
    edit(&mut value);
    let (contract, texts) = (contract(), texts());
    let fields = ["income", "age", "purpose"];
    let context = PolicyContext { purpose, contract: &contract, fields: &fields, texts: &texts };
    serde_json::from_value::<RawPolicy>(value).unwrap().check(&context)
}

/// Under credit, the policy of `raw_json`, edited.
pub(crate) fn resolved(edit: impl Fn(&mut Value)) -> ResolvedPolicy {
    check(edit).unwrap().resolve(CUTOFF, Some(Digest::of(b"model"))).unwrap()
}

fn code(edit: impl Fn(&mut Value)) -> &'static str {
    check(edit).unwrap_err().code()
}

#[test]
fn a_policy_becomes_one_canonical_object_and_comes_back() {
    let policy = resolved(|_| ());
    let bytes = policy.to_bytes().unwrap();
    let again = ResolvedPolicy::parse(&bytes).unwrap();
    assert_eq!(again, policy);
    assert_eq!(again.digest().unwrap(), Digest::of(&bytes));
    let bounds: Vec<Option<f64>> = policy.object().bands.iter().map(|b| b.upto).collect();
    assert_eq!(bounds, [Some(low_band()), Some(0.3), None]);
    assert_eq!(policy.best_outcome(), "approve");
}

#[test]
fn the_signed_texts_are_those_it_may_need_and_no_others() {
    let keys: Vec<String> = resolved(|_| ()).object().texts.keys().cloned().collect();
    let expected = [
        "age.high",
        "age.low",
        "pay.high",
        "pay.low",
        "pay.missing",
        "purpose.missing",
        "purpose.value",
        "rule.boat",
        "rule.young",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn every_missing_text_is_named_when_the_policy_is_checked() {
    let error = check(|p| {
        p["reasons"] = json!({});
        p["rule"][0]["reason"] = json!("rule.old");
    });
    let Err(PolicyError::NoText { keys }) = error else { panic!("{error:?}") };
    assert_eq!(keys, ["income.high", "income.low", "income.missing", "rule.old"]);
}

#[test]
fn bands_that_do_not_hold_together_are_refused() {
    assert_eq!(code(|p| p["band"] = json!([{"outcome": "approve"}])), "policy.count");
    assert_eq!(code(|p| p["band"][0] = json!({"outcome": "approve"})), "policy.band");
    assert_eq!(code(|p| p["band"][2]["upto"] = json!(0.9)), "policy.band");
    assert_eq!(code(|p| p["band"][1]["upto_cutoff"] = json!(1.5)), "policy.band");
    assert_eq!(code(|p| p["band"][1]["outcome"] = json!("approve")), "policy.band");
    assert_eq!(code(|p| p["band"][1]["outcome"] = json!("Refer it")), "policy.name");
}

#[test]
fn bounds_rise_strictly_and_stay_below_one() {
    let resolve = |edit: fn(&mut Value)| check(edit).unwrap().resolve(CUTOFF, None).unwrap_err().code();
    assert_eq!(resolve(|p| p["band"][1]["upto"] = json!(low_band())), "policy.band_order");
    assert_eq!(resolve(|p| p["band"][1]["upto"] = json!(1.0)), "policy.band_order");
    assert_eq!(resolve(|p| p["band"][0]["upto_cutoff"] = json!(0.0)), "policy.band_order");
    assert_eq!(resolve(|p| p["band"][0]["upto_cutoff"] = json!(-1.0)), "policy.band_order");
}

#[test]
fn credit_knows_three_outcomes_from_the_best_to_the_worst() {
    assert_eq!(code(|p| p["band"][1]["outcome"] = json!("wait")), "policy.credit_outcome");
    assert_eq!(code(|p| p["rule"][0]["outcome"] = json!("wait")), "policy.credit_outcome");
    assert_eq!(code(|p| p["positive_is"] = json!("good")), "policy.credit_order");
    let swap = |p: &mut Value| {
        p["band"][0]["outcome"] = json!("decline");
        p["band"][2]["outcome"] = json!("approve");
    };
    assert_eq!(code(swap), "policy.credit_order");
    let turned = |p: &mut Value| {
        swap(p);
        p["positive_is"] = json!("good");
    };
    let policy = check(turned).unwrap().resolve(CUTOFF, None).unwrap();
    assert_eq!(policy.best_outcome(), "approve");
    assert!(check_for(Purpose::Marketing, |p| p["band"][1]["outcome"] = json!("wait")).is_ok());
}

#[test]
fn figures_of_the_cutoff_lie_in_their_ranges() {
    for cutoff in [
        json!({"by": "value", "value": 0.0}),
        json!({"by": "value", "value": 1.0}),
        json!({"by": "rate", "rate": 1.5}),
        json!({"by": "cost", "missed_bad": 0.0, "refused_good": 1.0}),
        json!({"by": "cost", "missed_bad": 5.0, "refused_good": -1.0}),
    ] {
        assert_eq!(code(|p| p["cutoff"] = cutoff.clone()), "policy.figure", "{cutoff}");
    }
    let written = check(|p| p["cutoff"] = json!({"by": "value", "value": 0.25})).unwrap();
    assert_eq!(written.resolve(0.2, None).unwrap_err().code(), "policy.cutoff_differs");
    assert!(written.resolve(0.25, None).is_ok());
    assert_eq!(check(|_| ()).unwrap().resolve(f64::NAN, None).unwrap_err().code(), "policy.figure");
}

#[test]
fn costs_are_told_to_evaluation_from_the_side_of_the_positive_class() {
    let costs = |missed_positive, flagged_negative| {
        CutoffSource::Scores(ThresholdRule::Cost { missed_positive, flagged_negative })
    };
    assert_eq!(check(|_| ()).unwrap().cutoff_source(), costs(5.0, 1.0));
    let turned = check_for(Purpose::Marketing, |p| p["positive_is"] = json!("good")).unwrap();
    assert_eq!(turned.cutoff_source(), costs(1.0, 5.0));
    let rate = check(|p| p["cutoff"] = json!({"by": "rate", "rate": 0.2})).unwrap();
    assert_eq!(rate.cutoff_source(), CutoffSource::Scores(ThresholdRule::Rate { at_most: 0.2 }));
    let written = check(|p| p["cutoff"] = json!({"by": "value", "value": 0.2})).unwrap();
    assert_eq!(written.cutoff_source(), CutoffSource::Written(0.2));
}

#[test]
fn rules_are_held_against_the_contract_and_each_other() {
    assert_eq!(code(|p| p["rule"][1]["id"] = json!("young")), "policy.duplicate_rule");
    assert_eq!(code(|p| p["rule"][0]["when"]["field"] = json!("sex")), "rule.role");
    assert_eq!(code(|p| p["reasons"]["sex"] = json!("sex")), "policy.no_field");
}

#[test]
fn a_model_with_other_fields_or_another_purpose_is_not_covered() {
    let policy = resolved(|_| ());
    let covers = |purpose, fields: &[&str]| policy.covers(purpose, &contract(), fields.iter().copied());
    assert!(covers(Purpose::Credit, &["income", "age", "purpose"]).is_ok());
    assert_eq!(covers(Purpose::Marketing, &["income"]).unwrap_err().code(), "policy.purpose");
    assert_eq!(covers(Purpose::Credit, &["id"]).unwrap_err().code(), "policy.no_text");
}

#[test]
fn unknown_keys_and_another_format_are_refused() {
    let text = String::from_utf8(resolved(|_| ()).to_bytes().unwrap()).unwrap();
    let code = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        ResolvedPolicy::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err().code()
    };
    assert_eq!(code("policy.v1", "policy.v2"), "policy.format");
    assert_eq!(code("\"name\":", "\"nama\":1,\"name\":"), "policy.form");
    assert_eq!(code("\"rule.boat\":\"text of rule.boat\",", ""), "policy.no_text");
    assert_eq!(code("\"upto\":0.3", "\"upto\":0.1"), "policy.band_order");
    assert_eq!(code("text of age.high", &"x".repeat(501)), "policy.long_text");
}

#[test]
fn a_high_cut_off_keeps_its_bands_within_zero_and_one() {
    for cutoff in [0.01, 0.5, 0.9, 0.99] {
        let factors = |p: &mut Value| {
            p["band"] = json!([
                {"outcome": "approve", "upto_cutoff": 0.8},
                {"outcome": "refer", "upto_cutoff": 1.2},
                {"outcome": "decline"},
            ]);
        };
        let policy = check(factors).unwrap().resolve(cutoff, None).unwrap();
        let bounds: Vec<f64> = policy.object().bands.iter().filter_map(|b| b.upto).collect();
        assert!(bounds[0] < cutoff && cutoff < bounds[1] && bounds[1] < 1.0, "{cutoff}: {bounds:?}");
        assert_eq!(policy.accepted_edge(), bounds[0]);
    }
}
