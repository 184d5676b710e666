//! PMML 4.4: the scorecard as a Scorecard with partial scores and reason codes, trees as a sum of TreeModels.
//! Both give points or margin and the calibrated probability from raw values.

use crate::model::calibrate::Platt;
use crate::model::export::fields::{FieldText, FieldValues, number};
use crate::model::export::pmml::xml::Element;

pub mod predicate;
pub mod scorecard;
pub mod trees;
pub mod xml;

/// The document around a model, with the fields that it reads.
fn document(fields: &[&FieldText], model: Element) -> String {
    let mut dictionary = Element::new("DataDictionary").with("numberOfFields", &fields.len().to_string());
    for field in fields {
        let (optype, kind) = match field.values {
            FieldValues::Cuts(_) => ("continuous", "double"),
            FieldValues::Levels { .. } => ("categorical", "string"),
        };
        let data = Element::new("DataField").with("name", &field.name);
        dictionary.push(data.with("optype", optype).with("dataType", kind));
    }
    let application = Element::new("Application").with("name", "Tallystick");
    let root = Element::new("PMML")
        .with("xmlns", "http://www.dmg.org/PMML-4_4")
        .with("version", "4.4")
        .holding(Element::new("Header").holding(application))
        .holding(dictionary)
        .holding(model);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", root.text())
}

fn mining_schema(fields: &[&FieldText]) -> Element {
    let mut schema = Element::new("MiningSchema");
    for field in fields {
        let one = Element::new("MiningField").with("name", &field.name).with("usageType", "active");
        schema.push(one.with("invalidValueTreatment", "asIs"));
    }
    schema
}

fn output(name: &str, feature: &str) -> Element {
    let field = Element::new("OutputField").with("name", name).with("optype", "continuous");
    field.with("dataType", "double").with("feature", feature)
}

fn apply(function: &str, arguments: Vec<Element>) -> Element {
    let apply = Element::new("Apply").with("function", function);
    arguments.into_iter().fold(apply, Element::holding)
}

fn constant(value: f64) -> Element {
    Element::new("Constant").with("dataType", "double").saying(&number(value))
}

fn reference(field: &str) -> Element {
    Element::new("FieldRef").with("field", field)
}

/// `1 / (1 + exp(-(slope * margin + intercept)))` of the output field `margin`.
fn probability(calibration: &Platt) -> Element {
    let scaled = apply("*", vec![constant(-calibration.slope()), reference("margin")]);
    let negative = apply("-", vec![scaled, constant(calibration.intercept())]);
    let below = apply("+", vec![constant(1.0), apply("exp", vec![negative])]);
    output("probability", "transformedValue").holding(apply("/", vec![constant(1.0), below]))
}
