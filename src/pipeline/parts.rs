//! The rows of a training divided into train, valid and test, with their labels, then encoded.
//! Fits nothing but calibration and reference means, each on the part that is meant for it.

use crate::base::fact::{Class, Fact, Failure};
use crate::config::project::Project;
use crate::data::contract::Role;
use crate::data::label::find_labels;
use crate::data::split::{Split, SplitPlan, TestRule};
use crate::data::table::Table;
use crate::decide::policy::PositiveIs;
use crate::decide::resolved::ResolvedPolicy;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::calibrate::Calibration;
use crate::model::trained::Model;
use crate::train::course::Parts as TrainParts;
use crate::train::examples::Examples;
use crate::train::fit::{FittedFamily, accepted_rows, background};
use crate::train::params::SplitParams;

/// Some rows and their outcomes.
pub struct Rows {
    pub table: Table,
    pub labels: Vec<bool>,
}

/// The three parts as tables, and the table they were divided from.
pub struct Parts {
    pub whole: Table,
    /// Of the whole.
    pub labels: Vec<bool>,
    pub train: Rows,
    pub valid: Rows,
    pub test: Rows,
    /// Which rows of the whole each part has.
    pub split: Split,
}

/// The three parts as matrices, beside the tables they came from.
pub struct EncodedParts<'a> {
    pub rows: &'a Parts,
    train: Matrix,
    valid: Matrix,
    pub test: Matrix,
}

/// The test part as the model scores it.
pub struct TestScores<'a> {
    pub labels: &'a [bool],
    pub probabilities: Vec<f64>,
}

impl Parts {
    pub fn divide(project: &Project, table: Table) -> Result<Self, Failure> {
        let (labels, split) = split_rows(project, &table)?;
        Ok(Self::of_split(project, table, labels, split))
    }

    /// The parts of a split that was drawn before. No row is held out of it for a family that has no use for that.
    pub fn of_split(project: &Project, table: Table, labels: Vec<bool>, split: Split) -> Self {
        let params = &project.params;
        let developed = split.train.len() + split.valid.len();
        let holds_out = params.calibration.holds_out(&params.family, developed);
        let split = if holds_out { split } else { split.without_valid() };
        let part = |rows: &[usize]| Rows {
            table: table.select(rows),
            labels: rows.iter().map(|&row| labels[row]).collect(),
        };
        let (train, valid, test) = (part(&split.train), part(&split.valid), part(&split.test));
        Self { whole: table, labels, train, valid, test, split }
    }

    pub fn encode(&self, recipe: &FittedRecipe) -> Result<EncodedParts<'_>, Failure> {
        Ok(EncodedParts {
            train: recipe.transform(&self.train.table)?,
            valid: recipe.transform(&self.valid.table)?,
            test: recipe.transform(&self.test.table)?,
            rows: self,
        })
    }
}

impl EncodedParts<'_> {
    pub fn train(&self) -> Examples<'_> {
        Examples { matrix: &self.train, labels: &self.rows.train.labels }
    }

    pub fn valid(&self) -> Examples<'_> {
        Examples { matrix: &self.valid, labels: &self.rows.valid.labels }
    }

    pub fn examples(&self) -> TrainParts<'_> {
        TrainParts { train: self.train(), valid: self.valid() }
    }

    /// The model with probabilities that mean what they say.
    pub fn model(
        &self,
        recipe: FittedRecipe,
        family: &FittedFamily,
        calibration: Calibration,
    ) -> Result<Model, Failure> {
        let background = background(&recipe, &self.train);
        let model = Model { recipe, family: family.family.clone(), calibration, background, accepted: None };
        Ok(model.check()?)
    }

    pub fn with_accepted_reference(&self, model: Model, policy: &ResolvedPolicy) -> Result<Model, Failure> {
        let probabilities = probabilities(&model, &self.train);
        let is_bad = policy.object().positive_is == PositiveIs::Bad;
        let rows = accepted_rows(&probabilities, policy.accepted_edge(), is_bad);
        let accepted = rows.map(|rows| model.recipe.mean_row(&self.train, rows.into_iter()));
        Ok(Model { accepted, ..model }.check()?)
    }

    pub fn score(&self, model: &Model) -> Result<TestScores<'_>, Failure> {
        Ok(TestScores { labels: &self.rows.test.labels, probabilities: probabilities(model, &self.test) })
    }
}

/// Calibrated probabilities of encoded rows.
pub fn probabilities(model: &Model, matrix: &Matrix) -> Vec<f64> {
    model.margins(matrix).into_iter().map(|margin| model.probability(margin)).collect()
}

/// Every row's outcome, and which part it is in.
pub fn split_rows(project: &Project, table: &Table) -> Result<(Vec<bool>, Split), Failure> {
    let labels = find_labels(table, &project.contract.target().name, &project.settings.positive)?;
    let split = split_plan(project)?.split(table, &labels, project.params.seed)?;
    Ok((labels, split))
}

/// The parameters' way to split, with the contract's split column where they name none.
fn split_plan(project: &Project) -> Result<SplitPlan, Failure> {
    let own = || {
        let column = project.contract.with_role(Role::Split).next();
        column.map(|spec| spec.name.clone()).ok_or(NoSplitColumn)
    };
    Ok(match project.params.split.clone() {
        SplitParams::Random { test, valid } => {
            SplitPlan { test: TestRule::Random { share: test }, valid_share: valid }
        }
        SplitParams::Column { column, test_values, valid } => {
            let column = column.map_or_else(own, Ok)?;
            SplitPlan { test: TestRule::Column { column, test_values }, valid_share: valid }
        }
        SplitParams::Time { column, test, valid } => {
            SplitPlan { test: TestRule::Latest { column, share: test }, valid_share: valid }
        }
    })
}

#[derive(Debug, thiserror::Error)]
#[error("split.by = \"column\" names no column, and the contract has none with the role `split`")]
struct NoSplitColumn;

impl Fact for NoSplitColumn {
    fn code(&self) -> &'static str {
        "train_params.no_split_column"
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some("Write split.column in train.toml.".into())
    }
}
