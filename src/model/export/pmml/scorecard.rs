//! The scorecard as PMML's own: points a bin, a reason code a field, margin and probability as further outputs.

use crate::model::calibrate::Platt;
use crate::model::export::conditions::conditions;
use crate::model::export::fields::{ExportError, FieldText, check_fields, number};
use crate::model::export::pmml::predicate::predicate;
use crate::model::export::pmml::xml::Element;
use crate::model::export::pmml::{apply, constant, document, mining_schema, output, probability, reference};
use crate::model::scorecard::points::{PointsTable, Scaling};
use crate::model::scorecard::{Part, Scorecard};

/// How many reasons a row is given, worst first.
const REASONS_MAX: usize = 4;

/// Whole points give the margin and the probability of the rounded points, not of the model: the difference is at
/// most `PointsTable::loss_max` points.
pub fn scorecard_pmml(
    card: &Scorecard,
    fields: &[FieldText],
    (calibration, scaling): (&Platt, &Scaling),
) -> Result<String, ExportError> {
    check_fields(&card.columns, fields)?;
    let table = PointsTable::of(card, scaling, calibration);
    let used: Vec<&FieldText> = card.parts.iter().map(|part| &fields[part.place]).collect();
    let mut outputs = Element::new("Output").holding(output("points", "predictedValue"));
    let above = apply("-", vec![reference("points"), constant(table.line.at_zero)]);
    let margin = apply("/", vec![above, constant(table.line.per_margin)]);
    outputs.push(output("margin", "transformedValue").holding(margin));
    outputs.push(probability(calibration));
    for rank in 1..=REASONS_MAX.min(card.parts.len()) {
        let reason = Element::new("OutputField").with("name", &format!("reason_{rank}"));
        let reason = reason.with("optype", "categorical").with("dataType", "string");
        outputs.push(reason.with("feature", "reasonCode").with("rank", &rank.to_string()));
    }
    let mut characteristics = Element::new("Characteristics");
    for ((part, points), field) in card.parts.iter().zip(&table.parts).zip(&used) {
        characteristics.push(characteristic(part, points, field));
    }
    let reasons = if card.parts.is_empty() { "false" } else { "true" };
    let model = Element::new("Scorecard")
        .with("modelName", "scorecard")
        .with("functionName", "regression")
        .with("initialScore", &number(table.base))
        .with("useReasonCodes", reasons)
        .with("reasonCodeAlgorithm", "pointsBelow")
        .with("baselineMethod", "max")
        .holding(mining_schema(&used))
        .holding(outputs)
        .holding(characteristics);
    Ok(document(&used, model))
}

/// Its reason is its name; how much it counts is what the row's bin lacks of the best one.
fn characteristic(part: &Part, points: &[f64], field: &FieldText) -> Element {
    let best = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut characteristic = Element::new("Characteristic")
        .with("name", &field.name)
        .with("reasonCode", &field.name)
        .with("baselineScore", &number(best));
    for (bin, points) in points.iter().enumerate() {
        let of_bin = |code: u8| part.bin_of.get(usize::from(code)).is_some_and(|b| usize::from(*b) == bin);
        if let Some(predicate) = predicate(field, &conditions(field, of_bin)) {
            let attribute = Element::new("Attribute").with("partialScore", &number(*points));
            characteristic.push(attribute.holding(predicate));
        }
    }
    characteristic
}
