//! Trees as a MiningModel: one TreeModel each, their scores summed, the base added, then calibrated.

use crate::model::calibrate::Platt;
use crate::model::export::conditions::conditions;
use crate::model::export::fields::{ExportError, FieldText, check_fields, number};
use crate::model::export::pmml::predicate::predicate;
use crate::model::export::pmml::xml::Element;
use crate::model::export::pmml::{apply, constant, document, mining_schema, output, probability, reference};
use crate::model::trees::{Child, Tree, Trees};

pub fn trees_pmml(trees: &Trees, fields: &[FieldText], calibration: &Platt) -> Result<String, ExportError> {
    check_fields(&trees.columns, fields)?;
    let all: Vec<&FieldText> = fields.iter().collect();
    let mut segments = Element::new("Segmentation").with("multipleModelMethod", "sum");
    for (number, tree) in trees.trees.iter().enumerate() {
        let start = if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
        let root = node((number, tree), start, fields, Element::new("True"))?;
        let model = Element::new("TreeModel")
            .with("functionName", "regression")
            .with("missingValueStrategy", "none")
            .with("splitCharacteristic", "multiSplit")
            .holding(mining_schema(&all))
            .holding(root);
        let segment = Element::new("Segment").with("id", &(number + 1).to_string());
        segments.push(segment.holding(Element::new("True")).holding(model));
    }
    let margin = apply("+", vec![reference("sum"), constant(trees.base)]);
    let outputs = Element::new("Output")
        .holding(output("sum", "predictedValue"))
        .holding(output("margin", "transformedValue").holding(margin))
        .holding(probability(calibration));
    let model = Element::new("MiningModel")
        .with("modelName", "trees")
        .with("functionName", "regression")
        .holding(mining_schema(&all))
        .holding(outputs)
        .holding(segments);
    Ok(document(&all, model))
}

/// The left child's condition stands first, the right one takes what is left: a missing value meets no condition but
/// `isMissing`.
fn node(
    (number_of, tree): (usize, &Tree),
    child: Child,
    fields: &[FieldText],
    condition: Element,
) -> Result<Element, ExportError> {
    match child {
        Child::Leaf(leaf) => {
            let broken = ExportError::Tree { tree: number_of, branch: 0 };
            let leaf = tree.leaves.get(leaf as usize).ok_or(broken)?;
            let score = Element::new("Node").with("score", &number(leaf.value));
            Ok(score.with("recordCount", &leaf.rows.to_string()).holding(condition))
        }
        Child::Branch(at) => {
            let broken = || ExportError::Tree { tree: number_of, branch: at as usize };
            let branch = *tree.branches.get(at as usize).ok_or_else(broken)?;
            let field = fields.get(usize::from(branch.column)).ok_or_else(broken)?;
            let down = |child: Child| !matches!(child, Child::Branch(next) if next <= at);
            if !down(branch.left) || !down(branch.right) {
                return Err(broken());
            }
            let held = conditions(field, |code| branch.split.is_left(code));
            let left = predicate(field, &held).unwrap_or_else(|| Element::new("False"));
            Ok(Element::new("Node")
                .holding(condition)
                .holding(node((number_of, tree), branch.left, fields, left)?)
                .holding(node((number_of, tree), branch.right, fields, Element::new("True"))?))
        }
    }
}
