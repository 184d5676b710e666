//! Why a row has its margin: each original field's share, measured from a reference vector.
//! Explains the margin and never the calibrated probability; picks and words no reason.

use crate::base::ids::FieldName;
use crate::features::recipe::FittedField;
use crate::model::scorer::Prepared;
use crate::model::shap::ExplainError;
use crate::model::trained::Model;

/// What one field adds to the margin of the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    pub field: FieldName,
    pub value: f64,
}

/// `base` plus the fields' values, added in order, is `margin` (to 1e-9).
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The margin of the reference itself.
    pub base: f64,
    /// In the recipe's order, every field once.
    pub fields: Vec<Contribution>,
    pub margin: f64,
}

/// A reference, and what a model's family works out for it once.
#[derive(Clone, Debug)]
pub struct Reasoner {
    reference: Vec<f64>,
    prepared: Prepared,
}

impl Reasoner {
    /// A mean row, as long as the model's recipe has them.
    pub fn reference(&self) -> &[f64] {
        &self.reference
    }
}

impl Model {
    pub fn reasoner(&self, reference: &[f64]) -> Result<Reasoner, ExplainError> {
        let prepared = self.family.scorer().prepare(reference)?;
        Ok(Reasoner { reference: reference.to_vec(), prepared })
    }

    /// `reasoner` is one of this model's.
    pub fn explain(&self, row: &[f32], reasoner: &Reasoner) -> Explanation {
        let (base, fields) = self.shares(row, reasoner);
        Explanation { base, fields, margin: self.margin(row) }
    }

    /// The same for whoever has the margin: the reference's own margin, and every field in the recipe's order.
    pub fn shares(&self, row: &[f32], reasoner: &Reasoner) -> (f64, Vec<Contribution>) {
        let Reasoner { reference, prepared } = reasoner;
        let (base, columns) = self.family.scorer().contributions(row, reference, prepared);
        let own = |field: &FittedField| {
            let encoded = columns.iter().skip(field.start).take(field.width).fold(0.0, |sum, c| sum + c);
            let coded = field.code.as_ref().and_then(|code| columns.get(code.column));
            encoded + coded.copied().unwrap_or_default()
        };
        let share = |field: &FittedField| Contribution { field: field.field.clone(), value: own(field) };
        (base, self.recipe.fields.iter().map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::baseline::Baseline;
    use crate::model::calibrate::Calibration;
    use crate::model::linear::Linear;
    use crate::model::network::tests::{drawn, hashed};
    use crate::model::scorer::Family;
    use proptest::{collection, prop_assert, proptest};

    const WIDTHS: [usize; 4] = [17, 1, 30, 12];

    fn explain(model: &Model, row: &[f32], reference: &[f64]) -> Explanation {
        model.explain(row, &model.reasoner(reference).unwrap())
    }

    fn model(family: Family) -> Model {
        let recipe = hashed(&WIDTHS);
        let background = vec![0.5; recipe.width];
        Model { recipe, family, calibration: Calibration::identity(), background, accepted: None }
    }

    proptest! {
        #[test]
        fn base_and_contributions_add_up_to_the_margin(
            weights in collection::vec(-50.0f32..50.0, 60),
            bias in -20.0f32..20.0,
            row in collection::vec(-30.0f32..30.0, 60),
            reference in collection::vec(-30.0f64..30.0, 60),
        ) {
            let explained = explain(&model(Family::Logistic(Linear { weights, bias })), &row, &reference);
            let sum = explained.fields.iter().fold(explained.base, |sum, field| sum + field.value);
            prop_assert!((sum - explained.margin).abs() < 1e-9, "{sum} {}", explained.margin);
        }
    }

    #[test]
    fn base_and_a_networks_contributions_add_up_to_the_margin() {
        let mut random = crate::base::rng::Random::new(1, "explain");
        for seed in 0..40 {
            let model = model(Family::Network(drawn(seed, &WIDTHS, &[0, 2], &[20, 10])));
            let row: Vec<f32> = (0..60).map(|_| (3.0 * random.normal()) as f32).collect();
            let reference: Vec<f64> = (0..60).map(|_| random.unit()).collect();
            let explained = explain(&model, &row, &reference);
            let sum = explained.fields.iter().fold(explained.base, |sum, field| sum + field.value);
            let size = 1.0 + explained.margin.abs();
            assert!((sum - explained.margin).abs() < 1e-11 * size, "{sum} {}", explained.margin);
            assert_eq!(explained, explain(&model, &row, &reference), "no lottery");
        }
    }

    #[test]
    fn a_field_owns_exactly_its_columns() {
        let mut weights = vec![0.0f32; 60];
        weights[17] = 2.0;
        weights[18] = 0.5;
        weights[47] = 0.25;
        let model = model(Family::Logistic(Linear { weights, bias: 1.0 }));
        let explained = explain(&model, &[1.0; 60], &[0.0; 60]);
        let values: Vec<f64> = explained.fields.iter().map(|field| field.value).collect();
        assert_eq!((explained.base, values), (1.0, vec![0.0, 2.0, 0.75, 0.0]));
        assert_eq!(explained.fields[1].field, "f1");
    }

    #[test]
    fn the_base_rate_model_blames_no_field() {
        let model = model(Family::Baseline(Baseline { log_odds: -1.5 }));
        let explained = explain(&model, &[1.0; 60], &[0.0; 60]);
        assert_eq!((explained.base, explained.margin), (-1.5, -1.5));
        assert!(explained.fields.len() == 4 && explained.fields.iter().all(|f| f.value == 0.0));
    }
}
