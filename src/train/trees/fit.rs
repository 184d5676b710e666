//! From a matrix of codes and settings to trees: columns, directions, weights, and what is held out.
//! Grows nothing itself.

use crate::base::cancel::CancelFlag;
use crate::base::progress::Progress;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::trees::{CodeColumn, Trees, code_columns, read_columns};
use crate::train::course::{ClassCosts, EpochLoss};
use crate::train::examples::{Examples, TrainError};
use crate::train::monotone::Directions;
use crate::train::params::{BoostingSettings, ClassWeight, ForestSettings};
use crate::train::trees::average::boost_average;
use crate::train::trees::boosting::Watch;
use crate::train::trees::codes::{CodeTable, CodedPart, CodedShape, Monotone};
use crate::train::trees::forest::bag;

/// What trees are grown on beside their settings.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    pub recipe: &'a FittedRecipe,
    pub directions: &'a Directions,
    pub seed: u64,
}

/// Trees, and the validation loss after each.
pub struct GrownTrees {
    pub trees: Trees,
    pub rounds: Vec<EpochLoss>,
    pub best_round: Option<usize>,
}

/// Holds out its own rows to know when to stop: a share of all rows for each of several models, whose mean it is.
pub fn grow_boosting(
    settings: &BoostingSettings,
    ground: Ground<'_>,
    train: &Examples<'_>,
    (cancel, progress): (&CancelFlag, &dyn Progress),
) -> Result<GrownTrees, TrainError> {
    train.check("training")?;
    let coded = Coded::of(&ground);
    let (params, average) = settings.params(train.matrix.rows);
    let rows = coded.rows(train, settings.class_weight())?;
    let watch = Watch { cancel, progress };
    let grown = boost_average(rows.part(), coded.shape(), (&params, &average), ground.seed, watch)?;
    let loss = |(round, &valid): (usize, &f64)| EpochLoss { epoch: round + 1, train: None, valid };
    let rounds = grown.valid_losses.iter().enumerate().map(loss).collect();
    Ok(GrownTrees { trees: grown.trees, rounds, best_round: Some(grown.best_round) })
}

pub fn grow_forest(
    settings: &ForestSettings,
    ground: Ground<'_>,
    train: &Examples<'_>,
    (cancel, progress): (&CancelFlag, &dyn Progress),
) -> Result<GrownTrees, TrainError> {
    train.check("training")?;
    let coded = Coded::of(&ground);
    let params = settings.params(train.matrix.rows);
    let rows = coded.rows(train, settings.class_weight())?;
    let bagged = bag(rows.part(), coded.shape(), &params, ground.seed, Watch { cancel, progress })?;
    Ok(GrownTrees { trees: bagged.trees, rounds: Vec::new(), best_round: None })
}

struct Coded {
    columns: Vec<CodeColumn>,
    monotone: Vec<Monotone>,
}

/// A part as trees read it.
struct CodedRows<'a> {
    table: CodeTable,
    labels: &'a [bool],
    weights: Vec<f32>,
}

impl Coded {
    fn of(ground: &Ground<'_>) -> Self {
        let columns = code_columns(ground.recipe);
        let fields = ground.recipe.fields.iter().filter(|field| field.code.is_some());
        Self { monotone: fields.map(|field| ground.directions.of(&field.field)).collect(), columns }
    }

    fn shape(&self) -> CodedShape<'_> {
        CodedShape { columns: &self.columns, monotone: &self.monotone }
    }

    fn rows<'a>(
        &self,
        examples: &Examples<'a>,
        class_weight: ClassWeight,
    ) -> Result<CodedRows<'a>, TrainError> {
        let costs = ClassCosts::of(examples, class_weight)?;
        let weights = examples.labels.iter().map(|&label| costs.of_label(label) as f32).collect();
        Ok(CodedRows { table: code_table(&self.columns, examples.matrix), labels: examples.labels, weights })
    }
}

impl CodedRows<'_> {
    fn part(&self) -> CodedPart<'_> {
        CodedPart { table: &self.table, labels: self.labels, weights: &self.weights }
    }
}

/// The codes of all rows, column by column.
pub fn code_table(columns: &[CodeColumn], matrix: &Matrix) -> CodeTable {
    CodeTable { rows: matrix.rows, columns: read_columns(columns, matrix) }
}
