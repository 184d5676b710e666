//! A whole trained model: recipe, family, calibration and the vectors its reasons compare with.
//! Never reads a table; a row reaches it encoded by the model's own recipe.

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::calibrate::Calibration;
use crate::model::ensemble::Member;
use crate::model::network::{Embedding, Network};
use crate::model::scorecard::ScorecardError;
use crate::model::scorer::{Family, Scorer};
use crate::model::trees::check::BadTrees;
use crate::model::trees::code_columns;

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub recipe: FittedRecipe,
    pub family: Family,
    pub calibration: Calibration,
    /// Column means over the training rows.
    pub background: Vec<f64>,
    /// Column means over accepted cases near the cut-off, where there were enough of them.
    pub accepted: Option<Vec<f64>>,
}

/// Parts of a model that do not belong together.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ModelError {
    #[error("field {field:?} starts at column {start} where column {expected} is next")]
    Gap { field: String, start: usize, expected: usize },
    #[error("the recipe's fields have {found} columns and the recipe says {width} (at most {max})", max = limits::MATRIX_WIDTH_MAX)]
    RecipeWidth { found: usize, width: usize },
    #[error("a field's codes are in column {column} where column {expected} is next")]
    Code { column: usize, expected: usize },
    #[error("{part} has {found} values where the recipe has {width} columns")]
    Width { part: &'static str, found: usize, width: usize },
    #[error("{part} has a value that is no finite number (column {column})")]
    NotFinite { part: &'static str, column: usize },
    #[error("{part} ends with shares of codes that are below 0 or do not add up to 1")]
    Shares { part: &'static str },
    #[error("an ensemble has no member, or one that is an ensemble itself")]
    Members,
    #[error(transparent)]
    Scorecard(#[from] ScorecardError),
    #[error(transparent)]
    Trees(#[from] BadTrees),
    #[error("the network has numbers for the levels of field {field}, which has no such levels")]
    Embedding { field: usize },
}

impl Fact for ModelError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "model.recipe_gap",
            Self::RecipeWidth { .. } => "model.recipe_width",
            Self::Code { .. } => "model.recipe_gap",
            Self::Width { .. } => "model.width",
            Self::NotFinite { .. } => "model.not_finite",
            Self::Shares { .. } => "model.shares",
            Self::Members => "model.members",
            Self::Trees(_) => "model.trees",
            Self::Scorecard(_) => "model.scorecard",
            Self::Embedding { .. } => "model.embedding",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Train the model again, or import the release again from its source.".into())
    }
}

impl Model {
    /// Refuses parts of different widths, and fields that do not tile the columns in order.
    pub fn check(self) -> Result<Self, ModelError> {
        check_tiling(&self.recipe)?;
        check_family(&self.family, &self.recipe)?;
        self.check_mean("the background vector", &self.background)?;
        if let Some(accepted) = &self.accepted {
            self.check_mean("the accepted vector", accepted)?;
        }
        Ok(self)
    }

    fn check_mean(&self, part: &'static str, mean: &[f64]) -> Result<(), ModelError> {
        check_vector(part, mean, self.recipe.mean_width())?;
        if self.recipe.has_shares(mean) { Ok(()) } else { Err(ModelError::Shares { part }) }
    }

    /// One margin a row, in row order; each the same bits as `margin` gives for that row alone.
    pub fn margins(&self, matrix: &Matrix) -> Vec<f64> {
        self.family.scorer().margins(matrix)
    }

    pub fn margin(&self, row: &[f32]) -> f64 {
        self.family.scorer().margin(row)
    }

    /// The calibrated probability of the positive class.
    pub fn probability(&self, margin: f64) -> f64 {
        self.calibration.probability(margin)
    }
}

fn check_family(family: &Family, recipe: &FittedRecipe) -> Result<(), ModelError> {
    match family {
        Family::Baseline(baseline) => check_finite("the base rate", &[baseline.log_odds]),
        Family::Logistic(linear) => {
            let weights: Vec<f64> = linear.weights.iter().map(|&w| f64::from(w)).collect();
            check_vector("the weight vector", &weights, recipe.width)?;
            check_finite("the bias", &[f64::from(linear.bias)])
        }
        Family::Network(network) => check_network(network, recipe),
        Family::Boosting(trees) | Family::Forest(trees) => Ok(trees.check(&code_columns(recipe))?),
        Family::Scorecard(scorecard) => {
            if scorecard.columns != code_columns(recipe) {
                return Err(BadTrees::Columns.into());
            }
            Ok(scorecard.check()?)
        }
        Family::Ensemble(ensemble) => {
            let weights: Vec<f64> = ensemble.members.iter().map(|member| member.weight).collect();
            check_finite("the ensemble's weights", &weights)?;
            check_finite("the ensemble's bias", &[ensemble.bias])?;
            let nested = |member: &Member| matches!(member.family, Family::Ensemble(_));
            if ensemble.members.is_empty() || ensemble.members.iter().any(nested) {
                return Err(ModelError::Members);
            }
            ensemble.members.iter().try_for_each(|member| check_family(&member.family, recipe))
        }
    }
}

/// A network is whole in itself; here it must read these columns, and take for levels what are levels.
fn check_network(network: &Network, recipe: &FittedRecipe) -> Result<(), ModelError> {
    if network.width() != recipe.width {
        let (part, found) = ("the network", network.width());
        return Err(ModelError::Width { part, found, width: recipe.width });
    }
    let fits = |embedding: &&Embedding| {
        let field = recipe.fields.get(embedding.field);
        field.is_some_and(|f| {
            (f.start, f.width) == (embedding.start, embedding.width) && !f.encoding.is_numeric()
        })
    };
    match network.embeddings().iter().find(|embedding| !fits(embedding)) {
        Some(embedding) => Err(ModelError::Embedding { field: embedding.field }),
        None => Ok(()),
    }
}

fn check_tiling(recipe: &FittedRecipe) -> Result<(), ModelError> {
    let mut expected = 0usize;
    for field in &recipe.fields {
        if field.start != expected {
            let (field, start) = (field.field.clone(), field.start);
            return Err(ModelError::Gap { field: field.to_string(), start, expected });
        }
        expected = expected.saturating_add(field.width);
    }
    if expected == recipe.width && expected <= limits::MATRIX_WIDTH_MAX {
        let strays = recipe.codes().enumerate().find(|(rank, code)| code.column != expected + rank);
        strays.map_or(Ok(()), |(rank, code)| {
            Err(ModelError::Code { column: code.column, expected: expected + rank })
        })
    } else {
        Err(ModelError::RecipeWidth { found: expected, width: recipe.width })
    }
}

fn check_vector(part: &'static str, values: &[f64], width: usize) -> Result<(), ModelError> {
    if values.len() != width {
        return Err(ModelError::Width { part, found: values.len(), width });
    }
    check_finite(part, values)
}

fn check_finite(part: &'static str, values: &[f64]) -> Result<(), ModelError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(column) => Err(ModelError::NotFinite { part, column }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::features::recipe::FittedEncoding;
    use crate::model::baseline::Baseline;
    use crate::model::linear::Linear;
    use crate::model::network::tests::{drawn, hashed};

    fn model(widths: &[usize]) -> Model {
        let recipe = hashed(widths);
        let mut random = Random::new(5, "model");
        let weights = (0..recipe.width).map(|_| random.normal() as f32).collect();
        let background = vec![0.5; recipe.width];
        let family = Family::Logistic(Linear { weights, bias: 0.1 });
        Model { recipe, family, calibration: Calibration::identity(), background, accepted: None }
    }

    #[test]
    fn a_row_has_the_same_bits_in_a_batch_of_one_of_seven_and_of_a_thousand() {
        let network = Family::Network(drawn(4, &[100, 57, 43], &[1], &[16, 8]));
        check_batches(&model(&[100, 57, 43]));
        check_batches(&Model { family: network, ..model(&[100, 57, 43]) });
    }

    fn check_batches(model: &Model) {
        let mut random = Random::new(6, "rows");
        let values: Vec<f32> = (0..1000 * 200).map(|_| random.unit() as f32).collect();
        let whole = Matrix { rows: 1000, width: 200, values };
        let expected: Vec<u64> = model.margins(&whole).iter().map(|m| m.to_bits()).collect();
        for size in [1, 7] {
            let mut found = Vec::new();
            for piece in whole.values.chunks(size * 200) {
                let matrix = Matrix { rows: piece.len() / 200, width: 200, values: piece.to_vec() };
                found.extend(model.margins(&matrix).iter().map(|m| m.to_bits()));
            }
            assert_eq!(found, expected, "batches of {size}");
        }
        assert_eq!(model.margin(whole.row(999)).to_bits(), expected[999]);
    }

    #[test]
    fn a_network_over_other_columns_or_with_levels_of_a_number_is_no_model() {
        let with = |network| Model { family: Family::Network(network), ..model(&[2, 7, 3]) }.check();
        assert!(with(drawn(1, &[2, 7, 3], &[1], &[4])).is_ok());
        assert!(matches!(with(drawn(1, &[2, 7, 4], &[1], &[4])), Err(ModelError::Width { found: 13, .. })));
        // The second field has seven columns, not six.
        let shifted = with(drawn(1, &[3, 6, 3], &[1], &[4]));
        assert_eq!(shifted.unwrap_err(), ModelError::Embedding { field: 1 });
        let mut numbers = model(&[2, 7, 3]);
        let cuts = (0..8).map(f64::from).collect();
        numbers.recipe.fields[1].encoding = FittedEncoding::Piecewise { cuts, median: 1.0, indicator: false };
        let network = Family::Network(drawn(1, &[2, 7, 3], &[1], &[4]));
        let refused = Model { family: network, ..numbers }.check().unwrap_err();
        assert_eq!(refused.code(), "model.embedding");
    }

    #[test]
    fn parts_of_different_widths_are_no_model() {
        assert!(model(&[2, 3]).check().is_ok());
        let short = Model { background: vec![0.0; 4], ..model(&[2, 3]) };
        let part = "the background vector";
        assert_eq!(short.check().unwrap_err(), ModelError::Width { part, found: 4, width: 5 });
        let long = Model { accepted: Some(vec![0.0; 6]), ..model(&[2, 3]) };
        assert!(matches!(long.check(), Err(ModelError::Width { found: 6, .. })));
        let linear = Linear { weights: vec![0.0; 4], bias: 0.0 };
        let narrow = Model { family: Family::Logistic(linear), ..model(&[2, 3]) };
        assert!(matches!(narrow.check(), Err(ModelError::Width { found: 4, .. })));
    }

    #[test]
    fn a_number_that_is_not_finite_is_no_model() {
        let mut bad = model(&[2, 3]);
        bad.background[3] = f64::NAN;
        assert!(matches!(bad.check(), Err(ModelError::NotFinite { column: 3, .. })));
        let base = Family::Baseline(Baseline { log_odds: f64::INFINITY });
        assert!(matches!(Model { family: base, ..model(&[1]) }.check(), Err(ModelError::NotFinite { .. })));
    }

    #[test]
    fn fields_that_overlap_or_leave_a_hole_are_no_model() {
        let mut hole = model(&[2, 3]);
        hole.recipe.fields[1].start = 3;
        assert!(matches!(hole.check(), Err(ModelError::Gap { start: 3, expected: 2, .. })));
        let mut huge = model(&[2, 3]);
        huge.recipe.fields[1].width = usize::MAX;
        assert!(matches!(huge.check(), Err(ModelError::RecipeWidth { width: 5, .. })));
    }
}
