//! Reasons are ordered, true to the row, worded by the policy, and never more than four.

use serde_json::{Value, json};

use super::*;
use crate::data::table::TableBuilder;
use crate::decide::outcome::decide;
use crate::decide::policy::tests::resolved;
use crate::decide::rules::hits;
use crate::registry::fixture::model;

fn table(income: Cell<'_>, age: f64, purpose: Cell<'_>) -> Table {
    let columns = [("income", Kind::Number), ("age", Kind::Integer), ("purpose", Kind::Text)];
    let mut table = TableBuilder::new(columns);
    table.push_row([income, Cell::Number(age), purpose]);
    table.finish()
}

/// Decides the row by the policy as if its probability were `probability`.
fn explain_by(policy: &ResolvedPolicy, model: &Model, table: &Table, probability: f64) -> (Outcome, Reasons) {
    let encoded = model.recipe.transform(table).unwrap();
    let hits = hits(&policy.object().rules, table, 0).unwrap();
    let outcome = decide(policy, probability, &hits).unwrap();
    let shares = model.explain(encoded.row(0), &model.reasoner(reference(model).1).unwrap()).fields;
    let row = DecidedRow { table, row: 0, encoded: encoded.row(0), shares: &shares, hits: &hits };
    let reasons = find_reasons(policy, model, &outcome, &row).unwrap();
    (outcome, reasons)
}

fn explain(model: &Model, table: &Table, probability: f64) -> Reasons {
    explain_by(&resolved(|_| ()), model, table, probability).1
}

fn keys(reasons: &Reasons) -> Vec<&str> {
    reasons.list.iter().map(|reason| reason.key.as_str()).collect()
}

#[test]
fn reasons_come_by_size_and_only_from_the_bad_side() {
    let row = table(Cell::Number(500.0), 20.0, Cell::Text("car"));
    let reasons = explain(&model(), &row, 0.9);
    assert_eq!(keys(&reasons), ["pay.low", "purpose.value", "age.low"]);
    assert_eq!(reasons.reference, ReferenceKind::Accepted);
    let sizes: Vec<f64> = reasons.list.iter().map(|r| r.contribution.unwrap()).collect();
    assert!(sizes.is_sorted_by(|a, b| a > b) && sizes[2] > 0.0, "{sizes:?}");
    let values: Vec<Option<&str>> = reasons.list.iter().map(|r| r.value.as_deref()).collect();
    assert_eq!(values, [Some("500"), Some("car"), Some("20")]);
    assert_eq!(reasons.list[0].text, "text of pay.low");
    let rich = table(Cell::Number(9_000.0), 20.0, Cell::Text("house"));
    assert_eq!(keys(&explain(&model(), &rich, 0.9)), ["age.low"]);
}

#[test]
fn the_contribution_is_the_fields_share_measured_from_the_accepted() {
    let row = table(Cell::Number(500.0), 78.0, Cell::Text("house"));
    let reasons = explain(&model(), &row, 0.9);
    let from_income = -1.5 * (f64::from(((500.0 - 4_500.0) / 2_600.0) as f32) - 0.6) + 0.7 * (0.0 - 0.05);
    assert!((reasons.list[0].contribution.unwrap() - from_income).abs() < 1e-6, "{reasons:?}");
}

#[test]
fn a_missing_value_has_a_reason_of_its_own() {
    let mut model = model();
    // A missing income is worth more than the low income it is imputed beside.
    if let crate::model::scorer::Family::Logistic(linear) = &mut model.family {
        linear.weights[1] = 3.0;
    }
    let row = table(Cell::Missing, 78.0, Cell::Missing);
    let reasons = explain(&model, &row, 0.9);
    assert_eq!(keys(&reasons), ["pay.missing", "purpose.missing"]);
    assert_eq!(reasons.list[0].value, None);
}

#[test]
fn without_accepted_cases_the_population_stands_and_is_named() {
    let model = Model { accepted: None, ..model() };
    let row = table(Cell::Number(500.0), 20.0, Cell::Text("car"));
    assert_eq!(explain(&model, &row, 0.9).reference, ReferenceKind::Population);
}

#[test]
fn the_best_outcome_has_no_reasons_and_every_other_has() {
    let row = table(Cell::Number(500.0), 20.0, Cell::Text("car"));
    assert!(explain(&model(), &row, 0.01).list.is_empty());
    assert_eq!(explain(&model(), &row, 0.2).list.len(), 3);
}

#[test]
fn where_high_is_good_the_reasons_are_the_other_side() {
    let turned = |policy: &mut Value| {
        policy["positive_is"] = json!("good");
        policy["band"][0]["outcome"] = json!("decline");
        policy["band"][2]["outcome"] = json!("approve");
    };
    let row = table(Cell::Number(9_000.0), 20.0, Cell::Text("house"));
    let (outcome, reasons) = explain_by(&resolved(turned), &model(), &row, 0.05);
    assert_eq!(outcome.outcome, "decline");
    assert_eq!(keys(&reasons), ["pay.high", "purpose.value"]);
    assert!(reasons.list.iter().all(|r| r.contribution.unwrap() < 0.0));
}

#[test]
fn a_rules_outcome_is_explained_by_the_rules_and_not_by_the_score() {
    let row = table(Cell::Number(500.0), 17.0, Cell::Text("boat"));
    let (outcome, reasons) = explain_by(&resolved(|_| ()), &model(), &row, 0.01);
    assert_eq!((outcome.outcome.as_str(), outcome.by), ("decline", DecidedBy::Rule("young".into())));
    assert_eq!(keys(&reasons), ["rule.young"]);
    assert_eq!(reasons.list[0].contribution, None);
    assert_eq!(reasons.list[0].value.as_deref(), Some("17"));
}

#[test]
fn equal_contributions_are_ordered_by_name_and_four_are_told() {
    use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};
    use crate::model::linear::Linear;
    use crate::model::scorer::Family;

    let names = ["e", "b", "d", "a", "c"];
    let scale = FittedEncoding::Scale { mean: 0.0, deviation: 1.0, median: 0.0, indicator: false };
    let field = |(start, name): (usize, &&str)| FittedField {
        field: (*name).into(),
        encoding: scale.clone(),
        start,
        width: 1,
        known_levels: vec![],
        code: None,
    };
    let fields = names.iter().enumerate().map(field).collect();
    let five = Model {
        recipe: FittedRecipe { fields, width: 5 },
        family: Family::Logistic(Linear { weights: vec![1.0; 5], bias: 0.0 }),
        background: vec![0.0; 5],
        accepted: None,
        ..model()
    };
    let mut row = TableBuilder::new(names.map(|name| (name, Kind::Number)));
    row.push_row([Cell::Number(1.0); 5]);
    let mut object = resolved(|_| ()).object().clone();
    object.rules.clear();
    object.reasons.clear();
    object.texts = names.map(|name| (format!("{name}.high"), "high".to_string())).into();
    let policy = ResolvedPolicy::try_from(object).unwrap();
    let (_, reasons) = explain_by(&policy, &five, &row.finish(), 0.9);
    assert_eq!(keys(&reasons), ["a.high", "b.high", "c.high", "d.high"]);
}
