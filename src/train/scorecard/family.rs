//! From a matrix of codes and settings to a scorecard and what became of each field's bins.
//! Bins nothing itself.

use crate::features::recipe::FittedRecipe;
use crate::model::scorecard::Scorecard;
use crate::model::trees::code_columns;
use crate::train::course::ClassCosts;
use crate::train::examples::{Examples, TrainError};
use crate::train::monotone::Directions;
use crate::train::params::{ClassWeight, ScorecardSettings};
use crate::train::scorecard::coded::CodedRows;
use crate::train::scorecard::fit::{BinnedColumn, fit_scorecard};
use crate::train::trees::fit::code_table;

pub fn train_scorecard(
    settings: &ScorecardSettings,
    recipe: &FittedRecipe,
    directions: &Directions,
    train: &Examples<'_>,
) -> Result<(Scorecard, Vec<BinnedColumn>), TrainError> {
    train.check("training")?;
    settings.check_fields(recipe)?;
    let columns = code_columns(recipe);
    let table = code_table(&columns, train.matrix);
    let costs = ClassCosts::of(train, ClassWeight::None)?;
    let weights: Vec<f64> = train.labels.iter().map(|&label| costs.of_label(label)).collect();
    let codes = table.columns.concat();
    let rows = CodedRows::check(&columns, &codes, train.labels, &weights)?;
    Ok(fit_scorecard(&rows, &settings.requests(recipe, directions), &settings.params)?)
}
