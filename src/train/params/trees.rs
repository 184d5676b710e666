//! `[boosting]` and `[forest]` of train.toml: how trees are grown. What is not written follows from the number of
//! training rows, by one rule for all data. Knows no data.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::train::params::{ClassWeight, ParamsError};
use crate::train::trees::error::TreesError;
use crate::train::trees::params::{AverageParams, BoostingParams, ForestParams, Growth};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawBoosting {
    /// Symmetric trees unless it says otherwise; the defaults of what follows are of the growth.
    pub growth: Option<Growth>,
    /// Trees at most; validation says how many are kept.
    pub rounds: Option<usize>,
    pub learning_rate: Option<f64>,
    pub leaves: Option<usize>,
    pub depth: Option<usize>,
    /// Training rows a leaf has at least.
    pub leaf_rows: Option<usize>,
    /// The share of rows, and of columns, that each tree is drawn from.
    pub row_share: Option<f64>,
    pub column_share: Option<f64>,
    /// Shrinks every leaf's value, as so many rows of its own hessian would.
    pub lambda: Option<f64>,
    /// Rounds without a lower validation loss after which training stops.
    pub patience: Option<usize>,
    /// How many models are averaged, each stopped by a share of the rows of its own.
    pub models: Option<usize>,
    pub held_share: Option<f64>,
    pub class_weight: ClassWeight,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawForest {
    pub trees: Option<usize>,
    pub depth: Option<usize>,
    /// Training rows a leaf has at least.
    pub leaf_rows: Option<usize>,
    /// Columns that each split is chosen from: this many times the root of their number.
    pub root_share: Option<f64>,
    pub class_weight: ClassWeight,
}

/// Checked against the least and the most rows there can be, so that no number of rows makes them wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoostingSettings(RawBoosting);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForestSettings(RawForest);

impl RawBoosting {
    pub(super) fn check(self) -> Result<BoostingSettings, ParamsError> {
        self.class_weight.check("boosting.class_weight.positive")?;
        let settings = BoostingSettings(self);
        for rows in [1, limits::ROWS_MAX] {
            let (params, average) = settings.params(rows);
            params.check().map_err(in_section("boosting"))?;
            average.check().map_err(in_section("boosting"))?;
        }
        Ok(settings)
    }
}

impl RawForest {
    pub(super) fn check(self) -> Result<ForestSettings, ParamsError> {
        self.class_weight.check("forest.class_weight.positive")?;
        let settings = ForestSettings(self);
        for rows in [1, limits::ROWS_MAX] {
            settings.params(rows).check().map_err(in_section("forest"))?;
        }
        Ok(settings)
    }
}

fn in_section(section: &'static str) -> impl Fn(TreesError) -> ParamsError {
    move |source| {
        let source = match source {
            TreesError::Param { name, value, range } => {
                TreesError::Param { name: key_of(name), value, range }
            }
            other => other,
        };
        ParamsError::Trees { section, source: Box::new(source) }
    }
}

/// A number's key in train.toml, where that has another name for it.
fn key_of(name: &'static str) -> &'static str {
    match name {
        "rounds_max" => "rounds",
        "leaves_max" => "leaves",
        "depth_max" => "depth",
        "rows_min" => "leaf_rows",
        other => other,
    }
}

impl BoostingSettings {
    /// For so many training rows.
    pub fn params(&self, rows: usize) -> (BoostingParams, AverageParams) {
        let raw = &self.0;
        let mut params = match raw.growth.unwrap_or_default() {
            Growth::Symmetric => BoostingParams::usual(rows),
            Growth::BestLeaf => BoostingParams::by_best_leaf(rows),
        };
        put(&mut params.rounds_max, raw.rounds);
        put(&mut params.learning_rate, raw.learning_rate);
        put(&mut params.row_share, raw.row_share);
        put(&mut params.column_share, raw.column_share);
        put(&mut params.patience, raw.patience);
        put(&mut params.grow.leaves_max, raw.leaves);
        put(&mut params.grow.depth_max, raw.depth);
        put(&mut params.grow.rows_min, raw.leaf_rows);
        put(&mut params.grow.lambda, raw.lambda);
        let mut average = AverageParams::usual(rows);
        put(&mut average.models, raw.models);
        put(&mut average.held_share, raw.held_share);
        (params, average)
    }

    pub fn class_weight(&self) -> ClassWeight {
        self.0.class_weight
    }
}

impl ForestSettings {
    /// For so many training rows.
    pub fn params(&self, rows: usize) -> ForestParams {
        let raw = &self.0;
        let mut params = ForestParams::usual(rows);
        put(&mut params.trees, raw.trees);
        put(&mut params.root_share, raw.root_share);
        put(&mut params.grow.depth_max, raw.depth);
        put(&mut params.grow.rows_min, raw.leaf_rows);
        params
    }

    pub fn class_weight(&self) -> ClassWeight {
        self.0.class_weight
    }
}

fn put<T: Copy>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}
