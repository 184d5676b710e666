//! Several families as one model over one recipe: weighed by their out-of-fold margins, then fitted on all rows.
//! Fits no family by itself.

use crate::base::fact::Failure;
use crate::base::progress::Silent;
use crate::base::progress::parallel::{in_parallel, threads_for};
use crate::base::rng::Random;
use crate::data::split::draw_stratified;
use crate::features::fit::{Form, fit};
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::ensemble::{Ensemble, Member};
use crate::model::scorer::Family;
use crate::train::course::Parts;
use crate::train::cross::development::Development;
use crate::train::cross::folds::Crossed;
use crate::train::cross::stack::{Stacked, stack};
use crate::train::examples::{Examples, TrainError};
use crate::train::fit::{FittedFamily, Fitting, fit_family};
use crate::train::params::{EnsembleParams, FamilyParams};

/// What each member counts, and the margins of all together.
pub fn weigh(members: &[Crossed], labels: &[bool]) -> (Stacked, Crossed) {
    let margins: Vec<&[f64]> = members.iter().map(|member| member.margins.as_slice()).collect();
    let weights = stack(&margins, labels);
    let of_row = |row: usize| weights.margin(margins.iter().map(|own| own[row]));
    let crossed = Crossed { margins: (0..labels.len()).map(of_row).collect() };
    (weights, crossed)
}

/// Members that count, fitted on all rows over a recipe that has what each reads.
pub fn put_together(
    development: &Development<'_>,
    members: &[FamilyParams],
    weights: &Stacked,
    rows: &[usize],
) -> Result<(FittedRecipe, FittedFamily), Failure> {
    let counted: Vec<(&FamilyParams, f64)> =
        members.iter().zip(weights.weights.iter().copied()).filter(|(_, weight)| *weight > 0.0).collect();
    let own: Vec<FamilyParams> = counted.iter().map(|(family, _)| (*family).clone()).collect();
    let form = FamilyParams::Ensemble(EnsembleParams { members: own, folds: 0 }).form();
    let table = development.table.select(rows);
    let labels = development.labels_of(rows);
    let recipe = fit(development.recipe, &form, &table)?;
    let matrix = recipe.transform(&table)?;
    let shared = Shared { development, recipe: &recipe, matrix: &matrix, labels: &labels };
    let fitted =
        in_parallel(&counted, threads_for(counted.len()), |_, (family, _)| shared.fit_member(family));
    let mut together = Ensemble { bias: weights.bias, members: Vec::new() };
    let mut bins = Vec::new();
    for (fitted, (_, weight)) in fitted.into_iter().zip(counted) {
        let fitted = fitted?;
        bins.extend(fitted.bins);
        together.members.push(Member { weight, family: fitted.family });
    }
    let family = Family::Ensemble(together);
    Ok((recipe, FittedFamily { family, epochs: Vec::new(), best_epoch: None, bins }))
}

/// What all members of an ensemble are fitted on.
struct Shared<'a> {
    development: &'a Development<'a>,
    recipe: &'a FittedRecipe,
    matrix: &'a Matrix,
    labels: &'a [bool],
}

impl Shared<'_> {
    /// A member reads the columns of encodings or those of codes; the former come first.
    fn fit_member(&self, family: &FamilyParams) -> Result<FittedFamily, TrainError> {
        let Development { params, cancel, .. } = self.development;
        let fitting = Fitting { params, family, recipe: self.recipe };
        let columns = match family.form() {
            Form::Columns => &self.matrix.first_columns(self.recipe.width),
            Form::Codes(_) | Form::Both(_) => self.matrix,
        };
        if !family.watches(columns.rows) {
            let all = Examples { matrix: columns, labels: self.labels };
            let none = Examples { matrix: &Matrix::zeros(0, columns.width), labels: &[] };
            return fit_family(fitting, &Parts { train: all, valid: none }, cancel, &Silent);
        }
        let rows: Vec<usize> = (0..columns.rows).collect();
        let random = &mut Random::new(params.seed, "cross.valid");
        let held = draw_stratified(&rows, self.labels, params.split.valid_share(), random);
        let part = |is_held: bool| -> (Matrix, Vec<bool>) {
            let own: Vec<usize> = rows.iter().copied().filter(|&row| held[row] == is_held).collect();
            (columns.select(&own), own.iter().map(|&row| self.labels[row]).collect())
        };
        let ((train, train_labels), (valid, valid_labels)) = (part(false), part(true));
        let parts = Parts {
            train: Examples { matrix: &train, labels: &train_labels },
            valid: Examples { matrix: &valid, labels: &valid_labels },
        };
        fit_family(fitting, &parts, cancel, &Silent)
    }
}
