//! The rows a model is developed on, and any family fitted on any of them: recipe, what is held out, family.
//! Never sees a test row.

use crate::base::cancel::CancelFlag;
use crate::base::fact::Failure;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::data::split::draw_stratified;
use crate::data::table::Table;
use crate::features::fit::fit;
use crate::features::matrix::Matrix;
use crate::features::recipe::{FittedRecipe, Recipe};
use crate::train::course::Parts;
use crate::train::examples::Examples;
use crate::train::fit::{FittedFamily, Fitting, fit_family};
use crate::train::params::{FamilyParams, TrainParams};

#[derive(Clone, Copy)]
pub struct Development<'a> {
    pub recipe: &'a Recipe,
    pub params: &'a TrainParams,
    pub table: &'a Table,
    pub labels: &'a [bool],
    pub cancel: &'a CancelFlag,
}

/// A family, and the recipe that makes the rows it reads.
pub struct FittedModel {
    pub recipe: FittedRecipe,
    pub fitted: FittedFamily,
}

impl Development<'_> {
    /// Fits one family on these rows of the table. A family that watches a validation part has its share of them.
    pub fn fit_on(
        &self,
        family: &FamilyParams,
        rows: &[usize],
        progress: &dyn Progress,
    ) -> Result<FittedModel, Failure> {
        let (train, valid) = self.divide(family, rows);
        let (table, labels) = self.pick(&train);
        let recipe = fit(self.recipe, &family.form(), &table)?;
        let matrix = recipe.transform(&table)?;
        let (valid_table, valid_labels) = self.pick(&valid);
        let valid_matrix = if valid.is_empty() {
            Matrix::zeros(0, recipe.row_width())
        } else {
            recipe.transform(&valid_table)?
        };
        let parts = Parts {
            train: Examples { matrix: &matrix, labels: &labels },
            valid: Examples { matrix: &valid_matrix, labels: &valid_labels },
        };
        let fitting = Fitting { params: self.params, family, recipe: &recipe };
        let fitted = fit_family(fitting, &parts, self.cancel, progress)?;
        Ok(FittedModel { recipe, fitted })
    }

    /// One margin for each of these rows.
    pub fn score(&self, model: &FittedModel, rows: &[usize]) -> Result<Vec<f64>, Failure> {
        let matrix = model.recipe.transform(&self.table.select(rows))?;
        Ok(model.fitted.family.scorer().margins(&matrix))
    }

    pub fn labels_of(&self, rows: &[usize]) -> Vec<bool> {
        rows.iter().map(|&row| self.labels[row]).collect()
    }

    fn pick(&self, rows: &[usize]) -> (Table, Vec<bool>) {
        (self.table.select(rows), self.labels_of(rows))
    }

    fn divide(&self, family: &FamilyParams, rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
        if !family.watches(rows.len()) {
            return (rows.to_vec(), Vec::new());
        }
        let share = self.params.split.valid_share();
        let random = &mut Random::new(self.params.seed, "cross.valid");
        let held = draw_stratified(rows, self.labels, share, random);
        rows.iter().partition(|&&row| !held[row])
    }
}
